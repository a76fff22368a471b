// SPDX-License-Identifier: GPL-2.0
/*
 * api.c - what client modules call
 *
 * A call leaves a request, then goes through stock klp_enable_patch(), where
 * admit finds the request.
 */
#include <linux/sched.h>

#include "core.h"

/* The macros of these names are for clients: they note the set and the structures. */
#undef klp_sets_enable_patch
#undef klp_sets_enable

/* Calls of klp_sets_enable() that are under way; klp_mutex. */
static LIST_HEAD(klp_sets_requests);

/**
 * klp_sets_find_request() - the request that the current task has for a patch
 * @patch:	the patch
 *
 * Context: process context, under klp_mutex.
 * Return: the request, or NULL when stock klp_enable_patch() was called.
 */
notrace struct klp_sets_request *klp_sets_find_request(const struct klp_patch *patch)
{
	struct klp_sets_request *req;

	list_for_each_entry(req, &klp_sets_requests, node) {
		if (req->p->patch == patch && req->task == current)
			return req;
	}
	return NULL;
}

/**
 * klp_sets_have_requests() - whether any request is under way
 *
 * Context: under klp_mutex.
 * Return: whether the hooks are needed for their sake.
 */
bool notrace klp_sets_have_requests(void)
{
	return !list_empty(&klp_sets_requests);
}

static int klp_sets_check_request(const struct klp_sets_patch *p)
{
	int ret;

	if (!p) {
		pr_err("a patch is refused: klp_sets_enable() was called with NULL\n");
		klp_sets_count_refusal();
		return -EINVAL;
	}

	ret = klp_sets_check_patch(p->patch);
	if (ret)
		return ret;

	if (p->nr_obsoletes > KLP_SETS_MAX_OBSOLETES || (p->nr_obsoletes && !p->obsoletes)) {
		klp_sets_refuse(p->patch, NULL, "it obsoletes %u sets, in an array at %p (at most %u)",
				p->nr_obsoletes, p->obsoletes, KLP_SETS_MAX_OBSOLETES);
		return -EINVAL;
	}
	return klp_sets_check_table(p);
}

/* Leaves the request, with the hooks in place. */
static int klp_sets_begin(struct klp_sets_request *req)
{
	struct klp_patch *patch = req->p->patch;
	const struct klp_sets_request *other;
	int ret;

	if (klp_sets_is_dead()) {
		klp_sets_refuse(patch, NULL, KLP_SETS_DEATH);
		return -ENODEV;
	}
	ret = klp_sets_check_first_time(patch);
	if (ret)
		return ret;

	list_for_each_entry(other, &klp_sets_requests, node) {
		if (other->p->patch != patch)
			continue;
		klp_sets_refuse(patch, NULL, "another task is enabling this patch");
		return -EINVAL;
	}

	/* Stock livepatch would find out as well, but the hooks cost time. */
	if (*klp.transition_patch) {
		klp_sets_say_busy(patch->mod->name, "enabled");
		return -EBUSY;
	}

	list_add(&req->node, &klp_sets_requests);
	ret = klp_sets_update_hooks();
	if (ret) {
		list_del(&req->node);
		return ret;
	}

	/* If a hook should not be called, the patch must not replace everything. */
	req->replace = patch->replace;
	patch->replace = false;
	return 0;
}

static void klp_sets_end(struct klp_sets_request *req, int err)
{
	list_del(&req->node);
	if (!err && !req->seen) {
		pr_alert("'%s' is enabled as a stock patch: the hook of klp_is_patch_compatible() was not called\n",
			 req->p->patch->mod->name);
		klp_sets_count_anomaly();
	}
	if (err)
		req->p->patch->replace = req->replace;
	klp_sets_drop_admitted();
	klp_sets_update_hooks();
}

/**
 * klp_sets_enable() - enable a livepatch as a member of a replace set
 * @p:		the livepatch, its set, and more; stays in place as long as the module
 * @mod:	the caller; this and @layout are added by the macro of the same name
 * @layout:	the structures that it was built with
 *
 * Replaces the enabled patch of the same set, and those of the sets in
 * @p->obsoletes, in one transition, and leaves everything else on the machine
 * as it is. Call it from module_init, in the place of klp_enable_patch(); a
 * patch that was disabled, or failed while it was being enabled, cannot be
 * enabled again but by loading its module again. The rules, and where they come
 * from, are in Documentation/rules.md.
 *
 * Context: process context. Takes klp_mutex; must not be called from a livepatch
 * callback.
 * Return: 0 when the transition was started, or a negative errno, in which case
 * nothing on the machine has changed: -EINVAL when the patch is damaged, breaks a
 * rule, or was built with other structures (said in the log), -EBUSY when another
 * transition is in progress, when a hook of this module is taken, or when a state of
 * a replaced patch blocks its removal, -ENOMEM, -ENODEV when the module is going
 * away or ftrace has stopped itself, or the error of a pre_patch callback of an object
 * or a state.
 */
int klp_sets_enable(struct klp_sets_patch *p, struct module *mod, unsigned long layout)
{
	struct klp_sets_request req = { .p = p, .task = current };
	int ret;

	/* Nothing is known of what @p points to. */
	if (layout != KLP_SETS_LAYOUT) {
		pr_err("'%s' is refused: it was built against another klp_sets.h (%lx, this is %lx), build it again\n",
		       mod->name, layout, KLP_SETS_LAYOUT);
		klp_sets_count_refusal();
		return -EINVAL;
	}
	ret = klp_sets_check_request(p);
	if (ret)
		return ret;

	mutex_lock(klp.mutex);
	ret = klp_sets_begin(&req);
	mutex_unlock(klp.mutex);
	if (ret)
		return ret;

	ret = klp_enable_patch(p->patch);
	if (ret && req.err)
		ret = req.err;

	/* From here on, a patch that was enabled may be gone already. */
	mutex_lock(klp.mutex);
	klp_sets_end(&req, ret);
	mutex_unlock(klp.mutex);

	if (ret)
		klp_sets_flush_records();
	return ret;
}
EXPORT_SYMBOL_GPL(klp_sets_enable);

/**
 * klp_sets_enable_patch() - enable a livepatch as a member of a replace set
 * @patch:	the livepatch
 * @replace_set: the set; any number
 *
 * The short form of klp_sets_enable(), with the same context and errors.
 *
 * Return: 0, or a negative errno.
 */
int klp_sets_enable_patch(struct klp_patch *patch, u32 replace_set)
{
	struct klp_sets_patch p = { .patch = patch, .replace_set = replace_set };

	return klp_sets_enable(&p, THIS_MODULE, KLP_SETS_LAYOUT);
}
EXPORT_SYMBOL_GPL(klp_sets_enable_patch);
