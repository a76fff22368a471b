/* SPDX-License-Identifier: GPL-2.0 */
/* trust.h - whether this kernel would take a module file, by its signature */
#ifndef KLP_SETS_KNOW_TRUST_H
#define KLP_SETS_KNOW_TRUST_H

struct module_file;

/* Why not, in a sentence without its end; NULL when it would, or when it cannot be known. */
const char *why_not_trusted(const struct module_file *file);

#endif /* KLP_SETS_KNOW_TRUST_H */
