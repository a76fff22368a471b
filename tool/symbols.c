// SPDX-License-Identifier: GPL-2.0
/* symbols.c - the functions of a kernel and its modules, by name and position */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "klp-sets.h"

struct symbol {
	const char *object;
	const char *name;
	uint64_t addr;
};

struct symbols {
	char *text;
	struct symbol *all;	/* sorted; those of one name in the order of the file */
	size_t nr;
};

static int compare(const void *a, const void *b)
{
	const struct symbol *s = a, *t = b;
	int order = strcmp(s->object, t->object);

	if (!order)
		order = strcmp(s->name, t->name);
	/* Both names point into the text. */
	return order ? order : (s->name > t->name) - (s->name < t->name);
}

/* "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME\t[MODULE]" */
static bool parse_line(char *line, struct symbol *symbol)
{
	char *type, *name, *module;

	symbol->addr = strtoull(line, &type, 16);
	if (type == line || *type != ' ' || !type[1] || type[2] != ' ')
		return false;
	name = type + 3;
	symbol->name = name;
	symbol->object = "vmlinux";
	name[strcspn(name, "\r")] = '\0';
	module = strpbrk(name, "\t ");
	if (!module)
		return *name;
	*module++ = '\0';
	module += strspn(module, "\t [");
	module[strcspn(module, "]")] = '\0';
	symbol->object = module;
	return *name && *module;
}

struct symbols *symbols_read(const char *path)
{
	struct symbols *s;
	char *text = read_file(path), *line, *rest;
	size_t room = 0;

	if (!text)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->text = text;
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (s->nr == room) {
			room = room ? 2 * room : 1024;
			s->all = xrealloc(s->all, room, sizeof(*s->all));
		}
		if (!parse_line(line, &s->all[s->nr])) {
			symbols_free(s);
			errno = EINVAL;
			return NULL;
		}
		s->nr++;
	}
	if (!s->nr) {
		symbols_free(s);
		errno = EINVAL;
		return NULL;
	}
	qsort(s->all, s->nr, sizeof(*s->all), compare);
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->text);
	free(s->all);
	free(s);
}

/* The first one that is not before this name; "" is before all of the object. */
static size_t first_symbol(const struct symbols *s, const char *object, const char *name)
{
	size_t low = 0, high = s->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(s->all[middle].object, object);

		if (!order)
			order = strcmp(s->all[middle].name, name);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool symbols_have(const struct symbols *s, const char *object)
{
	size_t i = first_symbol(s, object, "");

	return i < s->nr && !strcmp(s->all[i].object, object);
}

size_t symbols_find(const struct symbols *s, const struct func *func, uint64_t *addr)
{
	size_t first = first_symbol(s, func->object, func->name), n = 0;

	while (first + n < s->nr && !strcmp(s->all[first + n].object, func->object) &&
	       !strcmp(s->all[first + n].name, func->name))
		n++;
	*addr = func->sympos <= n ? s->all[first + func->sympos - 1].addr : 0;
	return n;
}
