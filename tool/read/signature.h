/* SPDX-License-Identifier: GPL-2.0 */
/* signature.h - the signature behind a module file */
#ifndef KLP_SETS_READ_SIGNATURE_H
#define KLP_SETS_READ_SIGNATURE_H

#include <stdbool.h>

struct module_file;

/* Whether the file, decompressed, ends with what the kernel takes for a signature. */
bool is_signed(const struct module_file *file);
/* Whether a name, as that of who has issued the key, stands in its signature. */
bool signature_names(const struct module_file *file, const char *name);

#endif /* KLP_SETS_READ_SIGNATURE_H */
