// SPDX-License-Identifier: GPL-2.0
/* setnames.c - names for the numbers of sets: "7 storage", a line each */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/setnames.h"
#include "read/util.h"

#define SETS_CONF "/etc/klp-sets/sets.conf"
#define SETS_PACKAGED "/usr/lib/klp-sets/sets.d"

struct name {
	uint32_t set;
	char *name;
	char *from;		/* the file */
	bool wrong;		/* another one is for the same set, or has the same name */
};

/* More than anybody has. Each is compared with all others. */
#define MAX_NAMES 10000

static struct name *names;
static size_t nr_names;

/* Never a number, nor an option. */
static bool is_set_name(const char *s)
{
	if (!isalpha((unsigned char)*s) || strlen(s) > 63)
		return false;
	for (; *s; s++) {
		if (!isascii(*s) || (!isalnum((unsigned char)*s) && !strchr("_-.", *s)))
			return false;
	}
	return true;
}

static void add(const char *from, unsigned int number, uint32_t set, const char *name)
{
	for (size_t i = 0; i < nr_names; i++) {
		struct name *other = &names[i];
		bool same_name = !strcmp(other->name, name);

		if ((other->set != set && !same_name) || (other->set == set && same_name))
			continue;
		other->wrong = true;
		if (same_name)
			warn("%s, line %u: '%s' is the name of set %u, and in %s that of set %u. It counts for neither",
			     from, number, name, set, other->from, other->set);
		else
			warn("%s, line %u: set %u is called '%s', and in %s '%s'. Neither counts",
			     from, number, set, name, other->from, other->name);
		return;
	}
	names = xrealloc(names, nr_names + 1, sizeof(*names));
	names[nr_names++] = (struct name) { set, xstrdup(name), xstrdup(from), false };
}

/* False when no further name is taken. */
static bool read_line(const char *from, unsigned int number, char *line)
{
	char *rest, *set_word, *name, *more;
	uint32_t set;

	line[strcspn(line, "#")] = '\0';
	set_word = strtok_r(line, " \t", &rest);
	name = set_word ? strtok_r(NULL, " \t", &rest) : NULL;
	more = name ? strtok_r(NULL, " \t", &rest) : NULL;
	if (!set_word)
		return true;
	if (nr_names == MAX_NAMES) {
		warn("%s, line %u: there are more than %d names of sets; the rest is left out",
		     from, number, MAX_NAMES);
		return false;
	}
	if (!name || more || !parse_set(set_word, &set) || !is_set_name(name))
		warn("%s, line %u is left out: a line is a number and a name, which begins with a letter, as '7 storage'",
		     from, number);
	else
		add(from, number, set, name);
	return true;
}

static void read_names(const char *path)
{
	char *text = read_file(path), *line, *next;
	unsigned int number = 0;

	if (!text && errno != ENOENT)
		warn("%s cannot be read: %s", path, file_strerror(errno));
	for (line = text; line; line = next) {
		next = next_line(line);
		if (!read_line(path, ++number, line))
			break;
	}
	free(text);
}

static int is_conf(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return *entry->d_name != '.' && end && !strcmp(end, ".conf");
}

static void read_all(void)
{
	static bool done;
	struct dirent **entries;
	char *folder;
	int n;

	if (done)
		return;
	done = true;
	folder = xasprintf("%s" SETS_PACKAGED, root_path());
	n = scandir(folder, &entries, is_conf, alphasort);
	for (int i = 0; i < n; i++)
		read_names(xasprintf("%s/%s", folder, entries[i]->d_name));
	read_names(xasprintf("%s" SETS_CONF, root_path()));
}

bool find_set(const char *word, uint32_t *set)
{
	if (parse_set(word, set))
		return true;
	read_all();
	for (size_t i = 0; i < nr_names; i++) {
		if (names[i].wrong || strcmp(names[i].name, word))
			continue;
		*set = names[i].set;
		return true;
	}
	return false;
}

const char *set_name(uint32_t set)
{
	read_all();
	for (size_t i = 0; i < nr_names; i++) {
		if (!names[i].wrong && names[i].set == set)
			return names[i].name;
	}
	return NULL;
}

const char *set_label(uint32_t set)
{
	static char *labels[8];
	static unsigned int next;
	char **label = &labels[next++ % 8];
	const char *name = set_name(set);

	free(*label);
	*label = name ? xasprintf("%u (%s)", set, name) : xasprintf("%u", set);
	return *label;
}

bool have_set_names(void)
{
	read_all();
	return nr_names;
}
