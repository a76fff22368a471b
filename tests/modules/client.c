// SPDX-License-Identifier: GPL-2.0
/*
 * client.c - a livepatch whose contents come from the command line
 *
 *   insmod client_a1.ko set=1 funcs=cmdline_proc_show,klp_target:fn1
 *
 * It is built under many names. Each of its replacement functions tells the
 * name of the module, so that a test can read which patch is in force. The
 * same code is a stock patch when no set is given.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/workqueue.h>
/* As if the header was of another version. */
#ifdef CLIENT_OTHER_LAYOUT
#define states	*another_member, *states
#endif
#include <klp_sets.h>
#undef states

#define MAX_OBJS	4
#define MAX_FUNCS	16
#define MAX_STATES	4
#define MAX_OBSOLETES	(KLP_SETS_MAX_OBSOLETES + 1)

static char *set;
module_param(set, charp, 0444);
MODULE_PARM_DESC(set, "replace set; without one, this is a stock patch");

static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "the stock replace flag");

static char *funcs[MAX_FUNCS];
static unsigned int nr_funcs;
module_param_array(funcs, charp, &nr_funcs, 0444);
MODULE_PARM_DESC(funcs, "functions to change: [module:]name[/sympos]");

static unsigned int obsoletes[MAX_OBSOLETES];
static unsigned int nr_obsoletes;
module_param_array(obsoletes, uint, &nr_obsoletes, 0444);
MODULE_PARM_DESC(obsoletes, "further sets to replace");

static unsigned long states[MAX_STATES];
static unsigned int nr_states;
module_param_array(states, ulong, &nr_states, 0444);
MODULE_PARM_DESC(states, "ids of stock states");

static unsigned int versions[MAX_STATES];
module_param_array(versions, uint, NULL, 0444);
MODULE_PARM_DESC(versions, "versions of the stock states");

static bool replace_all;
module_param(replace_all, bool, 0444);
MODULE_PARM_DESC(replace_all, "replace every livepatch on the machine");

static bool full;
module_param(full, bool, 0444);
MODULE_PARM_DESC(full, "call klp_sets_enable() in any case");

static bool callbacks;
module_param(callbacks, bool, 0444);
MODULE_PARM_DESC(callbacks, "log the stock callbacks of the objects");

static int pre_patch_ret;
module_param(pre_patch_ret, int, 0444);
MODULE_PARM_DESC(pre_patch_ret, "what the stock pre_patch callbacks return");

static char *damage = "";
module_param(damage, charp, 0444);
MODULE_PARM_DESC(damage, "what is wrong with the patch: see damage_patch()");

static char *where = "init";
module_param(where, charp, 0444);
MODULE_PARM_DESC(where, "who enables the patch: init, work (a worker, for init), or exit");

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "tasks that call the replacement of park() stay in it");

static atomic_t parked = ATOMIC_INIT(0);
module_param_named(parked, parked.counter, int, 0444);
MODULE_PARM_DESC(parked, "number of tasks in the replacement of park()");

static bool visit;
module_param(visit, bool, 0444);
MODULE_PARM_DESC(visit, "meanwhile they call park() of klp_target2, again and again");

/* The replacements. The compiler must not merge, clone or look into them. */
#define replacement	static __attribute__((__noipa__))

#define PROC_SHOW(name)							\
	replacement int new_##name(struct seq_file *m, void *v)	\
	{								\
		seq_puts(m, KBUILD_MODNAME "\n");			\
		return 0;						\
	}

#define TARGET_FUNC(name)						\
	replacement const char *new_##name(void)			\
	{								\
		return KBUILD_MODNAME;					\
	}

PROC_SHOW(cmdline_proc_show)
PROC_SHOW(loadavg_proc_show)
PROC_SHOW(meminfo_proc_show)
PROC_SHOW(uptime_proc_show)
PROC_SHOW(version_proc_show)
TARGET_FUNC(fn1)
TARGET_FUNC(fn2)
TARGET_FUNC(fn3)
TARGET_FUNC(fn4)
TARGET_FUNC(fn4_alias)
TARGET_FUNC(twin)
TARGET_FUNC(other)

const char *klp_target2_park(void);

static void visit_target2(void)
{
	typeof(klp_target2_park) *call = symbol_get(klp_target2_park);

	if (!call)
		return;
	call();
	symbol_put(klp_target2_park);
}

/* Neither a stop signal nor livepatch's fake signal ends this sleep. */
replacement const char *new_park(void)
{
	atomic_inc(&parked);
	while (READ_ONCE(hold) && !fatal_signal_pending(current)) {
		if (visit)
			visit_target2();
		schedule_timeout_killable(HZ / 20);
	}
	atomic_dec(&parked);
	return KBUILD_MODNAME;
}

#define REPLACEMENT(name)	{ #name, new_##name }

static const struct {
	const char *name;
	void *func;
} replacements[] = {
	REPLACEMENT(cmdline_proc_show),
	REPLACEMENT(loadavg_proc_show),
	REPLACEMENT(meminfo_proc_show),
	REPLACEMENT(uptime_proc_show),
	REPLACEMENT(version_proc_show),
	REPLACEMENT(fn1),
	REPLACEMENT(fn2),
	REPLACEMENT(fn3),
	REPLACEMENT(fn4),
	REPLACEMENT(fn4_alias),
	REPLACEMENT(twin),
	REPLACEMENT(park),
};

static struct klp_func func_tables[MAX_OBJS][MAX_FUNCS + 1];
static struct klp_object objs[MAX_OBJS + 1];
static struct klp_state state_table[MAX_STATES + 1];

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static struct klp_sets_patch managed = {
	.patch = &patch,
	.obsoletes = obsoletes,
};

static void log_callback(const char *name, struct klp_object *obj)
{
	pr_info("%s %s\n", name, obj->name ?: "vmlinux");
}

static int pre_patch(struct klp_object *obj)
{
	log_callback("pre_patch", obj);
	return pre_patch_ret;
}

static void post_patch(struct klp_object *obj)
{
	log_callback("post_patch", obj);
}

static void pre_unpatch(struct klp_object *obj)
{
	log_callback("pre_unpatch", obj);
}

static void post_unpatch(struct klp_object *obj)
{
	log_callback("post_unpatch", obj);
}

static const struct klp_callbacks logging_callbacks = {
	.pre_patch = pre_patch,
	.post_patch = post_patch,
	.pre_unpatch = pre_unpatch,
	.post_unpatch = post_unpatch,
};

static bool same_object(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The object's place in the table, a new one when it is named first. */
static int find_object(const char *name)
{
	int i;

	for (i = 0; i < MAX_OBJS; i++) {
		if (!objs[i].funcs) {
			objs[i].name = name;
			objs[i].funcs = func_tables[i];
			if (callbacks)
				objs[i].callbacks = logging_callbacks;
			return i;
		}
		if (same_object(objs[i].name, name))
			return i;
	}
	return -E2BIG;
}

static void *find_replacement(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(replacements); i++)
		if (!strcmp(replacements[i].name, name))
			return replacements[i].func;
	return new_other;
}

/* [module:]name[/sympos] */
static int add_func(char *spec)
{
	char *name = strchr(spec, ':'), *pos;
	struct klp_func *func;
	unsigned long sympos = 0;
	int obj;

	if (name)
		*name++ = '\0';
	else
		name = spec;
	pos = strchr(name, '/');
	if (pos) {
		*pos++ = '\0';
		if (kstrtoul(pos, 10, &sympos))
			return -E2BIG;
	}

	obj = find_object(name == spec ? NULL : spec);
	if (obj < 0)
		return obj;
	for (func = func_tables[obj]; func->new_func; func++)
		;
	func->old_name = name;
	func->old_sympos = sympos;
	func->new_func = find_replacement(name);
	return 0;
}

static int build_patch(void)
{
	u32 replace_set = 0;
	int i, ret;

	for (i = 0; i < nr_funcs; i++) {
		ret = add_func(funcs[i]);
		if (ret)
			return ret;
	}
	for (i = 0; i < nr_states; i++) {
		state_table[i].id = states[i];
		state_table[i].version = versions[i];
	}
	if (nr_states)
		patch.states = state_table;
	if (set && kstrtou32(set, 10, &replace_set))
		return -E2BIG;
	patch.replace = replace;
	managed.replace_set = replace_set;
	managed.nr_obsoletes = nr_obsoletes;
	managed.replace_all = replace_all;
	return 0;
}

/* The mistakes that an author can make. */
static void damage_patch(void)
{
	if (!strcmp(damage, "patch"))
		managed.patch = NULL;
	else if (!strcmp(damage, "mod"))
		patch.mod = NULL;
	else if (!strcmp(damage, "objs"))
		patch.objs = NULL;
	else if (!strcmp(damage, "funcs"))
		objs[0].funcs = NULL, objs[0].name = objs[0].name ?: "vmlinux";
	else if (!strcmp(damage, "name"))
		func_tables[0][0].old_name = NULL;
	else if (!strcmp(damage, "new_func"))
		func_tables[0][0].new_func = NULL;
	else if (!strcmp(damage, "obsoletes"))
		managed.obsoletes = NULL;
}

#ifdef CLIENT_WITHOUT_CORE
/* The core is looked up and let go: it must hold on to itself. */
static int enable_managed(void)
{
	typeof(klp_sets_enable) *enable = symbol_get(klp_sets_enable);
	int ret;

	if (!enable)
		return -E2BIG;
	ret = enable(&managed, THIS_MODULE, KLP_SETS_LAYOUT);
	symbol_put(klp_sets_enable);
	return ret;
}
#else
static int enable_managed(void)
{
	if (full || nr_obsoletes || replace_all)
		return klp_sets_enable(!strcmp(damage, "all") ? NULL : &managed);
	return klp_sets_enable_patch(managed.patch, managed.replace_set);
}
#endif

static int enable(void)
{
	return set ? enable_managed() : klp_enable_patch(managed.patch);
}

/* For a test of a second call: the write fails with what the call returned. */
static int call_again(const char *val, const struct kernel_param *kp)
{
	return enable();
}

static const struct kernel_param_ops again_ops = {
	.set = call_again,
};
module_param_cb(again, &again_ops, NULL, 0200);
MODULE_PARM_DESC(again, "write to enable the patch once more");

struct errand {
	struct work_struct work;
	int ret;
};

static void enable_in_work(struct work_struct *work)
{
	container_of(work, struct errand, work)->ret = enable();
}

static int enable_by_worker(void)
{
	struct errand errand;

	INIT_WORK_ONSTACK(&errand.work, enable_in_work);
	schedule_work(&errand.work);
	flush_work(&errand.work);
	destroy_work_on_stack(&errand.work);
	return errand.ret;
}

static int __init client_init(void)
{
	int ret;

	ret = build_patch();
	if (ret)
		return ret;
	damage_patch();
	if (!strcmp(where, "exit"))
		return 0;
	return strcmp(where, "work") ? enable() : enable_by_worker();
}

static void __exit client_exit(void)
{
	if (!strcmp(where, "exit"))
		pr_info("enabling at exit: %d\n", enable());
}

module_init(client_init);
module_exit(client_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch for the tests of klp-sets");
MODULE_VERSION("1.2");
#ifndef CLIENT_NOT_MARKED
MODULE_INFO(livepatch, "Y");
#endif
#ifdef CLIENT_PROVIDES
MODULE_INFO(provides, CLIENT_PROVIDES);
#endif
#ifdef CLIENT_WITH_SET
MODULE_INFO(replace_set, "7");
MODULE_INFO(obsoletes, "8,9");
#endif
