// SPDX-License-Identifier: GPL-2.0
/*
 * load.c - the verb load: a livepatch takes effect
 *
 * Without --wait, load is patient for PATIENCE seconds. If the transition takes
 * longer, that is no failure: the livepatch is loaded, and the kernel goes on. What is
 * left undone then is the removal of the modules that were replaced.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/load.h"
#include "verbs/options.h"
#include "know/effect.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/parameters.h"
#include "know/rules.h"
#include "know/targets.h"
#include "know/transition.h"
#include "keep/assignments.h"
#include "keep/guard.h"
#include "read/elf.h"
#include "read/journal.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/setnames.h"
#include "read/util.h"

struct loading {
	const struct module_file *file;
	const struct load_options *options;
	struct livepatch *lp;
	struct machine *before;	/* the machine without it */
	bool assigned;		/* its set was given to the kernel */
	double inserted;	/* when it was in the kernel; now() */
};

void note_stuck(const struct livepatch *lp)
{
	struct entry *e = entry_new(EVENT_STUCK);

	entry_add_livepatch(e, lp);
	entry_send(e, "the transition of %s is not complete after the time that it had",
		   livepatch_who(lp));
}

double patience(const struct load_options *options)
{
	return options->wait.given ? options->wait.seconds : PATIENCE;
}

static int tell_not_loaded(const struct loading *l, const char *why)
{
	warn("'%s' is not loaded: %s", l->file->path, why);
	return EXIT_REFUSED;
}

/* For the journal: refused by whom, and the code of why, if it has one. */
static struct entry *refusal(const struct loading *l, enum event event, const char *code)
{
	struct entry *e = entry_new(event);

	if (l->lp)
		entry_add_livepatch(e, l->lp);
	entry_add(e, "KLP_SETS_FILE", l->file->path);
	entry_add(e, "KLP_SETS_CODE", code);
	return e;
}

static int not_loaded_by(const struct loading *l, enum event event, const char *code,
			 const char *why)
{
	entry_send(refusal(l, event, code), "'%s' is not loaded: %s", l->file->path, why);
	return tell_not_loaded(l, why);
}

static int not_loaded(const struct loading *l, const char *why)
{
	return not_loaded_by(l, EVENT_REFUSED, NULL, why);
}

/* --- the set ---------------------------------------------------------------- */

static int choose_set(struct loading *l)
{
	char *why;
	int status;

	if (rules_choose_set(l->before, l->lp, l->options->set, &why))
		return EXIT_OK;
	status = not_loaded(l, why);
	free(why);
	return status;
}

/* Tells the kernel, which looks for an assignment when the livepatch has no set. */
static int assign(struct loading *l)
{
	struct livepatch *lp = l->lp;
	const struct assignment a = {
		.name = lp->name,
		.replace_set = lp->replace_set,
		.obsoletes = lp->obsoletes,
		.nr_obsoletes = lp->nr_obsoletes,
	};
	char *said, *why;
	int err;

	if (lp->native || !lp->has_set)
		return EXIT_OK;
	err = assign_now(&a, &said);
	l->assigned = !err;
	if (err) {
		why = xasprintf("it cannot be assigned to set %s: %s", set_label(lp->replace_set),
				said ? said : strerror(-err));
		not_loaded(l, why);
		free(why);
	}
	free(said);
	return err ? EXIT_REFUSED : EXIT_OK;
}

/* Takes the assignment back: what waited before waits again. */
static void unassign(struct loading *l)
{
	const struct assignment *a = assignment_find(l->before->assignments,
						     l->before->nr_assignments, l->lp->name);
	char *said = NULL;

	if (!l->assigned)
		return;
	if (a)
		assign_now(a, &said);
	else
		unassign_now(l->lp->name);
	free(said);
}

/* --- before ----------------------------------------------------------------- */

/* The machine as it is now, without a module of an earlier life that is in the way. */
static int look_at_machine(struct loading *l)
{
	l->before = machine_read();
	if (!machine_has_leftover(l->before, l->lp->name))
		return EXIT_OK;
	if (module_remove_old(l->lp->name, patience(l->options)))
		return not_loaded(l, "a module of its name, whose livepatch is not enabled any more, is in the way");
	machine_free(l->before);
	l->before = machine_read();
	return EXIT_OK;
}

/* Nobody may lose a set because of a flag that a tool sets by default. */
static int refuse_replace_all(const struct loading *l, const struct verdict *v)
{
	char *who = NULL;

	if (v->managed || v->nr_conflicts || l->options->replace_all)
		return EXIT_OK;
	for (size_t i = 0; i < v->nr_replaced; i++) {
		if (v->replaced[i]->managed)
			who = xasprintf("%s%s%s", who ? who : "", who ? ", " : "",
					livepatch_who(v->replaced[i]));
	}
	if (!who)
		return EXIT_OK;
	who = xasprintf("%s replaces every livepatch, and would take away %s",
			livepatch_who(l->lp), who);
	not_loaded_by(l, EVENT_REFUSED, "replaces-all", who);
	free(who);
	warn("  'klp-sets load --set N %s' puts it into a set, 'klp-sets stamp --set N' writes that into the file, and it leaves the others alone; "
	     "so it does after 'klp-sets policy stock_replace=scoped'. With --replace-all it replaces them",
	     l->file->path);
	return EXIT_REFUSED;
}

static void tell_no_set(const struct livepatch *lp, const struct verdict *v)
{
	if (lp->has_set || lp->native || opt_quiet)
		return;
	if (v->managed)
		warn("'%s' has no set: it counts as of set %s by the policies of this machine; --set would give it another",
		     lp->name, set_label(v->replace_set));
	else
		warn("'%s' has no set: it is loaded as a stock livepatch; --set would give it one",
		     lp->name);
}

static void note_conflicts(const struct loading *l, const struct verdict *v)
{
	struct entry *e;

	if (!v->nr_conflicts)
		return;
	e = refusal(l, EVENT_REFUSED, NULL);
	for (size_t i = 0; i < v->nr_conflicts; i++)
		entry_add(e, "KLP_SETS_CODE", v->conflicts[i].code);
	entry_send(e, "'%s' is not loaded: %s", l->file->path, v->conflicts[0].reason);
}

/* All that the kernel would refuse, each with what to do about it. */
static int judge(const struct loading *l)
{
	struct verdict *v = rules_judge(l->before, l->lp, targets_of_machine());
	int status = refuse_replace_all(l, v);

	for (size_t i = 0; i < v->nr_conflicts; i++) {
		const struct conflict *c = &v->conflicts[i];

		status = tell_not_loaded(l, c->reason);
		if (i + 1 == v->nr_conflicts || strcmp(c->advice, c[1].advice))
			warn("  %s", c->advice);
	}
	note_conflicts(l, v);
	for (size_t i = 0; i < v->nr_warnings; i++)
		warn("%s", v->warnings[i].text);
	if (!status)
		tell_no_set(l->lp, v);
	verdict_free(v);
	return status;
}

/* --- loading ---------------------------------------------------------------- */

/* Somebody else was faster, who started a transition after we had looked. */
static bool lost_race(int err, const char *said)
{
	return err == -EBUSY && (!said || strstr(said, "is in transition"));
}

/* Whoever interrupts us does it before the module is in the kernel, or when all know. */
static int insert_once(const struct loading *l, char **said)
{
	sigset_t interrupts, before;
	int err;

	sigemptyset(&interrupts);
	sigaddset(&interrupts, SIGHUP);
	sigaddset(&interrupts, SIGINT);
	sigaddset(&interrupts, SIGTERM);
	sigprocmask(SIG_BLOCK, &interrupts, &before);
	err = module_insert(l->file, l->lp->name, l->options->parameters, said);
	if (!err && l->options->loaded)
		l->options->loaded(l->options->data);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

static int insert(const struct loading *l, char **said)
{
	double moment = 0.005;
	int err;

	for (int i = 0; i < 10; i++) {
		err = insert_once(l, said);
		if (!lost_race(err, *said) || !transition_wait_any(patience(l->options)))
			break;
		pause_for(moment);
		moment *= 2;
	}
	return err;
}

static int load(struct loading *l)
{
	char *said, *line, *rest;
	int err;

	if (assign(l))
		return EXIT_REFUSED;
	/* It warns when it cannot be written, and is no reason not to load. */
	guard_raise(l->lp->name);
	err = insert(l, &said);
	l->inserted = now();
	if (!err) {
		module_note_loaded(l->file, l->lp->name, l->options->parameters);
		return EXIT_OK;
	}
	guard_drop(l->lp->name);
	unassign(l);
	if (lost_race(err, said)) {
		free(said);
		return not_loaded(l, "another livepatch is in transition all the time; try again later");
	}
	line = said ? strtok_r(said, "\n", &rest) : NULL;
	not_loaded_by(l, EVENT_REFUSED_BY_KERNEL, NULL, line ? line : module_strerror(err));
	while (line && (line = strtok_r(NULL, "\n", &rest)))
		warn("  %s", line);
	free(said);
	return EXIT_REFUSED;
}

/* --- after ------------------------------------------------------------------ */

static bool is_missing(const struct finding *f, const struct livepatch *lp)
{
	return f->lp == lp && f->why && (f->effect == NOT_IN_EFFECT || f->effect == UNKNOWN);
}

/* The kernel has enabled it. What ftrace was told is another matter. */
static bool is_in_effect(const struct livepatch *lp, const struct machine *after)
{
	struct effects *e = effects_read(after);
	size_t missing = 0;

	for (size_t i = 0; i < e->nr_findings; i++)
		missing += is_missing(&e->findings[i], lp);
	/* Or else it has just been replaced. */
	if (missing && !is_enabled(lp->name))
		missing = 0;
	if (missing)
		warn("'%s' is enabled, but the kernel has not redirected all of its functions:",
		     lp->name);
	for (size_t i = 0; missing && i < e->nr_findings; i++) {
		const struct finding *f = &e->findings[i];

		if (is_missing(f, lp))
			warn("  %s: %s, %s", func_label(f->func), effect_names[f->effect], f->why);
	}
	effects_free(e);
	return !missing;
}

static void tell_loaded(const struct livepatch *lp, bool in_effect,
			const struct machine *before, const struct machine *after)
{
	const char *lead = "; it replaced ";

	printf("%s is %s", livepatch_who(lp), in_effect ? "in effect" : "enabled");
	for (size_t i = 0; i < before->nr_patches; i++) {
		if (machine_find(after, before->patches[i]->name))
			continue;
		printf("%s%s", lead, livepatch_who(before->patches[i]));
		lead = ", ";
	}
	putchar('\n');
	fflush(stdout);
}

/* The same for the journal. */
static void note_loaded(const struct livepatch *lp, const struct machine *before,
			const struct machine *after)
{
	struct entry *e = entry_new(EVENT_LOADED);

	entry_add_livepatch(e, lp);
	entry_send(e, "%s is loaded", livepatch_who(lp));
	for (size_t i = 0; i < before->nr_patches; i++) {
		const struct livepatch *old = before->patches[i];

		if (machine_find(after, old->name))
			continue;
		e = entry_new(EVENT_REPLACED);
		entry_add_livepatch(e, old);
		entry_add(e, "KLP_SETS_BY", lp->name);
		entry_send(e, "%s is replaced by %s", livepatch_who(old), livepatch_who(lp));
	}
}

static void remove_replaced(const struct loading *l, const struct machine *after)
{
	size_t nr = 0;
	char **names;

	if (l->options->keep)
		return;
	names = xcalloc(l->before->nr_patches, sizeof(*names));
	for (size_t i = 0; i < l->before->nr_patches; i++) {
		if (!machine_find(after, l->before->patches[i]->name))
			names[nr++] = l->before->patches[i]->name;
	}
	modules_remove_old(names, nr, patience(l->options));
	free(names);
}

static int finish(const struct loading *l)
{
	const char *name = l->lp->name;
	struct machine *after;
	struct livepatch *lp;
	int status = EXIT_OK;

	if (!transition_wait(name, patience(l->options))) {
		note_stuck(l->lp);
		warn("'%s' is loaded, and its transition goes on: 'klp-sets status -v' tells what it waits for, 'klp-sets reverse' turns it back",
		     name);
		return l->options->wait.given ? EXIT_REFUSED : EXIT_OK;
	}
	after = machine_read();
	lp = machine_find(after, name);
	if (lp) {
		/* It is in full effect only now, so the minute begins again. */
		if (now() - l->inserted > 1)
			guard_raise(name);
		if (!is_in_effect(lp, after))
			status = EXIT_REFUSED;
		tell_loaded(lp, !status, l->before, after);
		note_loaded(lp, l->before, after);
		remove_replaced(l, after);
	} else {
		warn("'%s' is not in effect: it was loaded, but somebody has turned it back or disabled it since",
		     name);
		status = EXIT_REFUSED;
	}
	machine_free(after);
	return status;
}

/* Whoever loads the same once more, as tools do that look after many machines, has it already. */
static bool is_loaded_already(const struct loading *l)
{
	struct livepatch *lp = l->lp;
	const struct livepatch *now = machine_find(l->before, lp->name);
	struct verdict *v;
	bool same;

	if (!now || !now->enabled || now->transition)
		return false;
	/* Policies may give it a set. */
	v = rules_judge(l->before, lp, NULL);
	same = now->managed == v->managed &&
	       (!now->managed || !v->has_set || now->replace_set == v->replace_set);
	verdict_free(v);
	return same && module_is_file(l->file, lp->name, l->options->parameters);
}

static int tell_loaded_already(const struct loading *l)
{
	const struct livepatch *now = machine_find(l->before, l->lp->name);
	bool in_effect = is_in_effect(now, l->before);

	if (l->options->loaded)
		l->options->loaded(l->options->data);
	printf("%s is %s already\n", livepatch_who(now), in_effect ? "in effect" : "enabled");
	fflush(stdout);
	return in_effect ? EXIT_OK : EXIT_REFUSED;
}

static int run(struct loading *l)
{
	const struct livepatch *lp = l->lp;

	if (geteuid())
		return not_loaded(l, "only root can load livepatches");
	if (lp->native || lp->has_set || l->options->set || assignment_kept(lp->name))
		module_need_core();
	if (!transition_wait_any(patience(l->options)))
		return not_loaded(l, "another livepatch is in transition; wait longer with --wait, or turn that one back with 'klp-sets reverse'");
	if (look_at_machine(l) || choose_set(l))
		return EXIT_REFUSED;
	if (is_loaded_already(l))
		return tell_loaded_already(l);
	if (judge(l))
		return EXIT_REFUSED;
	return load(l) || finish(l) ? EXIT_REFUSED : EXIT_OK;
}

int load_patch(const struct module_file *file, const struct load_options *options)
{
	struct loading l = { .file = file, .options = options };
	int status;
	char *why;

	l.lp = livepatch_read(file, &why);
	if (!l.lp) {
		status = not_loaded(&l, why);
		free(why);
		return status;
	}
	status = run(&l);
	machine_free(l.before);
	livepatch_free(l.lp);
	return status;
}

/* --- the command line ------------------------------------------------------- */

static int cmd_load(int argc, char **argv)
{
	struct load_options options = { .wait.seconds = FOR_EVER };
	const struct opt opts[] = {
		{ "set", 0, TAKES_SET, &options.set, "put it into this set" },
		{ "wait", 0, MAY_TAKE_SECONDS, &options.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ "keep", 0, TAKES_NOTHING, &options.keep, "keep the modules that it replaces" },
		{ "replace-all", 0, TAKES_NOTHING, &options.replace_all,
		  "let it take sets away, if it is a stock livepatch that replaces everything" },
		{ 0 }
	};
	struct module_file *file;
	char *why;

	parse_options(&verb_load, argc, argv, opts, 1, -1, "one FILE");
	parameters_need_form("load", argv + 1);
	file = module_file_open(argv[0], &why);
	if (!file)
		die("'%s' is not loaded: %s", argv[0], why);
	options.parameters = parameters_from_words(file, argv + 1);
	return load_patch(file, &options);
}

const struct verb verb_load = {
	.name = "load",
	.run = cmd_load,
	.arguments = "[--set N] [--wait[=SECONDS]] [--keep] [--replace-all] FILE [PARAMETER=TEXT...]",
	.help = "load a livepatch; it replaces the one of its set",
};
