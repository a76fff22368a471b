/* SPDX-License-Identifier: GPL-2.0 */
/* stamp.h - klp-sets stamp: a set in the file of a livepatch that knows nothing of sets */
#ifndef KLP_SETS_VERBS_STAMP_H
#define KLP_SETS_VERBS_STAMP_H

#include "verbs/options.h"

extern const struct verb verb_stamp;

#endif /* KLP_SETS_VERBS_STAMP_H */
