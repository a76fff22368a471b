/* SPDX-License-Identifier: GPL-2.0 */
/* plan.h - how a machine and its store come to hold what they should */
#ifndef KLP_SETS_KNOW_PLAN_H
#define KLP_SETS_KNOW_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct livepatch;
struct module_file;
struct slot;
struct store;

enum action {
	ACTION_INSTALL,		/* nothing of its set was stored */
	ACTION_UPGRADE,		/* another one takes the place of what is stored */
	ACTION_DOWNGRADE,	/* the same, by one that was there before */
	ACTION_LOAD,		/* it is stored, and not in effect */
	ACTION_REMOVE,		/* it is unloaded, and leaves the store */
	ACTION_UNLOAD,		/* it was never stored */
};

/* As scripts know them, and what is said when it is done. */
extern const char * const action_names[], * const action_done[];

struct step {
	enum action action;
	struct livepatch *lp;		/* with its file, unless it is to go */
	struct module_file *file;
	bool has_set;
	uint32_t replace_set;
	char *name;			/* NULL: what is stored is missing */
	char *from;			/* the stored version whose place it takes, or NULL */
	char **leave;			/* those that it takes out of the store */
	size_t nr_leave;
	bool loaded;			/* of one that is to go: it is enabled */
	bool done;			/* for who carries it out */
};

/* Why nothing is done. */
struct refusal {
	const char *code;	/* as those of struct conflict, and some more */
	char *what;		/* a file, or a livepatch */
	char *why;
	char *advice;		/* or NULL */
};

/* What is not as it should be, and stays so. */
struct kept_back {
	char *what;		/* a file, or a livepatch */
	const char *state;	/* "other kernel", or one of kept_names[] */
	char *why;
};

struct plan {
	struct step *steps;	/* in the order in which each of them is accepted */
	size_t nr_steps;
	struct refusal *refusals;
	size_t nr_refusals;
	struct kept_back *kept_back;
	size_t nr_kept_back;
	char **warnings;
	size_t nr_warnings;
};

/*
 * The files are all that there should be; *prune* says that nothing else may be. Without a
 * machine, of which *loads* tells, only the store is looked at, and changed in one step.
 */
struct plan *plan_make(const struct store *s, char *const *files, size_t nr_files, bool loads,
		       bool prune);
/* The place of a step in the store, or NULL. */
struct slot *plan_slot(const struct store *s, const struct step *step);

#endif /* KLP_SETS_KNOW_PLAN_H */
