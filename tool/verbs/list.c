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
#include "know/machine.h"
#include "keep/assignments.h"
#include "read/livepatch.h"
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
		longer = xasprintf("%s%s%u", text, i ? " " : "", sets[i]);
		free(text);
		text = longer;
	}
	return text;
}

/* --- for people --------------------------------------------------------------- */

enum { SET, PATCH, VERSION, FUNCTIONS, STATES, KIND, STATUS, COLUMNS };

struct row {
	char *cells[COLUMNS];
	const struct livepatch *lp;	/* NULL: not a patch */
};

static struct row patch_row(const struct machine *m, const struct livepatch *lp)
{
	struct row row = { .lp = lp };

	row.cells[SET] = lp->managed ? xasprintf("%u", lp->replace_set) : xstrdup("-");
	row.cells[PATCH] = printable(lp->name);
	row.cells[VERSION] = printable(lp->version ? lp->version : "-");
	row.cells[FUNCTIONS] = xasprintf("%zu", lp->nr_funcs);
	row.cells[STATES] = states_are_known(m, lp) ? xasprintf("%zu", lp->nr_states) :
			    xstrdup("?");
	row.cells[KIND] = xstrdup(kind(lp));
	if (lp->nr_obsoletes)
		row.cells[STATUS] = xasprintf("%s, obsoletes %s", status(lp),
					      sets_text(lp->obsoletes, lp->nr_obsoletes));
	else
		row.cells[STATUS] = xstrdup(status(lp));
	return row;
}

static struct row leftover_row(const struct leftover *leftover)
{
	struct row row = { };

	row.cells[SET] = xstrdup("-");
	row.cells[PATCH] = printable(leftover->name);
	row.cells[VERSION] = printable(leftover->version ? leftover->version : "-");
	row.cells[FUNCTIONS] = xstrdup("-");
	row.cells[STATES] = xstrdup("-");
	row.cells[KIND] = xstrdup("leftover");
	row.cells[STATUS] = leftover->refcnt ? xasprintf("held, %ld reference%s", leftover->refcnt,
							 leftover->refcnt == 1 ? "" : "s") :
			    xstrdup("unused");
	return row;
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

static void print_rows(const struct machine *m, const struct row *rows, size_t n, bool verbose)
{
	int width[COLUMNS] = { };

	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < COLUMNS; c++) {
			int len = strlen(rows[i].cells[c]);

			width[c] = len > width[c] ? len : width[c];
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < COLUMNS - 1; c++)
			printf("%-*s  ", width[c], rows[i].cells[c]);
		puts(rows[i].cells[STATUS]);
		if (verbose && rows[i].lp)
			print_details(m, rows[i].lp);
	}
}

static void print_table(const struct machine *m, bool verbose)
{
	struct row *rows = xcalloc(1 + m->nr_patches + m->nr_leftovers, sizeof(*rows));
	size_t n = 0;

	rows[n++] = (struct row) { .cells = { "SET", "PATCH", "VERSION", "FUNCTIONS", "STATES",
					      "KIND", "STATUS" } };
	for (size_t i = 0; i < m->nr_patches; i++)
		rows[n++] = patch_row(m, m->patches[i]);
	for (size_t i = 0; i < m->nr_leftovers; i++)
		rows[n++] = leftover_row(&m->leftovers[i]);
	if (n > 1)
		print_rows(m, rows, n, verbose);
	else
		puts("No livepatch is loaded.");
}

static void print_assignment(const struct assignment *a)
{
	printf("%s joins set %u when it is loaded", a->name, a->replace_set);
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

static struct json_object *json_sets(const uint32_t *sets, size_t n)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_int64(sets[i]));
	return array;
}

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
	json_object_object_add(patch, "set",
			       lp->managed ? json_object_new_int64(lp->replace_set) : NULL);
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
	json_object_object_add(object, "set", json_object_new_int64(a->replace_set));
	json_object_object_add(object, "obsoletes", json_sets(a->obsoletes, a->nr_obsoletes));
	return object;
}

static void print_json(const struct machine *m)
{
	struct json_object *root = json_object_new_object(), *array;

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

	puts(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(root);
}

static int cmd_list(int argc, char **argv)
{
	bool verbose = false, stored = false;
	const struct opt opts[] = {
		{ "verbose", 'v', TAKES_NOTHING, &verbose, "the functions and states of each, too" },
		{ "stored", 0, TAKES_NOTHING, &stored, "the store, in the order in which it is loaded" },
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
	.arguments = "[-v|--verbose] [--stored]",
	.help = "sets and livepatches on this machine, or in the store",
};
