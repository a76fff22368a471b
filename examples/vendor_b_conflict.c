// SPDX-License-Identifier: GPL-2.0
/*
 * vendor_b_conflict.c - a livepatch of set 2 that does not fit
 *
 * It changes vendor B's own function and one that belongs to vendor A. While a
 * livepatch of another set changes cmdline_proc_show(), loading this one fails
 * with "Invalid parameters", the kernel log names the function and its owner,
 * and nothing has changed: the livepatch that was in set 2 is still there.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

static int vendor_b_loadavg_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "loadavg, patched by vendor B, version 2\n");
	return 0;
}

static int vendor_b_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "cmdline, patched by vendor B, version 2\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "loadavg_proc_show",
		.new_func = vendor_b_loadavg_proc_show,
	}, {
		.old_name = "cmdline_proc_show",
		.new_func = vendor_b_cmdline_proc_show,
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

static int __init vendor_b_conflict_init(void)
{
	return klp_sets_enable_patch(&patch, 2);
}

static void __exit vendor_b_conflict_exit(void)
{
}

module_init(vendor_b_conflict_init);
module_exit(vendor_b_conflict_exit);
MODULE_DESCRIPTION("klp-sets example: a livepatch that is refused");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
