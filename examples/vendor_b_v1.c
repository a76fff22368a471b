// SPDX-License-Identifier: GPL-2.0
/*
 * vendor_b_v1.c - a livepatch of set 2
 *
 * Vendor B knows nothing of vendor A. Its set has another number, so the
 * livepatches of the two come and go without touching each other. This one
 * changes what reading /proc/loadavg shows.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

static int vendor_b_loadavg_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "loadavg, patched by vendor B, version 1\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "loadavg_proc_show",
		.new_func = vendor_b_loadavg_proc_show,
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

static int __init vendor_b_v1_init(void)
{
	return klp_sets_enable_patch(&patch, 2);
}

static void __exit vendor_b_v1_exit(void)
{
}

module_init(vendor_b_v1_init);
module_exit(vendor_b_v1_exit);
MODULE_DESCRIPTION("klp-sets example: version 1 of vendor B's livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
