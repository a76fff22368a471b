// SPDX-License-Identifier: GPL-2.0
/*
 * carrier.c - the callbacks that stock livepatch makes for us
 *
 * The carrier is an object of vmlinux without functions. Standing first in the
 * patch, its pre_patch is called when the addresses of the functions are known
 * and nothing is patched yet, and an error from it makes stock livepatch undo
 * what was done. All callbacks run in process context under klp_mutex.
 */
#include <linux/slab.h>

#include "core.h"
#include "trace.h"

static unsigned int klp_sets_count_funcs(const struct klp_patch *patch)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int nr = 0;

	klp_for_each_object(patch, obj)
		klp_for_each_func(obj, func)
			nr++;
	return nr;
}

static int klp_sets_add_own_addrs(const struct klp_sets_record *rec,
				  struct klp_sets_table *table)
{
	const struct klp_object *obj;
	struct klp_func *func, *other;

	klp_for_each_object(rec->patch, obj) {
		if (!klp_sets_is_loaded(obj))
			continue;
		klp_for_each_func(obj, func) {
			if (func->nop)
				continue;
			other = klp_sets_find_addr(table, func);
			if (other && rec->managed) {
				klp_sets_refuse(rec->patch, rec,
						"'%s' and '%s' are the same function",
						other->old_name, func->old_name);
				return -EINVAL;
			}
			klp_sets_add_addr(table, func);
		}
	}
	return 0;
}

/*
 * Adds the nops, but for those that would stand above the new code, because the
 * replaced patch called the same function by another name.
 */
static void klp_sets_add_nop_addrs(const struct klp_sets_record *rec,
				   struct klp_sets_table *table, struct list_head *dropped)
{
	struct klp_object *obj;
	struct klp_func *func, *tmp;

	klp_for_each_object(rec->patch, obj) {
		if (!klp_sets_is_loaded(obj))
			continue;
		klp_for_each_func_safe(obj, func, tmp) {
			if (!func->nop)
				continue;
			if (klp_sets_find_addr(table, func))
				list_move(&func->node, dropped);
			else
				klp_sets_add_addr(table, func);
		}
	}
}

static int klp_sets_refuse_alias(const struct klp_sets_record *rec,
				 const struct klp_func *own, const struct klp_patch *old,
				 const struct klp_func *func)
{
	char owner[KLP_SETS_WHO_LEN];

	klp_sets_refuse(rec->patch, rec,
			"%sfunction '%s' is the same as '%s', which is changed by %s",
			own->nop ? "dropped " : "", own->old_name, func->old_name,
			klp_sets_who(owner, old, klp_sets_record_of(old)));
	return -EINVAL;
}

/*
 * Rule 2 of the contract for functions that have two names. A nop that meets a
 * function of another set means that two sets came to share one when its module
 * was loaded. With the nop, the other set's code would be out of force during the
 * transition. Without it, nobody would notice tasks in the replaced code.
 */
static int klp_sets_check_addrs(const struct klp_sets_record *rec,
				const struct klp_sets_table *table,
				const struct klp_patch *old)
{
	const struct klp_object *obj;
	const struct klp_func *func, *own;

	klp_for_each_object(old, obj) {
		if (!klp_sets_is_loaded(obj))
			continue;
		klp_for_each_func(obj, func) {
			own = klp_sets_find_addr(table, func);
			if (own)
				return klp_sets_refuse_alias(rec, own, old, func);
		}
	}
	return 0;
}

/**
 * klp_sets_check_aliases() - refuse functions that others change by another name
 * @rec:	the record of a patch whose addresses are known
 *
 * With the addresses at hand, what is not refused is also put where its transition
 * finds it first.
 *
 * Context: process context, under klp_mutex, when no transition has been started.
 * Return: 0, -EINVAL (said in the log), or -ENOMEM.
 */
int klp_sets_check_aliases(struct klp_sets_record *rec)
{
	struct klp_sets_table table;
	const struct klp_patch *old;
	struct klp_func *nop, *tmp;
	LIST_HEAD(dropped);
	int ret;

	ret = klp_sets_init_table(&table, klp_sets_count_funcs(rec->patch));
	if (ret)
		return ret;

	ret = klp_sets_add_own_addrs(rec, &table);
	/* The nops of a stock patch are stock's own. */
	if (!ret && rec->managed)
		klp_sets_add_nop_addrs(rec, &table, &dropped);
	klp_sets_for_each_patch(old) {
		if (ret)
			break;
		if (old != rec->patch && klp_sets_conflicts(rec, old))
			ret = klp_sets_check_addrs(rec, &table, old);
	}
	if (!ret)
		klp_sets_put_first(&table);

	klp_sets_free_table(&table);
	list_for_each_entry_safe(nop, tmp, &dropped, node) {
		list_del(&nop->node);
		kobject_put(&nop->kobj);
	}
	return ret;
}

/*
 * When the transition is over, the carrier becomes a dynamic object, which stock
 * livepatch frees with the patch. Earlier it would go with the nops.
 */
static void klp_sets_hand_over(struct klp_object *obj)
{
	obj->dynamic = true;
}

static struct klp_sets_record *klp_sets_rec(struct klp_object *obj)
{
	return container_of(obj, struct klp_sets_carrier, obj)->rec;
}

static int klp_sets_pre_patch(struct klp_object *obj)
{
	struct klp_sets_record *rec = klp_sets_rec(obj);
	int ret;

	ret = klp_sets_check_places(rec);
	if (!ret)
		ret = klp_sets_check_aliases(rec);
	if (!ret && rec->managed)
		ret = klp_sets_show_patch(rec);
	if (!ret)
		ret = klp_sets_states_pre_patch(rec);
	if (ret == -ENOMEM)
		klp_sets_refuse(rec->patch, NULL, "out of memory");
	if (ret) {
		klp_sets_hide_set(rec);
		klp_sets_hand_over(obj);
	}
	return ret;
}

/* A stock patch needs the carrier during its first transition alone. */
static void klp_sets_let_go(struct klp_object *obj)
{
	struct klp_sets_record *rec = klp_sets_rec(obj);

	memset(&obj->callbacks, 0, sizeof(obj->callbacks));
	klp_sets_bury(rec->patch);
}

static void klp_sets_post_patch(struct klp_object *obj)
{
	struct klp_sets_record *rec = klp_sets_rec(obj);

	klp_sets_hand_over(obj);
	klp_sets_completed(rec, true);
	klp_sets_note_left(rec, true);
	if (!rec->settled) {
		klp_sets_start_blocking(rec);
		klp_sets_show_replaced(rec);
	}
	klp_sets_states_post_patch(rec);
	if (!rec->managed)
		klp_sets_let_go(obj);
}

static void klp_sets_pre_unpatch(struct klp_object *obj)
{
	klp_sets_states_pre_unpatch(klp_sets_rec(obj));
}

static void klp_sets_post_unpatch(struct klp_object *obj)
{
	struct klp_sets_record *rec = klp_sets_rec(obj);

	klp_sets_hand_over(obj);
	klp_sets_completed(rec, false);
	klp_sets_note_left(rec, false);
	klp_sets_states_post_unpatch(rec);
	klp_sets_hide_set(rec);
	if (rec->managed && rec->settled)
		klp_sets_announce(rec, "disabled");
	if (!rec->managed)
		klp_sets_let_go(obj);
}

/**
 * klp_sets_alloc_carrier() - make the carrier of a record
 * @rec:	the record
 *
 * It is initialised, and never added to sysfs.
 *
 * Return: the carrier, or NULL.
 */
struct klp_sets_carrier *klp_sets_alloc_carrier(struct klp_sets_record *rec)
{
	struct klp_sets_carrier *carrier;

	carrier = kzalloc(sizeof(*carrier), GFP_KERNEL);
	if (!carrier)
		return NULL;
	carrier->rec = rec;
	INIT_LIST_HEAD(&carrier->obj.func_list);
	kobject_init(&carrier->obj.kobj, klp.ktype_object);
	carrier->obj.callbacks.pre_patch = klp_sets_pre_patch;
	carrier->obj.callbacks.post_patch = klp_sets_post_patch;
	carrier->obj.callbacks.pre_unpatch = klp_sets_pre_unpatch;
	carrier->obj.callbacks.post_unpatch = klp_sets_post_unpatch;
	return carrier;
}

/**
 * klp_sets_adopt() - make a managed patch of a stock patch that is enabled
 * @rec:	the record, which was admitted
 *
 * That it was forced is known as far as stock livepatch has noted it: newer kernels
 * mark what a forced transition takes away, and not a patch that came by force.
 *
 * Newer kernels walk the list of objects from the scheduler, without klp_mutex,
 * but only while a transition is in progress.
 *
 * Context: process context, under klp_mutex, with no transition in progress.
 * Return: 0 or -ENOMEM.
 */
int klp_sets_adopt(struct klp_sets_record *rec)
{
	struct klp_object *obj = &rec->carrier->obj;
	int ret;

	klp_sets_add_record(rec);
	ret = klp_sets_show_patch(rec);
	if (ret) {
		klp_sets_remove_record(rec);
		return ret;
	}

	klp_sets_set_admitted(NULL);
	rec->settled = true;
	rec->was_forced = rec->patch->forced;
	klp_sets_hand_over(obj);
	obj->patched = true;
	obj->callbacks.post_unpatch_enabled = true;
	list_add(&obj->node, &rec->patch->obj_list);
	klp_sets_taint(rec);
	klp_sets_announce(rec, "enabled");
	return 0;
}

/**
 * klp_sets_carried_record() - the record behind a carrier
 * @obj:	an object of a patch in stock's list
 *
 * Context: any, under klp_mutex.
 * Return: the record, or NULL when @obj is not a carrier.
 */
notrace struct klp_sets_record *klp_sets_carried_record(const struct klp_object *obj)
{
	if (obj->callbacks.pre_patch != klp_sets_pre_patch)
		return NULL;
	return container_of(obj, struct klp_sets_carrier, obj)->rec;
}
