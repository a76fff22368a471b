// SPDX-License-Identifier: GPL-2.0
/*
 * verify.c - whether stock livepatch did what it was meant to do
 *
 * The engine arranges, and stock livepatch acts. When a transition is complete, it is
 * noted which patches are to be left over; a moment later, when stock has removed the
 * others and before anything else changes, the list is compared with that. A
 * difference, or a hook that was not called, means that this kernel is not one that
 * the engine knows: nothing can be repaired, so it shouts and counts.
 */
#include <linux/atomic.h>
#include <linux/slab.h>

#include "core.h"

/* Room for the patches that are to be left over, and how much it is; klp_mutex. */
static const struct klp_patch **klp_sets_left;
static unsigned int klp_sets_max_left;

/* What is in there, and whether it is still to be compared; klp_mutex. */
static unsigned int klp_sets_nr_left;
static bool klp_sets_unverified;

static atomic_t klp_sets_nr_anomalies = ATOMIC_INIT(0);

/**
 * klp_sets_anomalies() - how often the kernel did not do what it should
 */
unsigned int klp_sets_anomalies(void)
{
	return atomic_read(&klp_sets_nr_anomalies);
}

/**
 * klp_sets_count_anomaly() - note something that must not happen, after it was said
 *
 * Context: any.
 */
void notrace klp_sets_count_anomaly(void)
{
	atomic_inc(&klp_sets_nr_anomalies);
}

/**
 * klp_sets_prepare_verify() - have room to note all patches
 *
 * Called for each patch that is admitted. While rules are in force, no other patch can
 * join the list.
 *
 * Context: process context, under klp_mutex.
 * Return: 0 or -ENOMEM.
 */
int klp_sets_prepare_verify(void)
{
	const struct klp_patch **left;
	struct klp_patch *patch;
	unsigned int nr = 1;

	klp_sets_for_each_patch(patch)
		nr++;
	if (nr <= klp_sets_max_left)
		return 0;

	/* What is noted now is compared before, in admit. */
	nr = round_up(nr, 16);
	left = kcalloc(nr, sizeof(*left), GFP_KERNEL);
	if (!left)
		return -ENOMEM;
	kfree(klp_sets_left);
	klp_sets_left = left;
	klp_sets_max_left = nr;
	return 0;
}

static bool klp_sets_is_to_go(const struct klp_sets_record *rec, const struct klp_patch *patch,
			      bool enabled)
{
	if (!enabled)
		return patch == rec->patch;
	return !rec->settled && patch != rec->patch && klp_sets_replaces(rec, patch);
}

/**
 * klp_sets_note_left() - note what is to be left over by a transition
 * @rec:	the record of its patch
 * @enabled:	whether the patch stays
 *
 * Context: process context, under klp_mutex, when the transition is complete, before
 * @rec is marked as settled and before stock livepatch removes patches.
 */
void klp_sets_note_left(const struct klp_sets_record *rec, bool enabled)
{
	struct klp_patch *patch;

	klp_sets_nr_left = 0;
	klp_sets_unverified = false;
	klp_sets_for_each_patch(patch) {
		if (klp_sets_is_to_go(rec, patch, enabled))
			continue;
		/* There is room for all, unless a hook was not called. */
		if (klp_sets_nr_left == klp_sets_max_left)
			return;
		klp_sets_left[klp_sets_nr_left++] = patch;
	}
	klp_sets_unverified = true;
	klp_sets_schedule_reap();
}

static bool notrace klp_sets_is_left(const struct klp_patch *patch)
{
	unsigned int i;

	for (i = 0; i < klp_sets_nr_left; i++)
		if (klp_sets_left[i] == patch)
			return true;
	return false;
}

/**
 * klp_sets_verify() - compare the list of patches with what was to be left over
 * @new:	a patch that was added since then, or NULL
 *
 * Context: any, under klp_mutex; after a transition, before another patch comes or
 * goes.
 */
void notrace klp_sets_verify(const struct klp_patch *new)
{
	struct klp_patch *patch;
	unsigned int nr = 0;
	bool good = true;

	if (!klp_sets_unverified)
		return;
	klp_sets_unverified = false;

	klp_sets_for_each_patch(patch) {
		if (patch == new)
			continue;
		if (klp_sets_is_left(patch)) {
			nr++;
			continue;
		}
		pr_alert("'%s' should have gone with the last transition, and is still enabled\n",
			 patch->mod->name);
		good = false;
	}
	if (nr < klp_sets_nr_left) {
		pr_alert("%u livepatches are gone that the last transition should have left alone\n",
			 klp_sets_nr_left - nr);
		good = false;
	}
	if (!good)
		klp_sets_count_anomaly();
}

/**
 * klp_sets_free_verify() - free the room, at module exit
 */
void klp_sets_free_verify(void)
{
	kfree(klp_sets_left);
}
