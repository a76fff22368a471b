// SPDX-License-Identifier: GPL-2.0
/*
 * trap.c - livepatches that change their tables when they are loaded, each in another way
 *
 * What klp-sets check must call UNKNOWN, whatever the compiler made of it. WAY is the way.
 */
#include <linux/livepatch.h>
#include <linux/module.h>

static bool param;
module_param(param, bool, 0444);

static unsigned int nr;
module_param(nr, uint, 0444);

static __attribute__((__noipa__)) int replacement(void)
{
	return 0;
}

static struct klp_func funcs[] = {
	{ .old_name = "fn1", .new_func = replacement },
	{ .old_name = "fn2", .new_func = replacement },
	{ }
};

static struct klp_object objs[] = {
	{ .name = "klp_target", .funcs = funcs }, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

struct holder {
	long pad[3];
	struct klp_patch *patch;
};

static struct holder holder = { .patch = &patch };

static __attribute__((__noipa__)) void set_replace(struct klp_patch *p, bool value)
{
	p->replace = value;
}

static void change(void)
{
	switch (WAY) {
	case 1:
		patch.replace = param;
		break;
	case 2:
		set_replace(&patch, param);
		break;
	case 3:
		funcs[0].old_sympos = nr;
		break;
	case 4:
		funcs[nr & 1].old_sympos = nr;
		break;
	case 5:
		holder.patch->replace = param;
		break;
	case 6:
		memset(&funcs[1], 0, sizeof(funcs[1]));
		break;
	case 7:
		if (param)
			patch.objs++;
		break;
	case 8:
		if (kstrtobool(nr ? "1" : "0", &patch.replace))
			pr_err("no number\n");
		break;
	}
}

static int __init trap_init(void)
{
	/* None of them, to know that it is the way that makes the difference. */
	if (WAY)
		change();
	return klp_enable_patch(&patch);
}

static void __exit trap_exit(void)
{
}

module_init(trap_init);
module_exit(trap_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch that changes its tables, for the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
