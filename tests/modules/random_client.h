/* SPDX-License-Identifier: GPL-2.0 */
/*
 * random_client.h - what the livepatches that random_client.sh makes have in common
 *
 * Their tables are constant, so that they can be read from the file. Each has an object
 * of the kernel itself, if only for its callback.
 */
#ifndef _RANDOM_CLIENT_H
#define _RANDOM_CLIENT_H

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <klp_sets.h>

static bool dry;
module_param(dry, bool, 0444);
MODULE_PARM_DESC(dry, "fail with ENOSPC when all rules have been asked");

/* Called after the checks of the core and of the kernel, before anything is patched. */
static int pre_patch(struct klp_object *obj)
{
	return dry ? -ENOSPC : 0;
}

/* Nobody looks at what the functions return. */
static __attribute__((__noipa__)) int replacement(void)
{
	return 0;
}

#define FUNC(name, pos) \
	{ .old_name = name, .new_func = replacement, .old_sympos = pos }
#define VMLINUX(table) \
	{ .funcs = table, .callbacks.pre_patch = pre_patch }
#define MODULE(module, table) \
	{ .name = module, .funcs = table }

#define ENABLE(call)				\
	static int __init client_init(void)	\
	{					\
		return call;			\
	}					\
						\
	static void __exit client_exit(void)	\
	{					\
	}					\
						\
	module_init(client_init);		\
	module_exit(client_exit);		\
	MODULE_LICENSE("GPL");			\
	MODULE_INFO(livepatch, "Y")

#endif /* _RANDOM_CLIENT_H */
