// SPDX-License-Identifier: GPL-2.0
/*
 * klp_shuffler.c - lets one livepatch too many be replaced
 *
 * When a transition is tried to be completed next, the last patch in stock's list comes
 * to stand first. If a replace completes then, it takes that one away, too. It stands for
 * a kernel in which the order of the list means something else.
 */
#include <linux/kprobes.h>
#include <linux/list.h>
#include <linux/module.h>

static struct list_head *patches;
static bool done;
module_param(done, bool, 0444);
MODULE_PARM_DESC(done, "it has happened");

static int shuffle(struct kprobe *p, struct pt_regs *regs)
{
	if (!done)
		list_move(patches->prev, patches);
	done = true;
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "klp_try_complete_transition",
	.pre_handler = shuffle,
};

static int __init klp_shuffler_init(void)
{
	/* For data the registration fails, after the address was found. */
	struct kprobe data = {
		.symbol_name = "klp_patches",
		.flags = KPROBE_FLAG_DISABLED,
	};

	if (!register_kprobe(&data))
		unregister_kprobe(&data);
	if (!data.addr)
		return -ENOENT;
	patches = (struct list_head *)data.addr;
	return register_kprobe(&probe);
}

static void __exit klp_shuffler_exit(void)
{
	unregister_kprobe(&probe);
}

module_init(klp_shuffler_init);
module_exit(klp_shuffler_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Shuffles stock livepatch's list");
