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
 * @pre_patch:	sets the state up. Called before anything is patched when the
 *		patch introduces the state: when no patch that it replaces has it.
 *		Returns 0, or a negative errno, which refuses the patch; then it must
 *		leave nothing behind, as no other callback of the state follows
 * @post_patch:	the transition that introduced the state is complete. Also called
 *		when a transition that would have removed the state was reversed,
 *		and that is complete: to undo @pre_unpatch
 * @pre_unpatch: the transition that removes the state is about to start: the patch
 *		is being disabled, or replaced by one that lacks the state
 * @post_unpatch: the transition that removed the state is complete; cleans up. Also
 *		called when enabling failed or was reversed: to undo @pre_patch,
 *		without @post_patch and @pre_unpatch before it
 *
 * All are optional, and are those of the patch that has the state at that time.
 * None is called when a state is handed over from one patch to the next.
 *
 * States are set up (@pre_patch, @post_patch) in the order of their array, and
 * removed (@pre_unpatch, @post_unpatch) in reverse. In a replace, the new patch's
 * @pre_patch come before the old one's @pre_unpatch, and the old one's
 * @post_unpatch before the new one's @post_patch. After its reversal, the old one's
 * @post_patch come before the new one's @post_unpatch.
 *
 * Those of stock livepatch's objects come after all of these at each of the four
 * moments. So an object's post_unpatch finds no shadow variable of a state that ends.
 *
 * Context: process context, under klp_mutex: may sleep. Must not enable, disable
 * or reverse a livepatch, nor wait for a module to be loaded or removed.
 */
struct klp_sets_callbacks {
	int (*pre_patch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*post_patch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*pre_unpatch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
	void (*post_unpatch)(struct klp_sets_patch *patch, struct klp_sets_state *state);
};

/**
 * struct klp_sets_state - a side effect whose life is tied to the set
 * @id:		identifier, not zero, which no enabled patch has outside the set and
 *		those that are obsoleted
 * @name:	one word, shown to the operator; the same in all patches of the set
 * @callbacks:	what to do when the state comes and goes
 * @is_shadow:	@id is that of shadow variables, which are freed at the end of the
 *		state's life, after post_unpatch, unless a transition was forced;
 *		the same in all patches of the set
 * @shadow_dtor: destructor of those, or NULL; must not sleep, as stock livepatch
 *		calls it under a spinlock with interrupts disabled
 * @block_disable: the state cannot be removed once the transition that introduced it
 *		is complete: refuse to disable the patch, and to replace it by one that
 *		lacks the state. That transition itself may be reversed, or fail
 *
 * Documentation/states.md has a picture of its life.
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

/*
 * Which structures these are. The first number goes up with every change of them that
 * their sizes do not show, so that a client that was built against other ones is
 * refused and not misread.
 */
#define KLP_SETS_LAYOUT	\
	(1ul << 24 | sizeof(struct klp_sets_state) << 12 | sizeof(struct klp_sets_patch))

int klp_sets_enable_patch(struct klp_patch *patch, u32 replace_set);
int klp_sets_enable(struct klp_sets_patch *p, struct module *mod, unsigned long layout);

/* klp_sets_enable(p) is all that a client writes. */
#define klp_sets_enable(p)	klp_sets_enable(p, THIS_MODULE, KLP_SETS_LAYOUT)

/*
 * A set that is a constant is also written into the module file, where modinfo and
 * the command klp-sets find it before the module is loaded: modinfo -F replace_set.
 */
static __always_inline int __klp_sets_enable_patch(struct klp_patch *patch, u32 replace_set)
{
	if (__builtin_constant_p(replace_set) && replace_set <= S32_MAX)
		asm volatile (".pushsection .modinfo, \"a\"\n\t"
			      ".asciz \"replace_set=%c0\"\n\t"
			      ".popsection" : : "i" (replace_set));
	return klp_sets_enable_patch(patch, replace_set);
}

#define klp_sets_enable_patch(patch, replace_set) \
	__klp_sets_enable_patch(patch, replace_set)

#endif /* _KLP_SETS_H */
