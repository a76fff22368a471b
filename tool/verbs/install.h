/* SPDX-License-Identifier: GPL-2.0 */
/* install.h - what is in the store: install, uninstall, rollback */
#ifndef KLP_SETS_VERBS_INSTALL_H
#define KLP_SETS_VERBS_INSTALL_H

#include "verbs/options.h"

extern const struct verb verb_install;
extern const struct verb verb_uninstall;
extern const struct verb verb_rollback;

#endif /* KLP_SETS_VERBS_INSTALL_H */
