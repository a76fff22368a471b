/* SPDX-License-Identifier: GPL-2.0 */
/* status.h - klp-sets status: what a transition waits for, and whether each patch is in effect */
#ifndef KLP_SETS_VERBS_STATUS_H
#define KLP_SETS_VERBS_STATUS_H

#include "verbs/options.h"

extern const struct verb verb_status;

#endif /* KLP_SETS_VERBS_STATUS_H */
