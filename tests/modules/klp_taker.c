// SPDX-License-Identifier: GPL-2.0
/*
 * klp_taker.c - takes a function away from everybody else
 *
 * An ftrace_ops that may modify the instruction pointer (but leaves it alone)
 * sits on the function. There can be only one of these.
 */
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/string.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "name of the function to take");

#if !defined(CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS) && !defined(arch_ftrace_get_regs)
#define ftrace_regs pt_regs
#endif

static void notrace leave_alone(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *regs)
{
}

static struct ftrace_ops taker = {
	.func = leave_alone,
	.flags = FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_IPMODIFY,
};

static int __init klp_taker_init(void)
{
	int ret;

	ret = ftrace_set_filter(&taker, function, strlen(function), 1);
	if (ret)
		return ret;
	return register_ftrace_function(&taker);
}

static void __exit klp_taker_exit(void)
{
	unregister_ftrace_function(&taker);
	/* Older kernels cannot free the filter from a module, only empty it. */
	ftrace_set_filter(&taker, NULL, 0, 1);
}

module_init(klp_taker_init);
module_exit(klp_taker_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Takes a hook of klp-sets away");
