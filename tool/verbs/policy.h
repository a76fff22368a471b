/* SPDX-License-Identifier: GPL-2.0 */
/* policy.h - klp-sets policy: shows how far a replace may reach, and changes it */
#ifndef KLP_SETS_VERBS_POLICY_H
#define KLP_SETS_VERBS_POLICY_H

#include "verbs/options.h"

extern const struct verb verb_policy;

#endif /* KLP_SETS_VERBS_POLICY_H */
