// SPDX-License-Identifier: GPL-2.0
/*
 * boot.c - loads the store; and sees to it that a machine that died of it does not again
 *
 * Each livepatch is loaded by a process of its own: whatever happens there, the next
 * one has its turn.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "verbs/boot.h"
#include "verbs/apart.h"
#include "verbs/assign.h"
#include "verbs/load.h"
#include "verbs/options.h"
#include "verbs/unload.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/targets.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/run.h"
#include "keep/store.h"
#include "read/journal.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/util.h"

/* Seconds for each transition: next to nothing runs yet. */
static struct duration wait_at_boot = { .seconds = 60 };

/* --- assignments -------------------------------------------------------------- */

static int need_core(const void *data)
{
	module_need_core();
	return EXIT_OK;
}

static int give_assignments(const struct assignment *all, size_t n)
{
	struct machine *m = machine_read();
	int status = EXIT_OK;

	for (size_t i = 0; i < n; i++) {
		const struct livepatch *lp = machine_find(m, all[i].name);
		char *said;
		int err;

		if (lp && lp->managed)
			continue;
		err = assign_now(&all[i], &said);
		if (!err && assignment_is_pattern(&all[i]) && assign_enabled(m, &all[i]))
			status = EXIT_REFUSED;
		if (!err)
			continue;
		warn("'%s' is not assigned to set %s: %s", all[i].name, set_label(all[i].replace_set),
		     said ? said : strerror(-err));
		status = EXIT_REFUSED;
	}
	return status;
}

/* --- one livepatch ------------------------------------------------------------- */

/* For the journal. */
static void note_held(const struct slot *slot, const char *code, const char *why)
{
	struct entry *e = entry_new(EVENT_HELD);

	entry_add(e, "KLP_SETS_LIVEPATCH", slot->versions[0].name);
	entry_add_set(e, slot->has_set, slot->replace_set);
	entry_add(e, "KLP_SETS_CODE", code);
	entry_send(e, "'%s' of %s is not loaded: %s", slot->versions[0].name, slot_label(slot), why);
}

static bool is_held(const struct store *s, const struct slot *slot)
{
	const struct version *v = &slot->versions[0];
	const char *path = load_words(s, v);
	time_t when;

	if (!guard_held(v->name, &when))
		return false;
	warn("'%s' of %s is not loaded: the machine died less than %d s after it had been loaded "
	     "on %s. To try it by hand: klp-sets load %s. To have it at boot again: "
	     "klp-sets install %s", v->name, slot_label(slot), GUARD_SECONDS, date(when), path,
	     path);
	note_held(slot, "held", "the machine died after it had been loaded");
	if (slot->nr_versions > 1)
		warn("or go back to '%s': klp-sets rollback %s", slot->versions[1].name,
		     slot_argument(slot));
	return true;
}

static bool is_for_other_build(const struct store *s, const struct slot *slot)
{
	const struct version *v = &slot->versions[0];

	if (!is_of_other_build(v))
		return false;
	warn("'%s' of %s is not loaded: it was stored for another build of kernel %s. Build it again, "
	     "and install that; or, if it fits: klp-sets install %s", v->name, slot_label(slot),
	     kernel_release(), load_words(s, v));
	note_held(slot, "other-build", "it was stored for another build of this kernel");
	return true;
}

struct job {
	const struct store *store;
	const struct slot *slot;
};

static int load_slot(const void *data)
{
	const struct job *job = data;
	const struct slot *slot = job->slot;
	const char *name = slot->versions[0].name;
	/* Who stored it was told whom it replaces. */
	struct load_options options = {
		.wait = { true, wait_at_boot.seconds },
		.replace_all = true,
	};
	struct module_file *file;
	struct livepatch *lp = slot_read(slot, 0, &file);

	if (!lp)
		return EXIT_REFUSED;
	options.set = slot_wish(slot, lp);
	options.parameters = slot->versions[0].parameters;
	if (!guard_raise(name)) {
		/* Nothing would keep it from killing every boot. */
		if (!guard_survived(name)) {
			warn("'%s' is not loaded: the machine has not lived with it for %d s yet, and it "
			     "cannot have a guard. To try it by hand: klp-sets load %s", name,
			     GUARD_SECONDS, load_words(job->store, &slot->versions[0]));
			return EXIT_REFUSED;
		}
		/* Better than a machine that has none of its livepatches. */
		warn("'%s' is loaded without a guard, since the machine has survived it before",
		     name);
	}
	return load_patch(file, &options);
}

/* One that cannot be completed would keep all others out. */
static int turn_back(const void *data)
{
	const struct slot *slot = data;
	char *argv[] = { "reverse", xasprintf("--wait=%f", wait_at_boot.seconds),
			 slot->versions[0].name, NULL };

	return verb_reverse.run(3, argv);
}

static int boot_slot(const struct store *s, struct slot *slot)
{
	const struct job job = { s, slot };
	const char *name = slot->versions[0].name;
	struct livepatch *lp;
	int status;

	if (!name || is_for_other_build(s, slot) || is_held(s, slot))
		return EXIT_REFUSED;
	if (is_enabled(name)) {
		if (!opt_quiet)
			printf("'%s' of %s is loaded already\n", name, slot_label(slot));
		return EXIT_OK;
	}
	/* Here, so that not each of the children reads them. */
	targets_of_machine();
	status = apart(name, load_slot, &job);
	if (status == EXIT_OK) {
		store_note_build(&slot->versions[0]);
		return EXIT_OK;
	}
	lp = machine_find(machine_read(), name);
	/* Completed after its time was over. */
	if (lp && !lp->transition)
		return EXIT_OK;
	if (lp) {
		warn("'%s' of %s is turned back", name, slot_label(slot));
		apart(name, turn_back, slot);
	} else {
		/* It may have been refused before it was loaded. */
		guard_drop(name);
	}
	run_note_load(name, "refused");
	warn("'%s' of %s was not loaded", name, slot_label(slot));
	return status;
}

/* A new kernel was booted, and nobody has installed anything for it yet. */
static void tell_of_others(void)
{
	char *others = store_other_labels();

	if (others)
		warn("nothing is stored for kernel %s, while something is for %s: this kernel runs "
		     "without livepatches until those that are built for it are installed",
		     kernel_release(), others);
	free(others);
}

static int boot(void)
{
	int status = EXIT_OK;
	struct store *s;
	struct assignment *assignments;
	size_t n;

	/* Where nothing can be written, nobody changes anything either. */
	try_lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	if (s->damaged)
		status = EXIT_REFUSED;
	if (!s->nr_slots && !s->damaged)
		tell_of_others();
	assignments = assignments_kept(&n);
	if (n) {
		if (apart("klp_sets", need_core, NULL) == EXIT_OK)
			status |= give_assignments(assignments, n);
		else
			status = EXIT_REFUSED;
	}
	for (size_t i = 0; i < s->nr_slots; i++) {
		if (boot_slot(s, &s->slots[i]) != EXIT_OK)
			status = EXIT_REFUSED;
	}
	return status;
}

/* --- guards --------------------------------------------------------------------- */

/*
 * Stays until every livepatch that was loaded has been survived. SIGTERM says that the
 * machine is shut down in order, which is as good.
 */
static int settle(double seconds)
{
	struct timespec t = { 0 };
	sigset_t term;
	double left;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	while ((left = guard_sweep(seconds)) >= 0) {
		t.tv_sec = left + 1;
		if (sigtimedwait(&term, NULL, &t) == SIGTERM)
			seconds = 0;
	}
	return EXIT_OK;
}

static int cmd_boot(int argc, char **argv)
{
	struct duration settled = { .seconds = GUARD_SECONDS };
	const struct opt opts[] = {
		{ "wait", 0, TAKES_SECONDS, &wait_at_boot, "for each transition; 60 without it" },
		{ "settled", 0, MAY_TAKE_SECONDS, &settled,
		  "load nothing: stay until all that is loaded has been survived" },
		{ 0 }
	};

	parse_options(&verb_boot, argc, argv, opts, 0, 0, NULL);
	return settled.given ? settle(settled.seconds) : boot();
}

const struct verb verb_boot = {
	.name = "boot",
	.run = cmd_boot,
	.arguments = "[--wait=SECONDS] [--settled[=SECONDS]]",
	.help = "load the store; systemd does this at boot",
};
