// SPDX-License-Identifier: GPL-2.0
/*
 * policy.c - how far a replace may reach, as the operator wants it
 *
 * The parameters are read when a patch is admitted, and what was decided then
 * holds for that patch. Documentation/policies.md has the table.
 */
#include <linux/kernel.h>	/* add_taint(), via panic.h on newer kernels */
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "core.h"

static const char * const klp_sets_stock_names[] = {
	[KLP_SETS_STOCK_ALL] = "all",
	[KLP_SETS_STOCK_SCOPED] = "scoped",
	[KLP_SETS_STOCK_REFUSE] = "refuse",
};

/* The parameters are single words: a reader sees the old value or the new one. */
static unsigned int klp_sets_stock_replace = KLP_SETS_STOCK_ALL;
static bool klp_sets_set0_replaces_all;
static bool klp_sets_allow_replace_all = true;
static bool klp_sets_taint_others;

static int klp_sets_set_stock_replace(const char *val, const struct kernel_param *kp)
{
	int i = sysfs_match_string(klp_sets_stock_names, val);

	if (i < 0)
		return i;
	WRITE_ONCE(klp_sets_stock_replace, i);
	return 0;
}

static int klp_sets_get_stock_replace(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n",
			  klp_sets_stock_names[READ_ONCE(klp_sets_stock_replace)]);
}

static const struct kernel_param_ops klp_sets_stock_replace_ops = {
	.set = klp_sets_set_stock_replace,
	.get = klp_sets_get_stock_replace,
};

module_param_cb(stock_replace, &klp_sets_stock_replace_ops, NULL, 0644);
MODULE_PARM_DESC(stock_replace,
		 "what a stock patch with replace=true replaces: all, scoped (stock patches and set 0), or refuse it");
module_param_named(set0_replaces_all, klp_sets_set0_replaces_all, bool, 0644);
MODULE_PARM_DESC(set0_replaces_all, "a patch of set 0 replaces every patch (default: off)");
module_param_named(allow_replace_all, klp_sets_allow_replace_all, bool, 0644);
MODULE_PARM_DESC(allow_replace_all,
		 "off: whatever would replace every patch replaces its own set only (default: on)");
module_param_named(taint, klp_sets_taint_others, bool, 0644);
MODULE_PARM_DESC(taint,
		 "a patch of any set but 0 sets the kernel's taint flag X (default: off)");

/**
 * klp_sets_stock_policy() - what becomes of a stock patch with the replace flag
 *
 * To be asked once a patch: between two answers the operator may have changed it.
 */
enum klp_sets_stock_policy klp_sets_stock_policy(void)
{
	enum klp_sets_stock_policy policy = READ_ONCE(klp_sets_stock_replace);

	if (policy == KLP_SETS_STOCK_ALL && !READ_ONCE(klp_sets_allow_replace_all))
		return KLP_SETS_STOCK_SCOPED;
	return policy;
}

/**
 * klp_sets_may_replace_all() - whether a managed patch replaces every patch
 * @p:		the patch and its set
 */
bool klp_sets_may_replace_all(const struct klp_sets_patch *p)
{
	return READ_ONCE(klp_sets_allow_replace_all) &&
	       (p->replace_all ||
		(!p->replace_set && READ_ONCE(klp_sets_set0_replaces_all)));
}

/**
 * klp_sets_must_taint() - whether a managed patch is to leave a mark
 * @p:		the patch and its set
 */
bool klp_sets_must_taint(const struct klp_sets_patch *p)
{
	return READ_ONCE(klp_sets_taint_others) && p->replace_set;
}

/**
 * klp_sets_taint() - leave a mark that the vendor of the system can look for
 * @rec:	the record of a patch that is enabled now
 *
 * TAINT_AUX is the flag that the kernel leaves to distributions.
 *
 * Context: any, under klp_mutex.
 */
void notrace klp_sets_taint(struct klp_sets_record *rec)
{
	if (rec->taint)
		add_taint(TAINT_AUX, LOCKDEP_STILL_OK);
	rec->taint = false;
}
