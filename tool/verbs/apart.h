/* SPDX-License-Identifier: GPL-2.0 */
/* apart.h - a part of a verb in a process of its own */
#ifndef KLP_SETS_VERBS_APART_H
#define KLP_SETS_VERBS_APART_H

/* Runs the function in a child: its exit status, or EXIT_REFUSED after a message about *what*. */
int apart(const char *what, int (*fn)(const void *data), const void *data);

#endif /* KLP_SETS_VERBS_APART_H */
