// SPDX-License-Identifier: GPL-2.0
/*
 * bench_patch.c - a livepatch of any size
 *
 *   insmod bench_p000.ko set=1 first=64 count=64
 *
 * changes bench_f0064 to bench_f0127 of bench_target. As bench_s000.ko it is a stock
 * patch. Each file is loaded under many names. The tables are as large as they must
 * be, so that loading a small patch is not dominated by clearing them.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <klp_sets.h>

#define MAX_NAMES	512
#define NAME_LEN	12

#ifdef BENCH_STOCK
static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "the stock replace flag");
#else
static unsigned int set;
module_param(set, uint, 0444);
MODULE_PARM_DESC(set, "replace set");
#endif

static unsigned int first;
module_param(first, uint, 0444);
MODULE_PARM_DESC(first, "first function of bench_target to change");

static unsigned int count;
module_param(count, uint, 0444);
MODULE_PARM_DESC(count, "how many from there on");

static int also = -1;
module_param(also, int, 0444);
MODULE_PARM_DESC(also, "one more function of bench_target");

static char *names[MAX_NAMES];
static unsigned int nr_names;
module_param_array(names, charp, &nr_names, 0444);
MODULE_PARM_DESC(names, "functions of the kernel, which nobody calls");

static __attribute__((__noipa__)) int replacement(int x)
{
	return x;
}

static struct klp_object objs[2];

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static char (*target_names)[NAME_LEN];

static void free_tables(void)
{
	kvfree(objs[0].funcs);
	kvfree(target_names);
}

static int add_target_funcs(struct klp_object *obj)
{
	unsigned int nr = count + (also >= 0), i;

	obj->name = "bench_target";
	obj->funcs = kvcalloc(nr + 1, sizeof(*obj->funcs), GFP_KERNEL);
	target_names = kvcalloc(nr, NAME_LEN, GFP_KERNEL);
	if (!obj->funcs || !target_names)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		snprintf(target_names[i], NAME_LEN, "bench_f%04u", i < count ? first + i : also);
		obj->funcs[i].old_name = target_names[i];
		obj->funcs[i].new_func = replacement;
	}
	return 0;
}

static int add_kernel_funcs(struct klp_object *obj)
{
	unsigned int i;

	obj->funcs = kvcalloc(nr_names + 1, sizeof(*obj->funcs), GFP_KERNEL);
	if (!obj->funcs)
		return -ENOMEM;
	for (i = 0; i < nr_names; i++) {
		obj->funcs[i].old_name = names[i];
		obj->funcs[i].new_func = replacement;
	}
	return 0;
}

static int enable(void)
{
#ifdef BENCH_STOCK
	patch.replace = replace;
	return klp_enable_patch(&patch);
#else
	return klp_sets_enable_patch(&patch, set);
#endif
}

static int __init bench_patch_init(void)
{
	int ret;

	ret = nr_names ? add_kernel_funcs(&objs[0]) : add_target_funcs(&objs[0]);
	if (!ret)
		ret = enable();
	if (ret)
		free_tables();
	return ret;
}

static void __exit bench_patch_exit(void)
{
	free_tables();
}

module_init(bench_patch_init);
module_exit(bench_patch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch of the klp-sets benchmark");
MODULE_INFO(livepatch, "Y");
