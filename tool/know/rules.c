// SPDX-License-Identifier: GPL-2.0
/*
 * rules.c - what the kernel would say to a new livepatch
 *
 * The same questions as in the module klp_sets (admit.c, scope.c, states.c and
 * policy.c there), and some that the kernel itself asks. The kernel stops at the first
 * answer that it does not like. Here all of them are collected.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "know/rules.h"
#include "know/machine.h"
#include "keep/assignments.h"
#include "keep/kernel.h"
#include "keep/policies.h"
#include "read/livepatch.h"
#include "read/setnames.h"
#include "read/symbols.h"
#include "read/util.h"

struct judge {
	const struct machine *m;
	struct symbols *symbols;
	const struct livepatch *lp;
	struct livepatch new;		/* the same, in the set that it would get */
	bool replace_stock;		/* all stock patches, too */
	bool replace_all;
	uint64_t *addrs;		/* of its functions; 0 when it is not known */
	uint64_t *dropped_addrs;	/* of those in the verdict */
	struct verdict *v;
};

/*
 * Its code, the livepatch that it is with (or NULL), the reason, which is freed later, and
 * what to do about it.
 */
static void __attribute__((format(printf, 5, 6)))
conflict(struct judge *j, const char *code, const struct livepatch *other, char *reason,
	 const char *advice, ...)
{
	struct verdict *v = j->v;
	struct conflict *c;
	va_list args;

	v->conflicts = xrealloc(v->conflicts, v->nr_conflicts + 1, sizeof(*v->conflicts));
	c = &v->conflicts[v->nr_conflicts++];
	*c = (struct conflict) { .code = code, .other = other, .reason = reason };
	va_start(args, advice);
	if (vasprintf(&c->advice, advice, args) < 0)
		die("out of memory");
	va_end(args);
}

/* --- what is to be replaced --------------------------------------------------- */

static bool replaces(const struct judge *j, const struct livepatch *old)
{
	if (j->replace_all)
		return true;
	if (!old->managed)
		return j->replace_stock;
	return j->new.has_set && (old->replace_set == j->new.replace_set ||
				  livepatch_obsoletes(&j->new, old->replace_set));
}

/* Two stock patches may stack. */
static bool must_not_clash(const struct judge *j, const struct livepatch *old)
{
	return !replaces(j, old) && (j->new.managed || old->managed);
}

static bool have_managed(const struct machine *m)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (m->patches[i]->managed)
			return true;
	}
	return false;
}

/* Without a managed patch and without an assignment, klp_sets looks at nothing. */
static bool is_looking(const struct machine *m)
{
	return m->nr_assignments || have_managed(m);
}

static bool scopes_stock_replace(const struct policy *policy)
{
	return policy->stock_replace == STOCK_SCOPED ||
	       (policy->stock_replace == STOCK_ALL && !policy->allow_replace_all);
}

static void find_its_set(struct judge *j)
{
	const struct policy *policy = &j->m->policy;
	struct livepatch *new = &j->new;
	const struct assignment *a;

	*new = *j->lp;
	new->managed = new->native || new->has_set;
	a = new->native ? NULL : machine_find_assignment(j->m, new->name);
	if (a && !new->has_set) {
		new->managed = true;
		new->replace_set = a->replace_set;
		new->obsoletes = a->obsoletes;
		new->nr_obsoletes = a->nr_obsoletes;
	} else if (!new->managed && new->replace && is_looking(j->m) &&
		   scopes_stock_replace(policy)) {
		new->managed = true;
		new->replace_set = 0;
		j->replace_stock = true;
	}
	/* A file can ask for a set that only its code knows. */
	new->has_set = new->managed && (j->lp->has_set || !new->native);
	if (new->managed)
		j->replace_all = policy->allow_replace_all &&
				 (new->replace_all ||
				  (new->has_set && !new->replace_set && policy->set0_replaces_all));
	else
		j->replace_all = new->replace;

	j->v->managed = new->managed;
	j->v->replace_all = j->replace_all;
	j->v->has_set = new->has_set;
	j->v->replace_set = new->replace_set;
	j->v->obsoletes = new->obsoletes;
	j->v->nr_obsoletes = new->nr_obsoletes;
	j->v->assignment = a;
}

/* --- functions ------------------------------------------------------------------ */

static void add_func(const struct func ***funcs, size_t *nr, const struct func *func)
{
	*funcs = xrealloc(*funcs, *nr + 1, sizeof(**funcs));
	(*funcs)[(*nr)++] = func;
}

/* Whether one of the first *nr* that are replaced changes it. */
static bool is_changed(const struct verdict *v, size_t nr, const struct func *func)
{
	for (size_t i = 0; i < nr; i++) {
		if (livepatch_find_func(v->replaced[i], func))
			return true;
	}
	return false;
}

static void compare_funcs(struct judge *j)
{
	struct verdict *v = j->v;

	for (size_t i = 0; i < j->m->nr_patches; i++) {
		struct livepatch *old = j->m->patches[i];

		if (!replaces(j, old))
			continue;
		v->replaced = xrealloc(v->replaced, v->nr_replaced + 1, sizeof(*v->replaced));
		v->replaced[v->nr_replaced++] = old;
		for (size_t k = 0; k < old->nr_funcs; k++) {
			/* What a file does not tell may be there when it is loaded. */
			const struct func *func = &old->funcs[k];

			if (!j->lp->incomplete && !livepatch_find_func(j->lp, func) &&
			    livepatch_find_func(old, func) == func &&
			    !is_changed(v, v->nr_replaced - 1, func))
				add_func(&v->dropped, &v->nr_dropped, func);
		}
	}
	for (size_t i = 0; i < j->lp->nr_funcs; i++) {
		if (is_changed(v, v->nr_replaced, &j->lp->funcs[i]))
			add_func(&v->kept, &v->nr_kept, &j->lp->funcs[i]);
		else
			add_func(&v->added, &v->nr_added, &j->lp->funcs[i]);
	}
}

/* --- what functions are called --------------------------------------------------- */

/* Whether the second one of its name is changed, too. */
static bool has_second(const struct livepatch *lp, const struct func *func)
{
	struct func second = *func;

	second.sympos = 2;
	return livepatch_find_func(lp, &second);
}

static bool is_one_of_many(const struct judge *j, const struct func *func)
{
	if (func->sympos > 1 || func->only)
		return false;
	if (j->symbols && symbols_find(j->symbols, func).nr > 1)
		return true;
	for (size_t i = 0; i < j->m->nr_patches; i++) {
		if (has_second(j->m->patches[i], func))
			return true;
	}
	return has_second(j->lp, func);
}

/* For who reads of it. The kernel's folders tell all positions, of names that are unique as well. */
static void name_funcs(const struct judge *j, struct livepatch *lp)
{
	for (size_t i = 0; i < lp->nr_funcs; i++)
		lp->funcs[i].one_of_many = is_one_of_many(j, &lp->funcs[i]);
}

static void check_own_funcs(struct judge *j)
{
	for (size_t i = 0; i < j->lp->nr_funcs; i++) {
		const struct func *func = &j->lp->funcs[i];

		/* The first one of its kind is another one. */
		if (livepatch_find_func(j->lp, func) != func)
			conflict(j, "function-twice", NULL,
				 xasprintf("%s changes function %s twice.",
					   livepatch_who(&j->new), func_label(func)),
				 "Take one of the two out of its table.");
	}
}

/* With somebody who owns what the new one changes. What helps depends on all of these. */
static void conflict_with_owner(struct judge *j, const char *code, const struct livepatch *old,
				char *reason)
{
	conflict(j, code, old, reason, "%s", "");
}

static bool is_with_owner(const struct conflict *c)
{
	return c->other && !*c->advice;
}

static void add_set(struct livepatch *lp, uint32_t set)
{
	if (!livepatch_obsoletes(lp, set))
		livepatch_add_obsolete(lp, set);
}

/* " 2 3": what it would have to obsolete to be accepted, with what it obsoletes already. */
static char *needed_sets(const struct judge *j)
{
	struct livepatch all = { 0 };
	char *list = xstrdup("");

	for (size_t i = 0; j->new.managed && i < j->new.nr_obsoletes; i++)
		add_set(&all, j->new.obsoletes[i]);
	for (size_t i = 0; i < j->v->nr_conflicts; i++) {
		const struct conflict *c = &j->v->conflicts[i];

		if (is_with_owner(c) && c->other->managed)
			add_set(&all, c->other->replace_set);
	}
	for (size_t i = 0; i < all.nr_obsoletes; i++) {
		char *longer = xasprintf("%s %u", list, all.obsoletes[i]);

		free(list);
		list = longer;
	}
	free(all.obsoletes);
	return list;
}

/* An assignment needs no other build, and says what the whole of it must be. */
static char *advice_on(const struct judge *j, const struct livepatch *old, const char *sets)
{
	const struct livepatch *new = &j->new;

	if (!old->managed)
		return xasprintf("Unload '%s' first.", old->name);
	if (new->native)
		return xasprintf("Unload '%s' first, or build a '%s' that obsoletes set %s.",
				 old->name, new->name, set_label(old->replace_set));
	if (new->managed)
		return xasprintf("Unload '%s' first, or let '%s' obsolete what is in its way: 'klp-sets assign %s %u%s'.",
				 old->name, new->name, new->name, new->replace_set, sets);
	if (strchr(sets + 1, ' '))
		return xasprintf("Unload '%s' first, or let '%s' replace all that is in its way: 'klp-sets assign %s%s'.",
				 old->name, new->name, new->name, sets);
	return xasprintf("Unload '%s' first, or put '%s' into set %s, to replace it.", old->name,
			 new->name, set_label(old->replace_set));
}

static void advise_on_owners(struct judge *j)
{
	char *sets = needed_sets(j);

	for (size_t i = 0; i < j->v->nr_conflicts; i++) {
		struct conflict *c = &j->v->conflicts[i];

		if (!is_with_owner(c))
			continue;
		free(c->advice);
		c->advice = advice_on(j, c->other, sets);
	}
	free(sets);
}

static void check_names(struct judge *j, const struct livepatch *old)
{
	for (size_t i = 0; i < old->nr_funcs; i++) {
		const struct func *func = livepatch_find_func(j->lp, &old->funcs[i]);

		if (func)
			conflict_with_owner(j, "function", old,
					xasprintf("%s changes function %s, as %s does.",
						  livepatch_who(&j->new), func_label(func),
						  livepatch_who(old)));
	}
}

/* --- addresses ------------------------------------------------------------------ */

static void check_symbol(struct judge *j, const struct func *func)
{
	struct found found = symbols_find(j->symbols, func);
	const char *module = strcmp(func->object, "vmlinux") ? func->object : "the kernel";

	if (!found.nr)
		conflict(j, "function-missing", NULL,
			 xasprintf("%s changes function %s, which %s does not have.",
				   livepatch_who(&j->new), func_label(func), module),
			 "Is it for another kernel, or is the function inlined wherever it is called?");
	else if (func->sympos > found.nr)
		conflict(j, "function-missing", NULL,
			 xasprintf("%s changes function %s, and %s has %zu of this name.",
				   livepatch_who(&j->new), func_label(func), module, found.nr),
			 "Is it for another kernel?");
	else if (func->only && found.nr > 1)
		conflict(j, "function-ambiguous", NULL,
			 xasprintf("%s changes function %s, and %s has %zu of this name.",
				   livepatch_who(&j->new), func_label(func), module, found.nr),
			 j->lp->by_tool ? "Is it for another kernel? What made it knows the positions in its own." :
			 "Set old_sympos to say which of them is meant.");
	else if (found.trace == TRACE_NO)
		conflict(j, "function-untraceable", NULL,
			 xasprintf("%s changes function %s, which cannot be traced, and so not redirected.",
				   livepatch_who(&j->new), func_label(func)),
			 "It is notrace, noinstr, or no function; change those that call it.");
}

/* 0 when it is not known: the module is not loaded, or only root may see it. */
static uint64_t address_of(const struct judge *j, const struct func *func)
{
	return j->symbols ? symbols_find(j->symbols, func).addr : 0;
}

static void find_addresses(struct judge *j)
{
	const struct verdict *v = j->v;

	j->addrs = xcalloc(j->lp->nr_funcs, sizeof(*j->addrs));
	for (size_t i = 0; i < j->lp->nr_funcs; i++)
		j->addrs[i] = address_of(j, &j->lp->funcs[i]);
	j->dropped_addrs = xcalloc(v->nr_dropped, sizeof(*j->dropped_addrs));
	for (size_t i = 0; i < v->nr_dropped; i++)
		j->dropped_addrs[i] = address_of(j, v->dropped[i]);
}

/* Whether the new patch has a function by another name that could be this one. */
static bool may_be(const struct judge *j, const struct func *func)
{
	if (!symbols_hidden(j->symbols, func->object))
		return false;
	for (size_t i = 0; i < j->lp->nr_funcs; i++) {
		const struct func *own = &j->lp->funcs[i];

		if (!strcmp(own->object, func->object) && !same_func(own, func))
			return true;
	}
	return false;
}

static void check_own_symbols(struct judge *j)
{
	for (size_t i = 0; j->symbols && i < j->lp->nr_funcs; i++) {
		const struct func *func = &j->lp->funcs[i], *other;
		uint64_t addr;

		if (!symbols_have(j->symbols, func->object))
			continue;
		check_symbol(j, func);
		j->v->blind |= j->new.managed && may_be(j, func);
		addr = j->new.managed ? j->addrs[i] : 0;
		for (size_t k = 0; addr && k < i; k++) {
			other = &j->lp->funcs[k];
			if (j->addrs[k] == addr && !same_func(func, other))
				conflict(j, "function-twice", NULL,
					 xasprintf("%s changes %s and %s, which are the same function.",
						   livepatch_who(&j->new),
						   func_label(other), func_label(func)),
					 "Take one of the two out of its table.");
		}
	}
}

/* What the new patch changes at this address, or else drops; NULL for neither. */
static const struct func *find_at(const struct judge *j, uint64_t addr, bool *drops)
{
	*drops = false;
	for (size_t i = 0; i < j->lp->nr_funcs; i++) {
		if (j->addrs[i] == addr)
			return &j->lp->funcs[i];
	}
	*drops = true;
	for (size_t i = 0; i < j->v->nr_dropped; i++) {
		if (j->dropped_addrs[i] == addr)
			return j->v->dropped[i];
	}
	return NULL;
}

/* Two sets come to share a function when its module is loaded after their patches. */
static void check_aliases(struct judge *j, const struct livepatch *old)
{
	for (size_t i = 0; j->symbols && i < old->nr_funcs; i++) {
		const struct func *func = &old->funcs[i], *own;
		uint64_t addr = address_of(j, func);
		bool drops;

		j->v->blind |= !addr && may_be(j, func);
		own = addr ? find_at(j, addr, &drops) : NULL;
		if (!own || same_func(own, func))
			continue;
		conflict_with_owner(j, "function", old,
				xasprintf("%s %s function %s, which is the same as %s, which %s changes.",
					  livepatch_who(&j->new), drops ? "drops" : "changes",
					  func_label(own), func_label(func),
					  livepatch_who(old)));
	}
}

/* --- parts of functions --------------------------------------------------------- */

/*
 * A compiler makes foo.part.0, foo.constprop.0, foo.isra.0 or foo.cold of foo(), and no name
 * in C has a dot.
 */
static struct livepatch *without_endings(const struct livepatch *lp)
{
	struct livepatch *bases = livepatch_new(lp->name);

	for (size_t i = 0; i < lp->nr_funcs; i++) {
		char *base = xstrdup(lp->funcs[i].name);

		base[1 + strcspn(base + 1, ".")] = '\0';
		livepatch_add_func(bases, lp->funcs[i].object, base, 1);
		free(base);
	}
	return bases;
}

/* The text is freed later. */
static void add_warning(struct verdict *v, const char *code, char *text, const char *advice)
{
	v->warnings = xrealloc(v->warnings, v->nr_warnings + 1, sizeof(*v->warnings));
	v->warnings[v->nr_warnings++] = (struct warning) {
		.code = code, .text = text, .advice = advice,
	};
}

/* The code of one is often a copy of the other's, or expects it to be as it was. */
static void check_parts(struct judge *j, const struct livepatch *old)
{
	struct livepatch *own = without_endings(j->lp), *others = without_endings(old);

	for (size_t i = 0; i < others->nr_funcs; i++) {
		const struct func *found = livepatch_find_func(own, &others->funcs[i]);
		const struct func *func = found ? &j->lp->funcs[found - own->funcs] : NULL;

		if (!func || !strcmp(func->name, old->funcs[i].name))
			continue;
		add_warning(j->v, "function-part",
			    xasprintf("%s changes function %s, and %s changes %s: the compiler has made both from '%s'.",
				      livepatch_who(&j->new), func_label(func),
				      livepatch_who(old), func_label(&old->funcs[i]),
				      found->name),
			    "Change both in one livepatch, or leave --strict out.");
	}
	livepatch_free(own);
	livepatch_free(others);
}

void verdict_note_signature(struct verdict *v, const struct livepatch *lp, const char *why)
{
	add_warning(v, "signature", xasprintf("This kernel would not load %s: %s.",
					      livepatch_who(lp), why),
		    "Sign it with a key that this kernel trusts, or have that key enrolled: secure-boot.md has more.");
}

void verdict_be_strict(struct verdict *v)
{
	for (size_t i = 0; i < v->nr_warnings; i++) {
		v->conflicts = xrealloc(v->conflicts, v->nr_conflicts + 1, sizeof(*v->conflicts));
		v->conflicts[v->nr_conflicts++] = (struct conflict) {
			.code = v->warnings[i].code, .reason = v->warnings[i].text,
			.advice = xstrdup(v->warnings[i].advice),
		};
	}
	v->nr_warnings = 0;
}

/* --- callbacks ------------------------------------------------------------------ */

static bool cleans_up(const struct livepatch *lp, const char *object)
{
	for (size_t i = 0; i < lp->nr_cleaners; i++) {
		if (!strcmp(lp->cleaners[i].object, object))
			return true;
	}
	return false;
}

/*
 * The kernel calls those of the new patch only. What they did for an object goes to the new
 * one's, if it has some for that.
 */
static void check_callbacks(struct judge *j, const struct livepatch *old)
{
	for (size_t i = 0; i < old->nr_cleaners && !j->lp->incomplete; i++) {
		const struct cleaner *c = &old->cleaners[i];

		if (cleans_up(j->lp, c->object))
			continue;
		add_warning(j->v, "callback",
			    xasprintf("%s has a callback %s for %s, which is not called when %s replaces it.",
				      livepatch_who(old), c->callback, c->object,
				      livepatch_who(&j->new)),
			    "Unload that one first, or let the new one have callbacks for the same object that do it.");
	}
}

/* --- states --------------------------------------------------------------------- */

static const struct state *find_state(const struct livepatch *lp, unsigned long id,
				      bool managed)
{
	for (size_t i = 0; i < lp->nr_states; i++) {
		if (lp->states[i].id == id && lp->states[i].managed == managed)
			return &lp->states[i];
	}
	return NULL;
}

/* "5", or "5 'cache'" */
static char *state_label(const struct state *state)
{
	static char *label;

	free(label);
	if (state->name)
		label = xasprintf("%lu '%s'", state->id, state->name);
	else
		label = xasprintf("%lu", state->id);
	return label;
}

static void check_own_states(struct judge *j)
{
	for (size_t i = 0; j->new.managed && i < j->lp->nr_states; i++) {
		const struct state *state = &j->lp->states[i];

		if (livepatch_find_state(j->lp, state->id) != state)
			conflict(j, "state-twice", NULL,
				 xasprintf("%s has state %s twice.",
					   livepatch_who(&j->new), state_label(state)),
				 "Give each of its states an id of its own.");
	}
}

static void check_foreign_states(struct judge *j, const struct livepatch *old)
{
	for (size_t i = 0; i < old->nr_states; i++) {
		const struct state *state = &old->states[i];

		if (livepatch_find_state(j->lp, state->id))
			conflict_with_owner(j, "state", old,
					xasprintf("%s uses state %s, as %s does.",
						  livepatch_who(&j->new), state_label(state),
						  livepatch_who(old)));
	}
}

static bool same_name(const struct state *a, const struct state *b)
{
	return !strcmp(a->name ?: "-", b->name ?: "-");
}

/* Of a patch that decides when it is loaded, nobody can say that. */
static bool lacks_state(const struct judge *j, unsigned long id)
{
	return !j->lp->incomplete && !livepatch_find_state(j->lp, id);
}

static void check_taken_over(struct judge *j, const struct livepatch *old,
			     const struct state *state)
{
	const struct state *own = find_state(j->lp, state->id, true);

	/* What sysfs tells of states lacks is_shadow. */
	if (own && (!same_name(own, state) || (old->path && own->is_shadow != state->is_shadow)))
		conflict(j, "state-differs", old,
			 xasprintf("State %s has another name or is_shadow in %s than in %s.",
				   state_label(state), livepatch_who(&j->new),
				   livepatch_who(old)),
			 "Give the new state an id of its own, since it is another state.");
	if (state->block_disable && lacks_state(j, state->id))
		conflict(j, "state-missing", old,
			 xasprintf("%s would replace %s, whose state %s cannot be removed, and lacks it.",
				   livepatch_who(&j->new), livepatch_who(old),
				   state_label(state)),
			 "Load a version that has this state.");
}

static void check_stock_state(struct judge *j, const struct livepatch *old,
			      const struct state *state)
{
	const struct state *own;

	if (find_state(j->lp, state->id, true) && j->new.managed)
		return;
	own = find_state(j->lp, state->id, false);
	if (!own && replaces(j, old) && !j->lp->incomplete)
		conflict(j, "state-missing", old,
			 xasprintf("%s would replace %s, and lacks its state %lu.",
				   livepatch_who(&j->new), livepatch_who(old), state->id),
			 "Load a version that has this state, or unload '%s' first.", old->name);
	if (own && own->version < state->version)
		conflict(j, "state-older", old,
			 xasprintf("State %lu has version %u in %s, older than %u in %s.",
				   state->id, own->version, livepatch_who(&j->new),
				   state->version, livepatch_who(old)),
			 "Load a newer version, or unload '%s' first.", old->name);
}

static void check_replaced_states(struct judge *j, const struct livepatch *old)
{
	for (size_t i = 0; i < old->nr_states; i++) {
		if (old->states[i].managed)
			check_taken_over(j, old, &old->states[i]);
		else
			check_stock_state(j, old, &old->states[i]);
	}
}

/* --- the patch as a whole --------------------------------------------------------- */

static void check_file(struct judge *j)
{
	const struct livepatch *new = &j->new;

	if (new->flaw)
		conflict(j, "flaw", NULL,
			 xasprintf("%s cannot be enabled: %s.", livepatch_who(new), new->flaw),
			 "Correct its source and build it again.");
	if (new->nr_obsoletes > MAX_OBSOLETES)
		conflict(j, "too-many-obsoletes", NULL,
			 xasprintf("%s obsoletes %zu sets, and %d are allowed.",
				   livepatch_who(new), new->nr_obsoletes, MAX_OBSOLETES),
			 "Let it obsolete fewer sets.");
	if (j->m->livepatching && new->kernel && strcmp(new->kernel, kernel_release()))
		conflict(j, "other-kernel", NULL,
			 xasprintf("%s was built for kernel %s, and this is %s.",
				   livepatch_who(new), new->kernel, kernel_release()),
			 "Build it for this kernel.");
}

static void check_module_name(struct judge *j)
{
	const char *name = j->new.name;
	const struct livepatch *enabled = machine_find(j->m, name);

	if (enabled) {
		conflict(j, "already-enabled", enabled,
			 xasprintf("A livepatch '%s' is enabled already.", name),
			 "Give each version a module name of its own, or unload this one first.");
		return;
	}
	/* One that nobody uses is removed first, by load. */
	for (size_t i = 0; i < j->m->nr_leftovers; i++) {
		if (!j->m->leftovers[i].refcnt || strcmp(j->m->leftovers[i].name, name))
			continue;
		conflict(j, "leftover", NULL,
			 xasprintf("The module '%s' is still loaded, although its livepatch is not enabled any more.",
				   name),
			 "If 'klp-sets unload' cannot remove it, a transition was forced, and it stays until the next boot.");
	}
}

static void check_transition(struct judge *j)
{
	const struct livepatch *busy = machine_in_transition(j->m);

	if (busy)
		conflict(j, "transition", busy,
			 xasprintf("%s is in transition, and there can be only one at a time.",
				   livepatch_who(busy)),
			 "Wait until it is over; 'klp-sets status' shows what it waits for.");
}

static void check_stock_replace(struct judge *j)
{
	if (!j->new.managed && j->replace_all && have_managed(j->m) &&
	    j->m->policy.stock_replace == STOCK_REFUSE)
		conflict(j, "replace-refused", NULL,
			 xasprintf("%s would replace all livepatches, and the policy stock_replace is 'refuse'.",
				   livepatch_who(&j->new)),
			 "Put it into a set, or change the policy with 'klp-sets policy'.");
}

static void check_others(struct judge *j)
{
	/* Any of them may be of the same set. */
	if (j->new.managed && !j->new.has_set)
		return;
	for (size_t i = 0; i < j->m->nr_patches; i++) {
		const struct livepatch *old = j->m->patches[i];

		if (must_not_clash(j, old)) {
			check_names(j, old);
			check_aliases(j, old);
			check_parts(j, old);
			check_foreign_states(j, old);
		} else {
			check_replaced_states(j, old);
			if (replaces(j, old))
				check_callbacks(j, old);
		}
	}
}

bool rules_choose_set(const struct machine *m, struct livepatch *lp, const uint32_t *wish,
		      char **why)
{
	const struct assignment *a = lp->native ? NULL : machine_find_assignment(m, lp->name);

	if (!a && !lp->native && m->livepatching)
		a = assignment_kept(lp->name);
	/* Whatever it asks for may be another one. */
	if (wish && lp->native && !lp->has_set) {
		*why = xasprintf("'%s' decides about its set when it is loaded; leave --set out",
				 lp->name);
		return false;
	}
	if (wish && !livepatch_put_into_set(lp, *wish, why))
		return false;
	/* Who names the set that it is assigned to means that assignment. */
	if (!a || (wish && a->replace_set != *wish))
		return true;
	lp->has_set = true;
	lp->replace_set = a->replace_set;
	lp->nr_obsoletes = 0;
	for (size_t i = 0; i < a->nr_obsoletes; i++)
		livepatch_add_obsolete(lp, a->obsoletes[i]);
	return true;
}

struct verdict *rules_judge(const struct machine *m, struct livepatch *lp,
			    struct symbols *symbols)
{
	struct judge j = {
		.m = m,
		.symbols = symbols,
		.lp = lp,
		.v = xcalloc(1, sizeof(*j.v)),
	};

	find_its_set(&j);
	name_funcs(&j, lp);
	compare_funcs(&j);
	for (size_t i = 0; i < j.v->nr_replaced; i++)
		name_funcs(&j, j.v->replaced[i]);
	find_addresses(&j);
	check_file(&j);
	check_module_name(&j);
	check_transition(&j);
	check_stock_replace(&j);
	check_own_funcs(&j);
	check_own_symbols(&j);
	check_own_states(&j);
	check_others(&j);
	advise_on_owners(&j);
	free(j.addrs);
	free(j.dropped_addrs);
	return j.v;
}

void verdict_free(struct verdict *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->nr_conflicts; i++) {
		free(v->conflicts[i].reason);
		free(v->conflicts[i].advice);
	}
	for (size_t i = 0; i < v->nr_warnings; i++)
		free(v->warnings[i].text);
	free(v->conflicts);
	free(v->warnings);
	free(v->replaced);
	free(v->added);
	free(v->kept);
	free(v->dropped);
	free(v);
}

static bool is_replaced(const struct verdict *v, const struct livepatch *lp)
{
	for (size_t i = 0; i < v->nr_replaced; i++) {
		if (v->replaced[i] == lp)
			return true;
	}
	return false;
}

static void use_up_assignment(struct machine *m, const struct assignment *used)
{
	struct assignment *a = m->assignments + (used - m->assignments);

	free(a->name);
	free(a->obsoletes);
	*a = m->assignments[--m->nr_assignments];
}

void machine_apply(struct machine *m, struct livepatch *lp, const struct verdict *v)
{
	size_t n = 0;

	lp->managed = v->managed;
	lp->has_set = v->has_set;
	lp->replace_set = v->replace_set;
	if (v->obsoletes != lp->obsoletes) {
		lp->nr_obsoletes = 0;
		for (size_t i = 0; i < v->nr_obsoletes; i++)
			livepatch_add_obsolete(lp, v->obsoletes[i]);
	}
	lp->enabled = true;
	m->core |= v->managed;
	if (v->assignment && !assignment_is_pattern(v->assignment))
		use_up_assignment(m, v->assignment);

	for (size_t i = 0; i < m->nr_patches; i++) {
		if (is_replaced(v, m->patches[i]))
			livepatch_free(m->patches[i]);
		else
			m->patches[n++] = m->patches[i];
	}
	m->nr_patches = n;
	machine_add(m, lp);
}
