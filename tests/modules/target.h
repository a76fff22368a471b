/* SPDX-License-Identifier: GPL-2.0 */
/*
 * target.h - functions that wait to be patched
 *
 * Reading /proc/<module>/<function> calls the function and shows what it
 * returns: "original", or the name of the livepatch in force.
 */
#ifndef _TARGET_H
#define _TARGET_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>

/* The compiler must not merge, clone or look into the functions. */
#define target __attribute__((__noipa__))

struct target_func {
	const char *name;
	const char *(*call)(void);
};

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "tasks that call park() stay in it");

static atomic_t parked = ATOMIC_INIT(0);
module_param_named(parked, parked.counter, int, 0444);
MODULE_PARM_DESC(parked, "number of tasks in park()");

/* Neither a stop signal nor livepatch's fake signal ends this sleep. */
static target const char *park(void)
{
	atomic_inc(&parked);
	while (READ_ONCE(hold) && !fatal_signal_pending(current))
		schedule_timeout_killable(HZ / 20);
	atomic_dec(&parked);
	return "original";
}

static int target_show(struct seq_file *m, void *v)
{
	const struct target_func *func = m->private;

	seq_printf(m, "%s\n", func->call());
	return 0;
}

/* The array ends with an empty name. */
static int target_create(const struct target_func *func)
{
	struct proc_dir_entry *dir = proc_mkdir(KBUILD_MODNAME, NULL);

	if (!dir)
		return -ENOMEM;
	for (; func->name; func++) {
		if (!proc_create_single_data(func->name, 0444, dir, target_show,
					     (void *)func)) {
			proc_remove(dir);
			return -ENOMEM;
		}
	}
	return 0;
}

static void target_remove(void)
{
	remove_proc_subtree(KBUILD_MODNAME, NULL);
}

#endif /* _TARGET_H */
