// SPDX-License-Identifier: GPL-2.0
/*
 * record.c - the life of a record
 *
 * A record is made by admit, joins the list at commit, dies when its patch is
 * released, and is freed by a work item. As klp_mutex is held from admit to
 * commit, there is at most one that is admitted and not committed. If it is
 * still there when somebody else gets the mutex, enabling failed in between.
 */
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "core.h"
#include "trace.h"

/* A raw one, as the release hook runs with preemption disabled on PREEMPT_RT too. */
static DEFINE_RAW_SPINLOCK(klp_sets_records_lock);

/*
 * The record between admit and commit, and those from commit on. Changed under
 * klp_mutex and klp_sets_records_lock, so that holding one of them is enough for a
 * look.
 */
struct klp_sets_record *klp_sets_admitted;
static LIST_HEAD(klp_sets_records);

static void klp_sets_reap(struct work_struct *work);
static DECLARE_WORK(klp_sets_reap_work, klp_sets_reap);

/**
 * klp_sets_alloc_record() - make the record of a patch that is being admitted
 * @patch:	the patch
 * @p:		its set and the like, or NULL for a stock patch
 *
 * The record holds a reference on this module until its patch is released.
 *
 * Return: the record, or an ERR_PTR: -ENOMEM, or -ENODEV when this module is
 * about to go away.
 */
struct klp_sets_record *klp_sets_alloc_record(struct klp_patch *patch,
					      struct klp_sets_patch *p)
{
	struct klp_sets_record *rec;

	rec = kzalloc(sizeof(*rec), GFP_KERNEL);
	if (!rec)
		return ERR_PTR(-ENOMEM);

	rec->patch = patch;
	rec->replace_all = p ? klp_sets_may_replace_all(p) : patch->replace;
	if (p) {
		rec->managed = true;
		rec->taint = klp_sets_must_taint(p);
		rec->replace_set = p->replace_set;
		rec->nr_obsoletes = p->nr_obsoletes;
		if (p->states)
			rec->p = p;
	}

	if (!try_module_get(THIS_MODULE)) {
		kfree(rec);
		return ERR_PTR(-ENODEV);
	}

	rec->carrier = klp_sets_alloc_carrier(rec);
	if (rec->p)
		rec->states_text = klp_sets_format_states(rec);
	if (rec->nr_obsoletes)
		rec->obsoletes = kmemdup(p->obsoletes,
					 p->nr_obsoletes * sizeof(*p->obsoletes), GFP_KERNEL);
	if (!rec->carrier || (rec->nr_obsoletes && !rec->obsoletes) ||
	    (rec->p && !rec->states_text)) {
		klp_sets_free_record(rec);
		return ERR_PTR(-ENOMEM);
	}
	return rec;
}

static void klp_sets_free_members(struct klp_sets_record *rec)
{
	kfree(rec->states_text);
	kfree(rec->obsoletes);
	kfree(rec);
}

/**
 * klp_sets_free_record() - free a record that never reached commit
 * @rec:	the record
 */
void klp_sets_free_record(struct klp_sets_record *rec)
{
	klp_sets_free_nops();
	kfree(rec->carrier);
	klp_sets_free_members(rec);
	module_put(THIS_MODULE);
}

/**
 * klp_sets_record_of() - the record of a managed patch
 * @patch:	a patch in stock's list
 *
 * Derived from the patch itself: a managed one has our carrier at its front.
 *
 * Context: any, under klp_mutex.
 * Return: the record, or NULL when @patch is a stock patch.
 */
notrace struct klp_sets_record *klp_sets_record_of(const struct klp_patch *patch)
{
	struct klp_sets_record *rec;

	if (list_empty(&patch->obj_list))
		return NULL;
	rec = klp_sets_carried_record(list_first_entry(&patch->obj_list,
						       struct klp_object, node));
	return rec && rec->managed ? rec : NULL;
}

static notrace struct klp_sets_record *klp_sets_find_record(const struct klp_patch *patch)
{
	struct klp_sets_record *rec;

	list_for_each_entry(rec, &klp_sets_records, node)
		if (rec->patch == patch && !rec->dead)
			return rec;
	return NULL;
}

/**
 * klp_sets_live_record() - the record of a patch between its commit and its release
 * @patch:	address of a patch, which is not looked into
 *
 * Unlike klp_sets_record_of() it does not need klp_mutex for a managed patch, when
 * something else keeps that from being released. The record of a stock patch goes
 * with its first transition.
 *
 * Context: any; under klp_mutex, or while a managed patch cannot be released.
 * Return: the record, or NULL.
 */
notrace struct klp_sets_record *klp_sets_live_record(const struct klp_patch *patch)
{
	struct klp_sets_record *rec;
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	rec = klp_sets_find_record(patch);
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
	return rec;
}

/**
 * klp_sets_set_admitted() - note which patch is between admit and commit
 * @rec:	its record, or NULL
 *
 * Context: any, under klp_mutex.
 */
void notrace klp_sets_set_admitted(struct klp_sets_record *rec)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	klp_sets_admitted = rec;
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
}

/**
 * klp_sets_have_records() - whether any committed record exists that is not dead
 *
 * Context: any, under klp_mutex.
 * Return: whether the hooks are needed for their sake.
 */
bool notrace klp_sets_have_records(void)
{
	const struct klp_sets_record *rec;

	list_for_each_entry(rec, &klp_sets_records, node)
		if (!READ_ONCE(rec->dead))
			return true;
	return false;
}

/**
 * klp_sets_add_record() - put a record on the list, at commit
 * @rec:	the record
 *
 * Context: atomic, under klp_mutex.
 */
void notrace klp_sets_add_record(struct klp_sets_record *rec)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	list_add_tail(&rec->node, &klp_sets_records);
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
}

/**
 * klp_sets_remove_record() - take a record off the list again
 * @rec:	the record of a patch that could not be adopted
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_remove_record(struct klp_sets_record *rec)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	list_del(&rec->node);
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
}

/**
 * klp_sets_bury() - end the life of a patch's record, if it has one
 * @patch:	a patch that is being released, or needs no record any more
 *
 * The patch's module may be removed any time after this, and another patch may
 * come to stand at the same address. Dropping our own reference here, and not
 * in the work item, means that whoever could remove the patch's module can
 * remove this one too. Module exit waits for both the hook and the work item.
 *
 * Context: any, not necessarily under klp_mutex.
 */
void notrace klp_sets_bury(const struct klp_patch *patch)
{
	struct klp_sets_record *rec;
	unsigned long flags;
	s64 set = -1;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	rec = klp_sets_find_record(patch);
	if (rec) {
		WRITE_ONCE(rec->dead, true);
		set = klp_sets_set_of(rec);
	}
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);

	if (rec) {
		/* A stock patch stays when it needs no record any more. */
		if (set >= 0)
			trace_klp_sets_release(patch->mod->name, set);
		klp_sets_schedule_reap();
		module_put(THIS_MODULE);
	}
}

/**
 * klp_sets_start_blocking() - the states of a patch are in use everywhere
 * @rec:	its record
 *
 * Called before stock livepatch lets anybody see that the transition is complete.
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_start_blocking(struct klp_sets_record *rec)
{
	const struct klp_sets_state *blocker = klp_sets_find_blocker(rec);
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	rec->blocker = blocker;
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
}

/**
 * klp_sets_blocks() - whether a patch must not be disabled (said in the log)
 * @patch:	a patch whose "enabled" file is being written
 *
 * Asked before stock livepatch takes klp_mutex. That a patch blocks never becomes
 * untrue, so a refusal cannot be out of date. That it does not block yet can be, when
 * its transition completes while the writer waits for the mutex. Such a write came
 * before anybody could know that, and counts as one that came in time: what it began
 * as a reversal is then a disabling, with all callbacks.
 *
 * Context: any, while the patch cannot be released.
 */
bool notrace klp_sets_blocks(const struct klp_patch *patch)
{
	const struct klp_sets_state *blocker = NULL;
	const struct klp_sets_record *rec;
	unsigned long flags;

	/* Whether the patch is managed is not known yet: the record may go any time. */
	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	rec = klp_sets_find_record(patch);
	if (rec)
		blocker = rec->blocker;
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);

	if (blocker)
		pr_err("'%s' cannot be disabled: state %lu '%s' cannot be removed\n",
		       patch->mod->name, blocker->id, blocker->name ?: "-");
	return blocker;
}

/**
 * klp_sets_move_folder() - let a record have the folder of its set
 * @rec:	the record
 * @folder:	the folder, or NULL
 *
 * Context: under klp_mutex.
 */
void klp_sets_move_folder(struct klp_sets_record *rec, struct kobject *folder)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	rec->folder = folder;
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
}

/**
 * klp_sets_show_states() - print the states of the patch that a folder shows
 * @folder:	the folder of a set
 * @buf:	a page
 *
 * Anybody may read the file as often as he likes, so that little is done under the
 * lock: the text is copied as it was made when the patch was admitted.
 *
 * Context: process context; must not take klp_mutex, under which the folder and
 * its files are removed.
 * Return: length of the text.
 */
ssize_t klp_sets_show_states(const struct kobject *folder, char *buf)
{
	struct klp_sets_record *rec;
	unsigned long flags;
	size_t len = 0;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	list_for_each_entry(rec, &klp_sets_records, node) {
		if (rec->folder == folder && !rec->dead && rec->states_text) {
			len = strlen(rec->states_text);
			memcpy(buf, rec->states_text, len);
		}
	}
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
	return len;
}

/* Takes one dead record off the list. */
static struct klp_sets_record *klp_sets_next_dead(void)
{
	struct klp_sets_record *rec, *dead = NULL;
	unsigned long flags;

	raw_spin_lock_irqsave(&klp_sets_records_lock, flags);
	list_for_each_entry(rec, &klp_sets_records, node) {
		if (rec->dead) {
			list_del(&rec->node);
			dead = rec;
			break;
		}
	}
	raw_spin_unlock_irqrestore(&klp_sets_records_lock, flags);
	return dead;
}

/* Frees what is dead, and with the last record takes the hooks away. */
static void klp_sets_reap(struct work_struct *work)
{
	struct klp_sets_record *rec;

	mutex_lock(klp.mutex);
	klp_sets_verify(NULL);
	klp_sets_drop_admitted();
	klp_sets_reap_assignments();
	while ((rec = klp_sets_next_dead())) {
		klp_sets_hide_set(rec);
		klp_sets_free_members(rec);
	}
	klp_sets_mend_links();
	klp_sets_update_hooks();
	mutex_unlock(klp.mutex);
}

/**
 * klp_sets_schedule_reap() - look after the current operation for what it left
 *
 * The work item waits for klp_mutex.
 *
 * Context: any.
 */
void notrace klp_sets_schedule_reap(void)
{
	schedule_work(&klp_sets_reap_work);
}

/**
 * klp_sets_drop_admitted() - forget a patch that failed between admit and commit
 *
 * Its memory may be gone already: no release comes when its module could not be
 * pinned.
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_drop_admitted(void)
{
	struct klp_sets_record *rec = klp_sets_admitted;
	const struct klp_patch *patch;

	klp_sets_set_admitted(NULL);
	if (!rec)
		return;
	klp_sets_for_each_patch(patch) {
		if (patch != rec->patch)
			continue;
		pr_alert("'%s' is enabled as a stock patch: the hook of klp_init_transition() was not called\n",
			 patch->mod->name);
		klp_sets_count_anomaly();
	}
	klp_sets_free_record(rec);
}

/**
 * klp_sets_flush_records() - wait until what is dead is freed
 *
 * Context: process context, not under klp_mutex.
 */
void klp_sets_flush_records(void)
{
	flush_work(&klp_sets_reap_work);
}
