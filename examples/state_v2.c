// SPDX-License-Identifier: GPL-2.0
/*
 * state_v2.c - the next version of state_v1
 *
 * It still has the counters, and finds them as version 1 left them. It no longer
 * has the state of the timeout, so version 1 restores the old value on its way
 * out. There is nothing to write for that.
 *
 * Loading version 1 after this one is as safe: it finds the counters, and sets
 * the timeout again.
 */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <klp_sets.h>

#define STATE_READS	0x40001

static int state_version_proc_show(struct seq_file *m, void *v)
{
	struct super_block *sb = file_inode(m->file)->i_sb;
	atomic_t *reads = klp_shadow_get_or_alloc(sb, STATE_READS, sizeof(*reads),
						  GFP_KERNEL, NULL, NULL);

	if (!reads)
		return -ENOMEM;
	seq_printf(m, "state_v2, read %d times\n", atomic_inc_return(reads));
	return 0;
}

static struct klp_sets_state states[] = {
	{
		.id = STATE_READS,
		.name = "reads",
		.is_shadow = true,
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

static int __init state_v2_init(void)
{
	return klp_sets_enable(&sets_patch);
}

static void __exit state_v2_exit(void)
{
}

module_init(state_v2_init);
module_exit(state_v2_exit);
MODULE_DESCRIPTION("klp-sets example: the next version, with one state less");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
