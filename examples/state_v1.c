// SPDX-License-Identifier: GPL-2.0
/*
 * state_v1.c - a livepatch that does more than replace a function
 *
 * It counts how often /proc/version is read in each mount of proc. The counter
 * is a new field of struct super_block: a shadow variable. And it has the
 * machine reboot 30 seconds after a panic, see /proc/sys/kernel/panic.
 *
 * Both outlive the functions of this livepatch, if nobody cares. So each is a
 * state. While a livepatch of set 4 has the state it stays; when it goes, it is
 * cleaned up by the livepatch that had it last.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

/* Ids that no other set uses: the set's number is in the upper half. */
#define STATE_READS	0x40001
#define STATE_TIMEOUT	0x40002

static int state_version_proc_show(struct seq_file *m, void *v)
{
	struct super_block *sb = file_inode(m->file)->i_sb;
	atomic_t *reads = klp_shadow_get_or_alloc(sb, STATE_READS, sizeof(*reads),
						  GFP_KERNEL, NULL, NULL);

	if (!reads)
		return -ENOMEM;
	seq_printf(m, "state_v1, read %d times\n", atomic_inc_return(reads));
	return 0;
}

/* The old value is kept in a shadow variable, where a later version finds it. */
static int timeout_pre_patch(struct klp_sets_patch *patch, struct klp_sets_state *state)
{
	int *old = klp_shadow_get_or_alloc(&panic_timeout, state->id, sizeof(*old),
					   GFP_KERNEL, NULL, NULL);

	if (!old)
		return -ENOMEM;
	*old = panic_timeout;
	return 0;
}

static void timeout_post_patch(struct klp_sets_patch *patch, struct klp_sets_state *state)
{
	panic_timeout = 30;
}

static void timeout_pre_unpatch(struct klp_sets_patch *patch, struct klp_sets_state *state)
{
	int *old = klp_shadow_get(&panic_timeout, state->id);

	if (old)
		panic_timeout = *old;
}

static struct klp_sets_state states[] = {
	{
		.id = STATE_READS,
		.name = "reads",
		.is_shadow = true,	/* the counters are freed with the state */
	}, {
		.id = STATE_TIMEOUT,
		.name = "panic_timeout",
		.callbacks = {
			.pre_patch = timeout_pre_patch,
			.post_patch = timeout_post_patch,
			.pre_unpatch = timeout_pre_unpatch,
		},
		.is_shadow = true,	/* and so is the old value */
	}, { }
};

static struct klp_func funcs[] = {
	{
		.old_name = "version_proc_show",
		.new_func = state_version_proc_show,
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

static struct klp_sets_patch sets_patch = {
	.patch = &patch,
	.replace_set = 4,
	.states = states,
};

static int __init state_v1_init(void)
{
	return klp_sets_enable(&sets_patch);
}

static void __exit state_v1_exit(void)
{
}

module_init(state_v1_init);
module_exit(state_v1_exit);
MODULE_DESCRIPTION("klp-sets example: a livepatch with two states");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
