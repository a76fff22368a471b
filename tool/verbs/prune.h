/* SPDX-License-Identifier: GPL-2.0 */
/* prune.h - klp-sets prune: stores of kernels that are gone */
#ifndef KLP_SETS_VERBS_PRUNE_H
#define KLP_SETS_VERBS_PRUNE_H

extern const struct verb verb_prune;

#endif /* KLP_SETS_VERBS_PRUNE_H */
