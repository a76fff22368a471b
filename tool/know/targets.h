/* SPDX-License-Identifier: GPL-2.0 */
/* targets.h - the functions that a livepatch is about to change */
#ifndef KLP_SETS_KNOW_TARGETS_H
#define KLP_SETS_KNOW_TARGETS_H

struct symbols;

/*
 * Those of this machine: what runs, the modules that could be loaded, and, for root, what
 * ftrace can do with them. NULL when nothing is known.
 */
struct symbols *targets_of_machine(void);
/* Those of the kernel that the store is for, which is another one; NULL as above. */
struct symbols *targets_of_store(void);
/* Those in files: of the kernel, and below a folder of modules; each may be NULL. Dies. */
struct symbols *targets_of_files(const char *map, const char *modules);

#endif /* KLP_SETS_KNOW_TARGETS_H */
