/* SPDX-License-Identifier: GPL-2.0 */
/* apply.h - store and machine as a folder says */
#ifndef KLP_SETS_VERBS_APPLY_H
#define KLP_SETS_VERBS_APPLY_H

#include "verbs/options.h"

extern const struct verb verb_apply;

#endif /* KLP_SETS_VERBS_APPLY_H */
