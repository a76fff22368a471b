// SPDX-License-Identifier: GPL-2.0
/*
 * late.c - a livepatch whose code a task runs when it is on no list any more
 *
 * do_exit() calls proc_exit_connector() when the task that ends may have been reaped
 * already. As long as "hold" is set, one that has the name klp_late stays in there,
 * runnable, where neither /proc nor a transition sees it.
 */
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <klp_sets.h>

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "tasks with the name klp_late do not come to their end");

static atomic_t held = ATOMIC_INIT(0);
module_param_named(held, held.counter, int, 0444);
MODULE_PARM_DESC(held, "number of these tasks");

static __attribute__((__noipa__)) void late_proc_exit_connector(struct task_struct *task)
{
	if (strcmp(task->comm, "klp_late"))
		return;
	atomic_inc(&held);
	while (READ_ONCE(hold))
		cond_resched();
	atomic_dec(&held);
}

static struct klp_func funcs[] = {
	{
		.old_name = "proc_exit_connector",
		.new_func = late_proc_exit_connector,
	}, { }
};

static struct klp_object objs[] = {
	{
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init late_init(void)
{
	return klp_sets_enable_patch(&patch, 1);
}

static void __exit late_exit(void)
{
}

module_init(late_init);
module_exit(late_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch of a function late in do_exit() for the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
