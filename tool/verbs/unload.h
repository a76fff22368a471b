/* SPDX-License-Identifier: GPL-2.0 */
/* unload.h - the verbs unload, reverse and force: a livepatch on its way out, a transition on its way back, and one that is ended by decree */
#ifndef KLP_SETS_VERBS_UNLOAD_H
#define KLP_SETS_VERBS_UNLOAD_H

int cmd_unload(int argc, char **argv);
int cmd_reverse(int argc, char **argv);
int cmd_force(int argc, char **argv);

#endif /* KLP_SETS_VERBS_UNLOAD_H */
