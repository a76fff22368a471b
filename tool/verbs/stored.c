// SPDX-License-Identifier: GPL-2.0
/* stored.c - klp-sets list --stored: what is in the store */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>

#include "verbs/stored.h"
#include "verbs/json.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "read/util.h"

static void print_slot(const struct slot *slot)
{
	const struct version *v = &slot->versions[0];
	char *replaced = replaced_labels(v);
	time_t when;

	printf("%-12s %-28s %-17s ", slot->has_set ? slot_label(slot) + 4 : "-",
	       v->name ? v->name : "(missing)", date(v->installed));
	for (size_t i = 1; i < slot->nr_versions; i++)
		printf("%s%s", i > 1 ? ", " : "", slot->versions[i].name);
	puts(slot->nr_versions > 1 ? "" : "-");
	if (v->name && guard_held(v->name, &when))
		printf("%-12s not loaded at boot: the machine died after it was loaded on %s\n", "",
		       date(when));
	if (v->parameters)
		printf("%-12s with %s\n", "", printable(v->parameters));
	if (is_of_other_build(v))
		printf("%-12s not loaded at boot: it was stored for another build of this kernel\n",
		       "");
	if (replaced)
		printf("%-12s took the place of %s: 'klp-sets rollback %s' brings that back\n", "",
		       replaced, slot->has_set ? slot_label(slot) + 4 : slot->stock);
}

/* Those of sets by their number, stock livepatches by name. */
static json_object *replaced_json(const struct version *v)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < v->nr_replaced; i++) {
		const struct slot *old = &v->replaced[i];
		json_object *row = json_object_new_object();

		json_object_object_add(row, "set", old->has_set ?
				       json_object_new_int64(old->replace_set) : NULL);
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

	json_object_object_add(row, "set", slot->has_set ?
			       json_object_new_int64(slot->replace_set) : NULL);
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
	json_object *list;

	if (opt_json) {
		list = json_object_new_array();
		for (size_t i = 0; i < s->nr_slots; i++)
			json_object_array_add(list, slot_json(s, &s->slots[i]));
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(list);
	} else if (!s->nr_slots) {
		printf("nothing is stored for kernel %s\n", kernel_release());
	} else {
		printf("%-12s %-28s %-17s %s\n", "SET", "LIVEPATCH", "INSTALLED", "BEFORE");
		for (size_t i = 0; i < s->nr_slots; i++)
			print_slot(&s->slots[i]);
	}
	if (!opt_json && others)
		printf("There are stores of other kernels, which KLP_SETS_KERNEL=RELEASE in the environment shows: %s\n",
		       printable(others));
	return s->damaged ? EXIT_REFUSED : EXIT_OK;
}
