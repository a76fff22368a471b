// SPDX-License-Identifier: GPL-2.0
/*
 * assign.c - livepatches that know nothing of sets, and the sets that they belong to
 *
 * The kernel forgets an assignment once its livepatch is enabled, and with the module
 * klp_sets. What is in /etc/klp-sets/assign.conf is given to it again at boot, and
 * is used by load and install. A line there reads like one in /sys/kernel/klp_sets/assign.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"

#define ASSIGN "/sys/kernel/klp_sets/assign"
/* As in the kernel: of a module's name. */
#define NAME_MAX_LEN 55

/* --- lines ------------------------------------------------------------------ */

/* A name in the form that the list of modules has. */
static bool parse_module(char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		if (!isgraph((unsigned char)name[i]) || name[i] == '/' || name[i] == '#')
			return false;
	}
	module_underscores(name);
	return i && i <= NAME_MAX_LEN;
}

static bool parse_words(char **words, size_t n, struct assignment *a)
{
	memset(a, 0, sizeof(*a));
	if (n < 2 || n - 2 > MAX_OBSOLETES)
		return false;
	a->name = xstrdup(words[0]);
	a->obsoletes = xcalloc(n, sizeof(*a->obsoletes));
	if (!parse_module(a->name) || !parse_set(words[1], &a->replace_set))
		return false;
	for (size_t i = 2; i < n; i++) {
		if (!parse_set(words[i], &a->obsoletes[a->nr_obsoletes++]))
			return false;
	}
	return true;
}

bool assignment_parse(const char *line, struct assignment *a)
{
	char *copy = xstrdup(line), **words = NULL, *word, *rest;
	size_t n = 0;
	bool good;

	for (word = strtok_r(copy, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
		words = xrealloc(words, n + 1, sizeof(*words));
		words[n++] = word;
	}
	good = parse_words(words, n, a);
	free(words);
	free(copy);
	return good;
}

const struct assignment *assignment_find(const struct assignment *all, size_t n,
					 const char *name)
{
	const struct assignment *found = NULL;

	for (size_t i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name))
			found = &all[i];
	}
	return found;
}

/* "kpatch_cve 7 8 9" */
static char *assignment_line(const struct assignment *a)
{
	char *line = xasprintf("%s %u", a->name, a->replace_set);

	for (size_t i = 0; i < a->nr_obsoletes; i++)
		line = xasprintf("%s %u", line, a->obsoletes[i]);
	return line;
}

/* --- the file --------------------------------------------------------------- */

static char *conf_path(void)
{
	return xasprintf("%s/etc/klp-sets/assign.conf", root_path());
}

static char *read_conf(void)
{
	char *path = conf_path();
	char *text = read_file(path);

	if (!text && errno != ENOENT)
		die("%s cannot be read: %s", path, strerror(errno));
	free(path);
	return text;
}

/* A line without its comment; false when nothing else is on it. */
static bool strip(char *line)
{
	line[strcspn(line, "#")] = '\0';
	return line[strspn(line, " \t\r")];
}

/* Read once: what is wrong with it is said once. */
struct assignment *assignments_kept(size_t *n)
{
	static struct assignment *all;
	static size_t nr;
	static bool done;
	char *text = done ? NULL : read_conf(), *line;
	unsigned int number = 0;

	while (text && (line = strsep(&text, "\n"))) {
		number++;
		if (!strip(line))
			continue;
		all = xrealloc(all, nr + 1, sizeof(*all));
		if (assignment_parse(line, &all[nr]))
			nr++;
		else
			warn("%s, line %u is left out: it must read MODULE SET [OBSOLETED SET...]",
			     conf_path(), number);
	}
	done = true;
	*n = nr;
	return all;
}

const struct assignment *assignment_kept(const char *name)
{
	size_t n;
	const struct assignment *all = assignments_kept(&n);

	return assignment_find(all, n, name);
}

/* Whether this line of the file is about the module. */
static bool is_about(const char *line, const char *module)
{
	char *copy = xstrdup(line), *word;

	strip(copy);
	word = strtok(copy, " \t\r");
	return word && parse_module(word) && !strcmp(word, module);
}

/* Puts a line in the place of those about the module, NULL for none; keeps all others. */
static void change_conf(const char *module, const char *new)
{
	char *text = read_conf(), *line, *path = conf_path();
	char *out = xstrdup("");

	if (!text)
		text = xstrdup("# MODULE SET [OBSOLETED SET...]: see klp-sets(8), assign.");
	while (*text && (line = strsep(&text, "\n"))) {
		if (!is_about(line, module)) {
			out = xasprintf("%s%s\n", out, line);
		} else if (new) {
			out = xasprintf("%s%s\n", out, new);
			new = NULL;
		}
		if (!text)
			break;
	}
	if (new)
		out = xasprintf("%s%s\n", out, new);
	if (replace_file(path, out))
		die("%s cannot be written: %s", path, strerror(errno));
}

/* --- the kernel ------------------------------------------------------------- */

int assign_now(const struct assignment *a, char **said)
{
	return write_file_said(ASSIGN, assignment_line(a), said);
}

/* --- the verb --------------------------------------------------------------- */

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
	json_object_object_add(row, "name", json_object_new_string(a->name));
	json_object_object_add(row, "set", json_object_new_int64(a->replace_set));
	json_object_object_add(row, "obsoletes", obsoletes);
	json_object_object_add(row, "kept", json_object_new_boolean(kept));
	json_object_object_add(row, "waiting",
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
	if (opt_json)
		puts(json_object_to_json_string_ext(list, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
}

static int drop(const char *arg)
{
	struct machine *m = this_machine();
	char *module = module_name(arg);
	bool kept = assignment_kept(module), waiting = machine_find_assignment(m, module);
	int err;

	if (!kept && !waiting)
		die("'%s' is assigned to no set; 'klp-sets assign' shows all assignments", module);
	if (waiting) {
		err = write_file(ASSIGN, xasprintf("%s -", module));
		if (err && err != -ENOENT)
			die("the kernel does not drop the assignment of '%s': %s", module,
			    strerror(-err));
	}
	if (kept)
		change_conf(module, NULL);
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

static int assign(char **words, size_t n)
{
	struct machine *m = this_machine();
	struct assignment a;
	const struct livepatch *lp;
	char *said = NULL;
	int err = 0;

	words[0] = module_name(words[0]);
	for (size_t i = 1; i < n; i++) {
		uint32_t set;

		if (!parse_set(words[i], &set))
			usage_error("'%s' is not a set: a number from 0 to 4294967295%s", words[i],
				    i == 1 ? ", or - to drop the assignment" : "");
	}
	if (n - 2 > MAX_OBSOLETES)
		usage_error("%zu sets are obsoleted; at most %u can be", n - 2, MAX_OBSOLETES);
	if (!parse_words(words, n, &a))
		usage_error("'%s' cannot be the name of a module", words[0]);

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
	change_conf(a.name, assignment_line(&a));
	if (opt_quiet)
		return EXIT_OK;
	if (lp)
		printf("'%s' belongs to set %u now, and whenever it is loaded\n", a.name,
		       a.replace_set);
	else
		printf("'%s' will belong to set %u when it is loaded\n", a.name, a.replace_set);
	return EXIT_OK;
}

int cmd_assign(int argc, char **argv)
{
	static const struct option options[] = { { 0 } };

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		usage_end();
	argc -= optind;
	argv += optind;
	if (!argc) {
		show();
		return EXIT_OK;
	}
	if (argc == 1)
		usage_error("assign needs a set after '%s', or - to drop its assignment", argv[0]);
	lock_changes();
	if (!strcmp(argv[1], "-")) {
		if (argc > 2)
			usage_error("nothing may follow the -");
		return drop(argv[0]);
	}
	return assign(argv, argc);
}
