// SPDX-License-Identifier: GPL-2.0
/*
 * vendor_a_v2.c - the second livepatch of set 1
 *
 * Loading it replaces vendor_a_v1, because both are of set 1, and nothing
 * else. It changes cmdline_proc_show() again. It no longer changes
 * version_proc_show(), so that function goes back to the kernel's own code in
 * the same transition. There is nothing to write for that.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

static int vendor_a_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "cmdline, patched by vendor A, version 2\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = vendor_a_cmdline_proc_show,
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

static int __init vendor_a_v2_init(void)
{
	return klp_sets_enable_patch(&patch, 1);
}

static void __exit vendor_a_v2_exit(void)
{
}

module_init(vendor_a_v2_init);
module_exit(vendor_a_v2_exit);
MODULE_DESCRIPTION("klp-sets example: version 2 of vendor A's livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
