// SPDX-License-Identifier: GPL-2.0
/* assign.c - klp-sets assign: shows assignments, makes and drops them */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <string.h>

#include "verbs/assign.h"
#include "verbs/load.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "read/livepatch.h"
#include "read/names.h"
#include "read/util.h"

/* One that has nothing to do with a configuration in a folder. */
static struct machine *this_machine(void)
{
	return is_this_machine() ? machine_read() : machine_empty();
}

static bool belongs(const struct machine *m, const struct assignment *a)
{
	const struct livepatch *lp = machine_find(m, a->name);

	return lp && lp->managed && lp->replace_set == a->replace_set;
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
	return machine_find_assignment(m, a->name) ? "waits for it" : "at the next boot or load";
}

static void print_row(const struct machine *m, const struct assignment *a, bool kept)
{
	char *obsoletes = xstrdup(a->nr_obsoletes ? "" : "-");

	for (size_t i = 0; i < a->nr_obsoletes; i++)
		obsoletes = xasprintf("%s%s%u", obsoletes, i ? "," : "", a->obsoletes[i]);
	printf("%-28s %-10u %-12s %s\n", a->name, a->replace_set, obsoletes,
	       describe(m, a, kept));
}

static void add_json(json_object *list, const struct machine *m, const struct assignment *a,
		     bool kept)
{
	json_object *row = json_object_new_object(), *obsoletes = json_object_new_array();

	for (size_t i = 0; i < a->nr_obsoletes; i++)
		json_object_array_add(obsoletes, json_object_new_int64(a->obsoletes[i]));
	json_object_object_add(row, "name", json_text(a->name));
	json_object_object_add(row, "set", json_object_new_int64(a->replace_set));
	json_object_object_add(row, "obsoletes", obsoletes);
	json_object_object_add(row, "kept", json_object_new_boolean(kept));
	json_object_object_add(row, "waiting", m->assignments_hidden ? NULL :
			       json_object_new_boolean(!!machine_find_assignment(m, a->name)));
	json_object_object_add(row, "enabled", json_object_new_boolean(belongs(m, a)));
	json_object_array_add(list, row);
}

static void show_one(json_object *list, const struct machine *m, const struct assignment *a,
		     bool kept)
{
	if (opt_json)
		add_json(list, m, a, kept);
	else
		print_row(m, a, kept);
}

static void show(void)
{
	struct machine *m = this_machine();
	json_object *list = json_object_new_array();
	size_t n;
	struct assignment *kept = assignments_kept(&n);

	if (!opt_json)
		printf("%-28s %-10s %-12s %s\n", "MODULE", "SET", "OBSOLETES", "STATUS");
	for (size_t i = 0; i < n; i++)
		show_one(list, m, &kept[i], true);
	for (size_t i = 0; i < m->nr_assignments; i++) {
		if (!assignment_kept(m->assignments[i].name))
			show_one(list, m, &m->assignments[i], false);
	}
	if (m->assignments_hidden && !opt_quiet)
		warn("others may wait in the kernel: only root may see them");
	if (opt_json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

static int drop(const char *arg)
{
	struct machine *m = this_machine();
	char *module = need_module_name(arg);
	bool kept = assignment_kept(module), waiting = machine_find_assignment(m, module);
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

/* What cannot be taken back, when the file cannot be written. */
static const char *now_in_kernel(const struct machine *m, const struct livepatch *lp,
				 const struct assignment *a)
{
	if (!m->livepatching)
		return "";
	return lp ? xasprintf("'%s' belongs to set %u until it is unloaded", a->name,
			      a->replace_set) :
		    xasprintf("the kernel has the assignment to set %u until the next boot, or "
			      "'klp-sets assign %s -'", a->replace_set, a->name);
}

static int assign(char **words, size_t n)
{
	struct machine *m = this_machine();
	struct assignment a;
	const struct livepatch *lp;
	char *said = NULL;
	int err = 0;

	words[0] = need_module_name(words[0]);
	for (size_t i = 1; i < n; i++) {
		uint32_t set;

		if (!parse_set(words[i], &set))
			usage_error("'%s' is not a set: a number from 0 to 4294967295%s", words[i],
				    i == 1 ? ", or - to drop the assignment" : "");
	}
	if (n - 2 > MAX_OBSOLETES)
		usage_error("%zu sets are obsoleted; at most %u can be", n - 2, MAX_OBSOLETES);
	assignment_from_words(words, n, &a);

	lp = machine_find(m, a.name);
	if (m->livepatching && !m->core)
		module_need_core();
	if (m->livepatching && !(lp && belongs(m, &a))) {
		if (lp)
			transition_wait_any(PATIENCE);
		err = assign_now(&a, &said);
	}
	if (err)
		die("'%s' is not assigned to set %u: %s", a.name, a.replace_set,
		    said ? said : why_refused(err));
	assignment_keep(a.name, &a, now_in_kernel(m, lp, &a));
	if (opt_quiet)
		return EXIT_OK;
	if (lp)
		printf("'%s' belongs to set %u now, and whenever it is loaded\n", a.name,
		       a.replace_set);
	else
		printf("'%s' will belong to set %u when it is loaded\n", a.name, a.replace_set);
	return EXIT_OK;
}

static int cmd_assign(int argc, char **argv)
{
	static const struct opt opts[] = { { 0 } };
	char **words = parse_options(&verb_assign, argc, argv, opts, 0, -1, NULL);
	size_t n = 0;

	while (words[n])
		n++;
	if (!n) {
		show();
		return EXIT_OK;
	}
	if (n == 1)
		usage_error("assign needs a set after '%s', or - to drop its assignment", words[0]);
	lock_changes();
	assignments_must_be_kept();
	if (!strcmp(words[1], "-")) {
		if (n > 2)
			usage_error("nothing may follow the -");
		return drop(words[0]);
	}
	return assign(words, n);
}

const struct verb verb_assign = {
	.name = "assign",
	.run = cmd_assign,
	.arguments = "[MODULE SET [OBSOLETED SET...] | MODULE -]",
	.help = "put a livepatch that knows nothing of sets into one",
};
