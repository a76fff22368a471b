// SPDX-License-Identifier: GPL-2.0
/*
 * bench_b000.c - a livepatch of one function, for a store
 *
 * It knows nothing of klp-sets but the set in its modinfo. The benchmark makes 64 of the
 * file, with other digits in its name, the set and the name of the function.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

static __attribute__((__noipa__)) int replacement(int x)
{
	return x;
}

static struct klp_func funcs[] = {
	{
		.old_name = "bench_f0000",
		.new_func = replacement,
	}, { }
};

static struct klp_object objs[] = {
	{
		.name = "bench_target",
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init bench_boot_init(void)
{
	return klp_enable_patch(&patch);
}

static void __exit bench_boot_exit(void)
{
}

module_init(bench_boot_init);
module_exit(bench_boot_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch of the klp-sets benchmark");
MODULE_INFO(livepatch, "Y");
MODULE_INFO(replace_set, "1000");
