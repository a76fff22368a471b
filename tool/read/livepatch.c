// SPDX-License-Identifier: GPL-2.0
/* livepatch.c - one livepatch, wherever it was read from */
#include <stdlib.h>
#include <string.h>

#include "read/livepatch.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/util.h"

/* Of some livepatches there are thousands of functions, which are looked up in each other. */
struct func_index {
	size_t *slots;		/* from 1; 0: empty */
	size_t mask;
};

struct livepatch *livepatch_new(const char *name)
{
	struct livepatch *lp = xcalloc(1, sizeof(*lp));

	lp->name = module_underscores(xstrdup(name));
	lp->index = xcalloc(1, sizeof(*lp->index));
	return lp;
}

void livepatch_free(struct livepatch *lp)
{
	if (!lp)
		return;
	for (size_t i = 0; i < lp->nr_funcs; i++) {
		free(lp->funcs[i].object);
		free(lp->funcs[i].name);
	}
	for (size_t i = 0; i < lp->nr_states; i++)
		free(lp->states[i].name);
	for (size_t i = 0; i < lp->nr_cleaners; i++)
		free(lp->cleaners[i].object);
	free(lp->cleaners);
	free(lp->index->slots);
	free(lp->index);
	free(lp->funcs);
	free(lp->states);
	free(lp->obsoletes);
	free(lp->name);
	free(lp->path);
	free(lp->version);
	free(lp->kernel);
	free(lp->flaw);
	free(lp);
}

void livepatch_add_func(struct livepatch *lp, const char *object, const char *name,
			unsigned long sympos)
{
	struct func *func;

	lp->funcs = xrealloc(lp->funcs, lp->nr_funcs + 1, sizeof(*lp->funcs));
	func = &lp->funcs[lp->nr_funcs++];
	func->object = xstrdup(object);
	func->name = xstrdup(name);
	func->sympos = sympos ? sympos : 1;
	func->only = !sympos;
	func->one_of_many = false;
}

void livepatch_add_cleaner(struct livepatch *lp, const char *object, const char *callback)
{
	lp->cleaners = xrealloc(lp->cleaners, lp->nr_cleaners + 1, sizeof(*lp->cleaners));
	lp->cleaners[lp->nr_cleaners++] = (struct cleaner) { xstrdup(object), callback };
}

struct state *livepatch_add_state(struct livepatch *lp, unsigned long id)
{
	struct state *state;

	lp->states = xrealloc(lp->states, lp->nr_states + 1, sizeof(*lp->states));
	state = &lp->states[lp->nr_states++];
	memset(state, 0, sizeof(*state));
	state->id = id;
	return state;
}

void livepatch_add_obsolete(struct livepatch *lp, uint32_t set)
{
	lp->obsoletes = xrealloc(lp->obsoletes, lp->nr_obsoletes + 1, sizeof(*lp->obsoletes));
	lp->obsoletes[lp->nr_obsoletes++] = set;
}

bool same_func(const struct func *a, const struct func *b)
{
	return a->sympos == b->sympos && !strcmp(a->name, b->name) &&
	       !strcmp(a->object, b->object);
}

bool livepatch_obsoletes(const struct livepatch *lp, uint32_t set)
{
	for (size_t i = 0; i < lp->nr_obsoletes; i++) {
		if (lp->obsoletes[i] == set)
			return true;
	}
	return false;
}

static size_t hash_func(const struct func *func)
{
	return hash_string(func->name) + 31 * hash_string(func->object) + func->sympos;
}

static void make_index(const struct livepatch *lp)
{
	struct func_index *index = lp->index;
	size_t size = 16;

	while (size < 2 * lp->nr_funcs)
		size *= 2;
	index->slots = xcalloc(size, sizeof(*index->slots));
	index->mask = size - 1;
	for (size_t i = 0; i < lp->nr_funcs; i++) {
		size_t at = hash_func(&lp->funcs[i]) & index->mask;

		while (index->slots[at])
			at = (at + 1) & index->mask;
		index->slots[at] = i + 1;
	}
}

const struct func *livepatch_find_func(const struct livepatch *lp, const struct func *func)
{
	const struct func_index *index = lp->index;

	if (!index->slots)
		make_index(lp);
	for (size_t at = hash_func(func) & index->mask; index->slots[at];
	     at = (at + 1) & index->mask) {
		const struct func *found = &lp->funcs[index->slots[at] - 1];

		if (same_func(found, func))
			return found;
	}
	return NULL;
}

const struct state *livepatch_find_state(const struct livepatch *lp, unsigned long id)
{
	for (size_t i = 0; i < lp->nr_states; i++) {
		if (lp->states[i].id == id)
			return &lp->states[i];
	}
	return NULL;
}

bool livepatch_put_into_set(struct livepatch *lp, uint32_t set, char **why)
{
	if (lp->native && lp->has_set && lp->replace_set != set) {
		*why = xasprintf("'%s' asks for set %s itself; --set is for livepatches that know nothing of sets",
				 lp->name, set_label(lp->replace_set));
		return false;
	}
	lp->has_set = true;
	lp->replace_set = set;
	return true;
}

/* A few at a time, so that one message can name several. */
static char **next_label(void)
{
	static char *labels[8];
	static unsigned int next;
	char **label = &labels[next++ % 8];

	free(*label);
	return label;
}

/* Names come from files and from sysfs, where others have put them. */
static const char *shown(char **label)
{
	char *text = printable(*label);

	free(*label);
	return *label = text;
}

const char *livepatch_who(const struct livepatch *lp)
{
	char **label = next_label();

	if (lp->has_set)
		*label = xasprintf("'%s' of set %s", lp->name, set_label(lp->replace_set));
	else if (lp->native)
		*label = xasprintf("'%s' of an unknown set", lp->name);
	else
		*label = xasprintf("stock patch '%s'", lp->name);
	return shown(label);
}

const char *func_label(const struct func *func)
{
	bool module = strcmp(func->object, "vmlinux");
	char **label = next_label();

	if (func->sympos > 1 || func->one_of_many)
		*label = xasprintf("'%s,%lu'%s%s", func->name, func->sympos,
				   module ? " of " : "", module ? func->object : "");
	else
		*label = xasprintf("'%s'%s%s", func->name, module ? " of " : "",
				   module ? func->object : "");
	return shown(label);
}
