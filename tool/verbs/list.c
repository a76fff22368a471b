// SPDX-License-Identifier: GPL-2.0
/* list.c - klp-sets list: every livepatch on this machine, with a set or without */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/list.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "verbs/stored.h"
#include "verbs/table.h"
#include "know/machine.h"
#include "keep/assignments.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/util.h"

static const char *kind(const struct livepatch *lp)
{
	if (!lp->managed)
		return "stock";
	return lp->native ? "native" : "adopted";
}

static const char *status(const struct livepatch *lp)
{
	if (!lp->transition)
		return "enabled";
	return lp->enabled ? "patching" : "unpatching";
}

/* The engine shows the states of the patch that has the set; stock shows none. */
static bool states_are_known(const struct machine *m, const struct livepatch *lp)
{
	return lp->managed && machine_find_set(m, lp->replace_set) == lp;
}

static char *sets_text(const uint32_t *sets, size_t n)
{
	char *text = xstrdup(""), *longer;

	for (size_t i = 0; i < n; i++) {
		longer = xasprintf("%s%s%s", text, i ? " " : "", set_label(sets[i]));
		free(text);
		text = longer;
	}
	return text;
}

/* --- for people --------------------------------------------------------------- */

static void add_patch(struct table *table, const struct machine *m, const struct livepatch *lp)
{
	const char *cells[] = {
		lp->managed ? xasprintf("%u", lp->replace_set) : "-",
		lp->name,
		lp->version ? lp->version : "-",
		xasprintf("%zu", lp->nr_funcs),
		states_are_known(m, lp) ? xasprintf("%zu", lp->nr_states) : "?",
		kind(lp),
		!lp->nr_obsoletes ? status(lp) :
			xasprintf("%s, obsoletes %s", status(lp),
				  sets_text(lp->obsoletes, lp->nr_obsoletes)),
		lp->managed && set_name(lp->replace_set) ? set_name(lp->replace_set) : "-",
	};

	table_add(table, cells);
}

static void add_leftover(struct table *table, const struct leftover *leftover)
{
	const char *cells[] = {
		"-",
		leftover->name,
		leftover->version ? leftover->version : "-",
		"-",
		"-",
		"leftover",
		!leftover->refcnt ? "unused" :
			xasprintf("held, %ld reference%s", leftover->refcnt,
				  leftover->refcnt == 1 ? "" : "s"),
		"-",
	};

	table_add(table, cells);
}

static void print_details(const struct machine *m, const struct livepatch *lp)
{
	for (size_t i = 0; i < lp->nr_funcs; i++)
		printf("     function %s\n", func_label(&lp->funcs[i]));
	for (size_t i = 0; i < lp->nr_states; i++) {
		const struct state *state = &lp->states[i];

		printf("     state %lu%s%s%s%s\n", state->id, state->name ? " '" : "",
		       state->name ? printable(state->name) : "", state->name ? "'" : "",
		       state->block_disable ? ", cannot be disabled" : "");
	}
	if (!states_are_known(m, lp))
		puts("     states cannot be seen");
}

static void print_table(const struct machine *m, bool verbose)
{
	static const char * const headings[] = { "SET", "PATCH", "VERSION", "FUNCTIONS", "STATES",
						 "KIND", "STATUS", "SET NAME", NULL };
	static const char * const nameless[] = { "SET", "PATCH", "VERSION", "FUNCTIONS", "STATES",
						 "KIND", "STATUS", NULL };
	size_t nr = m->nr_patches + m->nr_leftovers;
	struct table *table = table_new(have_set_names() ? headings : nameless);

	for (size_t i = 0; i < m->nr_patches; i++)
		add_patch(table, m, m->patches[i]);
	for (size_t i = 0; i < m->nr_leftovers; i++)
		add_leftover(table, &m->leftovers[i]);
	if (!nr)
		puts("No livepatch is loaded.");
	else if (!verbose)
		table_print(table, 0, nr - 1);
	for (size_t i = 0; verbose && i < nr; i++) {
		table_print(table, i, i);
		if (i < m->nr_patches)
			print_details(m, m->patches[i]);
	}
	table_free(table);
}

static void print_assignment(const struct assignment *a)
{
	printf("%s joins set %s when it is loaded", a->name, set_label(a->replace_set));
	if (a->nr_obsoletes)
		printf(", obsoletes %s", sets_text(a->obsoletes, a->nr_obsoletes));
	putchar('\n');
}

static void print_text(const struct machine *m, bool verbose)
{
	print_table(m, verbose);
	for (size_t i = 0; i < m->nr_assignments; i++)
		print_assignment(&m->assignments[i]);
	if (m->assignments_hidden && !opt_quiet)
		warn("livepatches may be assigned that are not loaded yet: only root may see them");
	if (!m->core && !opt_quiet)
		puts("klp_sets is not loaded, so there are no sets; 'modprobe klp_sets' loads it.");
}

/* --- for programs ------------------------------------------------------------- */

static struct json_object *json_funcs(const struct livepatch *lp)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < lp->nr_funcs; i++)
		json_object_array_add(array, json_func(&lp->funcs[i]));
	return array;
}

static struct json_object *json_states(const struct livepatch *lp)
{
	struct json_object *array = json_object_new_array(), *state;

	for (size_t i = 0; i < lp->nr_states; i++) {
		state = json_object_new_object();
		json_object_object_add(state, "id", json_id(lp->states[i].id));
		json_object_object_add(state, "name", json_text(lp->states[i].name));
		json_object_object_add(state, "block_disable",
				       json_object_new_boolean(lp->states[i].block_disable));
		json_object_array_add(array, state);
	}
	return array;
}

static struct json_object *json_patch(const struct machine *m, const struct livepatch *lp)
{
	struct json_object *patch = json_object_new_object();

	json_object_object_add(patch, "name", json_text(lp->name));
	json_object_object_add(patch, "version", json_text(lp->version));
	json_object_object_add(patch, "kind", json_text(kind(lp)));
	json_add_set_of(patch, lp);
	json_object_object_add(patch, "obsoletes", json_sets(lp->obsoletes, lp->nr_obsoletes));
	json_object_object_add(patch, "status", json_text(status(lp)));
	json_object_object_add(patch, "enabled", json_object_new_boolean(lp->enabled));
	json_object_object_add(patch, "transition", json_object_new_boolean(lp->transition));
	json_object_object_add(patch, "functions", json_funcs(lp));
	/* null: what cannot be seen is not the same as none. */
	json_object_object_add(patch, "states",
			       states_are_known(m, lp) ? json_states(lp) : NULL);
	return patch;
}

static struct json_object *json_leftover(const struct leftover *leftover)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_text(leftover->name));
	json_object_object_add(object, "version", json_text(leftover->version));
	json_object_object_add(object, "references", json_object_new_int64(leftover->refcnt));
	return object;
}

static struct json_object *json_assignment(const struct assignment *a)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_text(a->name));
	json_add_set(object, true, a->replace_set);
	json_object_object_add(object, "obsoletes", json_sets(a->obsoletes, a->nr_obsoletes));
	return object;
}

static void print_json(const struct machine *m)
{
	struct json_object *root = json_new(), *array;

	json_object_object_add(root, "core", json_object_new_boolean(m->core));
	array = json_object_new_array();
	for (size_t i = 0; i < m->nr_patches; i++)
		json_object_array_add(array, json_patch(m, m->patches[i]));
	json_object_object_add(root, "patches", array);

	array = json_object_new_array();
	for (size_t i = 0; i < m->nr_leftovers; i++)
		json_object_array_add(array, json_leftover(&m->leftovers[i]));
	json_object_object_add(root, "leftovers", array);

	array = json_object_new_array();
	for (size_t i = 0; i < m->nr_assignments; i++)
		json_object_array_add(array, json_assignment(&m->assignments[i]));
	json_object_object_add(root, "assignments", m->assignments_hidden ? NULL : array);

	json_print(root);
}

static int cmd_list(int argc, char **argv)
{
	bool verbose = false, stored = false;
	const struct opt opts[] = {
		{ "verbose", 'v', TAKES_NOTHING, &verbose, "the functions and states of each, too" },
		{ "stored", 0, TAKES_NOTHING, &stored, "the store, in the order in which it is loaded" },
		TABLE_OPTIONS,
		{ 0 }
	};
	struct machine *m;

	parse_options(&verb_list, argc, argv, opts, 0, 0, NULL);
	if (stored)
		return list_stored();

	m = machine_read();
	machine_need_livepatching(m);
	if (opt_json)
		print_json(m);
	else
		print_text(m, verbose);
	machine_free(m);
	return EXIT_OK;
}

const struct verb verb_list = {
	.name = "list",
	.run = cmd_list,
	.json = true,
	.arguments = "[-v|--verbose] [--stored] [--no-headings]",
	.help = "sets and livepatches on this machine, or in the store",
};
