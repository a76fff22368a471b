/* SPDX-License-Identifier: GPL-2.0 */
/* setnames.h - names for the numbers of sets */
#ifndef KLP_SETS_READ_SETNAMES_H
#define KLP_SETS_READ_SETNAMES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Names come from /etc/klp-sets/sets.conf, and from files of packages in
 * /usr/lib/klp-sets/sets.d. They are read once; what makes no sense, and two that do not go
 * together, is warned of, and counts for nothing. The kernel knows nothing of them.
 */

/* A set as a user writes it: its number, or its name. False for anything else. */
bool find_set(const char *word, uint32_t *set);
/* NULL for none. */
const char *set_name(uint32_t set);
/* "7", or "7 (storage)": to be used in a message. */
const char *set_label(uint32_t set);
bool have_set_names(void);

#endif /* KLP_SETS_READ_SETNAMES_H */
