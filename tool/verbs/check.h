/* SPDX-License-Identifier: GPL-2.0 */
/* check.h - klp-sets check: what would happen, without doing it */
#ifndef KLP_SETS_VERBS_CHECK_H
#define KLP_SETS_VERBS_CHECK_H

int cmd_check(int argc, char **argv);

#endif /* KLP_SETS_VERBS_CHECK_H */
