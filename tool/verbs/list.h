/* SPDX-License-Identifier: GPL-2.0 */
/* list.h - klp-sets list: every livepatch on this machine, with a set or without */
#ifndef KLP_SETS_VERBS_LIST_H
#define KLP_SETS_VERBS_LIST_H

#include "verbs/options.h"

extern const struct verb verb_list;

#endif /* KLP_SETS_VERBS_LIST_H */
