// SPDX-License-Identifier: GPL-2.0
/* check.c - klp-sets check: what would happen, without doing it */
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/check.h"
#include "verbs/json.h"
#include "verbs/options.h"
#include "know/machine.h"
#include "know/rules.h"
#include "know/targets.h"
#include "know/trust.h"
#include "keep/assignments.h"
#include "read/elf.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/setnames.h"
#include "read/util.h"

struct check {
	const uint32_t *set;
	bool empty, strict;
	const char *map, *modules;
	struct symbols *symbols;
	struct machine *m;
	struct json_object *list;	/* with --json */
};

static bool is_accepted(const struct livepatch *lp, const struct verdict *v)
{
	return !v->nr_conflicts && !lp->incomplete;
}

/* --- as text -------------------------------------------------------------------- */

static void print_funcs(const char *what, const struct func *const *funcs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		printf("  %-9s%s\n", i ? "" : what, func_label(funcs[i]));
}

static bool was_assigned(const struct verdict *v)
{
	return v->assignment && v->assignment->replace_set == v->replace_set;
}

static void print_verdict(const struct livepatch *lp, const struct verdict *v)
{
	printf("%s: ", printable(lp->path));
	if (v->has_set)
		printf("set %s%s", set_label(v->replace_set), was_assigned(v) ? ", as assigned" : "");
	else
		printf(v->managed ? "unknown set" : "stock livepatch");
	puts(is_accepted(lp, v) ? "" : v->nr_conflicts ? ", REFUSED" : ", UNKNOWN");

	if (v->replace_all)
		printf("  replaces every livepatch, of whatever set%s\n", v->managed ? "" :
		       "; 'klp-sets stamp --set N' puts it into a set");
	for (size_t i = 0; i < v->nr_replaced; i++)
		printf("  %-9s%s\n", i || v->replace_all ? "" : "replaces",
		       livepatch_who(v->replaced[i]));
	print_funcs("adds", v->added, v->nr_added);
	print_funcs("keeps", v->kept, v->nr_kept);
	print_funcs("drops", v->dropped, v->nr_dropped);
	for (size_t i = 0; i < v->nr_conflicts; i++) {
		const struct conflict *c = &v->conflicts[i];

		printf("  conflict %s\n", printable(c->reason));
		/* Once for all that have the same. */
		if (i + 1 == v->nr_conflicts || strcmp(c->advice, c[1].advice))
			printf("           %s\n", printable(c->advice));
	}
	for (size_t i = 0; i < v->nr_warnings; i++)
		printf("  warning  %s\n", printable(v->warnings[i].text));
	if (v->blind)
		puts("  unknown  Two of its functions, or one of its and another's, may be one by two names: addresses are hidden.");
	if (lp->incomplete)
		puts("  unknown  It decides only when it is loaded what it changes, so it may be refused then.");
}

/* --- as JSON -------------------------------------------------------------------- */

static struct json_object *json_funcs(const struct func *const *funcs, size_t nr)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < nr; i++)
		json_object_array_add(list, json_func(funcs[i]));
	return list;
}

static struct json_object *json_states(const struct livepatch *lp)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < lp->nr_states; i++) {
		const struct state *state = &lp->states[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "id", json_id(state->id));
		if (state->managed) {
			json_object_object_add(o, "name", json_text(state->name));
			json_object_object_add(o, "is_shadow",
					       json_object_new_boolean(state->is_shadow));
			json_object_object_add(o, "block_disable",
					       json_object_new_boolean(state->block_disable));
		} else {
			json_object_object_add(o, "version",
					       json_object_new_int64(state->version));
		}
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *json_file(const char *path, bool accepted)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "file", json_text(path));
	json_object_object_add(o, "accepted", json_object_new_boolean(accepted));
	return o;
}

static struct json_object *json_conflict(const struct conflict *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "code", json_text(c->code));
	json_object_object_add(o, "reason", json_text(c->reason));
	json_object_object_add(o, "advice", json_text(c->advice));
	json_object_object_add(o, "patch", c->other ? json_text(c->other->name) : NULL);
	json_add_set_of(o, c->other);
	return o;
}

static struct json_object *json_verdict(const struct livepatch *lp, const struct verdict *v)
{
	struct json_object *o = json_file(lp->path, is_accepted(lp, v)), *list, *codes;

	json_object_object_add(o, "incomplete", json_object_new_boolean(lp->incomplete));
	json_object_object_add(o, "name", json_text(lp->name));
	json_object_object_add(o, "version", json_text(lp->version));
	json_object_object_add(o, "kernel", json_text(lp->kernel));
	json_object_object_add(o, "native", json_object_new_boolean(lp->native));
	json_add_set(o, v->has_set, v->replace_set);
	json_object_object_add(o, "obsoletes",
			       json_sets(v->obsoletes, v->has_set ? v->nr_obsoletes : 0));
	json_object_object_add(o, "replaces_all", json_object_new_boolean(v->replace_all));
	list = json_object_new_array();
	for (size_t i = 0; i < v->nr_replaced; i++)
		json_object_array_add(list, json_text(v->replaced[i]->name));
	json_object_object_add(o, "replaces", list);
	json_object_object_add(o, "adds", json_funcs(v->added, v->nr_added));
	json_object_object_add(o, "keeps", json_funcs(v->kept, v->nr_kept));
	json_object_object_add(o, "drops", json_funcs(v->dropped, v->nr_dropped));
	json_object_object_add(o, "states", json_states(lp));
	list = json_object_new_array();
	for (size_t i = 0; i < v->nr_conflicts; i++)
		json_object_array_add(list, json_conflict(&v->conflicts[i]));
	json_object_object_add(o, "conflicts", list);
	list = json_object_new_array();
	codes = json_object_new_array();
	for (size_t i = 0; i < v->nr_warnings; i++) {
		json_object_array_add(list, json_text(v->warnings[i].text));
		json_object_array_add(codes, json_text(v->warnings[i].code));
	}
	json_object_object_add(o, "warnings", list);
	json_object_object_add(o, "warning_codes", codes);
	json_object_object_add(o, "aliases_known", json_object_new_boolean(!v->blind));
	return o;
}

/* --- the verb ------------------------------------------------------------------- */

static bool report_error(struct check *check, const char *path, const char *what, char *why)
{
	struct json_object *o;

	warn("%s '%s': %s", what, path, why);
	if (opt_json) {
		o = json_file(path, false);
		json_object_object_add(o, "error", json_text(why));
		json_object_array_add(check->list, o);
	}
	free(why);
	return false;
}

static bool check_file(struct check *check, const char *path)
{
	struct module_file *file;
	struct livepatch *lp;
	struct verdict *v;
	const char *distrust;
	bool accepted;
	char *why;

	file = module_file_open(path, &why);
	lp = file ? livepatch_read(file, &why) : NULL;
	distrust = lp && check->m->livepatching ? why_not_trusted(file) : NULL;
	module_file_close(file);
	if (!lp)
		return report_error(check, path, "cannot read", why);
	if (!rules_choose_set(check->m, lp, check->set, &why)) {
		livepatch_free(lp);
		return report_error(check, path, "cannot judge", why);
	}

	v = rules_judge(check->m, lp, check->symbols);
	if (distrust)
		verdict_note_signature(v, lp, distrust);
	if (check->strict)
		verdict_be_strict(v);
	if (opt_json)
		json_object_array_add(check->list, json_verdict(lp, v));
	else
		print_verdict(lp, v);
	accepted = is_accepted(lp, v);
	/* What could be read of it counts for the files that follow. */
	if (!v->nr_conflicts && (v->has_set || !v->managed))
		machine_apply(check->m, lp, v);
	else
		livepatch_free(lp);
	verdict_free(v);
	return accepted;
}

/* What is said on the command line is all of it. */
static void read_symbols(struct check *check)
{
	if (check->map || check->modules)
		check->symbols = targets_of_files(check->map, check->modules);
	else if (check->m->livepatching)
		check->symbols = targets_of_machine_and_ftrace();
}

static int cmd_check(int argc, char **argv)
{
	struct check check = {};
	const struct opt opts[] = {
		{ "set", 0, TAKES_SET, &check.set, "as if all files were put into this set" },
		{ "empty", 0, TAKES_NOTHING, &check.empty, "as if nothing was loaded on the machine" },
		{ "strict", 0, TAKES_NOTHING, &check.strict, "a warning is a conflict" },
		{ "symbols", 0, TAKES_MAP, &check.map,
		  "a System.map, a copy of /proc/kallsyms, or a vmlinux" },
		{ "modules", 0, TAKES_FOLDER, &check.modules,
		  "the kernel's modules, a folder as in /lib/modules" },
		{ 0 }
	};
	struct json_object *root;
	bool accepted = true;

	parse_options(&verb_check, argc, argv, opts, 1, -1, "at least one FILE");
	check.m = check.empty ? machine_empty() : machine_read();
	read_symbols(&check);
	if (opt_json)
		check.list = json_object_new_array();
	for (; *argv; argv++)
		accepted &= check_file(&check, *argv);
	if (opt_json) {
		root = json_new();
		json_object_object_add(root, "files", check.list);
		json_print(root);
	}
	machine_free(check.m);
	return accepted ? EXIT_OK : EXIT_REFUSED;
}

const struct verb verb_check = {
	.name = "check",
	.run = cmd_check,
	.json = true,
	.arguments = "[--set N] [--empty] [--strict] [--symbols MAP] [--modules DIR] FILE...",
	.help = "what would happen if these were loaded, one after the other",
};
