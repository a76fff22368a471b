/* SPDX-License-Identifier: GPL-2.0 */
/* transition.h - waiting for transitions, and the tasks that hold them up */
#ifndef KLP_SETS_KNOW_TRANSITION_H
#define KLP_SETS_KNOW_TRANSITION_H

#include <stdbool.h>
#include <stddef.h>

struct livepatch;
struct machine;

struct task {
	int pid, tid;
	char *comm;
	char state;		/* as in /proc/PID/stat: R runs, S and D sleep... */
	bool user;		/* not a kernel thread */
	char *command;		/* with arguments; NULL for a kernel thread */
	double age;		/* seconds since it was started */
	char *stack;		/* kernel stack, a line a function; NULL when unreadable */
};

struct progress {
	size_t total, done;	/* tasks */
	struct task *waiting;	/* not switched yet */
	size_t nr_waiting;
	bool unreadable;	/* not root: the tasks could not be looked at */
};

/* Looks at all tasks once. *with_stacks* also reads where they sleep. */
struct progress *progress_read(const struct livepatch *lp, bool with_stacks);
void progress_free(struct progress *p);
/* Seconds since the transition was started or last reversed; -1 when not known. */
double transition_age(const struct livepatch *lp);
/* Whether a patch, being enabled, replaces another one. */
bool livepatch_replaces(const struct livepatch *lp, const struct livepatch *old);
/*
 * The line of a stack that keeps its task from being switched: the topmost function
 * that is patched or unpatched, or that is code of a patch on its way out. Its length
 * is in *len. NULL when there is none.
 */
const char *stack_blocker(const struct machine *m, const struct livepatch *lp,
			  const char *stack, size_t *len);
/*
 * Waits until the patch is no longer in transition, with a progress line on a
 * terminal; -1 seconds is for ever. False on time-out, after a list of the tasks
 * that hold it up.
 */
bool transition_wait(const char *name, double seconds);
/* Waits until no transition at all is going on. */
bool transition_wait_any(double seconds);

#endif /* KLP_SETS_KNOW_TRANSITION_H */
