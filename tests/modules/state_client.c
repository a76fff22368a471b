// SPDX-License-Identifier: GPL-2.0
/*
 * state_client.c - a livepatch whose states tell of their life
 *
 *   insmod client_p1.ko set=1 funcs=cmdline_proc_show states=5:lock,6:cache:shadow+block
 *
 * Like client.c it is built under many names, and its contents come from the
 * command line. It is a stock patch when no set is given, and does not need the core
 * to load.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <klp_sets.h>

#define MAX_OBJS	3
#define MAX_FUNCS	8
#define MAX_STATES	6
#define MAX_OBSOLETES	4

static char *set;
module_param(set, charp, 0444);
MODULE_PARM_DESC(set, "replace set; without one, this is a stock patch");

static bool replace;
module_param(replace, bool, 0444);
MODULE_PARM_DESC(replace, "the stock replace flag");

static unsigned int obsoletes[MAX_OBSOLETES];
static unsigned int nr_obsoletes;
module_param_array(obsoletes, uint, &nr_obsoletes, 0444);
MODULE_PARM_DESC(obsoletes, "further sets to replace");

static bool replace_all;
module_param(replace_all, bool, 0444);
MODULE_PARM_DESC(replace_all, "replace every livepatch");

static char *funcs[MAX_FUNCS];
static unsigned int nr_funcs;
module_param_array(funcs, charp, &nr_funcs, 0444);
MODULE_PARM_DESC(funcs, "functions to change: [module:]name[/sympos]");

static char *states[MAX_STATES];
static unsigned int nr_states;
module_param_array(states, charp, &nr_states, 0444);
MODULE_PARM_DESC(states, "id:[name][:flag+flag...], with the flags of flag_names");

static unsigned long stock[MAX_STATES];
static unsigned int nr_stock;
module_param_array(stock, ulong, &nr_stock, 0444);
MODULE_PARM_DESC(stock, "ids of stock states");

static unsigned int versions[MAX_STATES];
module_param_array(versions, uint, NULL, 0444);
MODULE_PARM_DESC(versions, "versions of the stock states");

static int object_ret;
module_param(object_ret, int, 0444);
MODULE_PARM_DESC(object_ret, "what the stock pre_patch callback of an object returns");

static bool hold;
module_param(hold, bool, 0644);
MODULE_PARM_DESC(hold, "tasks that call the replacement of park() stay in it");

static atomic_t parked = ATOMIC_INIT(0);
module_param_named(parked, parked.counter, int, 0444);
MODULE_PARM_DESC(parked, "number of tasks in the replacement of park()");

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
PROC_SHOW(uptime_proc_show)
PROC_SHOW(version_proc_show)
TARGET_FUNC(fn1)
TARGET_FUNC(fn2)
TARGET_FUNC(fn4)
TARGET_FUNC(fn4_alias)
TARGET_FUNC(twin)

/* Neither a stop signal nor livepatch's fake signal ends this sleep. */
replacement const char *new_park(void)
{
	atomic_inc(&parked);
	while (READ_ONCE(hold) && !fatal_signal_pending(current))
		schedule_timeout_killable(HZ / 20);
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
	REPLACEMENT(uptime_proc_show),
	REPLACEMENT(version_proc_show),
	REPLACEMENT(fn1),
	REPLACEMENT(fn2),
	REPLACEMENT(fn4),
	REPLACEMENT(fn4_alias),
	REPLACEMENT(twin),
	REPLACEMENT(park),
};

/* What a state can have beside its name. */
enum {
	SHADOW,		/* is_shadow */
	DTOR,		/* shadow_dtor */
	BLOCK,		/* block_disable */
	BARE,		/* no callbacks */
	FAIL,		/* pre_patch fails */
	SLEEP,		/* the callbacks sleep */
};

static const char * const flag_names[] = {
	[SHADOW] = "shadow",
	[DTOR] = "dtor",
	[BLOCK] = "block",
	[BARE] = "bare",
	[FAIL] = "fail",
	[SLEEP] = "sleep",
};

static struct klp_sets_state own_states[MAX_STATES + 1];
static unsigned long flags[MAX_STATES];
static struct klp_state stock_states[MAX_STATES + 1];
static struct klp_func func_tables[MAX_OBJS][MAX_FUNCS + 1];
static struct klp_object objs[MAX_OBJS + 1];

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static struct klp_sets_patch managed = {
	.patch = &patch,
	.obsoletes = obsoletes,
	.states = own_states,
};

static bool has_flag(const struct klp_sets_state *state, int flag)
{
	return test_bit(flag, &flags[state - own_states]);
}

static void tell(const struct klp_sets_patch *p, const struct klp_sets_state *state,
		 const char *what)
{
	if (has_flag(state, SLEEP))
		msleep(50);
	pr_info("state %lu %s%s\n", state->id, what,
		p == &managed ? "" : " with another patch's structure");
}

static int pre_patch(struct klp_sets_patch *p, struct klp_sets_state *state)
{
	tell(p, state, "pre_patch");
	return has_flag(state, FAIL) ? -ENOSPC : 0;
}

static void post_patch(struct klp_sets_patch *p, struct klp_sets_state *state)
{
	tell(p, state, "post_patch");
}

static void pre_unpatch(struct klp_sets_patch *p, struct klp_sets_state *state)
{
	tell(p, state, "pre_unpatch");
}

static void post_unpatch(struct klp_sets_patch *p, struct klp_sets_state *state)
{
	tell(p, state, "post_unpatch");
}

static const struct klp_sets_callbacks callbacks = {
	.pre_patch = pre_patch,
	.post_patch = post_patch,
	.pre_unpatch = pre_unpatch,
	.post_unpatch = post_unpatch,
};

/* The variables of klp_target_shadow hold their id. */
static void shadow_dtor(void *obj, void *data)
{
	pr_info("state %lu shadow_dtor\n", *(unsigned long *)data);
}

static int object_pre_patch(struct klp_object *obj)
{
	pr_info("object pre_patch\n");
	return object_ret;
}

static int add_state(int i, char *spec)
{
	struct klp_sets_state *state = &own_states[i];
	char *id = strsep(&spec, ":"), *name = strsep(&spec, ":"), *word;
	int flag, ret;

	ret = kstrtoul(id, 10, &state->id);
	if (ret)
		return -E2BIG;
	if (name && *name)
		state->name = name;
	while ((word = strsep(&spec, "+"))) {
		flag = match_string(flag_names, ARRAY_SIZE(flag_names), word);
		if (flag < 0)
			return -E2BIG;
		__set_bit(flag, &flags[i]);
	}

	state->is_shadow = has_flag(state, SHADOW);
	if (has_flag(state, DTOR))
		state->shadow_dtor = shadow_dtor;
	state->block_disable = has_flag(state, BLOCK);
	if (!has_flag(state, BARE))
		state->callbacks = callbacks;
	return 0;
}

static void *find_replacement(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(replacements); i++)
		if (!strcmp(replacements[i].name, name))
			return replacements[i].func;
	return NULL;
}

/* The object's place in the table: those of the kernel itself come first. */
static int add_func(char *spec)
{
	char *module = strchr(spec, ':') ? strsep(&spec, ":") : NULL;
	char *name = strsep(&spec, "/");
	unsigned long sympos = 0;
	struct klp_func *func;
	int i;

	if (spec && kstrtoul(spec, 10, &sympos))
		return -E2BIG;
	for (i = 0; objs[i].funcs; i++)
		if (module && objs[i].name ? !strcmp(module, objs[i].name) :
					     module == objs[i].name)
			break;
	if (i == MAX_OBJS)
		return -E2BIG;
	objs[i].name = module;
	objs[i].funcs = func_tables[i];
	if (object_ret)
		objs[i].callbacks.pre_patch = object_pre_patch;

	for (func = func_tables[i]; func->old_name; func++)
		;
	func->old_name = name;
	func->old_sympos = sympos;
	func->new_func = find_replacement(name);
	return func->new_func ? 0 : -E2BIG;
}

static int build_patch(void)
{
	int i, ret = 0;

	if (set)
		ret = kstrtou32(set, 10, &managed.replace_set);

	for (i = 0; !ret && i < nr_funcs; i++)
		ret = add_func(funcs[i]);
	for (i = 0; !ret && i < nr_states; i++)
		ret = add_state(i, states[i]);
	for (i = 0; i < nr_stock; i++) {
		stock_states[i].id = stock[i];
		stock_states[i].version = versions[i];
	}
	if (nr_stock)
		patch.states = stock_states;
	patch.replace = replace;
	managed.nr_obsoletes = nr_obsoletes;
	managed.replace_all = replace_all;
	return ret;
}

/* A module that is stuck after a forced transition must not hold the core. */
static int __init client_init(void)
{
	typeof(klp_sets_enable) *enable;
	int ret;

	ret = build_patch();
	if (ret)
		return ret;
	if (!set)
		return klp_enable_patch(&patch);
	enable = symbol_get(klp_sets_enable);
	if (!enable)
		return -E2BIG;
	ret = enable(&managed, THIS_MODULE, KLP_SETS_LAYOUT);
	symbol_put(klp_sets_enable);
	return ret;
}

static void __exit client_exit(void)
{
}

module_init(client_init);
module_exit(client_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Livepatch with states for the tests of klp-sets");
MODULE_INFO(livepatch, "Y");
