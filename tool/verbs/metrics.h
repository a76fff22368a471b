/* SPDX-License-Identifier: GPL-2.0 */
/* metrics.h - klp-sets metrics: what is to be watched on many machines */
#ifndef KLP_SETS_VERBS_METRICS_H
#define KLP_SETS_VERBS_METRICS_H

#include "verbs/options.h"

extern const struct verb verb_metrics;

#endif /* KLP_SETS_VERBS_METRICS_H */
