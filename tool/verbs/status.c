// SPDX-License-Identifier: GPL-2.0
/*
 * status.c - klp-sets status: what a transition waits for, and whether each patch is
 * in effect; what should be, is for the store to say
 */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/status.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "know/effect.h"
#include "know/kept.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "read/ftrace.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/util.h"

struct status {
	struct machine *machine;
	struct livepatch *changing;	/* the patch in transition, or NULL */
	struct progress *progress;	/* of that */
	double age;			/* of that in seconds, -1 when not known */
	struct effects *effects;
	struct store *store;		/* NULL when it is that of another machine */
	struct kept *kept;		/* what is in it */
	size_t nr_kept;
	struct lost *lost;
	size_t nr_lost;
};

/* What it all comes to. */
enum condition { WELL, CHANGING, WRONG, NOT_KNOWN };

static const struct {
	const char *name;
	int exit_status;
} conditions[] = {
	[WELL] = { "well", EXIT_OK },
	[CHANGING] = { "in transition", EXIT_TRANSITION },
	[WRONG] = { "wrong", EXIT_REFUSED },
	[NOT_KNOWN] = { "unknown", EXIT_UNKNOWN },
};


/* --- finding out -------------------------------------------------------------- */

static struct status *find_out(struct store *store)
{
	struct status *s = xcalloc(1, sizeof(*s));

	s->machine = machine_read();
	machine_need_livepatching(s->machine);
	s->store = store;
	s->lost = lost_all(s->machine, &s->nr_lost);
	if (store)
		s->kept = kept_all(store, s->machine, s->lost, s->nr_lost, &s->nr_kept);
	s->changing = machine_in_transition(s->machine);
	if (s->changing) {
		s->progress = progress_read(s->changing, true);
		s->age = transition_age(s->changing);
	}
	s->effects = effects_read(s->machine);
	return s;
}

static bool has_effect(const struct status *s, enum effect effect)
{
	for (size_t i = 0; i < s->effects->nr_findings; i++) {
		if (s->effects->findings[i].effect == effect)
			return true;
	}
	return false;
}

static bool is_wrong(const struct status *s)
{
	const struct ftrace *ftrace = s->effects->ftrace;

	if ((ftrace && ftrace->off) || module_core()->dead || module_core()->anomalies ||
	    (s->store && s->store->damaged) || has_effect(s, NOT_IN_EFFECT))
		return true;
	for (size_t i = 0; i < s->nr_kept; i++) {
		if (s->kept[i].why)
			return true;
	}
	return false;
}

/* What is certain to be wrong comes first, and what will be known in a moment before the rest. */
static enum condition condition(const struct status *s)
{
	if (is_wrong(s))
		return WRONG;
	if (s->changing)
		return CHANGING;
	return has_effect(s, UNKNOWN) ? NOT_KNOWN : WELL;
}

/* --- for people ----------------------------------------------------------------- */

static const char *what_it_does(const struct task *task)
{
	switch (task->state) {
	case 'R':
		return "runs";
	case 'D':
	case 'I':
		return "sleeps uninterruptibly";
	case 'T':
	case 't':
		return "is stopped";
	case 'Z':
	case 'X':
		return "has ended";
	default:
		return "sleeps";
	}
}

static void print_stack(const struct task *task, const char *blocker)
{
	size_t len;

	for (const char *line = task->stack; line && *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		printf("     %s %.*s\n", line == blocker ? "-->" : "   ", (int)len, line);
	}
}

static void print_task(const struct status *s, const struct task *task, bool verbose)
{
	const char *blocker = NULL;
	size_t len = 0;

	if (task->stack)
		blocker = stack_blocker(s->machine, s->changing, task->stack, &len);
	printf("  task %d (%s) %s", task->tid, task->comm, what_it_does(task));
	if (blocker)
		printf(" in %.*s", (int)len, blocker);
	putchar('\n');
	if (verbose && task->command)
		printf("     command: %s\n", task->command);
	if (verbose)
		print_stack(task, blocker);
}

static void print_transition(const struct status *s, bool verbose)
{
	const struct progress *p = s->progress;

	printf("%s is being %s", livepatch_who(s->changing),
	       s->changing->enabled ? "enabled" : "disabled");
	if (s->age >= 0)
		printf(", for %.0f s", s->age);
	if (p->unreadable)
		puts("; only root can see what it waits for");
	else
		printf("; %zu of %zu tasks are switched\n", p->done, p->total);
	for (size_t i = 0; i < p->nr_waiting; i++)
		print_task(s, &p->waiting[i], verbose);
	if (!p->unreadable && !p->nr_waiting)
		puts("  It waits for the idle task of a processor, or is about to be complete.");
}

static void print_finding(const struct finding *f)
{
	printf("  %s: %s%s%s", func_label(f->func), effect_names[f->effect],
	       f->why ? ", " : "", f->why ? f->why : "");
	for (size_t i = 0; i < f->nr_also; i++)
		printf("%s%s", i ? ", " : "; also there: ", f->also[i]);
	putchar('\n');
}

/* Those on the code of a livepatch itself. */
static void print_watchers(const struct ftrace *ftrace, const char *module)
{
	struct watcher *watchers;
	size_t nr;

	if (!ftrace)
		return;
	watchers = ftrace_watchers(ftrace, module, &nr);
	for (size_t i = 0; i < nr; i++)
		printf("  '%s', its own code: %s\n", watchers[i].function, watchers[i].who);
	watchers_free(watchers, nr);
}

static void print_leftovers(const struct status *s)
{
	const struct ftrace *ftrace = s->effects->ftrace;

	for (size_t i = 0; ftrace && i < s->machine->nr_leftovers; i++) {
		const struct leftover *old = &s->machine->leftovers[i];
		struct watcher *watchers;
		size_t nr;

		watchers = ftrace_watchers(ftrace, old->name, &nr);
		watchers_free(watchers, nr);
		if (!nr)
			continue;
		printf("The module '%s' is left of a livepatch, and somebody is on its code, which %s:\n",
		       old->name, old->refcnt ? "keeps it" : "may keep it");
		print_watchers(ftrace, old->name);
	}
}

/* What is as it should be is a number, the rest is told. */
static size_t print_patch(const struct effects *e, size_t first, bool verbose)
{
	const struct livepatch *lp = e->findings[first].lp;
	size_t counts[UNKNOWN + 1] = { }, end;

	for (end = first; end < e->nr_findings && e->findings[end].lp == lp; end++)
		counts[e->findings[end].effect]++;
	printf("%s: %zu of %zu functions in effect", livepatch_who(lp), counts[IN_EFFECT],
	       end - first);
	for (int effect = WAITS; effect <= UNKNOWN; effect++) {
		if (counts[effect])
			printf(", %zu %s", counts[effect], effect_names[effect]);
	}
	putchar('\n');
	for (size_t i = first; i < end; i++) {
		const struct finding *f = &e->findings[i];

		if (verbose || f->nr_also || f->why)
			print_finding(f);
	}
	print_watchers(e->ftrace, lp->name);
	return end;
}

/* Only what is not as everywhere. */
static void print_core(const struct core *core)
{
	if (core->dead)
		puts("ftrace has stopped itself, and klp_sets with it: no livepatch can be enabled in a set before the next boot.");
	if (core->anomalies)
		printf("The kernel did not do what klp_sets relies on, %lu time%s since it was loaded: do not load further livepatches, keep the kernel log, and reboot when you can.\n",
		       core->anomalies, core->anomalies == 1 ? "" : "s");
	if (core->untested)
		puts("The module klp_sets was loaded with untested=1: this kernel is newer than those that it was tested on.");
	if (!core->other_build)
		return;
	if (core->version && core->installed && strcmp(core->version, core->installed))
		printf("Version %s of the module klp_sets is loaded, and version %s installed, for the next boot.\n",
		       core->version, core->installed);
	else
		puts("The module klp_sets that is installed, for the next boot, is another build than the one that is loaded.");
}

/* Only what is not as it should be. */
static void print_kept(const struct status *s)
{
	for (size_t i = 0; i < s->nr_kept; i++) {
		const struct kept *k = &s->kept[i];
		const char *name = k->slot->versions[0].name;

		if (k->why)
			printf("Stored, and not in effect: '%s' of %s: %s.\n",
			       name ? name : "(missing)", slot_label(k->slot), k->why);
	}
	for (size_t i = 0; i < s->nr_lost; i++) {
		const struct lost *lost = &s->lost[i];

		printf("Set %s has lost '%s': it was replaced by %s.\n", set_label(lost->replace_set),
		       lost->name, lost->by);
	}
}

static void print_text(const struct status *s, bool verbose)
{
	const struct effects *e = s->effects;

	if (s->changing)
		print_transition(s, verbose);
	else
		puts("No transition is in progress.");
	if (e->why_unknown && e->nr_findings)
		printf("What is in effect is not known: %s.\n", e->why_unknown);
	/* It cannot be switched off under an enabled livepatch, unless that only waits. */
	if (e->ftrace && e->ftrace->off)
		puts("kernel.ftrace_enabled is 0: livepatches, and modules that they change, are refused.");
	for (size_t i = 0; i < e->nr_findings; )
		i = print_patch(e, i, verbose);
	if (!s->machine->nr_patches)
		puts("No livepatch is enabled.");
	print_kept(s);
	if (s->store && !s->store->nr_slots && store_other_labels())
		printf("Nothing is stored for kernel %s, while something is for %s.\n",
		       kernel_release(), printable(store_other_labels()));
	print_leftovers(s);
	print_core(module_core());
}

/* --- for programs ----------------------------------------------------------------- */

/* Not longer than the task has been there. */
static struct json_object *json_seconds(double age, double limit)
{
	return age < 0 ? NULL : json_object_new_int64(age < limit ? age : limit);
}

static struct json_object *json_stack(const struct task *task)
{
	struct json_object *array;
	size_t len;

	if (!task->stack)
		return NULL;
	array = json_object_new_array();
	for (const char *line = task->stack; *line; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		json_object_array_add(array, json_object_new_string_len(line, len));
	}
	return array;
}

static struct json_object *json_task(const struct status *s, const struct task *task)
{
	struct json_object *object = json_object_new_object(), *blocker = NULL;
	char state[] = { task->state, '\0' };
	const char *line = NULL;
	size_t len;

	if (task->stack)
		line = stack_blocker(s->machine, s->changing, task->stack, &len);
	if (line)
		blocker = json_object_new_string_len(line, len);
	json_object_object_add(object, "task", json_object_new_int64(task->tid));
	json_object_object_add(object, "process", json_object_new_int64(task->pid));
	json_object_object_add(object, "name", json_text(task->comm));
	json_object_object_add(object, "command", json_text(task->command));
	json_object_object_add(object, "kernel_thread", json_object_new_boolean(!task->user));
	json_object_object_add(object, "state", json_text(state));
	json_object_object_add(object, "seconds", json_seconds(s->age, task->age));
	json_object_object_add(object, "blocked_in", blocker);
	json_object_object_add(object, "stack", json_stack(task));
	return object;
}

static struct json_object *json_transition(const struct status *s)
{
	struct json_object *object, *array;
	bool known;

	if (!s->changing)
		return NULL;
	known = !s->progress->unreadable;
	object = json_object_new_object();
	json_object_object_add(object, "name", json_text(s->changing->name));
	json_add_set_of(object, s->changing);
	json_object_object_add(object, "to", json_text(s->changing->enabled ? "enabled" :
							"disabled"));
	json_object_object_add(object, "seconds", json_seconds(s->age, s->age));
	json_object_object_add(object, "tasks", known ?
			       json_object_new_int64(s->progress->total) : NULL);
	json_object_object_add(object, "done", known ?
			       json_object_new_int64(s->progress->done) : NULL);
	array = known ? json_object_new_array() : NULL;
	for (size_t i = 0; known && i < s->progress->nr_waiting; i++)
		json_object_array_add(array, json_task(s, &s->progress->waiting[i]));
	json_object_object_add(object, "waiting", array);
	return object;
}

static struct json_object *json_finding(const struct finding *f)
{
	struct json_object *object = json_object_new_object(), *also = json_object_new_array();

	for (size_t i = 0; i < f->nr_also; i++)
		json_object_array_add(also, json_text(f->also[i]));
	json_object_object_add(object, "patch", json_text(f->lp->name));
	json_add_set_of(object, f->lp);
	json_object_object_add(object, "object", json_text(f->func->object));
	json_object_object_add(object, "name", json_text(f->func->name));
	json_object_object_add(object, "sympos", json_object_new_int64(f->func->sympos));
	json_object_object_add(object, "effect", json_text(effect_names[f->effect]));
	json_object_object_add(object, "why", json_text(f->why));
	json_object_object_add(object, "also", also);
	return object;
}

static struct json_object *json_core(const struct core *core)
{
	struct json_object *object;

	if (!core->version)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "version", json_text(core->version));
	json_object_object_add(object, "installed", json_text(core->installed));
	json_object_object_add(object, "other_build", json_object_new_boolean(core->other_build));
	json_object_object_add(object, "untested", json_object_new_boolean(core->untested));
	json_object_object_add(object, "dead", json_object_new_boolean(core->dead));
	json_object_object_add(object, "anomalies", json_object_new_int64(core->anomalies));
	return object;
}

/* Null is for a store that is not of this machine. */
static struct json_object *json_kept(const struct status *s)
{
	struct json_object *array, *row;

	if (!s->store)
		return NULL;
	array = json_object_new_array();
	for (size_t i = 0; i < s->nr_kept; i++) {
		const struct kept *k = &s->kept[i];

		row = json_object_new_object();
		json_add_set(row, k->slot->has_set, k->slot->replace_set);
		json_object_object_add(row, "name", json_text(k->slot->versions[0].name));
		json_object_object_add(row, "state", json_text(kept_names[k->state]));
		json_object_object_add(row, "why", json_text(k->why));
		json_object_array_add(array, row);
	}
	return array;
}

static struct json_object *json_lost(const struct status *s)
{
	struct json_object *array = json_object_new_array(), *row;

	for (size_t i = 0; i < s->nr_lost; i++) {
		row = json_object_new_object();
		json_object_object_add(row, "name", json_text(s->lost[i].name));
		json_add_set(row, true, s->lost[i].replace_set);
		json_object_object_add(row, "by", json_text(s->lost[i].by));
		json_object_array_add(array, row);
	}
	return array;
}

static struct json_object *json_others(void)
{
	struct json_object *array = json_object_new_array();
	size_t n;
	char **others = store_others(&n);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_text(others[i]));
	return array;
}

static void add_watchers(const struct status *s, struct json_object *array, const char *module)
{
	struct watcher *watchers;
	size_t nr;

	watchers = ftrace_watchers(s->effects->ftrace, module, &nr);
	for (size_t i = 0; i < nr; i++) {
		struct json_object *object = json_object_new_object();

		json_object_object_add(object, "module", json_text(module));
		json_object_object_add(object, "function", json_text(watchers[i].function));
		json_object_object_add(object, "who", json_text(watchers[i].who));
		json_object_array_add(array, object);
	}
	watchers_free(watchers, nr);
}

/* On the code of livepatches, and of what is left of some. */
static struct json_object *json_watchers(const struct status *s)
{
	struct json_object *array;

	if (!s->effects->ftrace)
		return NULL;
	array = json_object_new_array();
	for (size_t i = 0; i < s->machine->nr_patches; i++)
		add_watchers(s, array, s->machine->patches[i]->name);
	for (size_t i = 0; i < s->machine->nr_leftovers; i++)
		add_watchers(s, array, s->machine->leftovers[i].name);
	return array;
}

static void print_json(const struct status *s)
{
	const struct effects *e = s->effects;
	struct json_object *root = json_new(), *array = json_object_new_array();

	json_object_object_add(root, "well", json_object_new_boolean(condition(s) == WELL));
	json_object_object_add(root, "condition", json_text(conditions[condition(s)].name));
	json_object_object_add(root, "transition", json_transition(s));
	json_object_object_add(root, "why_unknown", json_text(e->why_unknown));
	json_object_object_add(root, "core", json_core(module_core()));
	json_object_object_add(root, "ftrace_enabled", e->ftrace ?
			       json_object_new_boolean(!e->ftrace->off) : NULL);
	json_object_object_add(root, "watchers", json_watchers(s));
	for (size_t i = 0; i < e->nr_findings; i++)
		json_object_array_add(array, json_finding(&e->findings[i]));
	json_object_object_add(root, "stored", json_kept(s));
	json_object_object_add(root, "other_kernels", s->store ? json_others() : NULL);
	json_object_object_add(root, "lost", json_lost(s));
	json_object_object_add(root, "functions", array);
	json_print(root);
}

static int cmd_status(int argc, char **argv)
{
	bool verbose = false;
	const struct opt opts[] = {
		{ "verbose", 'v', TAKES_NOTHING, &verbose, "all functions, commands and stacks, too" },
		{ 0 }
	};
	struct store *store;
	struct status *s;

	parse_options(&verb_status, argc, argv, opts, 0, 0, NULL);
	store = is_this_machine() ? store_read() : NULL;
	s = find_out(store);
	/* A patch may have gone between one look and the other. */
	for (int i = 0; i < 3 && condition(s) != WELL && !s->changing &&
	     machine_has_changed(s->machine); i++)
		s = find_out(store);
	if (opt_json)
		print_json(s);
	else
		print_text(s, verbose);
	return conditions[condition(s)].exit_status;
}

const struct verb verb_status = {
	.name = "status",
	.run = cmd_status,
	.json = true,
	.arguments = "[-v|--verbose]",
	.help = "what a transition waits for, and whether all that should be is in effect",
};
