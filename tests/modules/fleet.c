// SPDX-License-Identifier: GPL-2.0
/*
 * fleet.c - two versions of a livepatch for machines that get one after the other
 *
 * Both are of set 7. The second also changes park(), so its transition waits for whoever is in
 * there.
 */
#include <linux/module.h>
#include <klp_sets.h>

static __attribute__((__noipa__)) const char *fleet_text(void)
{
	return KBUILD_MODNAME;
}

static struct klp_func funcs[] = {
	{
		.old_name = "fn1",
		.new_func = fleet_text,
	},
#ifdef FLEET_CHANGES_PARK
	{
		.old_name = "park",
		.new_func = fleet_text,
	},
#endif
	{ }
};

static struct klp_object objs[] = {
	{
		.name = "klp_target",
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init fleet_init(void)
{
	return klp_sets_enable_patch(&patch, 7);
}

static void __exit fleet_exit(void)
{
}

module_init(fleet_init);
module_exit(fleet_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch for the rollout in the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
