// SPDX-License-Identifier: GPL-2.0
/* stored.c - klp-sets list --stored: what is in the store */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "verbs/stored.h"
#include "verbs/json.h"
#include "verbs/table.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "read/setnames.h"
#include "read/util.h"

static void add_slot(struct table *table, const struct slot *slot)
{
	const struct version *v = &slot->versions[0];
	char *before = xstrdup(slot->nr_versions > 1 ? slot->versions[1].name : "-");
	const char *set = slot->has_set ? set_name(slot->replace_set) : NULL;
	const char *cells[] = {
		slot->has_set ? slot_argument(slot) : "-",
		v->name ? v->name : "(missing)",
		date(v->installed),
		NULL,
		set ? set : "-",
	};

	for (size_t i = 2; i < slot->nr_versions; i++)
		before = xasprintf("%s, %s", before, slot->versions[i].name);
	cells[3] = before;
	table_add(table, cells);
}

/* What is not as usual, below the line of the livepatch. */
static void print_remarks(const struct slot *slot)
{
	const struct version *v = &slot->versions[0];
	char *replaced = replaced_labels(v);
	time_t when;

	if (v->name && guard_held(v->name, &when))
		printf("     not loaded at boot: the machine died after it was loaded on %s\n",
		       date(when));
	if (v->parameters)
		printf("     with %s\n", printable(v->parameters));
	if (is_of_other_build(v))
		puts("     not loaded at boot: it was stored for another build of this kernel");
	if (replaced)
		printf("     took the place of %s: 'klp-sets rollback %s' brings that back\n",
		       replaced, slot_argument(slot));
	free(replaced);
}

static void print_table(const struct store *s)
{
	static const char * const headings[] = { "SET", "LIVEPATCH", "INSTALLED", "BEFORE",
						 "SET NAME", NULL };
	static const char * const nameless[] = { "SET", "LIVEPATCH", "INSTALLED", "BEFORE", NULL };
	struct table *table = table_new(have_set_names() ? headings : nameless);

	for (size_t i = 0; i < s->nr_slots; i++)
		add_slot(table, &s->slots[i]);
	for (size_t i = 0; i < s->nr_slots; i++) {
		table_print(table, i, i);
		print_remarks(&s->slots[i]);
	}
	table_free(table);
}

/* Those of sets by their number, stock livepatches by name. */
static json_object *replaced_json(const struct version *v)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < v->nr_replaced; i++) {
		const struct slot *old = &v->replaced[i];
		json_object *row = json_object_new_object();

		json_add_set(row, old->has_set, old->replace_set);
		json_object_object_add(row, "name", json_text(old->versions[0].name));
		json_object_array_add(array, row);
	}
	return array;
}

static json_object *slot_json(const struct store *s, const struct slot *slot)
{
	json_object *row = json_object_new_object(), *versions = json_object_new_array();
	const struct version *current = &slot->versions[0];
	time_t when;

	json_add_set(row, slot->has_set, slot->replace_set);
	json_object_object_add(row, "name", current->name ?
			       json_text(current->name) : NULL);
	json_object_object_add(row, "held", json_object_new_boolean(
			       current->name && guard_held(current->name, &when)));
	json_object_object_add(row, "other_build", json_object_new_boolean(
			       is_of_other_build(current)));
	for (size_t i = 0; i < slot->nr_versions; i++) {
		const struct version *v = &slot->versions[i];
		json_object *version = json_object_new_object();

		if (!v->name)
			continue;
		json_object_object_add(version, "name", json_text(v->name));
		json_object_object_add(version, "path", json_text(stable_path(s, v)));
		json_object_object_add(version, "installed", json_object_new_int64(v->installed));
		json_object_object_add(version, "parameters", json_text(v->parameters));
		json_object_object_add(version, "build", json_text(v->build));
		json_object_object_add(version, "replaced", replaced_json(v));
		json_object_array_add(versions, version);
	}
	json_object_object_add(row, "versions", versions);
	return row;
}

int list_stored(void)
{
	struct store *s = store_read();
	char *others = store_other_labels();
	json_object *root, *list;

	if (opt_json) {
		list = json_object_new_array();
		for (size_t i = 0; i < s->nr_slots; i++)
			json_object_array_add(list, slot_json(s, &s->slots[i]));
		root = json_new();
		json_object_object_add(root, "stored", list);
		json_print(root);
	} else if (!s->nr_slots) {
		printf("nothing is stored for kernel %s\n", kernel_release());
	} else {
		print_table(s);
	}
	if (!opt_json && others)
		printf("There are stores of other kernels, which KLP_SETS_KERNEL=RELEASE in the environment shows: %s\n",
		       printable(others));
	return s->damaged ? EXIT_REFUSED : EXIT_OK;
}
