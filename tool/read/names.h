/* SPDX-License-Identifier: GPL-2.0 */
/* names.h - what a module is called, in the kernel's list and as the name of its file */
#ifndef KLP_SETS_READ_NAMES_H
#define KLP_SETS_READ_NAMES_H

/* Every '-' of a file's name is a '_' in the list of modules. Changes it, and returns it. */
char *module_underscores(char *name);
/* The name of the module in a file, "fix_1" for "store/fix-1.ko.xz". */
char *module_name(const char *arg);

#endif /* KLP_SETS_READ_NAMES_H */
