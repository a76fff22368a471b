// SPDX-License-Identifier: GPL-2.0
/*
 * force.c - a forced transition marks the patches that it takes away, no others
 *
 * Stock livepatch sets the forced flag, which pins a patch's module for ever, on
 * every patch on the machine. The flags are noted before it does, and set right
 * before the transition can complete, which is when they are used.
 *
 * A forced transition can still be reversed, and reversed again, before it
 * completes. A task that was forced then counts as switched although it is in old
 * code. So what force has marked is remembered to the end of the transition.
 */
#include <linux/slab.h>

#include "core.h"

/**
 * struct klp_sets_forced - the flag of a patch in a transition that was forced
 * @patch:	the patch
 * @before:	what it was
 * @marked:	it was set, before or by force
 */
struct klp_sets_forced {
	const struct klp_patch *patch;
	bool before;
	bool marked;
};

/* Room for all patches in stock's list, and how much it is; klp_mutex. */
static struct klp_sets_forced *klp_sets_flags;
static unsigned int klp_sets_max_flags;

/*
 * How many are noted; klp_mutex. Not zero from the first force of a transition
 * until the next one starts. By then some of the patches may be gone.
 */
static unsigned int klp_sets_nr_flags;

/* The last transition that was started has been forced; klp_mutex. */
static bool klp_sets_forced_once;

/**
 * klp_sets_was_forced() - whether the transition in progress was ever forced
 *
 * Context: any, under klp_mutex, until the transition is complete.
 */
bool klp_sets_was_forced(void)
{
	return klp_sets_forced_once;
}

/**
 * klp_sets_reset_force() - a transition starts, or the hooks are placed
 *
 * While they were away, what was noted became out of date.
 *
 * Context: any, under klp_mutex.
 */
void notrace klp_sets_reset_force(void)
{
	klp_sets_forced_once = false;
	klp_sets_nr_flags = 0;
}

/**
 * klp_sets_prepare_force() - have room to note the flags of all patches
 *
 * Called for each patch that is admitted. While a patch is in transition no
 * other can be added, so the room is enough for any force that follows.
 *
 * Context: process context, under klp_mutex, with no transition in progress.
 * Return: 0 or -ENOMEM.
 */
int klp_sets_prepare_force(void)
{
	struct klp_sets_forced *flags;
	struct klp_patch *patch;
	unsigned int nr = 1;

	klp_sets_for_each_patch(patch)
		nr++;
	if (nr <= klp_sets_max_flags)
		return 0;

	nr = round_up(nr, 16);
	flags = kcalloc(nr, sizeof(*flags), GFP_KERNEL);
	if (!flags)
		return -ENOMEM;
	kfree(klp_sets_flags);
	klp_sets_flags = flags;
	klp_sets_max_flags = nr;
	return 0;
}

/**
 * klp_sets_force_begins() - note the flags that stock livepatch will overwrite
 *
 * May come again before the transition completes, when the flags are spoilt.
 *
 * Context: atomic, under klp_mutex.
 */
void notrace klp_sets_force_begins(void)
{
	struct klp_patch *patch;

	klp_sets_forced_once = true;
	if (klp_sets_nr_flags)
		return;
	klp_sets_for_each_patch(patch) {
		/* No room was made: nothing is managed, and stock may have its way. */
		if (klp_sets_nr_flags == klp_sets_max_flags)
			return;
		klp_sets_flags[klp_sets_nr_flags].patch = patch;
		klp_sets_flags[klp_sets_nr_flags].before = patch->forced;
		klp_sets_flags[klp_sets_nr_flags++].marked = patch->forced;
	}
}

/**
 * klp_sets_force_ends() - leave the marks on the patches that go away, no others
 *
 * Those that go away are the patches before the new one when a replace is being
 * completed, and the one in transition when it is being unpatched. The order of
 * the list does not change while a transition is in progress.
 *
 * Context: atomic, under klp_mutex, at every attempt to complete a transition.
 */
void notrace klp_sets_force_ends(void)
{
	const struct klp_patch *new = *klp.transition_patch;
	struct klp_patch *patch;
	unsigned int i = 0;
	bool goes_away;

	if (!klp_sets_nr_flags)
		return;

	goes_away = new->enabled && new->replace;
	klp_sets_for_each_patch(patch) {
		if (i == klp_sets_nr_flags || klp_sets_flags[i].patch != patch)
			break;
		if (patch == new)
			goes_away = !new->enabled;
		klp_sets_flags[i].marked |= patch->forced;
		patch->forced = goes_away ? klp_sets_flags[i].marked : klp_sets_flags[i].before;
		if (patch == new)
			goes_away = false;
		i++;
	}
}

/**
 * klp_sets_free_force() - free the room, at module exit
 */
void klp_sets_free_force(void)
{
	kfree(klp_sets_flags);
}
