// SPDX-License-Identifier: GPL-2.0
/*
 * commit.c - where the scope of a replace takes effect
 *
 * A patch with the replace flag replaces those that stand before it in stock's
 * list of patches. So scope is a matter of order: the patches to be replaced
 * stand before the new one, all others behind it. Everything else is stock's own
 * code, which then replaces the right ones, and only those.
 *
 * Nothing here can fail, and nothing sleeps: both functions run in a hook at the
 * entry of klp_init_transition().
 */
#include "core.h"
#include "trace.h"

static void notrace klp_sets_order_patches(const struct klp_sets_record *rec)
{
	struct klp_patch *patch = rec->patch, *old, *tmp;

	list_move(&patch->list, klp.patches);
	list_for_each_entry_safe(old, tmp, klp.patches, list) {
		if (old != patch && klp_sets_replaces(rec, old))
			list_move_tail(&old->list, &patch->list);
	}
}

/**
 * klp_sets_commit() - let a patch that was admitted take effect
 * @patch:	the patch whose transition to the patched state is initialised
 *
 * Context: atomic, under klp_mutex.
 */
void notrace klp_sets_commit(struct klp_patch *patch)
{
	struct klp_sets_record *rec = klp_sets_admitted;

	if (!rec || rec->patch != patch) {
		/* While this module goes away, nothing is admitted. */
		if (!module_is_live(THIS_MODULE) || klp_sets_find_request(patch))
			return;
		pr_alert("'%s' is enabled without a check: the hook of klp_is_patch_compatible() was not called\n",
			 patch->mod->name);
		klp_sets_count_anomaly();
		return;
	}

	trace_klp_sets_commit(rec);
	klp_sets_add_record(rec);
	klp_sets_set_admitted(NULL);
	list_add(&rec->carrier->obj.node, &patch->obj_list);
	if (!rec->managed)
		return;

	klp_sets_link_nops(rec);
	klp_sets_order_patches(rec);
	patch->replace = true;
}

/**
 * klp_sets_retire() - take a patch's scope away when it is being disabled
 * @patch:	the patch whose transition to the unpatched state is initialised
 *
 * Later commits have moved other sets before it. If the transition is reversed,
 * stock livepatch completes it as if the patch was new, and would replace them
 * all. At the head of the list there is nothing before it. The same goes for a
 * stock patch with the replace flag, which keeps it.
 *
 * It cannot be done when the patch's own transition completes, as stock
 * livepatch looks at the flag once more after the last callback.
 *
 * Context: atomic, under klp_mutex.
 */
void notrace klp_sets_retire(struct klp_patch *patch)
{
	struct klp_sets_record *rec = klp_sets_record_of(patch);

	klp_sets_put_patch_first(patch);
	if (!rec && !patch->replace)
		return;
	list_move(&patch->list, klp.patches);
	if (rec)
		patch->replace = false;
}

/**
 * klp_sets_enabled() - note that a patch has been enabled
 * @patch:	the patch in transition, at every attempt to complete it
 *
 * The first attempt comes when nothing can fail any more.
 *
 * Context: atomic, under klp_mutex.
 */
void notrace klp_sets_enabled(const struct klp_patch *patch)
{
	struct klp_sets_record *rec = klp_sets_record_of(patch);

	if (!rec || !patch->enabled)
		return;
	klp_sets_taint(rec);
	if (rec->assignment)
		klp_sets_assignment_done(rec->assignment);
	rec->assignment = NULL;
}
