/* SPDX-License-Identifier: GPL-2.0 */
/* targets.h - the functions that a livepatch is about to change */
#ifndef KLP_SETS_KNOW_TARGETS_H
#define KLP_SETS_KNOW_TARGETS_H

struct symbols;

/*
 * Those of this machine: what runs, and the modules that could be loaded. They are many: read
 * once, and again when another module has come or gone. NULL when nothing is known. They
 * stay this function's.
 */
struct symbols *targets_of_machine(void);
/* The same, and, for root, what ftrace can do with them; the kernel knows that without us. */
struct symbols *targets_of_machine_and_ftrace(void);
/* Those of the kernel that the store is for, which is another one; NULL as above. */
struct symbols *targets_of_store(void);
/* Those in files: of the kernel, and below a folder of modules; each may be NULL. Dies. */
struct symbols *targets_of_files(const char *map, const char *modules);

#endif /* KLP_SETS_KNOW_TARGETS_H */
