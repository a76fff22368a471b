// SPDX-License-Identifier: GPL-2.0
/*
 * apply.c - store and machine as a folder says
 *
 * All is planned before anything is changed. Then, on a machine, each step leaves it and the
 * store in agreement, as install does; without one, all steps are one change of the store.
 * What is interrupted is planned again by the next run, from where it got to.
 */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/apply.h"
#include "verbs/apart.h"
#include "verbs/install.h"
#include "verbs/json.h"
#include "verbs/load.h"
#include "verbs/unload.h"
#include "know/machine.h"
#include "know/plan.h"
#include "know/transition.h"
#include "keep/files.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "keep/wanted.h"
#include "read/journal.h"
#include "read/livepatch.h"
#include "read/util.h"

struct apply {
	const char *folder;	/* NULL: those of packages and of the administrator */
	bool prune, dry_run;
	struct load_options load;
	struct plan *plan;
	bool loads;		/* the machine is to follow */
	int status;
};

static const char *step_who(const struct step *step)
{
	struct livepatch lp = { .name = step->name, .has_set = step->has_set,
				.replace_set = step->replace_set };

	return livepatch_who(&lp);
}

/* --- what is said ----------------------------------------------------------------- */

static void tell_plan(const struct apply *a)
{
	const struct plan *plan = a->plan;

	for (size_t i = 0; i < plan->nr_warnings; i++)
		warn("%s", plan->warnings[i]);
	for (size_t i = 0; i < plan->nr_kept_back; i++)
		warn("%s is left out: %s", plan->kept_back[i].what, plan->kept_back[i].why);
	for (size_t i = 0; i < plan->nr_refusals; i++) {
		warn("%s: %s", plan->refusals[i].what, plan->refusals[i].why);
		if (plan->refusals[i].advice)
			warn("  %s", plan->refusals[i].advice);
	}
	if (plan->nr_refusals)
		warn("nothing is changed");
}

/* The same for the journal, which has what is loaded and unloaded from those who do it. */
static void note_step(const struct step *step)
{
	if (!step->done || step->action == ACTION_LOAD || step->action == ACTION_UNLOAD)
		return;
	note_stored(step->action == ACTION_REMOVE ? EVENT_REMOVED : EVENT_STORED, step->name,
		    step->has_set, step->replace_set, step->from);
}

static void note_refusal(const struct refusal *refusal)
{
	struct entry *e = entry_new(EVENT_REFUSED);

	entry_add(e, "KLP_SETS_CODE", refusal->code);
	entry_add(e, "KLP_SETS_FILE", refusal->what);
	entry_send(e, "%s: %s", refusal->what, refusal->why);
}

static void print_step(const struct apply *a, const struct step *step)
{
	printf("%s %s %s", step_who(step),
	       a->dry_run ? "would be" : step->done ? "is" : "is NOT", action_done[step->action]);
	if (step->from && strcmp(step->from, step->name))
		printf(", from '%s'", step->from);
	for (size_t i = 0; i < step->nr_leave; i++)
		printf("%s'%s'%s", i ? ", " : "; ", step->leave[i],
		       i + 1 < step->nr_leave ? "" : a->dry_run ? " would leave the store" :
		       step->done ? " leaves the store" : " stays in the store");
	putchar('\n');
}

static void print_text(const struct apply *a)
{
	if (opt_quiet || a->plan->nr_refusals)
		return;
	for (size_t i = 0; i < a->plan->nr_steps; i++)
		print_step(a, &a->plan->steps[i]);
	if (!a->plan->nr_steps)
		printf("nothing is to be done for kernel %s\n", kernel_release());
}

static bool has_changed(const struct apply *a)
{
	for (size_t i = 0; i < a->plan->nr_steps; i++) {
		if (a->plan->steps[i].done)
			return true;
	}
	return a->dry_run && !a->plan->nr_refusals && a->plan->nr_steps;
}

static struct json_object *json_step(const struct step *step)
{
	struct json_object *row = json_object_new_object(), *leave = json_object_new_array();

	json_object_object_add(row, "action", json_text(action_names[step->action]));
	json_add_set(row, step->has_set, step->replace_set);
	json_object_object_add(row, "name", json_text(step->name));
	json_object_object_add(row, "file", json_text(step->lp ? step->lp->path : NULL));
	json_object_object_add(row, "from", json_text(step->from));
	for (size_t i = 0; i < step->nr_leave; i++)
		json_object_array_add(leave, json_text(step->leave[i]));
	json_object_object_add(row, "leave", leave);
	json_object_object_add(row, "done", json_object_new_boolean(step->done));
	return row;
}

static struct json_object *json_refusal(const struct refusal *refusal)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "code", json_text(refusal->code));
	json_object_object_add(row, "what", json_text(refusal->what));
	json_object_object_add(row, "reason", json_text(refusal->why));
	json_object_object_add(row, "advice", json_text(refusal->advice));
	return row;
}

static struct json_object *json_kept_back(const struct kept_back *kept)
{
	struct json_object *row = json_object_new_object();

	json_object_object_add(row, "what", json_text(kept->what));
	json_object_object_add(row, "state", json_text(kept->state));
	json_object_object_add(row, "why", json_text(kept->why));
	return row;
}

static void print_json(const struct apply *a)
{
	struct json_object *root = json_new(), *array = json_object_new_array();
	const struct plan *plan = a->plan;

	json_object_object_add(root, "kernel", json_text(kernel_release()));
	json_object_object_add(root, "dry_run", json_object_new_boolean(a->dry_run));
	json_object_object_add(root, "changed", json_object_new_boolean(has_changed(a)));
	for (size_t i = 0; !plan->nr_refusals && i < plan->nr_steps; i++)
		json_object_array_add(array, json_step(&plan->steps[i]));
	json_object_object_add(root, "steps", array);
	array = json_object_new_array();
	for (size_t i = 0; i < plan->nr_refusals; i++)
		json_object_array_add(array, json_refusal(&plan->refusals[i]));
	json_object_object_add(root, "refused", array);
	array = json_object_new_array();
	for (size_t i = 0; i < plan->nr_kept_back; i++)
		json_object_array_add(array, json_kept_back(&plan->kept_back[i]));
	json_object_object_add(root, "left_out", array);
	json_print(root);
}

/* --- the store ---------------------------------------------------------------------- */

static struct slot *slot_named(const struct store *s, const char *name)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		if (s->slots[i].versions[0].name && !strcmp(s->slots[i].versions[0].name, name))
			return &s->slots[i];
	}
	return NULL;
}

/* What leaves is found by its current version, which may be that of the step by now. */
static void let_leave(struct store *s, const struct step *step)
{
	for (size_t i = 0; i < step->nr_leave; i++) {
		struct slot *old = slot_named(s, step->leave[i]), kept;

		if (!old || old == plan_slot(s, step))
			continue;
		kept = *old;
		store_remove(s, old);
		store_keep_replaced(&plan_slot(s, step)->versions[0], &kept);
	}
}

/* Makes it the current version, in memory. */
static struct slot *place(struct store *s, const struct step *step)
{
	struct slot *slot = plan_slot(s, step);

	if (step->action == ACTION_LOAD)
		return slot;
	if (!slot) {
		slot = store_add(s);
		slot->has_set = step->has_set;
		slot->replace_set = step->replace_set;
		slot->stock = step->has_set ? NULL : step->name;
	}
	slot_push(slot, step->name, step->file);
	guard_forget(step->name);
	let_leave(s, step);
	return plan_slot(s, step);
}

/* All at once. */
static void change_store(struct store *s, struct plan *plan)
{
	for (size_t i = 0; i < plan->nr_steps; i++) {
		struct slot *slot = plan_slot(s, &plan->steps[i]);

		if (plan->steps[i].action != ACTION_REMOVE)
			place(s, &plan->steps[i]);
		else if (slot)
			store_remove(s, slot);
	}
	store_prepare(s);
	store_commit(s);
	for (size_t i = 0; i < plan->nr_steps; i++) {
		struct step *step = &plan->steps[i];

		step->done = true;
		if (!step->name)
			continue;
		guard_forgive(step->name);
		if (step->action == ACTION_REMOVE)
			guard_forget(step->name);
	}
}

/* --- the machine -------------------------------------------------------------------- */

struct job {
	const struct apply *apply;
	const struct step *step;
};

/* Nothing but one object is printed for a program. */
static void be_silent(void)
{
	if (opt_json && !freopen("/dev/null", "w", stdout))
		die("/dev/null cannot be opened");
}

static int load_step(const void *data)
{
	const struct job *job = data;
	struct load_options options = job->apply->load;
	struct store *s = store_read();
	struct slot *slot = place(s, job->step);

	be_silent();
	store_prepare(s);
	return install_load(s, slot, job->step->lp, job->step->file, &options);
}

/* What is interrupted between the two is still in the store, where the next run finds it. */
static int remove_step(const void *data)
{
	const struct job *job = data;
	const struct step *step = job->step;
	const struct duration *wait = &job->apply->load.wait;
	char *seconds = xasprintf("--wait=%f", wait->seconds);
	char *argv[] = { "unload", step->name, wait->given ? "--wait" : NULL, NULL };
	int status = EXIT_OK;
	struct slot *slot;
	struct store *s;

	be_silent();
	if (wait->given && wait->seconds >= 0)
		argv[2] = seconds;
	if (step->loaded)
		status = verb_unload.run(argv[2] ? 3 : 2, argv);
	if (status != EXIT_OK || step->action != ACTION_REMOVE)
		return status;
	s = store_read();
	slot = plan_slot(s, step);
	if (slot)
		uninstall_slot(s, slot);
	return EXIT_OK;
}

static bool was_done(const struct step *step, int status)
{
	if (status == EXIT_OK)
		return true;
	return step->lp ? is_enabled(step->name) : !step->name || !is_enabled(step->name);
}

static int change_machine(const struct apply *a)
{
	int status = EXIT_OK;

	for (size_t i = 0; status == EXIT_OK && i < a->plan->nr_steps; i++) {
		struct step *step = &a->plan->steps[i];
		const struct job job = { a, step };

		status = apart(step->name ? step->name : "klp-sets",
			       step->lp ? load_step : remove_step, &job);
		step->done = was_done(step, status);
	}
	return status;
}

/* What was stored since is not what the machine died of: a run was killed before it said so. */
static void forgive_newer(const struct store *s)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		const struct version *v = &s->slots[i].versions[0];
		time_t when;

		if (v->name && guard_held(v->name, &when) && when < v->installed)
			guard_forgive(v->name);
	}
}

/* --- the command line ----------------------------------------------------------------- */

static int apply(struct apply *a)
{
	struct store *s;
	size_t nr_files;
	char **files = wanted_files(a->folder, &nr_files);

	a->loads = is_this_machine();
	if (!a->dry_run) {
		lock_changes();
		guard_sweep(GUARD_SECONDS);
	}
	if (a->loads && !transition_wait_any(patience(&a->load)))
		die("nothing is changed: another livepatch is in transition; wait longer with --wait, or turn that one back with 'klp-sets reverse'");
	s = store_read();
	if (!a->dry_run)
		forgive_newer(s);
	a->plan = plan_make(s, files, nr_files, a->loads, a->prune);
	tell_plan(a);
	a->status = a->plan->nr_refusals ? EXIT_REFUSED : EXIT_OK;
	for (size_t i = 0; i < a->plan->nr_kept_back; i++) {
		if (strcmp(a->plan->kept_back[i].state, "other kernel"))
			a->status = EXIT_REFUSED;
	}
	if (!a->dry_run && !a->plan->nr_refusals && a->plan->nr_steps) {
		if (!a->loads)
			change_store(s, a->plan);
		else if (change_machine(a) != EXIT_OK)
			a->status = EXIT_REFUSED;
	}
	for (size_t i = 0; !a->dry_run && i < a->plan->nr_steps; i++)
		note_step(&a->plan->steps[i]);
	for (size_t i = 0; !a->dry_run && i < a->plan->nr_refusals; i++)
		note_refusal(&a->plan->refusals[i]);
	if (opt_json)
		print_json(a);
	else
		print_text(a);
	return a->status;
}

static int cmd_apply(int argc, char **argv)
{
	struct apply a = { .load.wait.seconds = FOR_EVER };
	const struct opt opts[] = {
		{ "prune", 0, TAKES_NOTHING, &a.prune, "what is not there is to go" },
		{ "dry-run", 0, TAKES_NOTHING, &a.dry_run, "tell what would be done, and do nothing" },
		{ "wait", 0, MAY_TAKE_SECONDS, &a.load.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ 0 }
	};

	if (parse_options(&verb_apply, argc, argv, opts, 0, 1, "one DIR, or none"))
		a.folder = argv[0];
	return apply(&a);
}

const struct verb verb_apply = {
	.name = "apply",
	.run = cmd_apply,
	.json = true,
	.arguments = "[--prune] [--dry-run] [--wait[=SECONDS]] [DIR]",
	.help = "make store and machine as a folder of livepatches says",
};
