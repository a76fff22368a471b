/* SPDX-License-Identifier: GPL-2.0 */
/* assign.h - klp-sets assign: shows assignments, makes and drops them */
#ifndef KLP_SETS_VERBS_ASSIGN_H
#define KLP_SETS_VERBS_ASSIGN_H

#include "verbs/options.h"

extern const struct verb verb_assign;

#endif /* KLP_SETS_VERBS_ASSIGN_H */
