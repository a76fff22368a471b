// SPDX-License-Identifier: GPL-2.0
/*
 * admit.c - the checks before a patch is enabled
 *
 * Stands in for stock livepatch's klp_is_patch_compatible(), and includes its
 * rule. All that can fail is done here, and all memory that commit needs is
 * allocated, so that commit has nothing left to fail at.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/string.h>

#include "core.h"
#include "trace.h"

static const char *klp_sets_obj_name(const struct klp_object *obj)
{
	return obj->name ?: "vmlinux";
}

static int klp_sets_check_func(const struct klp_patch *patch, const struct klp_object *obj,
			       const struct klp_func *func)
{
	if (!func->old_name || !*func->old_name) {
		klp_sets_refuse(patch, NULL, "function %td of %s has no name",
				func - obj->funcs, klp_sets_obj_name(obj));
		return -EINVAL;
	}
	if (!func->new_func) {
		klp_sets_refuse(patch, NULL, "function '%s' of %s has no replacement",
				func->old_name, klp_sets_obj_name(obj));
		return -EINVAL;
	}
	return 0;
}

/**
 * klp_sets_check_patch() - refuse tables that nobody can walk
 * @patch:	the patch, which may be NULL
 *
 * Stock livepatch looks at most of this only after admit, and at some of it
 * never. A client's call is checked before as well, for its own errno.
 *
 * Return: 0 or -EINVAL (said in the log).
 */
int klp_sets_check_patch(const struct klp_patch *patch)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	int ret;

	if (!patch || !patch->mod) {
		pr_err("a patch is refused: it is NULL, or its mod is\n");
		klp_sets_count_refusal();
		return -EINVAL;
	}
	if (!patch->objs) {
		klp_sets_refuse(patch, NULL, "it has no objects");
		return -EINVAL;
	}
	klp_for_each_object_static(patch, obj) {
		if (!obj->funcs) {
			klp_sets_refuse(patch, NULL, "object %s has no functions",
					klp_sets_obj_name(obj));
			return -EINVAL;
		}
		klp_for_each_func_static(obj, func) {
			ret = klp_sets_check_func(patch, obj, func);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/*
 * A module file may be called fix-1.ko, the module in it never is. Stock livepatch would
 * wait for such a name for ever.
 */
static bool klp_sets_is_module_name(const char *name)
{
	const char *c;

	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && *c != '_'))
			return false;
	return c > name && strcmp(name, "vmlinux");
}

static int klp_sets_check_objects(const struct klp_sets_record *rec)
{
	const struct klp_object *obj;

	klp_for_each_object_static(rec->patch, obj) {
		if (!obj->name || klp_sets_is_module_name(obj->name))
			continue;
		klp_sets_refuse(rec->patch, rec, "no module can be called '%s', as one of its objects is",
				obj->name);
		return -EINVAL;
	}
	return 0;
}

static unsigned int klp_sets_count_own(const struct klp_patch *patch)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int nr = 0;

	klp_for_each_object_static(patch, obj)
		klp_for_each_func_static(obj, func)
			nr++;
	return nr;
}

static unsigned int klp_sets_count_replaced(const struct klp_sets_record *rec)
{
	const struct klp_patch *old;
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int nr = 0;

	klp_sets_for_each_patch(old) {
		if (!klp_sets_replaces(rec, old))
			continue;
		klp_for_each_object(old, obj)
			klp_for_each_func(obj, func)
				nr++;
	}
	return nr;
}

/* Fills the table with the new patch's functions, each of which must be there once. */
static int klp_sets_add_own(const struct klp_sets_record *rec, struct klp_sets_table *table)
{
	const struct klp_object *obj;
	struct klp_func *func;
	unsigned int hash;

	klp_for_each_object_static(rec->patch, obj) {
		hash = klp_sets_hash_object(obj);
		klp_for_each_func_static(obj, func) {
			if (klp_sets_find_name(table, hash, obj, func)) {
				klp_sets_refuse(rec->patch, rec,
						"it changes function '%s' of %s twice",
						func->old_name, klp_sets_obj_name(obj));
				return -EINVAL;
			}
			klp_sets_add_name(table, hash, obj, func);
		}
	}
	return 0;
}

/* Rule 2 of the contract, by name, which works for modules that are not loaded. */
static int klp_sets_check_names(const struct klp_sets_record *rec,
				const struct klp_sets_table *table,
				const struct klp_patch *old)
{
	char owner[KLP_SETS_WHO_LEN];
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int hash;

	klp_for_each_object(old, obj) {
		hash = klp_sets_hash_object(obj);
		klp_for_each_func(obj, func) {
			if (!klp_sets_find_name(table, hash, obj, func))
				continue;
			klp_sets_refuse(rec->patch, rec, "function '%s' of %s is changed by %s",
					func->old_name, klp_sets_obj_name(obj),
					klp_sets_who(owner, old, klp_sets_record_of(old)));
			return -EINVAL;
		}
	}
	return 0;
}

static int klp_sets_check_others(struct klp_sets_record *rec, struct klp_sets_table *table)
{
	struct klp_patch *old;
	int ret;

	klp_sets_for_each_patch(old) {
		if (old == rec->patch)
			continue;
		if (klp_sets_conflicts(rec, old)) {
			ret = klp_sets_check_names(rec, table, old);
			if (!ret)
				ret = klp_sets_check_foreign_states(rec, old);
		} else {
			ret = klp_sets_check_replaced_states(rec, old,
							     klp_sets_replaces(rec, old));
		}
		if (ret)
			return ret;
	}
	return 0;
}

/* Stock livepatch makes its own nops for a stock patch. */
static int klp_sets_prepare_nops(struct klp_sets_record *rec, struct klp_sets_table *table)
{
	struct klp_patch *old;
	int ret;

	if (!rec->managed)
		return 0;
	klp_sets_for_each_patch(old) {
		if (!klp_sets_replaces(rec, old))
			continue;
		ret = klp_sets_add_nops(rec, table, old);
		if (ret)
			return ret;
	}
	return 0;
}

static int klp_sets_check_record(struct klp_sets_record *rec, struct klp_sets_table *table)
{
	int ret = 0;

	/* What is no business of ours, stock livepatch may have as it likes. */
	if (rec->managed)
		ret = klp_sets_check_objects(rec);
	if (!ret)
		ret = klp_sets_init_table(table, klp_sets_count_own(rec->patch) +
					  klp_sets_count_replaced(rec));
	if (!ret)
		ret = klp_sets_add_own(rec, table);
	if (!ret && rec->managed)
		ret = klp_sets_check_own_states(rec);
	if (!ret)
		ret = klp_sets_check_others(rec, table);
	if (!ret)
		ret = klp_sets_prepare_force();
	if (!ret)
		ret = klp_sets_prepare_verify();
	return ret;
}

/* Being enabled, it cannot replace a patch any more. */
static int klp_sets_check_set_is_free(const struct klp_sets_record *rec)
{
	char owner[KLP_SETS_WHO_LEN];
	const struct klp_patch *old;

	klp_sets_for_each_patch(old) {
		if (!klp_sets_replaces(rec, old))
			continue;
		klp_sets_refuse(rec->patch, rec,
				"it is enabled already, and would have to replace %s",
				klp_sets_who(owner, old, klp_sets_record_of(old)));
		return -EINVAL;
	}
	return 0;
}

/**
 * klp_sets_check_adopted() - whether an enabled stock patch may join a set
 * @rec:	the record that it would have
 *
 * Context: process context, under klp_mutex, with no transition in progress.
 * Return: 0, -EINVAL (said in the log), or -ENOMEM.
 */
int klp_sets_check_adopted(struct klp_sets_record *rec)
{
	struct klp_sets_table table = {};
	int ret;

	rec->replace_all = false;
	ret = klp_sets_check_set_is_free(rec);
	if (!ret)
		ret = klp_sets_check_record(rec, &table);
	if (!ret)
		ret = klp_sets_check_aliases(rec);
	klp_sets_free_table(&table);
	return ret;
}

/**
 * klp_sets_check_first_time() - refuse a patch that stock livepatch has seen before
 * @patch:	the patch
 *
 * Stock livepatch would initialise it again, and damage its own list, or what the
 * worker that frees the patch may still be waiting for, long after its release.
 *
 * Context: under klp_mutex.
 * Return: 0 or -EINVAL (said in the log).
 */
int klp_sets_check_first_time(const struct klp_patch *patch)
{
	const struct klp_patch *old;
	bool known = klp_sets_live_record(patch);

	klp_sets_for_each_patch(old)
		known |= old == patch;
	if (known) {
		klp_sets_refuse(patch, NULL, "this patch is enabled already, or not quite gone");
		return -EINVAL;
	}
	if (patch->kobj.state_initialized) {
		klp_sets_refuse(patch, NULL, "it was enabled before; load its module again");
		return -EINVAL;
	}
	return 0;
}

/* The policy that keeps a stock patch from wiping out all others. */
static int klp_sets_check_nothing_managed(const struct klp_sets_record *rec)
{
	const struct klp_patch *old;

	klp_sets_for_each_patch(old) {
		if (!klp_sets_record_of(old))
			continue;
		klp_sets_refuse(rec->patch, rec,
				"it would replace all patches, and stock_replace is 'refuse'");
		return -EINVAL;
	}
	return 0;
}

/* A call of plain klp_enable_patch(). */
static struct klp_sets_record *klp_sets_stock_record(struct klp_patch *patch)
{
	struct klp_sets_assignment *a = klp_sets_find_assignment(patch->mod->name);
	enum klp_sets_stock_policy policy = KLP_SETS_STOCK_ALL;
	struct klp_sets_patch p = { .patch = patch };
	struct klp_sets_record *rec;
	int ret;

	if (a)
		klp_sets_get_assigned(a, &p);
	else if (patch->replace)
		policy = klp_sets_stock_policy();
	rec = klp_sets_alloc_record(patch, a || policy == KLP_SETS_STOCK_SCOPED ? &p : NULL);
	if (IS_ERR(rec))
		return rec;

	rec->assignment = a;
	rec->replace_stock = policy == KLP_SETS_STOCK_SCOPED;
	if (policy == KLP_SETS_STOCK_REFUSE) {
		ret = klp_sets_check_nothing_managed(rec);
		if (ret) {
			klp_sets_free_record(rec);
			return ERR_PTR(ret);
		}
	}
	return rec;
}

static int klp_sets_admit_record(struct klp_sets_record *rec)
{
	struct klp_sets_table table = {};
	int ret;

	ret = klp_sets_check_record(rec, &table);
	if (!ret)
		ret = klp_sets_prepare_nops(rec, &table);
	klp_sets_free_table(&table);
	if (ret) {
		klp_sets_free_record(rec);
		return ret;
	}

	/* Or stock livepatch would add nops for every patch on the machine. */
	if (rec->managed)
		rec->patch->replace = false;
	klp_sets_set_admitted(rec);
	trace_klp_sets_admit(rec);
	return 0;
}

/* This module is going away: nothing is managed, and stock's own rule remains. */
static int klp_sets_check_unrecorded(struct klp_patch *patch)
{
	const struct klp_sets_record rec = { .patch = patch, .replace_all = patch->replace };
	struct klp_patch *old;
	int ret = 0;

	klp_sets_for_each_patch(old) {
		ret = klp_sets_check_replaced_states(&rec, old, patch->replace);
		if (ret)
			break;
	}
	return ret;
}

static int klp_sets_try_admit(struct klp_patch *patch, const struct klp_sets_request *req)
{
	struct klp_sets_record *rec;
	int ret;

	ret = klp_sets_check_first_time(patch);
	if (ret)
		return ret;

	/* Stock livepatch answers -EBUSY by itself, after it has looked at the tables. */
	if (*klp.transition_patch) {
		if (req || klp_sets_find_assignment(patch->mod->name))
			klp_sets_say_busy(patch->mod->name, "enabled");
		return 0;
	}

	ret = klp_sets_check_patch(patch);
	if (ret)
		return ret;

	rec = req ? klp_sets_alloc_record(patch, req->p) : klp_sets_stock_record(patch);
	if (!IS_ERR(rec))
		return klp_sets_admit_record(rec);
	if (!req && PTR_ERR(rec) == -ENODEV)
		return klp_sets_check_unrecorded(patch);
	return PTR_ERR(rec);
}

/**
 * klp_sets_admit() - whether stock livepatch may enable a patch
 * @patch:	the patch; on older kernels, nothing in it was looked at before
 *
 * Context: process context, under klp_mutex, in the place of
 * klp_is_patch_compatible(); may sleep.
 * Return: true to go on. Stock livepatch makes -EINVAL of a refusal; the errno
 * is left in the request, for those who have one.
 */
bool klp_sets_admit(struct klp_patch *patch)
{
	struct klp_sets_request *req = klp_sets_find_request(patch);
	int ret;

	klp_sets_verify(NULL);
	klp_sets_drop_admitted();
	if (req)
		req->seen = true;

	ret = klp_sets_try_admit(patch, req);
	if (ret == -ENOMEM)
		klp_sets_refuse(patch, NULL, "out of memory");
	/*
	 * Whoever made a request cleans up; otherwise the work item must. The
	 * admitted record keeps this module until the work item has run.
	 */
	if (req)
		req->err = ret;
	else if (klp_sets_admitted)
		klp_sets_schedule_reap();
	return !ret;
}
