/* SPDX-License-Identifier: GPL-2.0 */
/* sysfs.h - files of sysfs and tracefs, and what two of them say of a livepatch */
#ifndef KLP_SETS_READ_SYSFS_H
#define KLP_SETS_READ_SYSFS_H

#include <stdbool.h>

#define SYS_LIVEPATCH "/sys/kernel/livepatch"
#define SYS_KLP_SETS "/sys/kernel/klp_sets"
#define SYS_MODULE "/sys/module"

/* Calls a function for every folder in a folder. */
void sysfs_each(const char *path, void *data,
		void (*fn)(const char *path, const char *name, void *data));
/* The file FOLDER/NAME/FILE, or NULL with errno. */
char *sysfs_read(const char *folder, const char *name, const char *file);
/* Of a boolean file: 0 or 1, -1 when it is not there. */
int sysfs_flag(const char *folder, const char *name, const char *file);
/* A file of tracefs, wherever that is mounted; NULL with errno. */
char *tracing_read(const char *file);
bool in_transition(const char *name);
/* Enabled, and not in transition. */
bool in_effect(const char *name);

#endif /* KLP_SETS_READ_SYSFS_H */
