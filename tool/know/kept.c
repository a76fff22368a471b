// SPDX-License-Identifier: GPL-2.0
/* kept.c - whether what is in the store is in effect, and if not, why */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "know/kept.h"
#include "know/machine.h"
#include "keep/guard.h"
#include "keep/run.h"
#include "keep/store.h"
#include "read/kmsg.h"
#include "read/livepatch.h"
#include "read/util.h"

const char * const kept_names[] = {
	[KEPT_ENABLED] = "enabled",
	[KEPT_IN_TRANSITION] = "in transition",
	[KEPT_MISSING] = "missing",
	[KEPT_OTHER_BUILD] = "other build",
	[KEPT_HELD] = "held",
	[KEPT_REFUSED] = "refused",
	[KEPT_REPLACED] = "replaced",
	[KEPT_UNLOADED] = "unloaded",
	[KEPT_NOT_LOADED] = "not loaded",
};

/* --- what the log tells --------------------------------------------------------- */

/* "klp_sets: 'vendor_a_v2' of set 1 is replaced by stock patch 'cumulative'" */
static bool parse_lost(const char *line, struct lost *lost)
{
	char *name = NULL;
	unsigned int set;
	int end = 0;

	if (sscanf(line, "klp_sets: '%m[^']' of set %u is replaced by %n", &name, &set, &end) < 2 ||
	    !end) {
		free(name);
		return false;
	}
	*lost = (struct lost) { .name = name, .replace_set = set, .by = xstrdup(line + end) };
	return true;
}

/* "'cumulative'" in "stock patch 'cumulative'" */
static bool is_by(const struct lost *lost, const char *name)
{
	const char *by = strchr(lost->by, '\'');
	size_t len = strlen(name);

	return by && !strncmp(by + 1, name, len) && by[1 + len] == '\'';
}

/* When it has gone as well, its turn is over, and nothing is to be said of it. */
static bool is_there(const struct machine *m, const struct lost *lost)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (is_by(lost, m->patches[i]->name))
			return true;
	}
	return false;
}

/* What one has replaced in an earlier life, it has not in this one. */
static size_t forget_earlier(struct lost *all, size_t n, const char *line)
{
	char *name = NULL;
	size_t left = 0;

	if (sscanf(line, "livepatch: enabling patch '%m[^']'", &name) < 1)
		return n;
	for (size_t i = 0; i < n; i++) {
		if (!is_by(&all[i], name))
			all[left++] = all[i];
	}
	free(name);
	return left;
}

struct lost *lost_all(const struct machine *m, size_t *n)
{
	struct lost *all = NULL, lost;
	size_t nr_lines;
	char **lines = kmsg_lines("", &nr_lines);

	*n = 0;
	for (size_t i = 0; i < nr_lines; i++) {
		size_t j = 0;

		*n = forget_earlier(all, *n, lines[i]);
		if (!parse_lost(lines[i], &lost) || machine_find(m, lost.name) ||
		    machine_find_set(m, lost.replace_set) || !is_there(m, &lost))
			continue;
		/* What happened last to a set is what counts. */
		while (j < *n && all[j].replace_set != lost.replace_set)
			j++;
		if (j == *n)
			all = xrealloc(all, ++*n, sizeof(*all));
		all[j] = lost;
	}
	return all;
}

static const struct lost *find_lost(const struct lost *all, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(all[i].name, name))
			return &all[i];
	}
	return NULL;
}

/* --- one of the store ------------------------------------------------------------ */

static bool is_in_its_set(const struct slot *slot, const struct livepatch *lp)
{
	return slot->has_set == lp->managed &&
	       (!slot->has_set || slot->replace_set == lp->replace_set);
}

/* The stock livepatch that replaces whatever it finds, or NULL. */
static const struct livepatch *replaces_all(const struct machine *m)
{
	bool may = m->policy.stock_replace == STOCK_ALL && m->policy.allow_replace_all;

	for (size_t i = 0; may && i < m->nr_patches; i++) {
		if (!m->patches[i]->managed && m->patches[i]->replace)
			return m->patches[i];
	}
	return NULL;
}

static char *how_to_load(const struct store *s, const struct version *v)
{
	return xasprintf("'klp-sets load %s' loads it", load_words(s, v));
}

static void judge_enabled(struct kept *k, const struct livepatch *lp)
{
	if (!is_in_its_set(k->slot, lp)) {
		k->state = KEPT_REPLACED;
		k->why = xasprintf("it is loaded as %s", livepatch_who(lp));
	} else if (lp->transition) {
		k->state = KEPT_IN_TRANSITION;
	} else {
		k->state = KEPT_ENABLED;
	}
}

/* Whoever is in its place is the reason, unless it is known for sure that it is another one. */
static bool judge_replaced(struct kept *k, const struct machine *m, const struct lost *lost,
			   const char *noted)
{
	const struct slot *slot = k->slot;
	const struct livepatch *other = slot->has_set ? machine_find_set(m, slot->replace_set) : NULL;

	k->state = KEPT_REPLACED;
	if (other)
		k->why = xasprintf("%s is in its place, which is not stored", livepatch_who(other));
	else if (lost)
		k->why = xasprintf("it was replaced by %s", lost->by);
	else if ((noted || machine_has_leftover(m, slot->versions[0].name)) && replaces_all(m))
		k->why = xasprintf("it was loaded, and %s replaces everything",
				   livepatch_who(replaces_all(m)));
	return k->why != NULL;
}

static void judge(struct kept *k, const struct store *s, const struct machine *m,
		  const struct lost *lost)
{
	const struct version *v = &k->slot->versions[0];
	struct livepatch *lp;
	char *noted;
	time_t when;

	if (!v->name) {
		k->state = KEPT_MISSING;
		k->why = xstrdup("its file is missing: install it again, or 'klp-sets rollback'");
		return;
	}
	lp = machine_find(m, v->name);
	if (lp) {
		judge_enabled(k, lp);
		return;
	}
	if (is_of_other_build(v)) {
		k->state = KEPT_OTHER_BUILD;
		k->why = xasprintf("it was stored for another build of this kernel: build it again, or, if it fits, 'klp-sets install %s'",
				   load_words(s, v));
		return;
	}
	noted = run_noted_load(v->name);
	if (guard_held(v->name, &when)) {
		k->state = KEPT_HELD;
		k->why = xasprintf("it is held, since the machine died after it had been loaded on %s; %s",
				   date(when), how_to_load(s, v));
	} else if (noted && !strcmp(noted, "refused")) {
		k->state = KEPT_REFUSED;
		k->why = xstrdup("it was refused at boot: 'journalctl -b -u klp-sets' tells why");
	} else if (judge_replaced(k, m, lost, noted)) {
		;
	} else if (noted || machine_has_leftover(m, v->name)) {
		k->state = KEPT_UNLOADED;
		k->why = xasprintf("it was loaded, and is not any more; %s", how_to_load(s, v));
	} else {
		k->state = KEPT_NOT_LOADED;
		k->why = xasprintf("it was installed on %s, and the next boot loads it; %s",
				   date(v->installed), how_to_load(s, v));
	}
	free(noted);
}

struct kept *kept_all(const struct store *s, const struct machine *m, const struct lost *lost,
		      size_t nr_lost, size_t *n)
{
	struct kept *all = xcalloc(s->nr_slots, sizeof(*all));

	for (size_t i = 0; i < s->nr_slots; i++) {
		const char *name = s->slots[i].versions[0].name;

		all[i].slot = &s->slots[i];
		judge(&all[i], s, m, name ? find_lost(lost, nr_lost, name) : NULL);
	}
	*n = s->nr_slots;
	return all;
}
