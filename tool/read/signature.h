/* SPDX-License-Identifier: GPL-2.0 */
/* signature.h - the signature behind a module file */
#ifndef KLP_SETS_READ_SIGNATURE_H
#define KLP_SETS_READ_SIGNATURE_H

#include <stdbool.h>

struct module_file;

/* Whether the file, decompressed, ends with what the kernel takes for a signature. */
bool is_signed(const struct module_file *file);

#endif /* KLP_SETS_READ_SIGNATURE_H */
