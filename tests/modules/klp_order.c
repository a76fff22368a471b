// SPDX-License-Identifier: GPL-2.0
/*
 * klp_order.c - shows in which order stock livepatch finds what is patched
 *
 * Its parameter "order" is a line of names of functions, as they stand in the list
 * klp_ops. How long a transition takes says the same, but not in a busy machine.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/mutex.h>

/* As in kernel/livepatch/patch.h. */
struct klp_ops {
	struct list_head node;
	struct list_head func_stack;
	struct ftrace_ops fops;
};

static struct list_head *ops_list;
static struct mutex *mutex;

static int order_get(char *buf, const struct kernel_param *kp)
{
	struct klp_ops *ops;
	struct klp_func *func;
	int len = 0;

	mutex_lock(mutex);
	list_for_each_entry(ops, ops_list, node) {
		func = list_first_entry(&ops->func_stack, struct klp_func, stack_node);
		len += scnprintf(buf + len, PAGE_SIZE - len, "%s%s", len ? " " : "",
				 func->old_name);
	}
	mutex_unlock(mutex);
	return len + scnprintf(buf + len, PAGE_SIZE - len, "\n");
}

static const struct kernel_param_ops order_ops = { .get = order_get };
module_param_cb(order, &order_ops, NULL, 0444);
MODULE_PARM_DESC(order, "the functions that are patched, as they are found");

/* For data it fails, after the address was filled in. */
static void *find(const char *name)
{
	struct kprobe probe = { .symbol_name = name, .flags = KPROBE_FLAG_DISABLED };

	if (!register_kprobe(&probe))
		unregister_kprobe(&probe);
	return probe.addr;
}

static int __init klp_order_init(void)
{
	ops_list = find("klp_ops");
	mutex = find("klp_mutex");
	return ops_list && mutex ? 0 : -ENOENT;
}

static void __exit klp_order_exit(void)
{
}

module_init(klp_order_init);
module_exit(klp_order_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Shows stock livepatch's list of patched functions");
