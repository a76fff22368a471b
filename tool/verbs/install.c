// SPDX-License-Identifier: GPL-2.0
/*
 * install.c - what is in the store: install, uninstall, rollback
 *
 * A change is worked out in memory and checked, and written beside what is in force.
 * Then, if the machine is to follow, it is loaded. Only then the store is switched
 * over: whatever fails before, the store is as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/install.h"
#include "verbs/load.h"
#include "verbs/options.h"
#include "know/machine.h"
#include "know/rules.h"
#include "know/targets.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/guard.h"
#include "keep/policies.h"
#include "keep/store.h"
#include "read/elf.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/util.h"

/* --- checks ----------------------------------------------------------------- */

/* Where a livepatch belongs, or NULL. */
static struct slot *find_slot(const struct store *s, const struct livepatch *lp)
{
	return lp->has_set ? store_find_set(s, lp->replace_set) : store_find_stock(s, lp->name);
}

/* Where the livepatch of this name is the current version, or NULL. */
static struct slot *slot_of(const struct store *s, const char *name)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		if (s->slots[i].versions[0].name && !strcmp(s->slots[i].versions[0].name, name))
			return &s->slots[i];
	}
	return NULL;
}

/* Two names of one function are known by their address. */
static struct symbols *known_symbols(void)
{
	static struct symbols *symbols;

	if (!symbols)
		symbols = is_this_machine() ? targets_of_machine_and_ftrace() : targets_of_store();
	return symbols;
}

/* A machine that has loaded the store, but for what changes and what leaves. */
static struct machine *stored_machine(const struct store *s, const struct slot *changed)
{
	struct machine *m = machine_empty();

	m->livepatching = true;
	m->core = true;
	m->policy = policy_kept();
	for (size_t i = 0; i < s->nr_slots; i++) {
		const struct slot *slot = &s->slots[i];
		struct livepatch *lp = NULL;
		struct verdict *v;

		if (slot != changed && !slot->leaves)
			lp = slot_read(slot, 0, NULL);
		if (!lp)
			continue;
		v = rules_judge(m, lp, known_symbols());
		if (!v->nr_conflicts)
			machine_apply(m, lp, v);
	}
	return m;
}

/* Advice is for a machine that has something loaded, or for the author of the file. */
static void __attribute__((noreturn)) refuse_anywhere(const struct livepatch *lp,
						      const struct verdict *v)
{
	for (size_t i = 0; i < v->nr_conflicts; i++)
		warn("%s %s", v->conflicts[i].reason, v->conflicts[i].advice);
	die("%s is not stored: it would be refused at any boot", livepatch_who(lp));
}

static void refuse_conflicts(const struct livepatch *lp, const struct verdict *v)
{
	static const struct store empty;
	struct verdict *alone;

	if (!v->nr_conflicts)
		return;
	alone = rules_judge(stored_machine(&empty, NULL), lp, known_symbols());
	if (alone->nr_conflicts)
		refuse_anywhere(lp, alone);
	for (size_t i = 0; i < v->nr_conflicts; i++)
		warn("%s", v->conflicts[i].reason);
	die("%s is not stored: with what is in the store, it would be refused at boot. "
	    "'klp-sets uninstall' makes room", livepatch_who(lp));
}

/* What no kernel minds, and what cannot be known of this one. */
static void refuse_guesses(const struct livepatch *lp, struct verdict *v, bool strict)
{
	if (v->blind)
		die("%s is not stored: the kernel hides its addresses, so nobody can tell whether two names are one function. 'sysctl kernel.kptr_restrict=1' shows them to root",
		    livepatch_who(lp));
	for (size_t i = 0; i < v->nr_warnings; i++)
		warn("%s", v->warnings[i]);
	if (strict && v->nr_warnings)
		die("%s is not stored, because of --strict", livepatch_who(lp));
}

/*
 * Dies when the livepatch would be refused by a machine that has loaded the store. Whom
 * it replaces, since it obsoletes their sets or replaces everything, leaves the store:
 * the machine that has loaded it does not have them either. Returns what to say of it
 * when it is done; *judged is for who wants to know more.
 */
static char *make_room(struct store *s, const struct livepatch *lp, struct verdict **judged)
{
	struct slot *own = find_slot(s, lp), *same = slot_of(s, lp->name);
	char *said = xstrdup("");
	struct verdict *v;

	/* It was stored for another set: a module can be loaded once only. */
	if (same && same != own)
		same->leaves = true;
	v = rules_judge(stored_machine(s, own), lp, known_symbols());
	for (size_t i = 0; i < v->nr_replaced; i++)
		slot_of(s, v->replaced[i]->name)->leaves = true;
	/* Without those, nothing that they have can be in its way. */
	*judged = rules_judge(stored_machine(s, own), lp, known_symbols());
	refuse_conflicts(lp, *judged);

	for (size_t i = s->nr_slots; i-- > 0;) {
		struct slot *slot = &s->slots[i];

		if (!slot->leaves)
			continue;
		said = xasprintf("%s leaves the store: %s takes the place of its '%s'\n%s",
				 slot_label(slot), livepatch_who(lp), slot->versions[0].name,
				 said);
		store_remove(s, slot);
	}
	return said;
}

/* The livepatch in a file, with the set that it will have; dies when it cannot be stored. */
static struct livepatch *read_livepatch(const struct module_file *file, const uint32_t *set)
{
	const struct assignment *a;
	struct livepatch *lp;
	char *why;

	lp = livepatch_read(file, &why);
	if (!lp)
		die("%s cannot be stored: %s", file->path, why);
	if (lp->kernel && strcmp(lp->kernel, kernel_release()))
		die("'%s' was built for kernel %s, and this is %s. Build it for this one, or name "
		    "the other with KLP_SETS_KERNEL=%s in the environment", lp->name, lp->kernel,
		    kernel_release(), lp->kernel);
	a = lp->native ? NULL : assignment_kept(lp->name);
	if ((set || a) && !give_set(lp, set ? *set : a->replace_set, &why))
		die("'%s' is not stored: %s", lp->name, why);
	if (lp->native && !lp->has_set)
		die("'%s' does not tell which set it belongs to. Say it with --set N", lp->name);
	return lp;
}

/* Whether the store has this very file. */
static bool same_content(const char *path, const struct module_file *file)
{
	char *why;
	struct module_file *stored = module_file_open(path, &why);
	bool same = stored && stored->size == file->size &&
		    !memcmp(stored->data, file->data, file->size);

	module_file_close(stored);
	return same;
}

/* --- install ---------------------------------------------------------------- */

static void commit(struct store *s, const char *name)
{
	store_commit(s);
	guard_forgive(name);
}

static void commit_loaded(void *data)
{
	struct store *s = data;

	commit(s, s->loaded);
}

/*
 * Loads the current version of the new content, which is in force as soon as the kernel
 * has it: whatever happens then, machine and store agree.
 */
static int load_prepared(struct store *s, const struct slot *slot, const struct livepatch *lp,
			 const struct module_file *file, struct load_options *options)
{
	int status;

	options->set = slot_wish(slot, lp);
	s->loaded = lp->name;
	options->loaded = commit_loaded;
	options->data = s;
	status = load_patch(file, options);
	if (s->next) {
		store_abandon(s);
		die("the store is as it was");
	}
	if (status != EXIT_OK && !is_enabled(lp->name))
		warn("the store has '%s' all the same, and the next boot loads it", lp->name);
	return status;
}

static int install(const char *path, const uint32_t *set, bool load, bool strict)
{
	struct load_options options = { };
	struct verdict *judged;
	struct module_file *file;
	struct livepatch *lp;
	struct store *s;
	struct slot *slot;
	int status = EXIT_OK;
	char *left, *why;
	bool known;

	file = module_file_open(path, &why);
	if (!file)
		die("%s cannot be stored: %s", path, why);
	lp = read_livepatch(file, set);
	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	left = make_room(s, lp, &judged);
	refuse_guesses(lp, judged, strict);
	slot = find_slot(s, lp);
	known = slot && slot->versions[0].name && !strcmp(slot->versions[0].name, lp->name) &&
		same_content(slot->versions[0].path, file);
	if (!slot) {
		slot = store_add(s);
		slot->has_set = lp->has_set;
		slot->replace_set = lp->replace_set;
		slot->stock = lp->has_set ? NULL : lp->name;
	}
	if (!known) {
		slot_push(slot, lp->name, file);
		guard_forget(lp->name);
	}
	store_prepare(s);
	if (load && !(known && is_enabled(lp->name)))
		status = load_prepared(s, slot, lp, file, &options);
	else
		commit(s, lp->name);
	if (opt_quiet)
		return status;
	printf("%s%s is %s for kernel %s", left, livepatch_who(lp), known ? "stored already" : "stored",
	       kernel_release());
	if (slot->nr_versions > 1 && slot->has_set)
		printf("; 'klp-sets rollback %u' goes back to '%s'", slot->replace_set,
		       slot->versions[1].name);
	putchar('\n');
	return status;
}

static int cmd_install(int argc, char **argv)
{
	const uint32_t *set = NULL;
	bool load = false, strict = false;
	const struct opt opts[] = {
		{ "set", 0, TAKES_SET, &set, "put it into this set" },
		{ "strict", 0, TAKES_NOTHING, &strict, "a warning is a conflict" },
		{ "load", 0, TAKES_NOTHING, &load, "load it now as well" },
		{ 0 }
	};
	char **words = parse_options(&verb_install, argc, argv, opts, 1, 1,
				     "one FILE; 'klp-sets list --stored' shows what is stored");

	return install(words[0], set, load, strict);
}

const struct verb verb_install = {
	.name = "install",
	.run = cmd_install,
	.arguments = "[--set N] [--strict] [--load] FILE",
	.help = "keep a livepatch in the store, to be loaded at boot",
};

/* --- uninstall -------------------------------------------------------------- */

static int cmd_uninstall(int argc, char **argv)
{
	static const struct opt opts[] = { { 0 } };
	char **words = parse_options(&verb_uninstall, argc, argv, opts, 1, 1,
				     "one set, or the name of a stored livepatch");
	struct store *s;
	struct slot *slot;
	char *label, *name;

	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	slot = store_find_arg(s, words[0]);
	label = xstrdup(slot_label(slot));
	name = slot->versions[0].name;
	store_remove(s, slot);
	store_prepare(s);
	store_commit(s);
	if (name) {
		guard_forgive(name);
		guard_forget(name);
	}
	if (opt_quiet)
		return EXIT_OK;
	printf("%s is not in the store any more", label);
	if (name && is_this_machine() && is_enabled(name))
		printf("; '%s' stays loaded until the next boot or 'klp-sets unload %s'", name,
		       name);
	putchar('\n');
	return EXIT_OK;
}

const struct verb verb_uninstall = {
	.name = "uninstall",
	.run = cmd_uninstall,
	.arguments = "SET|PATCH",
	.help = "take a set out of the store",
};

/* --- rollback --------------------------------------------------------------- */

/* Whether the machine has another livepatch of the set. */
static bool has_other(const struct slot *slot)
{
	struct machine *m = machine_read();

	return slot->has_set && machine_find_set(m, slot->replace_set) &&
	       !machine_find(m, slot->versions[0].name);
}

static int rollback(const char *arg, struct load_options *options)
{
	struct verdict *judged;
	struct module_file *file;
	struct livepatch *lp;
	struct store *s;
	struct slot *slot;
	int status = EXIT_OK;
	char *from, *left;
	bool load, held;
	time_t when;

	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	slot = store_find_arg(s, arg);
	from = slot->versions[0].name;
	if (slot->nr_versions < 2)
		die("there is no version before '%s' of %s in the store", from ? from : "?",
		    slot_label(slot));
	slot_pop(slot);
	lp = slot_read(slot, 0, &file);
	if (!lp)
		die("the store is as it was");
	held = guard_held(lp->name, &when);
	/* It was stored once, by somebody who was told. */
	left = make_room(s, lp, &judged);
	slot = find_slot(s, lp);
	store_prepare(s);
	load = is_this_machine() && has_other(slot);
	if (load)
		status = load_prepared(s, slot, lp, file, options);
	else
		commit(s, lp->name);
	if (from && strcmp(from, lp->name)) {
		guard_forgive(from);
		guard_forget(from);
	}
	if (held)
		warn("'%s' is loaded at boot again, although the machine died after it was loaded on %s",
		     lp->name, date(when));
	if (opt_quiet)
		return status;
	printf("%s%s is stored again%s", left, livepatch_who(lp), load ? ", and loaded" : "");
	if (slot->nr_versions > 1)
		printf("; before it: '%s'", slot->versions[1].name);
	if (from && !strcmp(from, lp->name) && is_enabled(from))
		printf("; what is loaded has the same name, and stays until the next boot");
	putchar('\n');
	return status;
}

static int cmd_rollback(int argc, char **argv)
{
	struct load_options load = { .wait.seconds = FOR_EVER };
	const struct opt opts[] = {
		{ "wait", 0, MAY_TAKE_SECONDS, &load.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ 0 }
	};
	char **words = parse_options(&verb_rollback, argc, argv, opts, 1, 1,
				     "one set, or the name of a stored livepatch");

	return rollback(words[0], &load);
}

const struct verb verb_rollback = {
	.name = "rollback",
	.run = cmd_rollback,
	.arguments = "[--wait[=SECONDS]] SET|PATCH",
	.help = "go back to the version before, in the store and on the machine",
};
