/* SPDX-License-Identifier: GPL-2.0 */
/* stored.h - klp-sets list --stored: what is in the store */
#ifndef KLP_SETS_VERBS_STORED_H
#define KLP_SETS_VERBS_STORED_H

/* All of `klp-sets list --stored`. */
int list_stored(void);

#endif /* KLP_SETS_VERBS_STORED_H */
