/* SPDX-License-Identifier: GPL-2.0 */
/* install.h - what is in the store: install, uninstall, rollback */
#ifndef KLP_SETS_VERBS_INSTALL_H
#define KLP_SETS_VERBS_INSTALL_H

int cmd_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_rollback(int argc, char **argv);

#endif /* KLP_SETS_VERBS_INSTALL_H */
