/* SPDX-License-Identifier: GPL-2.0 */
/* boot.h - loads the store; and sees to it that a machine that died of it does not again */
#ifndef KLP_SETS_VERBS_BOOT_H
#define KLP_SETS_VERBS_BOOT_H

#include "verbs/options.h"

extern const struct verb verb_boot;

#endif /* KLP_SETS_VERBS_BOOT_H */
