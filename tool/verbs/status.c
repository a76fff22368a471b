// SPDX-License-Identifier: GPL-2.0
/*
 * status.c - klp-sets status: what a transition waits for, and whether each patch is
 * in effect
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
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "read/ftrace.h"
#include "read/livepatch.h"
#include "read/util.h"

struct status {
	struct machine *machine;
	struct livepatch *changing;	/* the patch in transition, or NULL */
	struct progress *progress;	/* of that */
	double age;			/* of that in seconds, -1 when not known */
	struct effects *effects;
};

/* --- finding out -------------------------------------------------------------- */

static struct status *find_out(void)
{
	struct status *s = xcalloc(1, sizeof(*s));

	s->machine = machine_read();
	machine_need_livepatching(s->machine);
	s->changing = machine_in_transition(s->machine);
	if (s->changing) {
		s->progress = progress_read(s->changing, true);
		s->age = transition_age(s->changing);
	}
	s->effects = effects_read(s->machine);
	return s;
}

static bool is_well(const struct status *s)
{
	const struct effects *e = s->effects;

	if (s->changing || (e->ftrace && e->ftrace->off) || module_core()->dead ||
	    module_core()->anomalies)
		return false;
	for (size_t i = 0; i < e->nr_findings; i++) {
		if (e->findings[i].effect == NOT_IN_EFFECT || e->findings[i].effect == UNKNOWN)
			return false;
	}
	return true;
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
	print_leftovers(s);
	print_core(module_core());
}

/* --- for programs ----------------------------------------------------------------- */

static struct json_object *json_set(const struct livepatch *lp)
{
	return lp->managed ? json_object_new_int64(lp->replace_set) : NULL;
}

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

	if (!s->changing)
		return NULL;
	object = json_object_new_object();
	json_object_object_add(object, "name", json_text(s->changing->name));
	json_object_object_add(object, "set", json_set(s->changing));
	json_object_object_add(object, "to", json_text(s->changing->enabled ? "enabled" :
							"disabled"));
	json_object_object_add(object, "seconds", json_seconds(s->age, s->age));
	if (!s->progress->unreadable) {
		json_object_object_add(object, "tasks", json_object_new_int64(s->progress->total));
		json_object_object_add(object, "done", json_object_new_int64(s->progress->done));
		array = json_object_new_array();
		for (size_t i = 0; i < s->progress->nr_waiting; i++)
			json_object_array_add(array, json_task(s, &s->progress->waiting[i]));
		json_object_object_add(object, "waiting", array);
	}
	return object;
}

static struct json_object *json_finding(const struct finding *f)
{
	struct json_object *object = json_object_new_object(), *also = json_object_new_array();

	for (size_t i = 0; i < f->nr_also; i++)
		json_object_array_add(also, json_text(f->also[i]));
	json_object_object_add(object, "patch", json_text(f->lp->name));
	json_object_object_add(object, "set", json_set(f->lp));
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
	struct json_object *root = json_object_new_object(), *array = json_object_new_array();

	json_object_object_add(root, "well", json_object_new_boolean(is_well(s)));
	json_object_object_add(root, "transition", json_transition(s));
	json_object_object_add(root, "why_unknown", json_text(e->why_unknown));
	json_object_object_add(root, "core", json_core(module_core()));
	json_object_object_add(root, "ftrace_enabled", e->ftrace ?
			       json_object_new_boolean(!e->ftrace->off) : NULL);
	json_object_object_add(root, "watchers", json_watchers(s));
	for (size_t i = 0; i < e->nr_findings; i++)
		json_object_array_add(array, json_finding(&e->findings[i]));
	json_object_object_add(root, "functions", array);
	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static int cmd_status(int argc, char **argv)
{
	bool verbose = false;
	const struct opt opts[] = {
		{ "verbose", 'v', TAKES_NOTHING, &verbose, "all functions, commands and stacks, too" },
		{ 0 }
	};
	struct status *s;

	parse_options(&verb_status, argc, argv, opts, 0, 0, NULL);
	s = find_out();
	/* A patch may have gone between one look and the other. */
	for (int i = 0; i < 3 && !is_well(s) && !s->changing && machine_has_changed(s->machine); i++)
		s = find_out();
	if (opt_json)
		print_json(s);
	else
		print_text(s, verbose);
	return is_well(s) ? EXIT_OK : EXIT_REFUSED;
}

const struct verb verb_status = {
	.name = "status",
	.run = cmd_status,
	.arguments = "[-v|--verbose]",
	.help = "what a transition waits for, and whether each patch is in effect",
};
