// SPDX-License-Identifier: GPL-2.0
/*
 * assignments.c - livepatches that know nothing of sets, and the sets that they belong to
 *
 * The kernel forgets an assignment once its livepatch is enabled, and with the module
 * klp_sets. What is in /etc/klp-sets/assign.conf is given to it again at boot, and
 * is used by load and install. A line there reads like one in /sys/kernel/klp_sets/assign.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keep/assignments.h"
#include "keep/files.h"
#include "read/kmsg.h"
#include "read/livepatch.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/util.h"

#define ASSIGN "/sys/kernel/klp_sets/assign"

/* --- lines ------------------------------------------------------------------ */

/* A name in the form that the list of modules has, or a pattern. */
static bool parse_module(char *name)
{
	return is_module_name(module_underscores(name)) || is_module_pattern(name);
}

bool assignment_is_pattern(const struct assignment *a)
{
	return is_module_pattern(a->name);
}

bool assignment_matches(const struct assignment *a, const char *name)
{
	if (assignment_is_pattern(a))
		return !strncmp(a->name, name, strlen(a->name) - 1);
	return !strcmp(a->name, name);
}

bool assignment_from_words(char **words, size_t n, struct assignment *a)
{
	memset(a, 0, sizeof(*a));
	if (n < 2 || n - 2 > MAX_OBSOLETES)
		return false;
	a->name = xstrdup(words[0]);
	a->obsoletes = xcalloc(n, sizeof(*a->obsoletes));
	if (!parse_module(a->name) || !find_set(words[1], &a->replace_set))
		return false;
	for (size_t i = 2; i < n; i++) {
		if (!find_set(words[i], &a->obsoletes[a->nr_obsoletes++]))
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
	good = assignment_from_words(words, n, a);
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

const struct assignment *assignment_for(const struct assignment *all, size_t n,
					const char *name)
{
	const struct assignment *found = assignment_find(all, n, name);

	if (found)
		return found;
	for (size_t i = 0; i < n; i++) {
		if (assignment_matches(&all[i], name) &&
		    (!found || strlen(all[i].name) >= strlen(found->name)))
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
		die("%s cannot be read: %s", path, file_strerror(errno));
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
			warn("%s, line %u is left out: it must read MODULE SET [OBSOLETED SET...], "
			     "and a * can only be the last character of MODULE",
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

	return assignment_for(all, n, name);
}

/* Whether this line of the file has this name. */
static bool is_about(const char *line, const char *name)
{
	char *copy = xstrdup(line), *word;
	bool is;

	strip(copy);
	word = strtok(copy, " \t\r");
	is = word && parse_module(word) && !strcmp(word, name);
	free(copy);
	return is;
}

void assignment_keep(const char *name, const struct assignment *a, const char *by_then)
{
	char *text = read_conf(), *line, *path = conf_path(), *out = NULL;
	char *new = a ? assignment_line(a) : NULL;
	size_t size;
	FILE *to = open_memstream(&out, &size);

	if (!to)
		die("out of memory");
	if (!text)
		text = xstrdup("# MODULE SET [OBSOLETED SET...]: see klp-sets(8), assign.");
	while (text && *text) {
		line = strsep(&text, "\n");
		if (!is_about(line, name)) {
			fprintf(to, "%s\n", line);
		} else if (new) {
			fprintf(to, "%s\n", new);
			new = NULL;
		}
	}
	if (new)
		fprintf(to, "%s\n", new);
	if (fclose(to))
		die("out of memory");
	if (replace_file(path, out))
		die("%s cannot be written: %s. It is as it was%s%s", path, file_strerror(errno),
		    *by_then ? ", but " : "", by_then);
}

/* --- the kernel ------------------------------------------------------------- */

void assignments_must_be_kept(void)
{
	char *path = conf_path();

	if (can_replace_file(path))
		die("%s cannot be written: %s. Nothing is changed", path, file_strerror(errno));
	free(path);
}

/* The caller says what is not done, and of whom; the kernel's line begins with it, too. */
static char *reason_of(char *said, const char *name)
{
	char *start = xasprintf("'%s' is not assigned", name), *reason = NULL;

	if (said && !strncmp(said, start, strlen(start)))
		reason = strstr(said + strlen(start), ": ");
	free(start);
	if (!reason)
		return said;
	reason = xstrdup(reason + 2);
	free(said);
	return reason;
}

int assign_now(const struct assignment *a, char **said)
{
	int err = write_file_said(ASSIGN, assignment_line(a), said);

	*said = reason_of(*said, a->name);
	return err;
}

int unassign_now(const char *module)
{
	char *line = xasprintf("%s -", module);
	int err = write_file(ASSIGN, line);

	free(line);
	return err;
}
