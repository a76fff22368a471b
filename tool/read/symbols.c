// SPDX-License-Identifier: GPL-2.0
/* symbols.c - the functions of a kernel and its modules, by name and position */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "read/symbols.h"
#include "read/binary.h"
#include "read/livepatch.h"
#include "read/modules.h"
#include "read/sysfs.h"
#include "read/util.h"

/* Of tables by their names. */
#define HEADS (1U << 15)
#define OBJECT_HEADS (1U << 10)

/* The kernel, or a module. */
struct object {
	char *name;
	struct object *next;	/* of the same hash; what was added last comes first */
	size_t nr;
	bool addresses;		/* some of them are not hidden */
	bool looked_for;	/* among the files of modules */
};

struct symbol {
	const struct object *object;
	const char *name;
	uint64_t addr;
	size_t next;		/* of the same hash and with a higher number; 0: none */
	enum trace trace;
};

/* There are hundred thousands of them. */
struct symbols {
	void **memory;
	size_t nr_memory;
	struct symbol *all;	/* from 1 */
	size_t nr, room;
	size_t *heads, *tails;
	struct object **objects;
	size_t *by_address;	/* sorted, once it is needed */
	char *folder;		/* of modules; opened when one is looked for */
	struct modules *modules;
	unsigned long nr_files;	/* of modules that were read */
	bool ftrace;		/* its list was not read yet */
};

/* --- putting them together ------------------------------------------------------- */

struct symbols *symbols_new(void)
{
	struct symbols *s = xcalloc(1, sizeof(*s));

	s->heads = xcalloc(HEADS, sizeof(*s->heads));
	s->tails = xcalloc(HEADS, sizeof(*s->tails));
	s->objects = xcalloc(OBJECT_HEADS, sizeof(*s->objects));
	return s;
}

void symbols_free(struct symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < OBJECT_HEADS; i++) {
		struct object *object = s->objects[i];

		while (object) {
			struct object *next = object->next;

			free(object->name);
			free(object);
			object = next;
		}
	}
	for (size_t i = 0; i < s->nr_memory; i++)
		free(s->memory[i]);
	free(s->memory);
	free(s->all);
	free(s->heads);
	free(s->tails);
	free(s->objects);
	free(s->by_address);
	free(s->folder);
	modules_close(s->modules);
	free(s);
}

/* Memory that is freed with them. */
static void keep(struct symbols *s, void *memory)
{
	s->memory = xrealloc(s->memory, s->nr_memory + 1, sizeof(*s->memory));
	s->memory[s->nr_memory++] = memory;
}

static struct object *find_object(const struct symbols *s, const char *name)
{
	struct object *object = s->objects[hash_string(name) % OBJECT_HEADS];

	while (object && strcmp(object->name, name))
		object = object->next;
	return object;
}

/* Takes the place of what was known of an object of this name. */
static struct object *add_object(struct symbols *s, const char *name)
{
	struct object *object = xcalloc(1, sizeof(*object));
	struct object **head = &s->objects[hash_string(name) % OBJECT_HEADS];

	object->name = xstrdup(name);
	object->next = *head;
	*head = object;
	return object;
}

/* In the order of their positions. The name must stay as long as these symbols. */
static void add_symbol(struct symbols *s, struct object *object, const char *name, uint64_t addr,
		       enum trace trace)
{
	size_t hash = hash_string(name) % HEADS;

	if (++s->nr >= s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->all = xrealloc(s->all, s->room, sizeof(*s->all));
	}
	s->all[s->nr] = (struct symbol) {
		.object = object, .name = name, .addr = addr, .trace = trace,
	};
	if (s->tails[hash])
		s->all[s->tails[hash]].next = s->nr;
	else
		s->heads[hash] = s->nr;
	s->tails[hash] = s->nr;
	object->nr++;
	object->addresses |= addr;
	free(s->by_address);
	s->by_address = NULL;
}

static void add_binary(struct symbols *s, const char *name, struct binary *b)
{
	struct object *object = add_object(s, name);

	for (size_t i = 0; i < b->nr; i++)
		add_symbol(s, object, b->all[i].name, b->all[i].addr, b->all[i].trace);
	free(b->all);
	keep(s, b->names);
}

/* --- maps ------------------------------------------------------------------------ */

/* An address in lower case, and where it ends. */
static char *parse_address(char *text, uint64_t *addr)
{
	for (*addr = 0; ; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9) {
			digit = (unsigned char)*text - 'a' + 10U;
			if (digit < 10 || digit > 15)
				return text;
		}
		*addr = *addr << 4 | digit;
	}
}

/*
 * "ADDRESS TYPE NAME" or "ADDRESS TYPE NAME\t[MODULE]". By hand: this is where a check
 * spends its time.
 */
static bool parse_line(struct symbols *s, char *line, struct object **last)
{
	const char *object = "vmlinux";
	char *name, *module;
	uint64_t addr;

	name = parse_address(line, &addr);
	if (name == line || name[0] != ' ' || !name[1] || name[2] != ' ')
		return false;
	name += 3;
	for (module = name; *module && *module != '\t' && *module != ' '; )
		module++;
	if (*module) {
		*module++ = '\0';
		module += strspn(module, "\t [");
		module[strcspn(module, "]")] = '\0';
		object = module;
	}
	if (!*name || !*object)
		return false;
	/* Those of an object stand together. */
	if (!*last || strcmp((*last)->name, object))
		*last = find_object(s, object) ?: add_object(s, object);
	add_symbol(s, *last, name, addr, TRACE_UNKNOWN);
	return true;
}

static bool read_map(struct symbols *s, const char *path)
{
	char *text = read_file(path), *line, *next;
	struct object *last = NULL;
	bool valid = true;

	if (!text)
		return false;
	keep(s, text);
	for (line = text; line && valid; line = next) {
		next = next_line(line);
		valid = !*line || parse_line(s, line, &last);
	}
	errno = EINVAL;
	return valid && s->nr;
}

static bool read_kernel(struct symbols *s, const char *path)
{
	struct binary b;

	if (!binary_read_kernel(path, &b)) {
		free(b.names);
		return false;
	}
	add_binary(s, "vmlinux", &b);
	return true;
}

struct symbols *symbols_read(const char *path)
{
	struct symbols *s = symbols_new();
	int err;

	if (is_binary(path) ? read_kernel(s, path) : read_map(s, path))
		return s;
	err = errno;
	symbols_free(s);
	errno = err;
	return NULL;
}

/* --- what is looked for when somebody asks ---------------------------------------- */

void symbols_use_modules(struct symbols *s, const char *folder)
{
	free(s->folder);
	s->folder = xstrdup(folder);
}

void symbols_use_ftrace(struct symbols *s)
{
	s->ftrace = true;
}

/* A module that nobody has, or that is loaded and shows its addresses, stays as it is. */
static struct object *look_into_file(struct symbols *s, const char *name)
{
	struct object *object;
	const char *path;
	struct binary b;

	if (!s->modules)
		s->modules = modules_open(s->folder);
	path = modules_find(s->modules, name);
	if (path && binary_read_module(path, ++s->nr_files, &b))
		add_binary(s, name, &b);
	else if (path)
		free(b.names);
	object = find_object(s, name) ?: add_object(s, name);
	object->looked_for = true;
	return object;
}

/* The object, with all that can be known of it; NULL when that is nothing. */
static const struct object *look_for(struct symbols *s, const char *name)
{
	struct object *object = find_object(s, name);

	if (s->folder && strcmp(name, "vmlinux") &&
	    !(object && (object->looked_for || object->addresses)))
		object = look_into_file(s, name);
	return object && object->nr ? object : NULL;
}

size_t symbols_count(const struct symbols *s)
{
	return s->nr;
}

bool symbols_have(struct symbols *s, const char *object)
{
	return look_for(s, object);
}

bool symbols_hidden(const struct symbols *s, const char *name)
{
	const struct object *object = find_object(s, name);

	return object && object->nr && !object->addresses;
}

/* Lines as "NAME" or "NAME [MODULE]". It does not tell those of one name apart. */
static void mark_traced(struct symbols *s, char *line)
{
	char *module = strchr(line, ' ');
	const struct object *object;

	if (module) {
		*module++ = '\0';
		module += *module == '[';
		module[strcspn(module, "]")] = '\0';
	}
	object = find_object(s, module ? module : "vmlinux");
	for (size_t i = s->heads[hash_string(line) % HEADS]; object && i; i = s->all[i].next) {
		if (s->all[i].object == object && !strcmp(s->all[i].name, line))
			s->all[i].trace = TRACE_YES;
	}
}

static void read_traced(struct symbols *s)
{
	char *text = tracing_read("available_filter_functions"), *line, *next;

	s->ftrace = false;
	if (!text || !*text) {
		free(text);
		return;
	}
	for (size_t i = 1; i <= s->nr; i++) {
		if (s->all[i].trace == TRACE_UNKNOWN)
			s->all[i].trace = TRACE_NO;
	}
	for (line = text; line; line = next) {
		next = next_line(line);
		mark_traced(s, line);
	}
	free(text);
}

/* For qsort(), which takes no argument. */
static const struct symbol *sorted;

static int compare_addresses(const void *a, const void *b)
{
	const struct symbol *x = &sorted[*(const size_t *)a], *y = &sorted[*(const size_t *)b];

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x > y) - (x < y);
}

static void sort_addresses(struct symbols *s)
{
	s->by_address = xcalloc(s->nr, sizeof(*s->by_address));
	for (size_t i = 0; i < s->nr; i++)
		s->by_address[i] = i + 1;
	sorted = s->all;
	qsort(s->by_address, s->nr, sizeof(*s->by_address), compare_addresses);
}

/* ftrace knows a function by one of its names. */
static enum trace trace_of(struct symbols *s, const struct symbol *symbol)
{
	size_t low = 0, high = s->nr;

	if (symbol->trace != TRACE_NO)
		return symbol->trace;
	if (!symbol->addr)
		return TRACE_UNKNOWN;
	if (!s->by_address)
		sort_addresses(s);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->all[s->by_address[middle]].addr < symbol->addr)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < s->nr && s->all[s->by_address[low]].addr == symbol->addr; low++) {
		if (s->all[s->by_address[low]].trace == TRACE_YES)
			return TRACE_YES;
	}
	return TRACE_NO;
}

struct found symbols_find(struct symbols *s, const struct func *func)
{
	const struct object *object = look_for(s, func->object);
	const struct symbol *meant = NULL;
	struct found found = { };

	for (size_t i = s->heads[hash_string(func->name) % HEADS]; object && i; i = s->all[i].next) {
		if (s->all[i].object != object || strcmp(s->all[i].name, func->name))
			continue;
		if (++found.nr == func->sympos)
			meant = &s->all[i];
	}
	if (!meant)
		return found;
	found.addr = meant->addr;
	if (meant->trace == TRACE_UNKNOWN && s->ftrace)
		read_traced(s);
	found.trace = trace_of(s, meant);
	return found;
}

const char *symbols_name(const struct symbols *s, const char *name, uint64_t addr, size_t *i)
{
	const struct object *object = find_object(s, name);

	while (*i < s->nr) {
		const struct symbol *symbol = &s->all[++*i];

		if (symbol->addr == addr && symbol->object == object)
			return symbol->name;
	}
	return NULL;
}
