// SPDX-License-Identifier: GPL-2.0
/*
 * hooks.c - the places inside stock livepatch where the engine stands
 *
 * One ftrace_ops covers all of them. It is IPMODIFY, because the compatibility
 * check is redirected, and nobody else may redirect any of these functions. It
 * is PERMANENT, because kernel.ftrace_enabled=0 would switch the rules off
 * silently; therefore it is in place only while something needs it.
 */
#include <linux/ftrace.h>

#include "compat.h"
#include "core.h"

static __always_inline bool klp_sets_is_entry(unsigned long ip, unsigned long func)
{
	return ip - func <= KLP_SETS_ENTRY_LEN;
}

/*
 * Where a refused write to a patch's "enabled" file goes. A task that is in here
 * when the hooks are removed does not sleep, so ftrace waits for it.
 */
static ssize_t notrace klp_sets_busy(struct kobject *kobj, struct kobj_attribute *attr,
				     const char *buf, size_t count)
{
	return -EBUSY;
}

/* Whether the write of @buf to "enabled" would remove a state that must stay. */
static bool notrace klp_sets_is_blocked(struct kobject *kobj, const char *buf)
{
	bool enable;

	return !kstrtobool(buf, &enable) && !enable &&
	       klp_sets_blocks(container_of(kobj, struct klp_patch, kobj));
}

/*
 * Runs at the entry of the hooked functions with preemption disabled: must not
 * sleep, allocate, free, or take a spinlock_t. All run under klp_mutex, but for
 * the release of a patch and the write to its "enabled" file.
 */
static void notrace klp_sets_hook(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct klp_sets_fregs *fregs)
{
	void *arg = (void *)klp_sets_arg(fregs, 0);

	if (klp_sets_is_entry(ip, klp.is_patch_compatible)) {
		klp_sets_redirect(fregs, klp_sets_admit);
	} else if (klp_sets_is_entry(ip, klp.init_transition)) {
		klp_sets_reset_force();
		if ((int)klp_sets_arg(fregs, 1) == KLP_SETS_PATCHED)
			klp_sets_commit(arg);
		else
			klp_sets_retire(arg);
	} else if (klp_sets_is_entry(ip, klp.force_transition)) {
		klp_sets_force_begins();
	} else if (klp_sets_is_entry(ip, klp.try_complete_transition)) {
		klp_sets_force_ends();
		klp_sets_enabled(*klp.transition_patch);
		klp_sets_retry();
	} else if (klp_sets_is_entry(ip, klp.reverse_transition)) {
		klp_sets_retry_reversed();
	} else if (klp_sets_is_entry(ip, klp.release_patch)) {
		klp_sets_bury(container_of((struct kobject *)arg, struct klp_patch, kobj));
	} else if (klp_sets_is_entry(ip, klp.enabled_store)) {
		if (klp_sets_is_blocked(arg, (const char *)klp_sets_arg(fregs, 2)))
			klp_sets_redirect(fregs, klp_sets_busy);
	}
}

#define KLP_SETS_FL_HOOK	(FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_PERMANENT |	\
				 KLP_SETS_FL_REGS | KLP_SETS_FL_RECURSION)

static struct ftrace_ops klp_sets_ops = {
	.func	= klp_sets_hook,
	.flags	= KLP_SETS_FL_HOOK,
};

/* Whether klp_sets_ops is registered; klp_mutex. Its filter is set at load. */
static bool klp_sets_hooked;

static const struct {
	const char *name;
	const unsigned long *addr;
} klp_sets_places[] = {
	{ "klp_is_patch_compatible", &klp.is_patch_compatible },
	{ "klp_init_transition", &klp.init_transition },
	{ "klp_force_transition", &klp.force_transition },
	{ "klp_try_complete_transition", &klp.try_complete_transition },
	{ "klp_reverse_transition", &klp.reverse_transition },
	{ "klp_kobj_release_patch", &klp.release_patch },
	{ "enabled_store", &klp.enabled_store },
};

/*
 * An empty filter owns no memory. Where ftrace does not let modules free one, it
 * takes memory to empty it, and the filter is lost when there is none.
 */
static void klp_sets_free_filter(struct ftrace_ops *ops)
{
	unsigned int i;

	if (ftrace_free_filter) {
		/* For callbacks that still look at it after a failed registration. */
		synchronize_rcu();
		ftrace_free_filter(ops);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(klp_sets_places); i++)
		ftrace_set_filter_ip(ops, *klp_sets_places[i].addr, 1, 0);
}

static int klp_sets_set_filter(void)
{
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(klp_sets_places); i++) {
		ret = ftrace_set_filter_ip(&klp_sets_ops, *klp_sets_places[i].addr, 0, !i);
		if (!ret)
			continue;
		pr_err("cannot hook %s() (%d): %s\n", klp_sets_places[i].name, ret,
		       ret == -ENOMEM ? "out of memory" : "it cannot be traced");
		klp_sets_free_filter(&klp_sets_ops);
		return ret;
	}
	return 0;
}

static void notrace klp_sets_no_hook(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct klp_sets_fregs *fregs)
{
}

/* Says which place is the trouble, after all of them together were refused. */
static void klp_sets_explain_failure(int err)
{
	static struct ftrace_ops ops;
	unsigned int i;
	int ret = 0;

	/* The filter of the last time was freed. */
	ops = (struct ftrace_ops){ .func = klp_sets_no_hook, .flags = KLP_SETS_FL_HOOK };
	for (i = 0; !ret && i < ARRAY_SIZE(klp_sets_places); i++) {
		ret = ftrace_set_filter_ip(&ops, *klp_sets_places[i].addr, 0, 1);
		if (!ret)
			ret = register_ftrace_function(&ops);
		if (!ret)
			unregister_ftrace_function(&ops);
		else
			pr_err("cannot hook %s() (%d): %s\n", klp_sets_places[i].name, ret,
			       ret == -ENOMEM ? "out of memory" :
			       "is kernel.ftrace_enabled=0, or does another module redirect it?");
	}
	klp_sets_free_filter(&ops);
	if (!ret)
		pr_err("cannot register with ftrace (%d)\n", err);
}

static int klp_sets_place_hooks(void)
{
	int ret;

	klp_sets_reset_force();
	ret = register_ftrace_function(&klp_sets_ops);
	if (!ret) {
		klp_sets_hooked = true;
		return 0;
	}

	/* Somebody else's redirect may be -EAGAIN as well. */
	klp_sets_explain_failure(ret);
	return ret == -ENOMEM ? ret : -EBUSY;
}

static void klp_sets_remove_hooks(void)
{
	/* Fails only for what is not registered. */
	WARN_ON(unregister_ftrace_function(&klp_sets_ops));
	klp_sets_hooked = false;
}

/**
 * klp_sets_update_hooks() - place the hooks when they are needed, or remove them
 *
 * Removing waits for callbacks that are running, but not for a task that sleeps
 * in klp_sets_admit(). Such a task holds klp_mutex, and so does the caller.
 *
 * Context: process context, under klp_mutex.
 * Return: 0, or an error from ftrace when they are needed and cannot be placed.
 */
int klp_sets_update_hooks(void)
{
	bool needed = klp_sets_have_requests() || klp_sets_have_records() ||
		      klp_sets_have_assignments() || klp_sets_admitted;

	lockdep_assert_held(klp.mutex);

	if (needed && !klp_sets_hooked)
		return klp_sets_place_hooks();
	if (!needed && klp_sets_hooked)
		klp_sets_remove_hooks();
	return 0;
}

/**
 * klp_sets_init_hooks() - find out whether the hooks can be placed
 *
 * Context: process context, from module init.
 * Return: 0, or an error (said in the log).
 */
int klp_sets_init_hooks(void)
{
	int ret;

	ret = klp_sets_set_filter();
	if (ret)
		return ret;

	mutex_lock(klp.mutex);
	ret = klp_sets_place_hooks();
	if (!ret)
		klp_sets_remove_hooks();
	mutex_unlock(klp.mutex);
	if (ret)
		klp_sets_exit_hooks();
	return ret;
}

/**
 * klp_sets_exit_hooks() - free what belongs to the hooks
 *
 * Context: process context, at module exit, when no hook is in place.
 */
void klp_sets_exit_hooks(void)
{
	klp_sets_free_filter(&klp_sets_ops);
}
