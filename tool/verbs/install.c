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
#include "know/parameters.h"
#include "know/rules.h"
#include "know/targets.h"
#include "know/trust.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/policies.h"
#include "keep/store.h"
#include "read/elf.h"
#include "read/journal.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/util.h"

/* --- the journal ------------------------------------------------------------ */

void note_stored(enum event event, const char *name, bool has_set, uint32_t set, const char *from)
{
	struct entry *e = entry_new(event);

	entry_add(e, "KLP_SETS_LIVEPATCH", name);
	entry_add_set(e, has_set, set);
	entry_add(e, "KLP_SETS_FROM", from);
	entry_send(e, "'%s' %s for kernel %s", name ? name : "(nothing)",
		   event == EVENT_REMOVED ? "is not stored any more" :
		   event == EVENT_ROLLED_BACK ? "is stored again" : "is stored", kernel_release());
}

/* It is not stored, and why. */
static void note_refused(const struct livepatch *lp, const struct verdict *v, const char *code)
{
	struct entry *e = entry_new(EVENT_REFUSED);

	entry_add_livepatch(e, lp);
	entry_add(e, "KLP_SETS_CODE", code);
	for (size_t i = 0; !code && i < v->nr_conflicts; i++)
		entry_add(e, "KLP_SETS_CODE", v->conflicts[i].code);
	entry_send(e, "%s is not stored%s%s", livepatch_who(lp), v->nr_conflicts ? ": " : "",
		   v->nr_conflicts ? v->conflicts[0].reason : "");
}

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

		/* Boot leaves it out, too. */
		if (slot != changed && !slot->leaves && !is_of_other_build(&slot->versions[0]))
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
static void refuse_anywhere(struct livepatch *lp)
{
	static const struct store empty;
	const struct verdict *v = rules_judge(stored_machine(&empty, NULL), lp, known_symbols());

	if (!v->nr_conflicts)
		return;
	for (size_t i = 0; i < v->nr_conflicts; i++)
		warn("%s %s", v->conflicts[i].reason, v->conflicts[i].advice);
	note_refused(lp, v, NULL);
	die("%s is not stored: it would be refused at any boot", livepatch_who(lp));
}

static void refuse_conflicts(const struct livepatch *lp, const struct verdict *v)
{
	if (!v->nr_conflicts)
		return;
	for (size_t i = 0; i < v->nr_conflicts; i++)
		warn("%s", v->conflicts[i].reason);
	note_refused(lp, v, NULL);
	die("%s is not stored: with what is in the store, it would be refused at boot. "
	    "'klp-sets uninstall' makes room", livepatch_who(lp));
}

/* What no kernel minds, and what cannot be known of this one. */
static void refuse_guesses(const struct livepatch *lp, struct verdict *v, bool strict)
{
	if (v->blind || (strict && v->nr_warnings))
		note_refused(lp, v, v->blind ? "blind" : v->warnings[0].code);
	if (v->blind)
		die("%s is not stored: the kernel hides its addresses, so nobody can tell whether two names are one function. 'sysctl kernel.kptr_restrict=1' shows them to root",
		    livepatch_who(lp));
	for (size_t i = 0; i < v->nr_warnings; i++)
		warn("%s", v->warnings[i].text);
	if (strict && v->nr_warnings)
		die("%s is not stored, because of --strict", livepatch_who(lp));
}

/* Nobody may lose what other teams have stored, because of a flag that a tool sets by default. */
static void refuse_replace_all(const struct store *s, const struct livepatch *lp,
			       const struct verdict *v)
{
	char *who = NULL;

	for (size_t i = 0; i < v->nr_replaced; i++) {
		const struct slot *slot = slot_of(s, v->replaced[i]->name);

		/* That was asked for, by number. */
		if (slot->has_set && lp->has_set && livepatch_obsoletes(lp, slot->replace_set))
			continue;
		who = xasprintf("%s%s'%s' of %s", who ? who : "", who ? ", " : "",
				slot->versions[0].name, slot_label(slot));
	}
	if (!who)
		return;
	warn("%s replaces every livepatch: it would take out of the store %s", livepatch_who(lp),
	     who);
	note_refused(lp, v, "replaces-all");
	if (lp->has_set)
		die("%s is not stored. With --replace-all it is, and they go; 'klp-sets policy "
		    "allow_replace_all=0' has it replace its own set only", livepatch_who(lp));
	die("%s is not stored. With --replace-all it is, and they go; with --set N, which "
	    "'klp-sets stamp' writes into the file, or after "
	    "'klp-sets policy stock_replace=scoped', it leaves them alone", livepatch_who(lp));
}

/* What leaves the store because of a livepatch. */
struct room {
	char *said;		/* to be told when it is done */
	struct slot *slots;
	size_t nr_slots;
};

/*
 * Dies when the livepatch would be refused by a machine that has loaded the store. Whom
 * it replaces, since it obsoletes their sets or replaces everything, leaves the store:
 * the machine that has loaded it does not have them either.
 * *judged is for who wants to know more.
 */
static struct room make_room(struct store *s, struct livepatch *lp, bool replace_all,
			     struct verdict **judged)
{
	struct slot *own = find_slot(s, lp), *same = slot_of(s, lp->name);
	struct room room = { .said = xstrdup("") };
	struct verdict *v;

	/* It was stored for another set: a module can be loaded once only. */
	if (same && same != own)
		same->leaves = true;
	/* Before anybody is asked to make room for it. */
	refuse_anywhere(lp);
	v = rules_judge(stored_machine(s, own), lp, known_symbols());
	if (!replace_all)
		refuse_replace_all(s, lp, v);
	for (size_t i = 0; i < v->nr_replaced; i++)
		slot_of(s, v->replaced[i]->name)->leaves = true;
	/* Without those, nothing that they have can be in its way. */
	*judged = rules_judge(stored_machine(s, own), lp, known_symbols());
	refuse_conflicts(lp, *judged);

	for (size_t i = 0; i < s->nr_slots;) {
		struct slot *slot = &s->slots[i];

		if (!slot->leaves) {
			i++;
			continue;
		}
		room.said = xasprintf("%s%s leaves the store: %s takes the place of its '%s'\n",
				      room.said, slot_label(slot), livepatch_who(lp),
				      slot->versions[0].name);
		room.slots = xrealloc(room.slots, room.nr_slots + 1, sizeof(*room.slots));
		room.slots[room.nr_slots++] = *slot;
		store_remove(s, slot);
	}
	return room;
}

static void note_room(const struct room *room)
{
	for (size_t i = 0; i < room->nr_slots; i++) {
		const struct slot *slot = &room->slots[i];

		note_stored(EVENT_REMOVED, slot->versions[0].name, slot->has_set,
			    slot->replace_set, NULL);
	}
}

/* With all their versions: a rollback brings them back. */
static void keep_room(struct version *v, const struct room *room)
{
	for (size_t i = 0; i < room->nr_slots; i++)
		store_keep_replaced(v, &room->slots[i]);
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

static bool same_parameters(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

/* --- install ---------------------------------------------------------------- */

void install_commit(struct store *s, const char *name)
{
	store_commit(s);
	guard_forgive(name);
}

static void commit_loaded(void *data)
{
	struct store *s = data;

	install_commit(s, s->loaded);
}

int install_load(struct store *s, const struct slot *slot, const struct livepatch *lp,
		 const struct module_file *file, struct load_options *options)
{
	int status;

	options->set = slot_wish(slot, lp);
	options->parameters = slot->versions[0].parameters;
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

static int install(char **words, const uint32_t *set, bool load, bool replace_all, bool strict)
{
	struct load_options options = { .replace_all = replace_all };
	struct verdict *judged;
	struct module_file *file;
	struct livepatch *lp;
	struct store *s;
	struct slot *slot;
	int status = EXIT_OK;
	struct room room;
	const char *distrust;
	char *why, *parameters;
	bool known;

	parameters_need_form("install", words + 1);
	file = module_file_open(words[0], &why);
	if (!file)
		die("%s cannot be stored: %s", words[0], why);
	parameters = parameters_from_words(file, words + 1);
	lp = read_livepatch(file, set);
	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	room = make_room(s, lp, replace_all, &judged);
	distrust = is_this_machine() ? why_not_trusted(file) : NULL;
	if (distrust)
		verdict_note_signature(judged, lp, distrust);
	refuse_guesses(lp, judged, strict);
	slot = find_slot(s, lp);
	known = slot && slot->versions[0].name && !strcmp(slot->versions[0].name, lp->name) &&
		same_parameters(slot->versions[0].parameters, parameters) &&
		same_content(slot->versions[0].path, file);
	if (!slot) {
		slot = store_add(s);
		slot->has_set = lp->has_set;
		slot->replace_set = lp->replace_set;
		slot->stock = lp->has_set ? NULL : lp->name;
	}
	if (known && is_of_other_build(&slot->versions[0])) {
		/* Whoever installs it once more knows that it fits. */
		slot->versions[0].build = xstrdup(running_build());
	}
	if (!known) {
		slot_push(slot, lp->name, file);
		slot->versions[0].parameters = parameters;
		guard_forget(lp->name);
	}
	keep_room(&slot->versions[0], &room);
	store_prepare(s);
	if (load && !(known && is_enabled(lp->name)))
		status = install_load(s, slot, lp, file, &options);
	else
		install_commit(s, lp->name);
	if (!known)
		note_stored(EVENT_STORED, lp->name, lp->has_set, lp->replace_set,
			    slot->nr_versions > 1 ? slot->versions[1].name : NULL);
	note_room(&room);
	if (opt_quiet)
		return status;
	printf("%s%s is %s for kernel %s", room.said, livepatch_who(lp), known ? "stored already" : "stored",
	       kernel_release());
	if (slot->nr_versions > 1 && slot->has_set)
		printf("; 'klp-sets rollback %u' goes back to '%s'", slot->replace_set,
		       slot->versions[1].name);
	else if (slot->versions[0].nr_replaced)
		printf("; 'klp-sets rollback %s' brings back %s", lp->name,
		       replaced_labels(&slot->versions[0]));
	putchar('\n');
	return status;
}

static int cmd_install(int argc, char **argv)
{
	const uint32_t *set = NULL;
	bool load = false, replace_all = false, strict = false;
	const struct opt opts[] = {
		{ "set", 0, TAKES_SET, &set, "put it into this set" },
		{ "strict", 0, TAKES_NOTHING, &strict, "a warning is a conflict" },
		{ "load", 0, TAKES_NOTHING, &load, "load it now as well" },
		{ "replace-all", 0, TAKES_NOTHING, &replace_all,
		  "let it take others out of the store, if it replaces everything" },
		{ 0 }
	};

	parse_options(&verb_install, argc, argv, opts, 1, -1,
		      "one FILE; 'klp-sets list --stored' shows what is stored");
	return install(argv, set, load, replace_all, strict);
}

const struct verb verb_install = {
	.name = "install",
	.run = cmd_install,
	.arguments = "[--set N] [--strict] [--load] [--replace-all] FILE [PARAMETER=TEXT...]",
	.help = "keep a livepatch in the store, to be loaded at boot",
};

/* --- uninstall -------------------------------------------------------------- */

/* Whether the machine died of it, or survived it: it is not loaded any more. */
static void forget_guards(const char *name)
{
	if (!name)
		return;
	guard_forgive(name);
	guard_forget(name);
}

void uninstall_slot(struct store *s, struct slot *slot)
{
	const char *name = slot->versions[0].name;

	store_remove(s, slot);
	store_prepare(s);
	store_commit(s);
	forget_guards(name);
}

static int cmd_uninstall(int argc, char **argv)
{
	static const struct opt opts[] = { { 0 } };
	struct store *s;
	struct slot *slot, left;
	char *label, *name, *with;

	parse_options(&verb_uninstall, argc, argv, opts, 1, 1,
		      "one set, or the name of a stored livepatch");
	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	slot = store_find_arg(s, argv[0]);
	label = xstrdup(slot_label(slot));
	name = slot->versions[0].name;
	with = replaced_labels(&slot->versions[0]);
	left = *slot;
	uninstall_slot(s, slot);
	note_stored(EVENT_REMOVED, name, left.has_set, left.replace_set, NULL);
	if (opt_quiet)
		return EXIT_OK;
	printf("%s is not in the store any more", label);
	if (with)
		printf(", nor is %s, which it had replaced", with);
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

/*
 * Takes the current version away, and brings back what it had replaced. Returns the slot, or
 * NULL when nothing is left of it.
 */
static struct slot *step_back(struct store *s, struct slot *slot, struct livepatch **lp,
			      struct module_file **file, char **said)
{
	const struct version from = slot->versions[0];
	size_t index = slot - s->slots, at;
	struct slot *now = NULL;

	*said = xstrdup("");
	*lp = NULL;
	slot_pop(slot);
	if (slot->nr_versions && is_of_other_build(&slot->versions[0]))
		die("'%s' was stored for another build of kernel %s. If it fits, 'klp-sets install "
		    "%s' makes it the current version. The store is as it was",
		    slot->versions[0].name, kernel_release(),
		    load_words(s, &slot->versions[0]));
	if (slot->nr_versions) {
		*lp = slot_read(slot, 0, file);
		if (!*lp)
			die("the store is as it was");
	} else {
		store_remove(s, slot);
	}
	for (size_t i = from.nr_replaced; i-- > 0;) {
		const struct slot *old = &from.replaced[i];

		at = store_bring_back(s, index, old);
		index += at == index && *lp;
		*said = xasprintf("%s is in the store again, with '%s'\n%s", slot_label(old),
				  s->slots[at].versions[0].name ?: "(missing)", *said);
	}
	if (*lp)
		now = find_slot(s, *lp);
	/* Others may have come since, which do not go together with those. */
	for (size_t i = 0; i < from.nr_replaced; i++) {
		const struct slot *old = from.replaced[i].has_set ?
					 store_find_set(s, from.replaced[i].replace_set) :
					 store_find_stock(s, from.replaced[i].stock);
		struct livepatch *back = slot_read(old, 0, NULL);

		if (back)
			refuse_conflicts(back, rules_judge(stored_machine(s, old), back,
							   known_symbols()));
	}
	return now;
}

/* There was no version before, but what it had replaced. */
static int rollback_to_nothing(struct store *s, const char *from, const char *back)
{
	store_prepare(s);
	store_commit(s);
	forget_guards(from);
	note_stored(EVENT_ROLLED_BACK, NULL, false, 0, from);
	if (opt_quiet)
		return EXIT_OK;
	printf("%s'%s' is not in the store any more\n", back, from ? from : "(missing)");
	if (from && is_this_machine() && is_enabled(from))
		printf("'%s' stays loaded until the next boot, or until 'klp-sets unload %s' and 'klp-sets boot'\n",
		       from, from);
	return EXIT_OK;
}

static int rollback(const char *arg, struct load_options *options, bool replace_all)
{
	struct verdict *judged;
	struct module_file *file;
	struct livepatch *lp;
	struct store *s;
	struct slot *slot;
	int status = EXIT_OK;
	struct room room;
	bool load, held;
	char *from, *back;
	time_t when;

	options->replace_all = replace_all;
	lock_changes();
	guard_sweep(GUARD_SECONDS);
	s = store_read();
	slot = store_find_arg(s, arg);
	from = slot->versions[0].name;
	if (slot->nr_versions < 2 && !slot->versions[0].nr_replaced)
		die("there is no version before '%s' of %s in the store", from ? from : "?",
		    slot_label(slot));
	slot = step_back(s, slot, &lp, &file, &back);
	if (!slot)
		return rollback_to_nothing(s, from, back);
	held = guard_held(lp->name, &when);
	/* It was stored once, by somebody who was told. */
	room = make_room(s, lp, replace_all, &judged);
	slot = find_slot(s, lp);
	keep_room(&slot->versions[0], &room);
	store_prepare(s);
	load = is_this_machine() && has_other(slot);
	if (load)
		status = install_load(s, slot, lp, file, options);
	else
		install_commit(s, lp->name);
	if (from && strcmp(from, lp->name))
		forget_guards(from);
	note_stored(EVENT_ROLLED_BACK, lp->name, lp->has_set, lp->replace_set, from);
	note_room(&room);
	if (held)
		warn("'%s' is loaded at boot again, although the machine died after it was loaded on %s",
		     lp->name, date(when));
	if (opt_quiet)
		return status;
	printf("%s%s%s is stored again%s", room.said, back, livepatch_who(lp),
	       load ? ", and loaded" : "");
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
	bool replace_all = false;
	const struct opt opts[] = {
		{ "wait", 0, MAY_TAKE_SECONDS, &load.wait,
		  "wait so long for each transition, or as long as it takes" },
		{ "replace-all", 0, TAKES_NOTHING, &replace_all,
		  "let it take others out of the store, if it replaces everything" },
		{ 0 }
	};

	parse_options(&verb_rollback, argc, argv, opts, 1, 1,
		      "one set, or the name of a stored livepatch");
	return rollback(argv[0], &load, replace_all);
}

const struct verb verb_rollback = {
	.name = "rollback",
	.run = cmd_rollback,
	.arguments = "[--wait[=SECONDS]] [--replace-all] SET|PATCH",
	.help = "go back to the version before, in the store and on the machine",
};
