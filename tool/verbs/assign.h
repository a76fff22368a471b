/* SPDX-License-Identifier: GPL-2.0 */
/* assign.h - klp-sets assign: shows assignments, makes and drops them */
#ifndef KLP_SETS_VERBS_ASSIGN_H
#define KLP_SETS_VERBS_ASSIGN_H

#include "verbs/options.h"

struct assignment;
struct machine;

extern const struct verb verb_assign;

/* Puts what is enabled, and a pattern is for, into its set: EXIT_OK or EXIT_REFUSED. */
int assign_enabled(const struct machine *m, const struct assignment *pattern);

#endif /* KLP_SETS_VERBS_ASSIGN_H */
