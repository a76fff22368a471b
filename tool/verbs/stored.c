// SPDX-License-Identifier: GPL-2.0
/* stored.c - klp-sets list --stored: what is in the store */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "verbs/stored.h"
#include "verbs/json.h"
#include "verbs/table.h"
#include "keep/guard.h"
#include "keep/store.h"
#include "read/util.h"

static void add_slot(struct table *table, const struct slot *slot)
{
	const struct version *v = &slot->versions[0];
	char *before = xstrdup(slot->nr_versions > 1 ? slot->versions[1].name : "-");
	const char *cells[] = {
		slot->has_set ? slot_label(slot) + 4 : "-",
		v->name ? v->name : "(missing)",
		date(v->installed),
		NULL,
	};

	for (size_t i = 2; i < slot->nr_versions; i++)
		before = xasprintf("%s, %s", before, slot->versions[i].name);
	cells[3] = before;
	table_add(table, cells);
}

static void print_table(const struct store *s)
{
	static const char * const headings[] = { "SET", "LIVEPATCH", "INSTALLED", "BEFORE", NULL };
	struct table *table = table_new(headings);
	time_t when;

	for (size_t i = 0; i < s->nr_slots; i++)
		add_slot(table, &s->slots[i]);
	for (size_t i = 0; i < s->nr_slots; i++) {
		const char *name = s->slots[i].versions[0].name;

		table_print(table, i, i);
		if (name && guard_held(name, &when))
			printf("     not loaded at boot: the machine died after it was loaded on %s\n",
			       date(when));
	}
	table_free(table);
}

static json_object *slot_json(const struct store *s, const struct slot *slot)
{
	json_object *row = json_object_new_object(), *versions = json_object_new_array();
	const struct version *current = &slot->versions[0];
	time_t when;

	json_object_object_add(row, "set", slot->has_set ?
			       json_object_new_int64(slot->replace_set) : NULL);
	json_object_object_add(row, "name", current->name ?
			       json_text(current->name) : NULL);
	json_object_object_add(row, "held", json_object_new_boolean(
			       current->name && guard_held(current->name, &when)));
	for (size_t i = 0; i < slot->nr_versions; i++) {
		const struct version *v = &slot->versions[i];
		json_object *version = json_object_new_object();

		if (!v->name)
			continue;
		json_object_object_add(version, "name", json_text(v->name));
		json_object_object_add(version, "path", json_text(stable_path(s, v)));
		json_object_object_add(version, "installed", json_object_new_int64(v->installed));
		json_object_array_add(versions, version);
	}
	json_object_object_add(row, "versions", versions);
	return row;
}

int list_stored(void)
{
	struct store *s = store_read();
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
	return s->damaged ? EXIT_REFUSED : EXIT_OK;
}
