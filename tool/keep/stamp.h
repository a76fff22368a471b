/* SPDX-License-Identifier: GPL-2.0 */
/* stamp.h - a set in the file of a livepatch that knows nothing of sets */
#ifndef KLP_SETS_KEEP_STAMP_H
#define KLP_SETS_KEEP_STAMP_H

#include <stddef.h>
#include <stdint.h>

struct module_file;

/*
 * The file, decompressed, with this set and with what it obsoletes in its modinfo, in the place
 * of what it had there. All else in it is as it was: sections, symbols, relocations. It is to
 * be freed; NULL with the reason in *why, which is, too.
 */
unsigned char *stamp(const struct module_file *file, uint32_t set, const uint32_t *obsoletes,
		     size_t nr_obsoletes, size_t *size, char **why);

#endif /* KLP_SETS_KEEP_STAMP_H */
