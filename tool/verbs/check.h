/* SPDX-License-Identifier: GPL-2.0 */
/* check.h - klp-sets check: what would happen, without doing it */
#ifndef KLP_SETS_VERBS_CHECK_H
#define KLP_SETS_VERBS_CHECK_H

#include "verbs/options.h"

extern const struct verb verb_check;

#endif /* KLP_SETS_VERBS_CHECK_H */
