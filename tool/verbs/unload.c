// SPDX-License-Identifier: GPL-2.0
/*
 * unload.c - the verbs unload, reverse and force: a livepatch on its way out, a
 * transition on its way back, and one that is ended by decree
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "verbs/unload.h"
#include "verbs/load.h"
#include "verbs/options.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "read/journal.h"
#include "read/kmsg.h"
#include "read/livepatch.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/sysfs.h"
#include "read/util.h"

static int write_patch(const struct livepatch *lp, const char *file, const char *value,
		       char **said)
{
	char *path = xasprintf(SYS_LIVEPATCH "/%s/%s", lp->name, file);
	int err = write_file_said(path, value, said);

	free(path);
	return err;
}

/* --- block_disable ----------------------------------------------------------- */

static const struct state *find_blocker(const struct livepatch *lp)
{
	for (size_t i = 0; i < lp->nr_states; i++) {
		if (lp->states[i].block_disable)
			return &lp->states[i];
	}
	return NULL;
}

static int tell_blocked(const struct livepatch *lp, const struct state *state)
{
	warn("%s cannot be disabled: its state %lu '%s' must not be removed (block_disable)",
	     livepatch_who(lp), state->id, state->name ? state->name : "-");
	warn("  only a livepatch of set %s that has state %lu as well can take its place",
	     set_label(lp->replace_set), state->id);
	return EXIT_REFUSED;
}

static int tell_refused(const struct livepatch *lp, const char *what, int err, const char *said)
{
	if (said)
		warn("%s cannot be %s: %s", livepatch_who(lp), what, said);
	else if (err == -ENOENT || err == -ENODEV)
		warn("%s cannot be %s: it is gone", livepatch_who(lp), what);
	else if (err == -EINVAL)
		warn("%s cannot be %s: it is not in transition, or was just %s by somebody else",
		     livepatch_who(lp), what, what);
	else if (err == -EACCES || err == -EPERM)
		warn("%s cannot be %s: %s", livepatch_who(lp), what,
		     geteuid() ? "only root may do that" : "a security module does not permit it");
	else
		warn("%s cannot be %s: %s", livepatch_who(lp), what, strerror(-err));
	return EXIT_REFUSED;
}

/* For the journal. */
static void note(enum event event, const struct livepatch *lp, const char *what)
{
	struct entry *e = entry_new(event);

	entry_add_livepatch(e, lp);
	entry_send(e, "%s %s", livepatch_who(lp), what);
}

/* --- unload ------------------------------------------------------------------ */

static int remove_module(const char *name, const struct load_options *options)
{
	if (module_remove_old(name, patience(options)))
		return EXIT_REFUSED;
	printf("the module '%s' is removed\n", name);
	return EXIT_OK;
}

static int tell_busy(const char *what)
{
	warn("%s is not unloaded: another livepatch is in transition; wait longer with --wait, or turn that one back with 'klp-sets reverse'",
	     what);
	return EXIT_REFUSED;
}

/* Another transition may start after we have looked, more than once. */
static int disable(const struct livepatch *lp, const struct load_options *options)
{
	const struct state *blocker = find_blocker(lp);
	int err = -EBUSY, status = EXIT_OK;
	char *said = NULL;

	if (blocker)
		return tell_blocked(lp, blocker);
	for (int i = 0; i < 10 && err == -EBUSY && !said; i++) {
		if (!transition_wait_any(patience(options)))
			return tell_busy(livepatch_who(lp));
		err = write_patch(lp, "enabled", "0", &said);
	}
	if (err)
		status = tell_refused(lp, "disabled", err, said);
	free(said);
	return status;
}

static int finish_unload(const struct livepatch *lp, const struct load_options *options)
{
	struct machine *after;
	bool gone;

	if (!transition_wait(lp->name, patience(options))) {
		note_stuck(lp);
		warn("%s is being disabled, and the transition goes on: 'klp-sets status -v' tells what it waits for, 'klp-sets reverse' turns it back, and 'klp-sets unload %s' removes the module later",
		     livepatch_who(lp), lp->name);
		return options->wait.given ? EXIT_REFUSED : EXIT_OK;
	}
	after = machine_read();
	gone = !machine_find(after, lp->name);
	machine_free(after);
	if (!gone) {
		warn("%s is still in effect: somebody has turned the transition back",
		     livepatch_who(lp));
		return EXIT_REFUSED;
	}
	printf("%s is not in effect any more\n", livepatch_who(lp));
	fflush(stdout);
	note(EVENT_UNLOADED, lp, "is unloaded");
	return options->keep ? EXIT_OK : remove_module(lp->name, options);
}

static int tell_own(const struct livepatch *lp)
{
	warn("%s is not unloaded: its own transition is not complete; wait longer with --wait, or turn it back with 'klp-sets reverse %s'",
	     livepatch_who(lp), lp->name);
	return EXIT_REFUSED;
}

/*
 * No transition may go on, but for one that unloads what is meant. That may be replaced
 * while we wait, and is looked up again.
 */
static struct machine *wait_for_transition(struct machine *m, const struct livepatch **lp,
				       const char *arg, const struct load_options *options)
{
	const struct livepatch *busy = machine_in_transition(m);

	if (!busy || (busy == *lp && !busy->enabled))
		return m;
	if (!transition_wait_any(patience(options)))
		exit(busy == *lp ? tell_own(busy) : tell_busy(livepatch_who(*lp)));
	machine_free(m);
	m = machine_read();
	*lp = machine_find_arg(m, arg);
	return m;
}

static int unload(const char *arg, const struct load_options *options)
{
	struct machine *m = machine_read();
	char *module = need_module_name(arg);
	const struct livepatch *lp;
	int status = EXIT_OK;

	if (machine_has_leftover(m, module)) {
		status = remove_module(module, options);
		goto out;
	}
	lp = machine_find_arg(m, arg);
	m = wait_for_transition(m, &lp, arg, options);
	if (!lp->transition)
		status = disable(lp, options);
	else if (lp->enabled)
		status = tell_own(lp);
	if (!status)
		status = finish_unload(lp, options);
out:
	free(module);
	machine_free(m);
	return status;
}

/* --- reverse and force ------------------------------------------------------- */

static bool has_set(const struct livepatch *lp, uint32_t set)
{
	return lp->managed && (lp->replace_set == set || livepatch_obsoletes(lp, set));
}

/* The patch in transition, which must be the one that was asked for, or be of its set. */
static struct livepatch *find_transition(const struct machine *m, const char *arg)
{
	struct livepatch *lp = machine_in_transition(m);
	uint32_t set;

	if (!lp) {
		if (arg && !find_set(arg, &set))
			machine_find_arg(m, arg);
		die("no transition is in progress; 'klp-sets list' shows what is in effect%s",
		    arg ? bare_number_hint(arg) : "");
	}
	if (!arg || (find_set(arg, &set) ? has_set(lp, set) : machine_find_arg(m, arg) == lp))
		return lp;
	if (find_set(arg, &set))
		die("%s is in transition, and not a livepatch of set %s%s", livepatch_who(lp),
		    set_label(set), bare_number_hint(arg));
	die("%s is in transition, and not %s%s", livepatch_who(lp), arg, bare_number_hint(arg));
}

/* Who has the sets that a transition was about. */
static void tell_effect(const struct livepatch *lp)
{
	struct machine *m = machine_read();
	bool any = false;

	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct livepatch *other = m->patches[i];

		if (strcmp(other->name, lp->name) &&
		    !(other->managed && has_set(lp, other->replace_set)))
			continue;
		printf("%s is in effect\n", livepatch_who(other));
		any = true;
	}
	if (!any && lp->managed)
		printf("set %s has no livepatch\n", set_label(lp->replace_set));
	else if (!any)
		printf("%s is not in effect\n", livepatch_who(lp));
	fflush(stdout);
	machine_free(m);
}

static int reverse(const char *arg, const struct load_options *options)
{
	struct machine *m = machine_read();
	const struct livepatch *lp = find_transition(m, arg);
	const struct state *blocker = find_blocker(lp);
	bool forward = lp->enabled;
	int status = EXIT_OK, err;
	char *said;

	if (forward && blocker) {
		status = tell_blocked(lp, blocker);
		goto out;
	}
	err = write_patch(lp, "enabled", forward ? "0" : "1", &said);
	if (err) {
		status = tell_refused(lp, "turned back", err, said);
		goto out;
	}
	note(EVENT_REVERSED, lp, "is turned back");
	if (!transition_wait(lp->name, patience(options))) {
		note_stuck(lp);
		warn("the transition of %s is on its way back, and not complete: 'klp-sets status -v' tells what it waits for",
		     livepatch_who(lp));
		status = options->wait.given ? EXIT_REFUSED : EXIT_OK;
		goto out;
	}
	tell_effect(lp);
	if (forward)
		module_remove_old(lp->name, patience(options));
out:
	machine_free(m);
	return status;
}

#define FORCE_NAMED 10	/* tasks */

static void tell_tasks(const struct livepatch *lp)
{
	struct progress *p = progress_read(lp, false);

	warn("  %zu of %zu tasks are not switched. One that is in old code stays there, and old and new code meet in ways that nobody has tested:",
	     p->nr_waiting, p->total);
	for (size_t i = 0; i < p->nr_waiting && i < FORCE_NAMED; i++)
		warn("    %s, task %d", p->waiting[i].comm, p->waiting[i].tid);
	if (p->nr_waiting > FORCE_NAMED)
		warn("    and %zu more", p->nr_waiting - FORCE_NAMED);
	progress_free(p);
}

/* Those that it replaces, as far as sysfs tells. */
static char *taken_away(const struct machine *m, const struct livepatch *lp)
{
	char *names = xstrdup(""), *longer;

	for (size_t i = 0; lp->managed && i < m->nr_patches; i++) {
		const struct livepatch *old = m->patches[i];

		if (old == lp || !old->managed || !has_set(lp, old->replace_set))
			continue;
		longer = xasprintf("%s%s%s", names, *names ? ", " : "", livepatch_who(old));
		free(names);
		names = longer;
	}
	return names;
}

/* Linux before 5.18 does, and klp_sets mends it while it has something to look after. */
static bool force_marks_all(const struct machine *m)
{
	int major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2 ||
	    major > 5 || (major == 5 && minor >= 18))
		return false;
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (m->patches[i]->managed)
			return false;
	}
	return !m->nr_assignments;
}

static void tell_cost(const struct machine *m, const struct livepatch *lp)
{
	char *names = taken_away(m, lp);

	warn("this is what it costs to force the transition of %s:", livepatch_who(lp));
	tell_tasks(lp);
	if (force_marks_all(m))
		warn("  The modules of all livepatches that are enabled now cannot be removed before the next boot.");
	else if (!lp->enabled)
		warn("  Its module cannot be removed before the next boot.");
	else if (*names)
		warn("  The modules of what it replaces cannot be removed before the next boot: %s",
		     names);
	else
		warn("  The module of any livepatch that it replaces cannot be removed before the next boot.");
	free(names);
}

static bool confirmed(void)
{
	char answer[8];

	fputs("Type 'yes' to go on: ", stderr);
	return fgets(answer, sizeof(answer), stdin) && !strcmp(answer, "yes\n");
}

/* What the transition took away, and is there for ever. */
static void tell_pinned(const struct machine *before)
{
	struct machine *m = machine_read();

	for (size_t i = 0; i < m->nr_leftovers; i++) {
		const struct leftover *old = &m->leftovers[i];

		if (old->refcnt > 0 && machine_find(before, old->name))
			printf("the module '%s' stays until the next boot\n", old->name);
	}
	machine_free(m);
}

static int force(const char *arg, bool yes)
{
	struct machine *m = machine_read();
	const struct livepatch *lp = find_transition(m, arg);
	int status = EXIT_OK, err;
	char *said;

	if (!yes && !isatty(STDIN_FILENO))
		usage_error("force asks before it does anything; where nobody can answer, say --yes");
	tell_cost(m, lp);
	if (!yes && !confirmed()) {
		warn("nothing is forced");
		status = EXIT_REFUSED;
		goto out;
	}
	err = write_patch(lp, "force", "1", &said);
	if (err) {
		status = tell_refused(lp, "forced", err, said);
		goto out;
	}
	note(EVENT_FORCED, lp, "is forced");
	if (!transition_wait(lp->name, PATIENCE)) {
		note_stuck(lp);
		warn("the transition of %s was forced, and is still not complete", livepatch_who(lp));
		status = EXIT_REFUSED;
		goto out;
	}
	tell_effect(lp);
	tell_pinned(m);
out:
	machine_free(m);
	return status;
}

/* --- the command lines ------------------------------------------------------- */

static int cmd_unload(int argc, char **argv)
{
	struct load_options options = { .wait.seconds = FOR_EVER };
	const struct opt opts[] = {
		{ "wait", 0, MAY_TAKE_SECONDS, &options.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ "keep", 0, TAKES_NOTHING, &options.keep, "keep its module" },
		{ 0 }
	};

	parse_options(&verb_unload, argc, argv, opts, 1, 1,
		      "a set, or the name of a livepatch");
	return unload(argv[0], &options);
}

const struct verb verb_unload = {
	.name = "unload",
	.run = cmd_unload,
	.arguments = "[--wait[=SECONDS]] [--keep] SET|PATCH",
	.help = "disable a livepatch and remove its module",
};

static int cmd_reverse(int argc, char **argv)
{
	struct load_options options = { .wait.seconds = FOR_EVER };
	const struct opt opts[] = {
		{ "wait", 0, MAY_TAKE_SECONDS, &options.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ 0 }
	};

	parse_options(&verb_reverse, argc, argv, opts, 0, 1,
		      "a set, or the name of a livepatch, or nothing");
	return reverse(argv[0], &options);
}

const struct verb verb_reverse = {
	.name = "reverse",
	.run = cmd_reverse,
	.arguments = "[--wait[=SECONDS]] [SET|PATCH]",
	.help = "turn a transition back",
};

static int cmd_force(int argc, char **argv)
{
	bool yes = false;
	const struct opt opts[] = {
		{ "yes", 0, TAKES_NOTHING, &yes, "do not ask" },
		{ 0 }
	};

	parse_options(&verb_force, argc, argv, opts, 0, 1,
		      "a set, or the name of a livepatch, or nothing");
	return force(argv[0], yes);
}

const struct verb verb_force = {
	.name = "force",
	.run = cmd_force,
	.arguments = "[--yes] [SET|PATCH]",
	.help = "end a transition whatever it costs",
};
