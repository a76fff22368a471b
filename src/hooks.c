// SPDX-License-Identifier: GPL-2.0
/*
 * hooks.c - the places inside stock livepatch where the engine stands
 *
 * Two ftrace_ops cover them. One redirects two functions, so it is IPMODIFY: nobody
 * else may redirect these, and a livepatch cannot change them. The other one looks
 * on at the rest, and may share them with anybody.
 *
 * Both are PERMANENT, because kernel.ftrace_enabled=0 would switch the rules off
 * silently; therefore they are in place only while something needs them, and for a
 * while afterwards, since ftrace takes its time.
 *
 * When ftrace meets something that it does not understand, it stops for good and
 * leaves everything where it is. What is hooked then leads here for ever, so this
 * module must stay for ever. It is dead: it enables nothing, and does nothing in
 * its hooks.
 */
#include <linux/ftrace.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

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

/* Seconds for which the hooks stay when nothing needs them any more. */
#define KLP_SETS_LINGER	3

/* Whether the hooks are in place. Their filters are set at load. klp_mutex. */
static bool klp_sets_hooked;

/* ftrace has stopped with hooks in place; changed once, under klp_mutex. */
static bool klp_sets_died;

/**
 * klp_sets_is_dead() - whether this module has come to its end, and must stay
 *
 * Context: any.
 * Return: whether nothing can be managed any more. Nothing is, then.
 */
bool notrace klp_sets_is_dead(void)
{
	return READ_ONCE(klp_sets_died);
}

/*
 * Whether the rules are in force; klp_mutex. While the hooks only linger, stock
 * patches are treated as if there were none.
 */
static bool notrace klp_sets_are_needed(void)
{
	return !klp_sets_is_dead() &&
	       (klp_sets_have_requests() || klp_sets_have_records() ||
		klp_sets_have_assignments() || klp_sets_admitted);
}

/*
 * The hooks run at the entry of the functions with preemption disabled: they must not
 * sleep, allocate, free, or take a spinlock_t. All run under klp_mutex, but for the
 * release of a patch and the write to its "enabled" file.
 */
static void notrace klp_sets_redirect_hook(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct klp_sets_fregs *fregs)
{
	void *arg = (void *)klp_sets_arg(fregs, 0);

	if (klp_sets_is_entry(ip, klp.is_patch_compatible)) {
		if (klp_sets_are_needed())
			klp_sets_redirect(fregs, klp_sets_admit);
	} else if (klp_sets_is_entry(ip, klp.enabled_store)) {
		if (klp_sets_is_blocked(arg, (const char *)klp_sets_arg(fregs, 2)))
			klp_sets_redirect(fregs, klp_sets_busy);
	}
}

static void notrace klp_sets_watch_hook(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, struct klp_sets_fregs *fregs)
{
	void *arg = (void *)klp_sets_arg(fregs, 0);

	if (klp_sets_is_entry(ip, klp.init_transition)) {
		bool enable = (int)klp_sets_arg(fregs, 1) == KLP_SETS_PATCHED;

		klp_sets_reset_force();
		klp_sets_verify(enable ? arg : NULL);
		if (!klp_sets_are_needed())
			return;
		if (enable)
			klp_sets_commit(arg);
		else
			klp_sets_retire(arg);
	} else if (klp_sets_is_entry(ip, klp.force_transition)) {
		if (klp_sets_are_needed())
			klp_sets_force_begins();
	} else if (klp_sets_is_entry(ip, klp.try_complete_transition)) {
		klp_sets_force_ends();
		klp_sets_enabled(*klp.transition_patch);
		klp_sets_retry();
	} else if (klp_sets_is_entry(ip, klp.reverse_transition)) {
		klp_sets_retry_reversed();
	} else if (klp_sets_is_entry(ip, klp.release_patch)) {
		klp_sets_bury(container_of((struct kobject *)arg, struct klp_patch, kobj));
	}
}

#define KLP_SETS_FL_WATCH	(FTRACE_OPS_FL_PERMANENT | KLP_SETS_FL_REGS | \
				 KLP_SETS_FL_RECURSION)
#define KLP_SETS_FL_REDIRECT	(KLP_SETS_FL_WATCH | FTRACE_OPS_FL_IPMODIFY)

static struct ftrace_ops klp_sets_redirect_ops = {
	.func	= klp_sets_redirect_hook,
	.flags	= KLP_SETS_FL_REDIRECT,
};

static struct ftrace_ops klp_sets_watch_ops = {
	.func	= klp_sets_watch_hook,
	.flags	= KLP_SETS_FL_WATCH,
};

static const struct klp_sets_place {
	const char *name;
	const unsigned long *addr;
	struct ftrace_ops *ops;
} klp_sets_places[] = {
	{ "klp_is_patch_compatible", &klp.is_patch_compatible, &klp_sets_redirect_ops },
	{ "enabled_store", &klp.enabled_store, &klp_sets_redirect_ops },
	{ "klp_init_transition", &klp.init_transition, &klp_sets_watch_ops },
	{ "klp_force_transition", &klp.force_transition, &klp_sets_watch_ops },
	{ "klp_try_complete_transition", &klp.try_complete_transition, &klp_sets_watch_ops },
	{ "klp_reverse_transition", &klp.reverse_transition, &klp_sets_watch_ops },
	{ "klp_kobj_release_patch", &klp.release_patch, &klp_sets_watch_ops },
};

static bool klp_sets_is_redirected(const struct klp_sets_place *place)
{
	return place->ops == &klp_sets_redirect_ops;
}

/*
 * An empty filter owns no memory. Where ftrace does not let modules free one, it
 * takes memory to empty it, and the filter is lost when there is none.
 */
static void klp_sets_free_filter(struct ftrace_ops *ops)
{
	unsigned int i;

	if (klp_sets_has_free_filter) {
		ftrace_free_filter(ops);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(klp_sets_places); i++)
		ftrace_set_filter_ip(ops, *klp_sets_places[i].addr, 1, 0);
}

static void klp_sets_free_filters(void)
{
	/* For callbacks that still look at it after a failed registration. */
	synchronize_rcu();
	klp_sets_free_filter(&klp_sets_redirect_ops);
	klp_sets_free_filter(&klp_sets_watch_ops);
}

static int klp_sets_set_filters(void)
{
	const struct klp_sets_place *place;
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(klp_sets_places); i++) {
		place = &klp_sets_places[i];
		ret = ftrace_set_filter_ip(place->ops, *place->addr, 0, 0);
		if (!ret)
			continue;
		pr_err("cannot hook %s() (%d): %s\n", place->name, ret,
		       ret == -ENOMEM ? "out of memory" :
		       ret == -ENODEV ? "ftrace has stopped itself" : "it cannot be traced");
		klp_sets_free_filters();
		return ret;
	}
	return 0;
}

static void notrace klp_sets_no_hook(unsigned long ip, unsigned long parent_ip,
				     struct ftrace_ops *ops, struct klp_sets_fregs *fregs)
{
}

/* Asks ftrace for next to nothing; this is its answer to anything once it has stopped. */
static bool klp_sets_ftrace_has_stopped(void)
{
	static struct ftrace_ops ops;
	int ret;

	ops = (struct ftrace_ops){ .func = klp_sets_no_hook };
	ret = ftrace_set_filter_ip(&ops, klp.init_transition, 0, 0);
	klp_sets_free_filter(&ops);
	return ret == -ENODEV;
}

/*
 * From here on this module is never removed. If it is being removed already, see
 * klp_sets_exit_hooks().
 */
static void klp_sets_die(const char *what)
{
	if (klp_sets_is_dead())
		return;
	WRITE_ONCE(klp_sets_died, true);
	klp_sets_reset_force();
	__module_get(THIS_MODULE);
	pr_alert("ftrace has stopped itself %s: klp_sets stays loaded and enables no patch any more, until the next boot\n",
		 what);
}

/*
 * When ftrace stops on the way, some versions of it report success. In the other
 * case the flag says that some call sites may lead here.
 */
static int klp_sets_register(struct ftrace_ops *ops)
{
	int ret = register_ftrace_function(ops);

	if (ret ? !(ops->flags & FTRACE_OPS_FL_ENABLED) : !klp_sets_ftrace_has_stopped())
		return ret;
	klp_sets_die("while a hook was placed");
	return -ENODEV;
}

static int klp_sets_unregister(struct ftrace_ops *ops)
{
	if (!unregister_ftrace_function(ops) && !klp_sets_ftrace_has_stopped())
		return 0;
	klp_sets_die("and its hooks cannot be removed");
	return -ENODEV;
}

/* The livepatch that changes the function at a place, or NULL. */
static const struct klp_patch *klp_sets_find_changer(const struct klp_sets_place *place)
{
	const struct klp_patch *patch;
	const struct klp_object *obj;
	const struct klp_func *func;

	klp_sets_for_each_patch(patch)
		klp_for_each_object(patch, obj)
			klp_for_each_func(obj, func)
				if (klp_sets_is_entry(*place->addr, (unsigned long)func->old_func))
					return patch;
	return NULL;
}

static void klp_sets_explain_place(const struct klp_sets_place *place, int err)
{
	const struct klp_patch *patch = klp_sets_find_changer(place);

	if (err == -ENOMEM)
		pr_err("cannot hook %s() (%d): out of memory\n", place->name, err);
	else if (err == -ENODEV)
		pr_err("cannot hook %s() (%d): ftrace has stopped itself, until the next boot\n",
		       place->name, err);
	else if (patch && klp_sets_is_redirected(place))
		pr_err("cannot hook %s() (%d): livepatch '%s' changes it\n", place->name, err,
		       patch->mod->name);
	else
		pr_err("cannot hook %s() (%d): is kernel.ftrace_enabled=0, or does another module redirect it?\n",
		       place->name, err);
}

/* Says which place is the trouble, after all of them together were refused. */
static void klp_sets_explain_failure(int err)
{
	static struct ftrace_ops ops;
	const struct klp_sets_place *place;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < ARRAY_SIZE(klp_sets_places); i++) {
		place = &klp_sets_places[i];
		/* The filter of the last one was freed. */
		ops = (struct ftrace_ops){
			.func = klp_sets_no_hook,
			.flags = klp_sets_is_redirected(place) ? KLP_SETS_FL_REDIRECT :
								 KLP_SETS_FL_WATCH,
		};
		ret = ftrace_set_filter_ip(&ops, *place->addr, 0, 1);
		if (!ret)
			ret = klp_sets_register(&ops);
		if (ret)
			klp_sets_explain_place(place, ret);
		else
			ret = klp_sets_unregister(&ops);
		/* Then ftrace looks at it for ever, otherwise callbacks may for a moment. */
		if (klp_sets_is_dead())
			return;
		synchronize_rcu();
		klp_sets_free_filter(&ops);
	}
	if (!ret)
		pr_err("cannot register with ftrace (%d)\n", err);
}

static int klp_sets_try_place_hooks(void)
{
	int ret;

	ret = klp_sets_register(&klp_sets_watch_ops);
	if (ret)
		return ret;
	ret = klp_sets_register(&klp_sets_redirect_ops);
	if (ret && !klp_sets_is_dead())
		klp_sets_unregister(&klp_sets_watch_ops);
	return ret;
}

static int klp_sets_place_hooks(void)
{
	int ret;

	klp_sets_reset_force();
	ret = klp_sets_try_place_hooks();
	if (!ret) {
		klp_sets_hooked = true;
		return 0;
	}

	/* Somebody else's redirect may be -EAGAIN as well. */
	if (!klp_sets_is_dead())
		klp_sets_explain_failure(ret);
	if (klp_sets_is_dead())
		return -ENODEV;
	return ret == -ENOMEM ? ret : -EBUSY;
}

/*
 * Waits for callbacks that are running, but not for a task that sleeps in
 * klp_sets_admit(). Such a task holds klp_mutex, and so does the caller.
 */
static void klp_sets_remove_hooks(void)
{
	if (!klp_sets_hooked || klp_sets_is_dead())
		return;
	/* What happens next is not seen any more. */
	klp_sets_verify(NULL);
	if (!klp_sets_unregister(&klp_sets_redirect_ops) &&
	    !klp_sets_unregister(&klp_sets_watch_ops))
		klp_sets_hooked = false;
}

static void klp_sets_linger_is_over(struct work_struct *work)
{
	mutex_lock(klp.mutex);
	if (!klp_sets_are_needed())
		klp_sets_remove_hooks();
	mutex_unlock(klp.mutex);
}

static DECLARE_DELAYED_WORK(klp_sets_linger_work, klp_sets_linger_is_over);

/**
 * klp_sets_update_hooks() - place the hooks when they are needed, or let them go
 *
 * They go some seconds later, unless they are needed by then: ftrace waits for all
 * tasks when it takes one away, and neither a patch that is refused nor the next one
 * that is loaded shall wait for that.
 *
 * Context: process context, under klp_mutex.
 * Return: 0, or an error from ftrace when they are needed and cannot be placed.
 */
int klp_sets_update_hooks(void)
{
	lockdep_assert_held(klp.mutex);

	if (klp_sets_is_dead())
		return -ENODEV;
	if (klp_sets_are_needed())
		return klp_sets_hooked ? 0 : klp_sets_place_hooks();
	if (klp_sets_hooked) {
		cancel_delayed_work(&klp_sets_linger_work);
		schedule_delayed_work(&klp_sets_linger_work, KLP_SETS_LINGER * HZ);
	}
	return 0;
}

static int klp_sets_check_place(const struct klp_sets_record *rec,
				const struct klp_sets_place *place)
{
	char who[KLP_SETS_WHO_LEN];

	if (klp_sets_is_redirected(place)) {
		klp_sets_refuse(rec->patch, rec,
				"klp_sets redirects %s() itself while any patch is managed",
				place->name);
		return -EBUSY;
	}
	pr_warn("%s changes %s(), where klp_sets has a hook: see what else of livepatch it changes\n",
		klp_sets_who(who, rec->patch, rec), place->name);
	return 0;
}

/**
 * klp_sets_check_places() - whether a patch changes what the engine stands on
 * @rec:	the record of a patch whose addresses are known
 *
 * Context: process context, under klp_mutex.
 * Return: 0, or -EBUSY when two would redirect one function (said in the log).
 */
int klp_sets_check_places(const struct klp_sets_record *rec)
{
	const struct klp_object *obj;
	const struct klp_func *func;
	unsigned int i;
	int ret = 0;

	klp_for_each_object(rec->patch, obj) {
		if (obj->name)
			continue;
		klp_for_each_func(obj, func) {
			for (i = 0; !ret && !func->nop && i < ARRAY_SIZE(klp_sets_places); i++)
				if (klp_sets_is_entry(*klp_sets_places[i].addr,
						      (unsigned long)func->old_func))
					ret = klp_sets_check_place(rec, &klp_sets_places[i]);
		}
	}
	return ret;
}

/**
 * klp_sets_init_hooks() - find out whether the hooks can be placed
 *
 * When ftrace stops in between, module init must not fail, as that would free what
 * the hooks lead to.
 *
 * Context: process context, from module init.
 * Return: 0, or an error (said in the log).
 */
int klp_sets_init_hooks(void)
{
	int ret;

	ret = klp_sets_set_filters();
	if (ret)
		return ret;

	mutex_lock(klp.mutex);
	ret = klp_sets_place_hooks();
	if (!ret)
		klp_sets_remove_hooks();
	mutex_unlock(klp.mutex);
	if (klp_sets_is_dead())
		return 0;
	if (ret)
		klp_sets_free_filters();
	return ret;
}

/**
 * klp_sets_exit_hooks() - remove the hooks at once
 *
 * Module exit has no way to fail. If the hooks cannot be removed, the least that is
 * wrong is a task that stays in here for ever, and with it what they lead to.
 *
 * Context: process context, at module exit, when nothing needs the hooks.
 */
void klp_sets_exit_hooks(void)
{
	mutex_lock(klp.mutex);
	klp_sets_remove_hooks();
	mutex_unlock(klp.mutex);

	while (klp_sets_is_dead()) {
		__set_current_state(TASK_IDLE);
		schedule();
	}
	cancel_delayed_work_sync(&klp_sets_linger_work);
	klp_sets_free_filters();
}
