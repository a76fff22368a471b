// SPDX-License-Identifier: GPL-2.0
/* symbols.c - the functions of a kernel and its modules, by name and position */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/symbols.h"
#include "read/livepatch.h"
#include "read/util.h"

struct symbol {
	const char *object;
	const char *name;
	const char *addr;	/* as text: few of them are asked for */
	size_t next;		/* of the same hash and further on in the file; 0: none */
	size_t next_object;	/* the same for the first one of each object */
};

/* There are hundred thousands of them. */
struct symbols {
	char *text;
	struct symbol *all;	/* from 1 */
	size_t nr;
	size_t *heads;
	size_t *objects;	/* by the names of objects */
	size_t mask;
};

/* "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME\t[MODULE]" */
static bool parse_line(char *line, struct symbol *symbol)
{
	size_t len = strspn(line, "0123456789abcdef");
	char *name = line + len + 3, *module;

	if (!len || line[len] != ' ' || !line[len + 1] || line[len + 2] != ' ')
		return false;
	symbol->next_object = 0;
	symbol->addr = line;
	symbol->name = name;
	symbol->object = "vmlinux";
	module = strpbrk(name, "\t ");
	if (module) {
		*module++ = '\0';
		module += strspn(module, "\t [");
		module[strcspn(module, "]")] = '\0';
		symbol->object = module;
	}
	return *symbol->name && *symbol->object;
}

static size_t find_object(const struct symbols *s, const char *object)
{
	size_t i = s->objects[hash_string(object) & s->mask];

	while (i && strcmp(s->all[i].object, object))
		i = s->all[i].next_object;
	return i;
}

static void index_objects(struct symbols *s)
{
	s->objects = xcalloc(s->mask + 1, sizeof(*s->objects));
	for (size_t i = 1; i <= s->nr; i++) {
		const char *object = s->all[i].object;
		size_t *head;

		/* Those of an object stand together. */
		if ((i > 1 && !strcmp(s->all[i - 1].object, object)) || find_object(s, object))
			continue;
		head = &s->objects[hash_string(object) & s->mask];
		s->all[i].next_object = *head;
		*head = i;
	}
}

static void index_symbols(struct symbols *s)
{
	size_t size = 1024;

	while (size < s->nr)
		size *= 2;
	s->mask = size - 1;
	s->heads = xcalloc(size, sizeof(*s->heads));
	/* From the last one on, so that the first one is found first. */
	for (size_t i = s->nr; i; i--) {
		size_t *head = &s->heads[hash_string(s->all[i].name) & s->mask];

		s->all[i].next = *head;
		*head = i;
	}
	index_objects(s);
}

struct symbols *symbols_read(const char *path)
{
	struct symbols *s;
	char *text = read_file(path), *line, *rest;
	size_t room = 0;
	bool valid = true;

	if (!text)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->text = text;
	for (line = strtok_r(text, "\n", &rest); line && valid;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (++s->nr >= room) {
			room = room ? 2 * room : 1024;
			s->all = xrealloc(s->all, room, sizeof(*s->all));
		}
		valid = parse_line(line, &s->all[s->nr]);
	}
	if (!valid || !s->nr) {
		symbols_free(s);
		errno = EINVAL;
		return NULL;
	}
	index_symbols(s);
	return s;
}

/* The modules that are loaded, but for those whose functions nobody changes. */
static char *targets(void)
{
	char *text = read_file("/proc/modules"), *key = xstrdup(""), *line, *rest;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *taint = strrchr(line, '(');
		char *longer;

		if ((taint && strchr(taint, 'K')) || !strncmp(line, "klp_sets ", 9))
			continue;
		longer = xasprintf("%s%.*s ", key, (int)strcspn(line, " "), line);
		free(key);
		key = longer;
	}
	free(text);
	return key;
}

const struct symbols *symbols_of_kernel(void)
{
	static struct symbols *symbols;
	static char *read_with;
	char *now = targets();

	if (symbols && !strcmp(read_with, now)) {
		free(now);
		return symbols;
	}
	symbols_free(symbols);
	free(read_with);
	read_with = now;
	symbols = symbols_read("/proc/kallsyms");
	return symbols;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	free(s->text);
	free(s->all);
	free(s->heads);
	free(s->objects);
	free(s);
}

bool symbols_have(const struct symbols *s, const char *object)
{
	return find_object(s, object);
}

size_t symbols_find(const struct symbols *s, const struct func *func, uint64_t *addr)
{
	size_t n = 0;

	*addr = 0;
	for (size_t i = s->heads[hash_string(func->name) & s->mask]; i; i = s->all[i].next) {
		if (strcmp(s->all[i].name, func->name) ||
		    strcmp(s->all[i].object, func->object))
			continue;
		if (++n == func->sympos)
			*addr = strtoull(s->all[i].addr, NULL, 16);
	}
	return n;
}

const char *symbols_name(const struct symbols *s, const char *object, uint64_t addr, size_t *i)
{
	while (*i < s->nr) {
		const struct symbol *symbol = &s->all[++*i];

		if (strtoull(symbol->addr, NULL, 16) == addr && !strcmp(symbol->object, object))
			return symbol->name;
	}
	return NULL;
}
