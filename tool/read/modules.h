/* SPDX-License-Identifier: GPL-2.0 */
/* modules.h - where the files of a kernel's modules are */
#ifndef KLP_SETS_READ_MODULES_H
#define KLP_SETS_READ_MODULES_H

/* All modules below a folder, as /lib/modules/RELEASE is one. */
struct modules;

struct modules *modules_open(const char *folder);
void modules_close(struct modules *m);
/* The file of the module of this name, or NULL. It stays as long as *m*. */
const char *modules_find(struct modules *m, const char *name);

#endif /* KLP_SETS_READ_MODULES_H */
