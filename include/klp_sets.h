/* SPDX-License-Identifier: GPL-2.0 */
/*
 * klp_sets.h - replace sets for kernel livepatches
 *
 * A livepatch that belongs to a replace set atomically replaces the livepatch
 * of the same set and no other. The rules are in Documentation/rules.md.
 */
#ifndef _KLP_SETS_H
#define _KLP_SETS_H

#include <linux/livepatch.h>
#include <linux/types.h>

struct klp_sets_patch;
struct klp_sets_state;

/**
 * struct klp_sets_callbacks - the life of a state, told to its owner
 * @pre_patch:	sets the state up, before anything is patched; returns 0 or a
 *		negative errno, which refuses the patch
 * @post_patch:	the transition that introduced the state is complete
 * @pre_unpatch: the transition that removes the state is about to start
 * @post_unpatch: the transition that removed the state is complete; cleans up
 *
 * All are optional, and are called in process context under klp_mutex: they
 * may sleep, and must not enable or disable a livepatch.
 */
struct klp_sets_callbacks {
	int (*pre_patch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*post_patch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*pre_unpatch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*post_unpatch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
};

/**
 * struct klp_sets_state - a side effect whose life is tied to the set
 * @id:		identifier, not zero, unique among all enabled patches
 * @name:	name shown to the operator
 * @callbacks:	what to do when the state comes and goes
 * @is_shadow:	@id is that of shadow variables, which are freed with the state
 * @shadow_dtor: destructor of those; called under a spinlock
 * @block_disable: the state cannot be undone: refuse to remove it
 */
struct klp_sets_state {
	unsigned long id;
	const char *name;
	struct klp_sets_callbacks callbacks;
	bool is_shadow;
	klp_shadow_dtor_t shadow_dtor;
	bool block_disable;
};

/**
 * struct klp_sets_patch - a livepatch and its place among the replace sets
 * @patch:	the livepatch; its own @replace flag is not looked at
 * @replace_set: the set that it belongs to
 * @obsoletes:	further sets whose patches it replaces
 * @nr_obsoletes: number of those, at most KLP_SETS_MAX_OBSOLETES
 * @replace_all: replace every livepatch on the machine
 * @states:	array ended by a zero id, or NULL
 *
 * The structure must stay in place as long as the module that holds @patch.
 */
struct klp_sets_patch {
	struct klp_patch *patch;
	u32 replace_set;
	const u32 *obsoletes;
	unsigned int nr_obsoletes;
	bool replace_all;
	struct klp_sets_state *states;
};

/* So that a sysfs file of one page can list them. */
#define KLP_SETS_MAX_OBSOLETES	256

int klp_sets_enable_patch(struct klp_patch *patch, u32 replace_set);
int klp_sets_enable(struct klp_sets_patch *p);

#endif /* _KLP_SETS_H */
