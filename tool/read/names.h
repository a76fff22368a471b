/* SPDX-License-Identifier: GPL-2.0 */
/* names.h - what a module is called, in the kernel's list and as the name of its file */
#ifndef KLP_SETS_READ_NAMES_H
#define KLP_SETS_READ_NAMES_H

#include <stdbool.h>

/* As in the kernel: MODULE_NAME_LEN without the end of the string. */
#define MODULE_NAME_MAX 55

/*
 * Whether a module can have this name in the kernel's list. Names come from files and
 * command lines, and become parts of paths: nothing else is one.
 */
bool is_module_name(const char *name);
/* Whether it is the start of such a name, and a * behind it. */
bool is_module_pattern(const char *name);
/* The name of the module in a file, "fix_1" for "store/fix-1.ko.xz"; NULL when it is none. */
char *module_name(const char *arg);
/* The same of what a user wrote; ends the process when it is none. */
char *need_module_name(const char *arg);
/* Every '-' of a file's name is a '_' in the list of modules. Changes it, and returns it. */
char *module_underscores(char *name);

#endif /* KLP_SETS_READ_NAMES_H */
