// SPDX-License-Identifier: GPL-2.0
/*
 * client_klp_build.c - a livepatch with the tables that klp-build leaves in a module
 *
 * As in client_kpatch.c, with other sections and structures, and without replace.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/slab.h>

/* As in include/linux/livepatch_external.h, which older kernels do not have. */
struct func_ext {
	const char *old_name;
	void *new_func;
	unsigned long sympos;
};

struct object_ext {
	const char *name;
	struct func_ext *funcs;
	struct klp_callbacks callbacks;
	unsigned int nr_funcs;
};

static __attribute__((__noipa__)) int replacement(void)
{
	return 0;
}

static void undo(struct klp_object *obj)
{
}

static struct func_ext funcs_ext[] __section(".init.klp_funcs") = {
	{ "loadavg_proc_show", replacement, 1 },
	{ "fn1", replacement },
	{ "fn4_alias", replacement },
};

static struct object_ext objs_ext[] __section(".init.klp_objects") = {
	{ .funcs = funcs_ext, .nr_funcs = 1 },
	{
		.name = "klp_target", .funcs = funcs_ext + 1, .nr_funcs = 2,
		.callbacks = { .post_unpatch = undo },
	},
};

static struct klp_patch *patch;
static struct klp_object *objs;

static int __init client_klp_build_init(void)
{
	unsigned int i, k, nr = ARRAY_SIZE(objs_ext);
	struct klp_func *funcs;

	patch = kzalloc(sizeof(*patch), GFP_KERNEL);
	objs = kcalloc(nr + 1, sizeof(*objs), GFP_KERNEL);
	if (!patch || !objs)
		return -ENOMEM;

	for (i = 0; i < nr; i++) {
		funcs = kcalloc(objs_ext[i].nr_funcs + 1, sizeof(*funcs), GFP_KERNEL);
		if (!funcs)
			return -ENOMEM;
		for (k = 0; k < objs_ext[i].nr_funcs; k++) {
			funcs[k].old_name = objs_ext[i].funcs[k].old_name;
			funcs[k].new_func = objs_ext[i].funcs[k].new_func;
			funcs[k].old_sympos = objs_ext[i].funcs[k].sympos;
		}
		objs[i].name = objs_ext[i].name;
		objs[i].funcs = funcs;
		objs[i].callbacks = objs_ext[i].callbacks;
	}
	patch->mod = THIS_MODULE;
	patch->objs = objs;
	patch->replace = false;
	return klp_enable_patch(patch);
}

static void __exit client_klp_build_exit(void)
{
	unsigned int i;

	for (i = 0; objs[i].funcs; i++)
		kfree(objs[i].funcs);
	kfree(objs);
	kfree(patch);
}

module_init(client_klp_build_init);
module_exit(client_klp_build_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch in the manner of klp-build for the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
