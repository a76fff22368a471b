/* SPDX-License-Identifier: GPL-2.0 */
/* policy.h - klp-sets policy: shows how far a replace may reach, and changes it */
#ifndef KLP_SETS_VERBS_POLICY_H
#define KLP_SETS_VERBS_POLICY_H

int cmd_policy(int argc, char **argv);

#endif /* KLP_SETS_VERBS_POLICY_H */
