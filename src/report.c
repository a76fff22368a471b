// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - who is told what the engine does: the log, tracers, and udev
 */
#include <linux/atomic.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/slab.h>

#include "core.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/*
 * What sysfs counts, since this module was loaded. Each is a word of its own that no lock
 * protects: a call is refused before it takes klp_mutex, and the files must not take it.
 */
static atomic_t klp_sets_nr_refusals = ATOMIC_INIT(0);
static atomic_t klp_sets_nr_transitions = ATOMIC_INIT(0);

/**
 * klp_sets_refusals() - how many patches were refused
 */
unsigned int klp_sets_refusals(void)
{
	return atomic_read(&klp_sets_nr_refusals);
}

/**
 * klp_sets_transitions() - how many transitions were completed
 */
unsigned int klp_sets_transitions(void)
{
	return atomic_read(&klp_sets_nr_transitions);
}

/**
 * klp_sets_count_refusal() - note that a patch is refused, when it was said
 *
 * Context: any.
 */
void klp_sets_count_refusal(void)
{
	atomic_inc(&klp_sets_nr_refusals);
}

/**
 * klp_sets_completed() - a transition of a patch is complete
 * @rec:	its record
 * @enabled:	the patch is enabled now, and was not disabled or reversed
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_completed(const struct klp_sets_record *rec, bool enabled)
{
	atomic_inc(&klp_sets_nr_transitions);
	trace_klp_sets_complete(rec, enabled);
}

/**
 * klp_sets_set_of() - the set of a patch, for a tracer
 * @rec:	its record, or NULL
 *
 * Return: the set, or -1 for a patch that has none, or whose set is not known yet.
 */
notrace s64 klp_sets_set_of(const struct klp_sets_record *rec)
{
	/* Not as one expression: its type would be that of the set, which has no -1. */
	if (!rec || !rec->managed)
		return -1;
	return rec->replace_set;
}

/**
 * klp_sets_count() - how much a patch changes
 * @rec:	its record
 * @counts:	where the figures go
 *
 * Context: any, under klp_mutex, from admit until its first transition is complete.
 */
notrace void klp_sets_count(const struct klp_sets_record *rec, struct klp_sets_counts *counts)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	const struct klp_patch *old;

	memset(counts, 0, sizeof(*counts));
	klp_for_each_object_static(rec->patch, obj)
		klp_for_each_func_static(obj, func)
			counts->funcs++;
	counts->nops = klp_sets_count_nops();
	klp_sets_for_each_patch(old)
		counts->replaced += old != rec->patch && klp_sets_replaces(rec, old);
}

/**
 * klp_sets_refuse() - say why a patch is refused
 * @patch:	the patch
 * @rec:	its record, or NULL when it has none yet
 * @fmt:	the reason, with names
 *
 * Context: process context.
 */
void klp_sets_refuse(const struct klp_patch *patch, const struct klp_sets_record *rec,
		     const char *fmt, ...)
{
	char who[KLP_SETS_WHO_LEN];
	struct va_format reason = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	reason.va = &args;
	if (rec)
		pr_err("%s is refused: %pV\n", klp_sets_who(who, patch, rec), &reason);
	else
		pr_err("'%s' is refused: %pV\n", patch->mod->name, &reason);
	klp_sets_count_refusal();
	trace_klp_sets_refuse(patch, rec, &reason);
	va_end(args);
}

/**
 * klp_sets_say_busy() - say why a patch gets -EBUSY
 * @name:	of its module
 * @what:	what it is not
 *
 * Stock livepatch answers without a word.
 *
 * Context: process context, under klp_mutex, while some patch is in transition.
 */
void klp_sets_say_busy(const char *name, const char *what)
{
	pr_err("'%s' is not %s: '%s' is in transition\n", name, what,
	       (*klp.transition_patch)->mod->name);
}

/**
 * klp_sets_announce() - tell user space that a set changed hands
 * @rec:	the record of the patch that got the set, or lost it
 * @what:	"enabled", "replaced" or "disabled"
 *
 * A uevent needs a kset, and stock livepatch's folders have none. So it is that
 * of the patch's module. Nobody may be listening, or memory may be short: a
 * uevent is a notice, sysfs is the truth.
 *
 * Context: process context, under klp_mutex, while the patch is in stock's list.
 */
void klp_sets_announce(const struct klp_sets_record *rec, const char *what)
{
	char set[32], event[32];
	char *env[] = { set, event, NULL };

	snprintf(set, sizeof(set), "KLP_SETS_SET=%u", rec->replace_set);
	snprintf(event, sizeof(event), "KLP_SETS_EVENT=%s", what);
	kobject_uevent_env(&rec->patch->mod->mkobj.kobj, KOBJ_CHANGE, env);
}

/**
 * klp_sets_mourn() - say that a set lost its patch to somebody who is not of the set
 * @old_rec:	the record of the patch that goes
 * @rec:	the record of the patch that replaced it
 *
 * Whoever looks after the set did nothing, and would find no trace of it.
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_mourn(const struct klp_sets_record *old_rec, const struct klp_sets_record *rec)
{
	char old[KLP_SETS_WHO_LEN], new[KLP_SETS_WHO_LEN];

	if (rec->managed && rec->replace_set == old_rec->replace_set)
		return;
	pr_warn("%s is replaced by %s\n", klp_sets_who(old, old_rec->patch, old_rec),
		klp_sets_who(new, rec->patch, rec));
}
