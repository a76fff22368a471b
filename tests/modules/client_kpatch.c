// SPDX-License-Identifier: GPL-2.0
/*
 * client_kpatch.c - a livepatch with the tables that kpatch-build leaves in a module
 *
 * Pointers and strings are in sections of their own, and the kernel's tables are
 * made of them when the module is loaded.
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/slab.h>

struct kpatch_patch_func {
	unsigned long new_addr;
	unsigned long new_size;
	unsigned long old_addr;
	unsigned long old_size;
	unsigned long sympos;
	char *name;
	char *objname;
};

static __attribute__((__noipa__)) int replacement(void)
{
	return 0;
}

#define STRING(var, text) static char var[] __section(".kpatch.strings") = text

STRING(vmlinux, "vmlinux");
STRING(version_proc_show, "version_proc_show");
STRING(target, "klp_target");
STRING(twin, "twin");
STRING(fn4, "fn4");

static struct kpatch_patch_func kpatch_funcs[] __used __section(".kpatch.funcs") = {
	{ (unsigned long)replacement, 16, 0, 16, 1, version_proc_show, vmlinux },
	{ (unsigned long)replacement, 16, 0, 16, 2, twin, target },
	{ (unsigned long)replacement, 16, 0, 16, 1, fn4, target },
};

static void undo(struct klp_object *obj)
{
}

struct kpatch_pre_unpatch_callback {
	void (*callback)(struct klp_object *obj);
	char *objname;
};

static struct kpatch_pre_unpatch_callback kpatch_pre_unpatch[] __used
	__section(".kpatch.callbacks.pre_unpatch") = {
	{ undo, vmlinux },
};

static struct klp_patch *patch;
static struct klp_object *objs;
static struct klp_func *funcs;

static int __init client_kpatch_init(void)
{
	unsigned int i, nr = ARRAY_SIZE(kpatch_funcs);
	const struct kpatch_patch_func *kfunc;
	struct klp_object *obj;
	struct klp_func *func;

	patch = kzalloc(sizeof(*patch), GFP_KERNEL);
	objs = kcalloc(nr + 1, sizeof(*objs), GFP_KERNEL);
	funcs = kcalloc(2 * nr, sizeof(*funcs), GFP_KERNEL);
	if (!patch || !objs || !funcs)
		return -ENOMEM;

	obj = objs;
	func = funcs;
	for (i = 0; i < nr; i++) {
		kfunc = &kpatch_funcs[i];
		/* An empty one ends the table of each object. */
		if (i && strcmp(kfunc->objname, kfunc[-1].objname)) {
			obj++;
			func++;
		}
		if (!obj->funcs)
			obj->funcs = func;
		if (strcmp(kfunc->objname, "vmlinux"))
			obj->name = kfunc->objname;
		else
			obj->callbacks.pre_unpatch = kpatch_pre_unpatch[0].callback;
		func->old_name = kfunc->name;
		func->new_func = (void *)kfunc->new_addr;
		func->old_sympos = kfunc->sympos;
		func++;
	}
	patch->mod = THIS_MODULE;
	patch->objs = objs;
	patch->replace = true;
	return klp_enable_patch(patch);
}

static void __exit client_kpatch_exit(void)
{
	kfree(funcs);
	kfree(objs);
	kfree(patch);
}

module_init(client_kpatch_init);
module_exit(client_kpatch_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch in the manner of kpatch-build for the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
