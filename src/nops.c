// SPDX-License-Identifier: GPL-2.0
/*
 * nops.c - sends functions that are no longer changed back to their original
 *
 * Stock livepatch adds a nop for every function of every patch, with a symbol
 * lookup each. Here a nop is made for the replaced patches alone, and what
 * stock would look up is copied from the entry that it covers. klp_mutex keeps
 * modules from coming and going between this and commit, so it stays true.
 * Once linked, nops are stock's own, which removes and frees them.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/**
 * struct klp_sets_nop - a prepared nop
 * @func:	what stock livepatch sees; first, because stock frees it by kfree()
 * @obj:	the object of the new patch where it goes
 */
struct klp_sets_nop {
	struct klp_func func;
	struct klp_object *obj;
};

/* Nops for objects that the admitted patch has, until commit; klp_mutex. */
static LIST_HEAD(klp_sets_nops);

/* Objects with nops, for those that it has not; likewise. */
static LIST_HEAD(klp_sets_nop_objs);

static void klp_sets_free_nop(struct klp_func *func)
{
	list_del(&func->node);
	kfree(func->old_name);
	kfree(container_of(func, struct klp_sets_nop, func));
}

/* The object where nops for @old go, if there is one already. */
static struct klp_object *klp_sets_find_object(struct klp_sets_record *rec,
					       const struct klp_object *old)
{
	struct klp_object *obj;

	klp_for_each_object_static(rec->patch, obj)
		if (klp_sets_same_object(obj, old))
			return obj;
	list_for_each_entry(obj, &klp_sets_nop_objs, node)
		if (klp_sets_same_object(obj, old))
			return obj;
	return NULL;
}

static struct klp_object *klp_sets_alloc_object(const struct klp_object *old)
{
	struct klp_object *obj;

	obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	if (!obj)
		return NULL;
	if (old->name) {
		obj->name = kstrdup(old->name, GFP_KERNEL);
		if (!obj->name) {
			kfree(obj);
			return NULL;
		}
	}

	/* Never added to sysfs: it could fail, and the folder would be empty. */
	kobject_init(&obj->kobj, klp.ktype_object);
	INIT_LIST_HEAD(&obj->func_list);
	obj->dynamic = true;
	obj->mod = old->mod;
	list_add_tail(&obj->node, &klp_sets_nop_objs);
	return obj;
}

static int klp_sets_add_nop(struct klp_object *obj, const struct klp_func *old)
{
	struct klp_sets_nop *nop;

	nop = kzalloc(sizeof(*nop), GFP_KERNEL);
	if (!nop)
		return -ENOMEM;
	nop->func.old_name = kstrdup(old->old_name, GFP_KERNEL);
	if (!nop->func.old_name) {
		kfree(nop);
		return -ENOMEM;
	}

	kobject_init(&nop->func.kobj, klp.ktype_func);
	INIT_LIST_HEAD(&nop->func.stack_node);
	nop->func.nop = true;
	nop->func.old_sympos = old->old_sympos;
	nop->func.old_func = old->old_func;
	nop->func.new_func = old->old_func;
	nop->func.old_size = old->old_size;
	nop->func.new_size = old->old_size;
	nop->obj = obj;
	list_add_tail(&nop->func.node, obj->dynamic ? &obj->func_list : &klp_sets_nops);
	return 0;
}

/**
 * klp_sets_add_nops() - prepare nops for what the new patch no longer changes
 * @rec:	the new patch's record, whose table of names is filled
 * @table:	the names of the new patch's functions; those of the nops are added,
 *		so that a function changed by several replaced patches gets one
 * @old:	a patch that it replaces
 *
 * Context: process context, under klp_mutex.
 * Return: 0 or -ENOMEM; what is prepared by then is freed with the record.
 */
int klp_sets_add_nops(struct klp_sets_record *rec, struct klp_sets_table *table,
		      const struct klp_patch *old)
{
	const struct klp_object *old_obj;
	struct klp_func *old_func;
	struct klp_object *obj;
	unsigned int hash;
	int ret;

	klp_for_each_object(old, old_obj) {
		hash = klp_sets_hash_object(old_obj);
		obj = NULL;
		klp_for_each_func(old_obj, old_func) {
			if (klp_sets_find_name(table, hash, old_obj, old_func))
				continue;
			if (!obj)
				obj = klp_sets_find_object(rec, old_obj);
			if (!obj)
				obj = klp_sets_alloc_object(old_obj);
			if (!obj)
				return -ENOMEM;
			ret = klp_sets_add_nop(obj, old_func);
			if (ret)
				return ret;
			klp_sets_add_name(table, hash, old_obj, old_func);
		}
	}
	return 0;
}

/**
 * klp_sets_count_nops() - how many nops are prepared
 *
 * Context: any, under klp_mutex.
 */
notrace unsigned int klp_sets_count_nops(void)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int nr = 0;

	list_for_each_entry(func, &klp_sets_nops, node)
		nr++;
	list_for_each_entry(obj, &klp_sets_nop_objs, node)
		klp_for_each_func(obj, func)
			nr++;
	return nr;
}

/**
 * klp_sets_free_nops() - free what was prepared and never linked
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_free_nops(void)
{
	struct klp_object *obj, *tmp_obj;
	struct klp_func *func, *tmp_func;

	list_for_each_entry_safe(func, tmp_func, &klp_sets_nops, node)
		klp_sets_free_nop(func);
	list_for_each_entry_safe(obj, tmp_obj, &klp_sets_nop_objs, node) {
		klp_for_each_func_safe(obj, func, tmp_func)
			klp_sets_free_nop(func);
		list_del(&obj->node);
		kfree(obj->name);
		kfree(obj);
	}
}

/**
 * klp_sets_link_nops() - hand the prepared nops to the patch
 * @rec:	the record
 *
 * They go before what the patch changes, and so below it in the stack of a
 * function: if a module arrives during the transition, in which a nop and new
 * code turn out to have one address, the new code must be on top.
 *
 * Context: atomic, under klp_mutex; at commit, when the patch's own lists are
 * there and before stock livepatch walks them.
 */
void notrace klp_sets_link_nops(struct klp_sets_record *rec)
{
	struct klp_func *func, *tmp;

	list_for_each_entry_safe(func, tmp, &klp_sets_nops, node)
		list_move(&func->node,
			  &container_of(func, struct klp_sets_nop, func)->obj->func_list);
	list_splice_tail_init(&klp_sets_nop_objs, &rec->patch->obj_list);
}
