/* SPDX-License-Identifier: GPL-2.0 */
/* livepatch.h - one livepatch, wherever it was read from */
#ifndef KLP_SETS_READ_LIVEPATCH_H
#define KLP_SETS_READ_LIVEPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct func {
	char *object;		/* a module, or "vmlinux" */
	char *name;
	unsigned long sympos;	/* from 1; a 0 in the source is 1 here */
	bool only;		/* it was 0: there must be no other of this name */
	bool one_of_many;	/* it is the first one, and there are others: to be shown */
};

/* A callback for an object that is there to undo what others did. */
struct cleaner {
	char *object;
	const char *callback;	/* "post_unpatch" */
};

struct func_index;

struct state {
	unsigned long id;
	unsigned int version;	/* of a stock state */
	char *name;		/* NULL when it has none */
	bool managed;		/* struct klp_sets_state, not struct klp_state */
	bool is_shadow;
	bool block_disable;
};

/* How many other sets a livepatch may obsolete: KLP_SETS_MAX_OBSOLETES. */
#define MAX_OBSOLETES	256

/* One livepatch: a file, or what is enabled on the machine. */
struct livepatch {
	char *name;		/* of the module, with '_' */
	char *path;		/* of the file, or NULL */
	char *version;		/* MODULE_VERSION, or NULL */
	char *kernel;		/* release that it was built for, or NULL */

	bool has_set;		/* replace_set is known */
	uint32_t replace_set;
	uint32_t *obsoletes;
	size_t nr_obsoletes;
	bool native;		/* calls klp_sets_enable*() */
	bool replace;		/* the flag of a stock patch */
	bool replace_all;	/* the flag of a native patch */
	bool by_tool;		/* kpatch-build or klp-build has filled in its tables */
	bool incomplete;	/* a file that decides when it is loaded what it changes */
	char *flaw;		/* of a file: why the kernel would refuse it anywhere */

	struct func *funcs;
	size_t nr_funcs;
	struct func_index *index;	/* of these, made when one is looked for */
	struct state *states;
	size_t nr_states;
	struct cleaner *cleaners;	/* of a file only */
	size_t nr_cleaners;

	/* Of the machine only. */
	bool managed;		/* belongs to a set */
	bool enabled;
	bool transition;
};

struct livepatch *livepatch_new(const char *name);
void livepatch_free(struct livepatch *lp);
/* Before any of its functions is looked for. */
void livepatch_add_func(struct livepatch *lp, const char *object, const char *name,
			unsigned long sympos);
void livepatch_add_cleaner(struct livepatch *lp, const char *object, const char *callback);
struct state *livepatch_add_state(struct livepatch *lp, unsigned long id);
void livepatch_add_obsolete(struct livepatch *lp, uint32_t set);
/* Whether it names the set among those that it replaces beside its own. */
bool livepatch_obsoletes(const struct livepatch *lp, uint32_t set);
bool same_func(const struct func *a, const struct func *b);
/* The first one that is the same. */
const struct func *livepatch_find_func(const struct livepatch *lp, const struct func *func);
const struct state *livepatch_find_state(const struct livepatch *lp, unsigned long id);
/*
 * What --set means for a file. False, with a sentence in *why, when it asks for another
 * set itself.
 */
bool livepatch_put_into_set(struct livepatch *lp, uint32_t set, char **why);
/* "vendor_a_v1 of set 1", or "stock patch vendor_a_v1": to be used in a message. */
const char *livepatch_who(const struct livepatch *lp);
/* "cmdline_proc_show", or "fn1 of klp_target", with ",2" or ",1" when it has namesakes. */
const char *func_label(const struct func *func);

#endif /* KLP_SETS_READ_LIVEPATCH_H */
