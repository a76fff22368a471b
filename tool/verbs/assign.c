// SPDX-License-Identifier: GPL-2.0
/* assign.c - klp-sets assign: shows assignments, makes and drops them */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/assign.h"
#include "verbs/load.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "verbs/table.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "read/journal.h"
#include "read/livepatch.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/util.h"

/* One that has nothing to do with a configuration in a folder. */
static struct machine *this_machine(void)
{
	return is_this_machine() ? machine_read() : machine_empty();
}

static bool is_in_set(const struct livepatch *lp, const struct assignment *a)
{
	return lp->managed && lp->replace_set == a->replace_set;
}

/* Whether a livepatch that it is for is in its set. */
static bool belongs(const struct machine *m, const struct assignment *a)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (assignment_matches(a, m->patches[i]->name) && is_in_set(m->patches[i], a))
			return true;
	}
	return false;
}

/* In the kernel, under this very name. */
static bool waits(const struct machine *m, const char *name)
{
	return assignment_find(m->assignments, m->nr_assignments, name);
}

/* In the file. */
static bool is_kept(const char *name)
{
	size_t n;
	const struct assignment *kept = assignments_kept(&n);

	return assignment_find(kept, n, name);
}

static const char *describe(const struct machine *m, const struct assignment *a, bool kept)
{
	if (belongs(m, a))
		return "enabled, in this set";
	if (machine_find(m, a->name))
		return "enabled, but not in this set";
	if (m->assignments_hidden)
		return "? (only root may see what waits)";
	if (!kept)
		return "waits for it, until klp_sets is removed";
	return waits(m, a->name) ? "waits for it" : "at the next boot or load";
}

static void add_row(struct table *table, const struct machine *m, const struct assignment *a,
		    bool kept)
{
	char *obsoletes = xstrdup(a->nr_obsoletes ? "" : "-");
	const char *cells[] = { a->name, xstrdup(set_label(a->replace_set)), NULL,
				describe(m, a, kept) };

	for (size_t i = 0; i < a->nr_obsoletes; i++)
		obsoletes = xasprintf("%s%s%s", obsoletes, i ? "," : "",
				      set_label(a->obsoletes[i]));
	cells[2] = obsoletes;
	table_add(table, cells);
}

static void add_json(json_object *list, const struct machine *m, const struct assignment *a,
		     bool kept)
{
	json_object *row = json_object_new_object();

	json_object_object_add(row, "name", json_text(a->name));
	json_add_set(row, true, a->replace_set);
	json_object_object_add(row, "obsoletes", json_sets(a->obsoletes, a->nr_obsoletes));
	json_object_object_add(row, "kept", json_object_new_boolean(kept));
	json_object_object_add(row, "waiting", m->assignments_hidden ? NULL :
			       json_object_new_boolean(waits(m, a->name)));
	json_object_object_add(row, "enabled", json_object_new_boolean(belongs(m, a)));
	json_object_array_add(list, row);
}

static void show(void)
{
	static const char * const headings[] = { "MODULE", "SET", "OBSOLETES", "STATUS", NULL };
	struct machine *m = this_machine();
	json_object *root = json_new(), *list = json_object_new_array();
	struct table *table = table_new(headings);
	size_t n, nr = 0;
	struct assignment *kept = assignments_kept(&n);

	for (size_t i = 0; i < n; i++, nr++) {
		add_row(table, m, &kept[i], true);
		add_json(list, m, &kept[i], true);
	}
	for (size_t i = 0; i < m->nr_assignments; i++) {
		if (is_kept(m->assignments[i].name))
			continue;
		add_row(table, m, &m->assignments[i], false);
		add_json(list, m, &m->assignments[i], false);
		nr++;
	}
	json_object_object_add(root, "assignments", list);
	if (m->assignments_hidden && !opt_quiet)
		warn("others may wait in the kernel: only root may see them");
	if (opt_json)
		json_print(root);
	else if (nr)
		table_print(table, 0, nr - 1);
	else
		puts("No livepatch is assigned to a set.");
	table_free(table);
}

/* The name of a module, or a pattern. */
static char *need_name(const char *arg)
{
	char *name = module_underscores(xstrdup(arg));

	if (!strchr(name, '*'))
		return need_module_name(arg);
	if (!is_module_pattern(name))
		usage_error("'%s' cannot be the name of a module, nor the start of one and a *",
			    arg);
	return name;
}

static int drop(const char *arg)
{
	struct machine *m = this_machine();
	char *module = need_name(arg);
	bool kept = is_kept(module), waiting = waits(m, module);
	struct entry *e;
	int err;

	if (!kept && !waiting)
		die("'%s' is assigned to no set; 'klp-sets assign' shows all assignments", module);
	if (waiting) {
		err = unassign_now(module);
		if (err && err != -ENOENT)
			die("the kernel does not drop the assignment of '%s': %s", module,
			    strerror(-err));
	}
	if (kept)
		assignment_keep(module, NULL, waiting ? "the kernel does not wait for it any more" : "");
	e = entry_new(EVENT_UNASSIGNED);
	entry_add(e, "KLP_SETS_LIVEPATCH", module);
	entry_send(e, "'%s' is assigned to no set any more", module);
	if (!opt_quiet) {
		const struct livepatch *lp = machine_find(m, module);

		printf("'%s' is assigned to no set any more%s\n", module,
		       lp && lp->managed ? ". It stays in its set until it is unloaded" : "");
	}
	return EXIT_OK;
}

static const char *why_refused(int err)
{
	switch (-err) {
	case EBUSY:
		return "a transition is in progress. Try again when 'klp-sets status' shows none";
	case EEXIST:
		return "it belongs to another set already. Unload it first";
	case ENOSPC:
		return "too many assignments are waiting. Drop some with 'klp-sets assign MODULE -'";
	default:
		return strerror(-err);
	}
}

/* Whether one that is kept counts more than the pattern. */
static bool has_better(const struct livepatch *lp, const struct assignment *pattern)
{
	const struct assignment *kept = assignment_kept(lp->name);

	return kept && (!assignment_is_pattern(kept) ||
			strlen(kept->name) > strlen(pattern->name));
}

/* In the kernel, a pattern is for those that are yet to come. */
int assign_enabled(const struct machine *m, const struct assignment *a)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct livepatch *lp = m->patches[i];
		struct assignment one = *a;
		char *said;
		int err;

		if (lp->managed || !lp->enabled || !assignment_matches(a, lp->name) ||
		    has_better(lp, a))
			continue;
		one.name = lp->name;
		err = assign_now(&one, &said);
		if (err) {
			warn("'%s' is enabled, and not assigned to set %s: %s", lp->name,
			     set_label(a->replace_set), said ? said : why_refused(err));
			status = EXIT_REFUSED;
		} else if (!opt_quiet) {
			printf("'%s' belongs to set %s now\n", lp->name,
			       set_label(a->replace_set));
		}
		free(said);
	}
	return status;
}

/* What cannot be taken back, when the file cannot be written. */
static const char *now_in_kernel(const struct machine *m, const struct livepatch *lp,
				 const struct assignment *a)
{
	if (!m->livepatching)
		return "";
	return lp ? xasprintf("'%s' belongs to set %s until it is unloaded", a->name,
			      set_label(a->replace_set)) :
		    xasprintf("the kernel has the assignment to set %s until the next boot, or "
			      "'klp-sets assign %s -'", set_label(a->replace_set), a->name);
}

static int assign(char **words, size_t n)
{
	struct machine *m = this_machine();
	struct assignment a;
	const struct livepatch *lp;
	struct entry *e;
	char *said = NULL;
	int err = 0;

	words[0] = need_name(words[0]);
	for (size_t i = 1; i < n; i++) {
		uint32_t set;

		if (!find_set(words[i], &set))
			usage_error("'%s' is not a set: a number from 0 to 4294967295, or a name in sets.conf%s", words[i],
				    i == 1 ? ", or - to drop the assignment" : "");
	}
	if (n - 2 > MAX_OBSOLETES)
		usage_error("%zu sets are obsoleted; at most %u can be", n - 2, MAX_OBSOLETES);
	assignment_from_words(words, n, &a);

	lp = machine_find(m, a.name);
	if (m->livepatching && !m->core)
		module_need_core();
	if (m->livepatching && !(lp && is_in_set(lp, &a))) {
		if (lp)
			transition_wait_any(PATIENCE);
		err = assign_now(&a, &said);
	}
	if (err)
		die("'%s' is not assigned to set %s: %s", a.name, set_label(a.replace_set),
		    said ? said : why_refused(err));
	assignment_keep(a.name, &a, now_in_kernel(m, lp, &a));
	e = entry_new(EVENT_ASSIGNED);
	entry_add(e, "KLP_SETS_LIVEPATCH", a.name);
	entry_add_set(e, true, a.replace_set);
	entry_send(e, "'%s' is assigned to set %s", a.name, set_label(a.replace_set));
	if (!opt_quiet && lp)
		printf("'%s' belongs to set %s now, and whenever it is loaded\n", a.name,
		       set_label(a.replace_set));
	else if (!opt_quiet)
		printf("'%s' will belong to set %s when it is loaded\n", a.name,
		       set_label(a.replace_set));
	return assignment_is_pattern(&a) ? assign_enabled(m, &a) : EXIT_OK;
}

static int cmd_assign(int argc, char **argv)
{
	const struct opt opts[] = {
		TABLE_OPTIONS,
		{ 0 }
	};

	argc = parse_options(&verb_assign, argc, argv, opts, 0, -1, NULL);
	if (!argc) {
		show();
		return EXIT_OK;
	}
	if (opt_json)
		usage_error("assign prints JSON only when it shows what is assigned");
	if (argc == 1)
		usage_error("assign needs a set after '%s', or - to drop its assignment", argv[0]);
	lock_changes();
	assignments_must_be_kept();
	if (!strcmp(argv[1], "-")) {
		if (argc > 2)
			usage_error("nothing may follow the -");
		return drop(argv[0]);
	}
	return assign(argv, argc);
}

const struct verb verb_assign = {
	.name = "assign",
	.run = cmd_assign,
	.json = true,
	.arguments = "[--no-headings] [MODULE SET [OBSOLETED SET...] | MODULE -]",
	.help = "put a livepatch that knows nothing of sets into one",
};
