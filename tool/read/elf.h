/* SPDX-License-Identifier: GPL-2.0 */
/* elf.h - a livepatch read from a module file */
#ifndef KLP_SETS_READ_ELF_H
#define KLP_SETS_READ_ELF_H

struct livepatch;
struct module_file;

/*
 * Reads a livepatch module, compressed or not, built by hand, by kpatch-build or
 * klp-build, for whatever kernel. The set is that of the call or of its modinfo.
 * Returns NULL, with the reason in *why: not a module, not a livepatch, damaged.
 */
struct livepatch *livepatch_read(const struct module_file *file, char **why);

#endif /* KLP_SETS_READ_ELF_H */
