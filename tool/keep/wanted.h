/* SPDX-License-Identifier: GPL-2.0 */
/* wanted.h - the folders that say what a machine should have */
#ifndef KLP_SETS_KEEP_WANTED_H
#define KLP_SETS_KEEP_WANTED_H

#include <stddef.h>

/* Of packages, with a folder for each kernel; and of the administrator. */
#define WANTED_PACKAGED "/usr/lib/klp-sets"
#define WANTED_LOCAL "/etc/klp-sets/livepatches.d"

/*
 * The module files in a folder, in the order of their names; with NULL, those in the two
 * folders above. What the administrator has counts more than a package's file for a module
 * of that name, and an empty file, as a link to /dev/null is one, takes it away. Dies when a
 * folder cannot be read, or when a name cannot be that of a module.
 */
char **wanted_files(const char *folder, size_t *n);

#endif /* KLP_SETS_KEEP_WANTED_H */
