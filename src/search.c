// SPDX-License-Identifier: GPL-2.0
/*
 * search.c - what a transition searches for comes first
 *
 * For every function of a patch and every task, stock livepatch looks for the
 * function's entry in its list klp_ops: through the entries of everything that is
 * patched on the machine. The order of that list has no meaning, so the entries of
 * the patch in transition are moved to its head before the transition starts.
 *
 * Nobody else walks the list then: klp_find_ops() is called under klp_mutex, or, on
 * kernels that switch tasks from the scheduler, by tasks with TIF_PATCH_PENDING. These flags
 * are set by klp_start_transition(), which comes later; and a transition does not
 * complete before every task is through with it, nor without klp_synchronize_transition().
 */
#include <linux/ftrace.h>
#include <linux/moduleparam.h>

#include "compat.h"
#include "core.h"

static bool klp_sets_fast_search = true;
module_param_named(fast_search, klp_sets_fast_search, bool, 0644);
MODULE_PARM_DESC(fast_search,
		 "let a transition find the functions of its own patch first (default: on)");

/* As stock livepatch has it in its private patch.h. */
struct klp_sets_ops {
	struct list_head node;
	struct list_head func_stack;
	struct ftrace_ops fops;
};

/* Whether the list is what it is taken for. */
static notrace bool klp_sets_know_ops(void)
{
	const struct klp_sets_ops *ops;

	if (!klp.ops || list_empty(klp.ops) || !READ_ONCE(klp_sets_fast_search))
		return false;
	ops = list_first_entry(klp.ops, struct klp_sets_ops, node);
	if (klp.ftrace_handler - (unsigned long)ops->fops.func <= KLP_SETS_ENTRY_LEN)
		return true;
	pr_warn_once("transitions are no faster than stock's: klp_ops is not the list that it should be\n");
	return false;
}

/**
 * klp_sets_put_first() - let the functions in a table be found first
 * @table:	table filled with klp_sets_add_addr()
 *
 * Context: under klp_mutex, when no transition has been started.
 */
void klp_sets_put_first(const struct klp_sets_table *table)
{
	struct klp_sets_ops *ops, *tmp;

	if (!klp_sets_know_ops())
		return;
	list_for_each_entry_safe(ops, tmp, klp.ops, node) {
		if (klp_sets_find_addr(table, list_first_entry(&ops->func_stack, struct klp_func,
							       stack_node)))
			list_move(&ops->node, klp.ops);
	}
}

static notrace bool klp_sets_has_func(const struct klp_sets_ops *ops, const struct module *mod)
{
	const struct klp_func *func;

	list_for_each_entry(func, &ops->func_stack, stack_node)
		if (within_module((unsigned long)func->new_func, mod))
			return true;
	return false;
}

/**
 * klp_sets_put_patch_first() - let the functions of an enabled patch be found first
 * @patch:	the patch, of either kind
 *
 * While it is being disabled nobody searches, but when that is reversed.
 *
 * Context: any, under klp_mutex, when no transition has been started.
 */
void notrace klp_sets_put_patch_first(const struct klp_patch *patch)
{
	struct klp_sets_ops *ops, *tmp;

	if (!klp_sets_know_ops())
		return;
	list_for_each_entry_safe(ops, tmp, klp.ops, node)
		if (klp_sets_has_func(ops, patch->mod))
			list_move(&ops->node, klp.ops);
}
