// SPDX-License-Identifier: GPL-2.0
/*
 * vendor_a_v1.c - the first livepatch of set 1
 *
 * The least that a livepatch with a replace set consists of: new bodies for
 * two functions of the kernel, three tables that name them, and one call.
 * With it loaded, reading /proc/cmdline and /proc/version shows who is there.
 */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

static int vendor_a_cmdline_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "cmdline, patched by vendor A, version 1\n");
	return 0;
}

static int vendor_a_version_proc_show(struct seq_file *m, void *v)
{
	seq_puts(m, "version, patched by vendor A, version 1\n");
	return 0;
}

static struct klp_func funcs[] = {
	{
		.old_name = "cmdline_proc_show",
		.new_func = vendor_a_cmdline_proc_show,
	}, {
		.old_name = "version_proc_show",
		.new_func = vendor_a_version_proc_show,
	}, { }
};

static struct klp_object objs[] = {
	{
		/* no name: the functions are in the kernel itself */
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init vendor_a_v1_init(void)
{
	return klp_sets_enable_patch(&patch, 1);
}

/* Empty, but needed: without it the module could never be removed. */
static void __exit vendor_a_v1_exit(void)
{
}

module_init(vendor_a_v1_init);
module_exit(vendor_a_v1_exit);
MODULE_DESCRIPTION("klp-sets example: version 1 of vendor A's livepatch");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
