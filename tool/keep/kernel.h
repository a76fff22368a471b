/* SPDX-License-Identifier: GPL-2.0 */
/* kernel.h - which kernel this is, whatever it is called by now */
#ifndef KLP_SETS_KEEP_KERNEL_H
#define KLP_SETS_KEEP_KERNEL_H

#include <stdbool.h>

/* The kernel that the store is for: the running one, or KLP_SETS_KERNEL from the environment. */
const char *kernel_release(void);
/*
 * The release of the running kernel, under which its modules are. A livepatch may change what
 * uname tells, so it is asked once in a boot.
 */
const char *running_release(void);
/* The build id of the running kernel, in hex; NULL when it has none. No livepatch changes it. */
const char *running_build(void);
/* Whether a name can be that of a kernel: it is a part of paths. */
bool is_release(const char *name);
/* Whether the kernel is installed, as far as its image or its modules tell. */
bool is_installed(const char *release);
/* Whether what is kept is that of the running kernel, and not of another or of a folder. */
bool is_this_machine(void);

#endif /* KLP_SETS_KEEP_KERNEL_H */
