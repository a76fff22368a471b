// SPDX-License-Identifier: GPL-2.0
/* policy.c - klp-sets policy: shows how far a replace may reach, and changes it */
#include <errno.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/policy.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "verbs/table.h"
#include "keep/files.h"
#include "keep/policies.h"
#include "read/journal.h"
#include "read/util.h"

/* Those without a list of values are booleans. What makes no sense is kept as it is. */
static struct json_object *json_value(const struct knob *knob, const char *value)
{
	char *parsed = value && !knob->values ? knob_parse(knob, value) : NULL;
	struct json_object *o;

	o = parsed ? json_object_new_boolean(!strcmp(parsed, "1")) : json_text(value);
	free(parsed);
	return o;
}

static struct json_object *json_values(const struct knob *knob)
{
	char *list = xstrdup(knob_values(knob)), *word, *rest;
	struct json_object *array = json_object_new_array();

	for (word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		json_object_array_add(array, json_value(knob, word));
	free(list);
	return array;
}

static void show(void)
{
	static const char * const headings[] = { "NAME", "NOW", "KEPT", "VALUES", "MEANING", NULL };
	json_object *root = json_new(), *all = json_object_new_array();
	struct table *table = table_new(headings);

	for (size_t i = 0; i < NR_KNOBS; i++) {
		const struct knob *knob = &knobs[i];
		char *now = knob_now(knob), *kept = knob_kept_text(knob, true);
		char *value = kept ? knob_parse(knob, kept) : NULL;
		json_object *row;

		kept = value ? value : kept;
		const char *cells[] = {
			knob->name,
			now ? now : "-",
			kept ? kept : xasprintf("(%s)", knob->normal),
			knob_values(knob),
			knob->meaning,
		};

		table_add(table, cells);
		row = json_object_new_object();
		json_object_object_add(row, "name", json_text(knob->name));
		json_object_object_add(row, "now", json_value(knob, now));
		json_object_object_add(row, "kept", json_value(knob, kept));
		json_object_object_add(row, "default", json_value(knob, knob->normal));
		json_object_object_add(row, "values", json_values(knob));
		json_object_array_add(all, row);
	}
	json_object_object_add(root, "policies", all);
	if (opt_json)
		json_print(root);
	else
		table_print(table, 0, NR_KNOBS - 1);
	if (!opt_json && !knob_now(&knobs[0]))
		puts("klp_sets is not loaded. It will be with what is kept; (...) is the default.");
	table_free(table);
}

static const struct knob *find_knob(const char *arg, const char **value)
{
	for (size_t i = 0; i < NR_KNOBS; i++) {
		if (strchr(arg, '=') && is_knob(&knobs[i], arg, strlen(arg), value))
			return &knobs[i];
	}
	usage_error("'%s' is not a policy. It must be NAME=VALUE, and NAME one of stock_replace, "
		    "set0_replaces_all, allow_replace_all, taint", arg);
}

static void set_now(const struct knob *knob, const char *new)
{
	int err = knob_set_now(knob, new);

	if (err && err != -ENOENT)
		die(KNOB_PARAMETERS "/%s cannot be set to %s: %s. " POLICY_CONF " has it already",
		    knob->name, new, strerror(-err));
	if (!opt_quiet)
		printf("%s is %s %swhenever klp_sets is loaded\n", knob->name, new,
		       err ? "" : "now, and ");
}

/* For the journal. */
static void note_policy(const struct knob *knob, const char *new)
{
	struct entry *e = entry_new(EVENT_POLICY);

	entry_add(e, "KLP_SETS_POLICY", knob->name);
	entry_add(e, "KLP_SETS_VALUE", new);
	entry_send(e, "the policy %s is %s", knob->name, new);
}

static int cmd_policy(int argc, char **argv)
{
	const struct opt opts[] = {
		TABLE_OPTIONS,
		{ 0 }
	};
	const struct knob **changed;
	const char *value;
	char **new;

	argc = parse_options(&verb_policy, argc, argv, opts, 0, -1, NULL);
	if (!argc) {
		show();
		return EXIT_OK;
	}

	if (opt_json)
		usage_error("policy prints JSON only when it shows what is set");
	/* All are looked at before any is written. */
	changed = xcalloc(argc, sizeof(*changed));
	new = xcalloc(argc, sizeof(*new));
	for (int i = 0; i < argc; i++) {
		changed[i] = find_knob(argv[i], &value);
		new[i] = knob_parse(changed[i], value);
		if (!new[i])
			usage_error("%s cannot be '%s'. It can be one of: %s", changed[i]->name,
				    value, knob_values(changed[i]));
	}

	lock_changes();
	knobs_keep(changed, new, argc);
	for (int i = 0; i < argc; i++) {
		char *kept = knob_kept(changed[i]);

		set_now(changed[i], new[i]);
		note_policy(changed[i], new[i]);
		if (!kept || strcmp(kept, new[i]))
			warn("another file of modprobe.d sets %s as well, and wins: it will be %s "
			     "when klp_sets is loaded", changed[i]->name, kept ? kept : "unset");
	}
	return EXIT_OK;
}

const struct verb verb_policy = {
	.name = "policy",
	.run = cmd_policy,
	.json = true,
	.arguments = "[--no-headings] [NAME=VALUE...]",
	.help = "show or set how far a replace may reach",
};
