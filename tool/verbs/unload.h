/* SPDX-License-Identifier: GPL-2.0 */
/* unload.h - the verbs unload, reverse and force: a livepatch on its way out, a transition on its way back, and one that is ended by decree */
#ifndef KLP_SETS_VERBS_UNLOAD_H
#define KLP_SETS_VERBS_UNLOAD_H

#include "verbs/options.h"

extern const struct verb verb_unload;
extern const struct verb verb_reverse;
extern const struct verb verb_force;

#endif /* KLP_SETS_VERBS_UNLOAD_H */
