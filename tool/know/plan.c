// SPDX-License-Identifier: GPL-2.0
/*
 * plan.c - how a machine and its store come to hold what they should
 *
 * Each livepatch that is to be loaded is judged against the machine as it will be then, and
 * against one that has booted the store as it will be. The first one that both accept is the
 * next step. That finds an order whenever there is one: what is accepted later takes nothing
 * from what was accepted before, or the result would break a rule. Only when none is
 * accepted, what is to go makes room for them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "know/plan.h"
#include "know/kept.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/rules.h"
#include "know/targets.h"
#include "keep/assignments.h"
#include "keep/guard.h"
#include "keep/kernel.h"
#include "keep/policies.h"
#include "keep/store.h"
#include "read/elf.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/util.h"

const char * const action_names[] = {
	[ACTION_INSTALL] = "install",
	[ACTION_UPGRADE] = "upgrade",
	[ACTION_DOWNGRADE] = "downgrade",
	[ACTION_LOAD] = "load",
	[ACTION_REMOVE] = "remove",
	[ACTION_UNLOAD] = "unload",
};

const char * const action_done[] = {
	[ACTION_INSTALL] = "installed",
	[ACTION_UPGRADE] = "upgraded",
	[ACTION_DOWNGRADE] = "downgraded",
	[ACTION_LOAD] = "loaded",
	[ACTION_REMOVE] = "removed",
	[ACTION_UNLOAD] = "unloaded",
};

/* A livepatch that there should be. */
struct wanted {
	struct livepatch *lp;
	struct module_file *file;
	bool there;		/* the machine has it, in its place */
	bool pending;		/* it needs a step, which is not found yet */
};

struct planning {
	const struct store *store;
	struct machine *now;	/* as it will be after the steps so far; NULL for no machine */
	struct machine *boot;	/* one that has booted the store as it will be then */
	struct symbols *symbols;
	struct wanted *wanted;
	size_t nr_wanted;
	struct step *leaving;	/* what is to go, as soon as that makes room, or last */
	size_t nr_leaving;
	bool prune;
	struct plan *plan;
};

/* --- what is said ----------------------------------------------------------------- */

static void refuse(struct planning *p, const char *code, const char *what, char *why,
		   const char *advice)
{
	struct plan *plan = p->plan;

	plan->refusals = xrealloc(plan->refusals, plan->nr_refusals + 1,
				  sizeof(*plan->refusals));
	plan->refusals[plan->nr_refusals++] = (struct refusal) {
		.code = code, .what = xstrdup(what), .why = why,
		.advice = advice ? xstrdup(advice) : NULL,
	};
}

static void keep_back(struct planning *p, const char *what, const char *state, char *why)
{
	struct plan *plan = p->plan;

	plan->kept_back = xrealloc(plan->kept_back, plan->nr_kept_back + 1,
				   sizeof(*plan->kept_back));
	plan->kept_back[plan->nr_kept_back++] = (struct kept_back) {
		.what = xstrdup(what), .state = state, .why = why,
	};
}

static void add_step(struct planning *p, const struct step *step)
{
	struct plan *plan = p->plan;

	plan->steps = xrealloc(plan->steps, plan->nr_steps + 1, sizeof(*plan->steps));
	plan->steps[plan->nr_steps++] = *step;
}

/* --- what there should be ------------------------------------------------------------ */

/* One file; whatever makes it impossible is told of with all the others. */
static void want(struct planning *p, const char *path)
{
	const struct assignment *a;
	struct module_file *file;
	struct livepatch *lp;
	char *why;

	file = module_file_open(path, &why);
	lp = file ? livepatch_read(file, &why) : NULL;
	if (!lp) {
		refuse(p, "unreadable", path, why, NULL);
		return;
	}
	if (lp->kernel && strcmp(lp->kernel, kernel_release())) {
		keep_back(p, path, "other kernel",
			  xasprintf("it was built for kernel %s, and this is %s", lp->kernel,
				    kernel_release()));
		return;
	}
	a = lp->native ? NULL : assignment_kept(lp->name);
	if (a && !give_set(lp, a->replace_set, &why)) {
		refuse(p, "no-set", path, why, NULL);
		return;
	}
	if (lp->native && !lp->has_set) {
		refuse(p, "no-set", path,
		       xasprintf("'%s' does not tell which set it belongs to", lp->name), NULL);
		return;
	}
	p->wanted = xrealloc(p->wanted, p->nr_wanted + 1, sizeof(*p->wanted));
	p->wanted[p->nr_wanted++] = (struct wanted) { .lp = lp, .file = file };
}

static bool same_place(const struct livepatch *a, const struct livepatch *b)
{
	return a->has_set ? b->has_set && a->replace_set == b->replace_set :
			    !b->has_set && !strcmp(a->name, b->name);
}

/* Two that cannot both be there, whatever they change. */
static void check_pair(struct planning *p, const struct livepatch *a, const struct livepatch *b)
{
	if (!strcmp(a->name, b->name))
		refuse(p, "name-twice", a->path,
		       xasprintf("'%s' is also the livepatch in %s", a->name, b->path),
		       "A module can be loaded once only.");
	else if (same_place(a, b))
		refuse(p, "set-twice", a->path,
		       xasprintf("'%s' of %s is of set %u as well", b->name, b->path,
				 a->replace_set),
		       "A set has one livepatch.");
}

static struct slot *slot_of(const struct store *s, const struct livepatch *lp)
{
	return lp->has_set ? store_find_set(s, lp->replace_set) : store_find_stock(s, lp->name);
}

struct slot *plan_slot(const struct store *s, const struct step *step)
{
	if (step->has_set)
		return store_find_set(s, step->replace_set);
	return step->name ? store_find_stock(s, step->name) : NULL;
}

static bool same_content(const struct version *v, const struct module_file *file)
{
	struct module_file *stored = NULL;
	char *why;
	bool same;

	if (v->name && !v->parameters)
		stored = module_file_open(v->path, &why);
	same = stored && stored->size == file->size &&
	       !memcmp(stored->data, file->data, file->size);
	module_file_close(stored);
	return same;
}

/* Whether the machine has this very livepatch, where it belongs. */
static bool is_there(const struct planning *p, const struct wanted *w)
{
	const struct livepatch *lp = w->lp, *now = p->now ? machine_find(p->now, lp->name) : NULL;

	if (!now || !now->enabled || now->managed != (lp->has_set || lp->native) ||
	    (now->managed && now->replace_set != lp->replace_set))
		return false;
	return module_is_file(w->file, lp->name, NULL);
}

/* What the machine died of is not tried again because somebody runs this every hour. */
static bool must_wait(struct planning *p, const struct version *v, const struct livepatch *lp)
{
	time_t when;

	if (is_of_other_build(v)) {
		keep_back(p, livepatch_who(lp), kept_names[KEPT_OTHER_BUILD],
			  xasprintf("it was stored for another build of this kernel; if it fits, 'klp-sets install %s' says so",
				    lp->path));
		return true;
	}
	if (!guard_held(lp->name, &when))
		return false;
	keep_back(p, livepatch_who(lp), kept_names[KEPT_HELD],
		  xasprintf("the machine died after it had been loaded on %s; 'klp-sets install --load %s' tries it again",
			    date(when), lp->path));
	return true;
}

static void compare_with_store(struct planning *p, struct wanted *w)
{
	const struct slot *slot = slot_of(p->store, w->lp);
	bool known = slot && slot->versions[0].name &&
		     !strcmp(slot->versions[0].name, w->lp->name) &&
		     same_content(&slot->versions[0], w->file);

	w->there = is_there(p, w);
	if (known && !w->there && must_wait(p, &slot->versions[0], w->lp))
		return;
	w->pending = !known || (p->now && !w->there);
}

/* --- what there should not be --------------------------------------------------------- */

static bool is_wanted(const struct planning *p, const char *name)
{
	for (size_t i = 0; name && i < p->nr_wanted; i++) {
		if (!strcmp(p->wanted[i].lp->name, name))
			return true;
	}
	return false;
}

static bool is_wanted_set(const struct planning *p, uint32_t set)
{
	for (size_t i = 0; i < p->nr_wanted; i++) {
		if (p->wanted[i].lp->has_set && p->wanted[i].lp->replace_set == set)
			return true;
	}
	return false;
}

static void add_leaving(struct planning *p, const struct step *step)
{
	p->leaving = xrealloc(p->leaving, p->nr_leaving + 1, sizeof(*p->leaving));
	p->leaving[p->nr_leaving++] = *step;
}

static bool is_leaving(const struct planning *p, const char *name)
{
	for (size_t i = 0; i < p->nr_leaving; i++) {
		if (p->leaving[i].name && !strcmp(p->leaving[i].name, name))
			return true;
	}
	return false;
}

static void find_leaving(struct planning *p)
{
	for (size_t i = 0; i < p->store->nr_slots; i++) {
		const struct slot *slot = &p->store->slots[i];
		const char *name = slot->versions[0].name;

		if (slot->has_set ? is_wanted_set(p, slot->replace_set) : is_wanted(p, slot->stock))
			continue;
		add_leaving(p, &(struct step) {
			.action = ACTION_REMOVE,
			.has_set = slot->has_set,
			.replace_set = slot->replace_set,
			.name = name ? xstrdup(name) : slot->stock,
			.loaded = p->now && name && !is_wanted(p, name) &&
				  machine_find(p->now, name),
		});
	}
	/* Stock livepatches that were never stored are somebody else's. */
	for (size_t i = 0; p->now && i < p->now->nr_patches; i++) {
		const struct livepatch *lp = p->now->patches[i];

		if (!lp->managed || is_wanted(p, lp->name) || is_wanted_set(p, lp->replace_set) ||
		    is_leaving(p, lp->name))
			continue;
		add_leaving(p, &(struct step) {
			.action = ACTION_UNLOAD,
			.has_set = true,
			.replace_set = lp->replace_set,
			.name = xstrdup(lp->name),
			.loaded = true,
		});
	}
}

/* --- machines as they will be ---------------------------------------------------------- */

/* Nothing is freed: what is replaced is looked at by those who remember it. */
static void take_off(struct machine *m, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; name && i < m->nr_patches; i++) {
		if (strcmp(m->patches[i]->name, name))
			m->patches[n++] = m->patches[i];
	}
	if (name)
		m->nr_patches = n;
}

static void put_on(struct machine *m, const struct livepatch *lp, const struct verdict *v)
{
	struct livepatch *copy = xcalloc(1, sizeof(*copy));

	*copy = *lp;
	copy->managed = v->managed;
	copy->has_set = v->has_set;
	copy->replace_set = v->replace_set;
	copy->obsoletes = (uint32_t *)v->obsoletes;
	copy->nr_obsoletes = v->nr_obsoletes;
	copy->enabled = true;
	for (size_t i = 0; i < v->nr_replaced; i++)
		take_off(m, v->replaced[i]->name);
	m->core |= v->managed;
	machine_add(m, copy);
}

/* A machine without what the new one takes the place of: at boot, that is not loaded first. */
static struct machine without(const struct machine *m, const struct livepatch *lp)
{
	struct machine view = *m;

	view.patches = xcalloc(m->nr_patches, sizeof(*view.patches));
	view.nr_patches = 0;
	for (size_t i = 0; i < m->nr_patches; i++) {
		struct livepatch *old = m->patches[i];

		if (strcmp(old->name, lp->name) &&
		    !(lp->has_set && old->managed && old->replace_set == lp->replace_set))
			view.patches[view.nr_patches++] = old;
	}
	return view;
}

static struct machine *boot_store(struct planning *p)
{
	struct machine *m = machine_empty();

	m->livepatching = true;
	m->core = true;
	m->policy = policy_kept();
	for (size_t i = 0; i < p->store->nr_slots; i++) {
		const struct slot *slot = &p->store->slots[i];
		struct livepatch *lp = NULL;
		struct verdict *v;

		/* Boot leaves it out, too. */
		if (slot->versions[0].name && !is_of_other_build(&slot->versions[0]))
			lp = slot_read(slot, 0, NULL);
		if (!lp)
			continue;
		v = rules_judge(m, lp, p->symbols);
		if (!v->nr_conflicts)
			put_on(m, lp, v);
	}
	return m;
}

/* --- the order ---------------------------------------------------------------------------- */

/* What both machines say to a livepatch. */
struct answer {
	struct verdict *now;	/* NULL for no machine, or one that has it */
	struct verdict *boot;
};

static bool accepts(const struct verdict *v)
{
	return !v || (!v->nr_conflicts && !v->blind);
}

static struct answer ask(const struct planning *p, struct wanted *w)
{
	struct livepatch *lp = w->lp;
	struct machine view = without(p->boot, lp);

	return (struct answer) {
		.now = p->now && !w->there ? rules_judge(p->now, lp, p->symbols) : NULL,
		.boot = rules_judge(&view, lp, p->symbols),
	};
}

/* Nobody loses what others have loaded or stored, because of a flag that a tool sets by default. */
static void check_replaced(struct planning *p, const struct livepatch *lp, const struct verdict *v)
{
	for (size_t i = 0; v && i < v->nr_replaced; i++) {
		const struct livepatch *old = v->replaced[i];

		if (!p->prune && !(old->managed && lp->has_set &&
					(old->replace_set == lp->replace_set ||
					 livepatch_obsoletes(lp, old->replace_set))))
			refuse(p, "replaces-all", lp->path,
			       xasprintf("%s replaces every livepatch, and %s with them",
					 livepatch_who(lp), livepatch_who(old)),
			       "With --prune they go; with an assignment, or after 'klp-sets policy stock_replace=scoped', it leaves them alone.");
	}
}

/* Loaded in another order they would both be there, until the next version of the one comes. */
static void check_together(struct planning *p)
{
	struct machine *m = machine_empty();

	m->livepatching = true;
	m->core = true;
	m->policy = policy_kept();
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct livepatch *lp = p->wanted[i].lp;
		const struct verdict as = { .managed = lp->has_set, .has_set = lp->has_set,
					    .replace_set = lp->replace_set };

		put_on(m, lp, &as);
	}
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct livepatch *lp = p->wanted[i].lp;
		struct machine others = without(m, lp);
		struct verdict *v = rules_judge(&others, lp, NULL);

		for (size_t j = 0; j < v->nr_replaced; j++)
			refuse(p, "replaces-wanted", lp->path,
			       xasprintf("%s would replace %s, which should be there as well",
					 livepatch_who(lp), livepatch_who(v->replaced[j])),
			       "Take one of the two out of the folder.");
	}
}

static void drop_leaving(struct planning *p, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nr_leaving; i++) {
		if (!p->leaving[i].name || strcmp(p->leaving[i].name, name))
			p->leaving[n++] = p->leaving[i];
	}
	p->nr_leaving = n;
}

static enum action what_is_done(const struct slot *slot, const struct wanted *w)
{
	if (!slot)
		return ACTION_INSTALL;
	if (slot->versions[0].name && !strcmp(slot->versions[0].name, w->lp->name) &&
	    same_content(&slot->versions[0], w->file))
		return ACTION_LOAD;
	for (size_t i = 1; i < slot->nr_versions; i++) {
		if (same_content(&slot->versions[i], w->file))
			return ACTION_DOWNGRADE;
	}
	return ACTION_UPGRADE;
}

static void leave(struct planning *p, struct step *step, const char *name)
{
	step->leave = xrealloc(step->leave, step->nr_leave + 1, sizeof(*step->leave));
	step->leave[step->nr_leave++] = xstrdup(name);
	drop_leaving(p, name);
}

static void take(struct planning *p, struct wanted *w, const struct answer *answer)
{
	const struct slot *slot = slot_of(p->store, w->lp);
	struct step step = {
		.action = what_is_done(slot, w),
		.lp = w->lp,
		.file = w->file,
		.has_set = w->lp->has_set,
		.replace_set = w->lp->replace_set,
		.name = w->lp->name,
	};

	if (slot && slot->versions[0].name && step.action != ACTION_LOAD)
		step.from = slot->versions[0].name;
	check_replaced(p, w->lp, answer->now);
	check_replaced(p, w->lp, answer->boot);
	for (size_t i = 0; i < answer->boot->nr_replaced; i++)
		leave(p, &step, answer->boot->replaced[i]->name);
	/* It was stored for another set: a module can be loaded once only. */
	for (size_t i = 0; i < p->store->nr_slots; i++) {
		const struct slot *other = &p->store->slots[i];

		if (other != slot && other->versions[0].name &&
		    !strcmp(other->versions[0].name, step.name))
			leave(p, &step, step.name);
	}
	/* What only the machine has goes in the same transition. */
	for (size_t i = 0; answer->now && i < answer->now->nr_replaced; i++) {
		for (size_t j = 0; j < p->nr_leaving; j++) {
			if (p->leaving[j].action == ACTION_UNLOAD &&
			    !strcmp(p->leaving[j].name, answer->now->replaced[i]->name))
				drop_leaving(p, p->leaving[j].name);
		}
	}
	for (size_t i = 0; i < answer->boot->nr_warnings; i++) {
		p->plan->warnings = xrealloc(p->plan->warnings, p->plan->nr_warnings + 1,
					     sizeof(*p->plan->warnings));
		p->plan->warnings[p->plan->nr_warnings++] = xstrdup(answer->boot->warnings[i].text);
	}
	if (answer->now)
		put_on(p->now, w->lp, answer->now);
	*p->boot = without(p->boot, w->lp);
	put_on(p->boot, w->lp, answer->boot);
	add_step(p, &step);
	w->pending = false;
}

static bool take_next(struct planning *p)
{
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct answer answer;

		if (!p->wanted[i].pending)
			continue;
		answer = ask(p, &p->wanted[i]);
		if (accepts(answer.now) && accepts(answer.boot)) {
			take(p, &p->wanted[i], &answer);
			return true;
		}
	}
	return false;
}

/* One that has a state for ever. */
static void check_can_go(struct planning *p, const struct step *step)
{
	const struct livepatch *lp = step->loaded ? machine_find(p->now, step->name) : NULL;

	for (size_t i = 0; lp && i < lp->nr_states; i++) {
		if (lp->states[i].block_disable)
			refuse(p, "blocked", lp->name,
			       xasprintf("%s cannot be disabled: its state %lu must not be removed",
					 livepatch_who(lp), lp->states[i].id),
			       "Only a livepatch of its set that has the state as well can take its place.");
	}
}

static void let_go(struct planning *p, size_t i)
{
	const struct step step = p->leaving[i];

	check_can_go(p, &step);
	if (step.loaded)
		take_off(p->now, step.name);
	if (step.action == ACTION_REMOVE && !is_wanted(p, step.name))
		take_off(p->boot, step.name);
	memmove(&p->leaving[i], &p->leaving[i + 1], (--p->nr_leaving - i) * sizeof(step));
	add_step(p, &step);
}

static bool is_in_the_way(const struct verdict *v, const char *name)
{
	for (size_t i = 0; v && i < v->nr_conflicts; i++) {
		if (v->conflicts[i].other && !strcmp(v->conflicts[i].other->name, name))
			return true;
	}
	return false;
}

/* Whoever is to go anyway, and keeps one of them out, goes first. */
static bool make_room(struct planning *p)
{
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct answer answer;

		if (!p->wanted[i].pending)
			continue;
		answer = ask(p, &p->wanted[i]);
		for (size_t j = 0; j < p->nr_leaving; j++) {
			if (!p->leaving[j].name)
				continue;
			if (is_in_the_way(answer.now, p->leaving[j].name) ||
			    is_in_the_way(answer.boot, p->leaving[j].name)) {
				let_go(p, j);
				return true;
			}
		}
	}
	return false;
}

static void tell_conflicts(struct planning *p, const struct livepatch *lp, const struct verdict *v)
{
	const char *advice = NULL;

	if (v && v->blind)
		refuse(p, "blind", lp->path,
		       xasprintf("the kernel hides its addresses, so nobody can tell whether two names are one function"),
		       "'sysctl kernel.kptr_restrict=1' shows them to root.");
	for (size_t i = 0; v && i < v->nr_conflicts; i++) {
		const struct conflict *c = &v->conflicts[i];

		advice = c->advice;
		/* It will not have that any more, if only it could have been first. */
		if (c->other && is_wanted_set(p, c->other->replace_set) &&
		    !is_wanted(p, c->other->name))
			advice = "Each of them would have to make room for the other first: load a version that has neither function in between.";
		refuse(p, c->code, lp->path, xstrdup(c->reason), advice);
	}
}

static void tell_pending(struct planning *p)
{
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct answer answer;

		if (!p->wanted[i].pending)
			continue;
		answer = ask(p, &p->wanted[i]);
		/* What the machine says is what the store says, most often. */
		tell_conflicts(p, p->wanted[i].lp, accepts(answer.now) ? answer.boot : answer.now);
	}
}

/* A later step must not have taken away what an earlier one, or nobody, has brought. */
static void check_result(struct planning *p)
{
	for (size_t i = 0; i < p->nr_wanted; i++) {
		struct livepatch *lp = p->wanted[i].lp;
		const struct slot *slot = slot_of(p->store, lp);
		bool waits = slot && is_of_other_build(&slot->versions[0]);

		if (!waits && !machine_find(p->boot, lp->name))
			refuse(p, "not-together", lp->path,
			       xasprintf("%s would not be there after a boot", livepatch_who(lp)),
			       NULL);
	}
}

static void find_order(struct planning *p)
{
	/* Without a machine all is one change, and nobody is in the way of his successor. */
	for (size_t i = 0; !p->now && i < p->nr_wanted; i++) {
		if (p->wanted[i].pending)
			*p->boot = without(p->boot, p->wanted[i].lp);
	}
	while (take_next(p) || make_room(p))
		;
	tell_pending(p);
	if (p->plan->nr_refusals)
		return;
	while (p->nr_leaving)
		let_go(p, 0);
	check_result(p);
}

struct plan *plan_make(const struct store *s, char *const *files, size_t nr_files, bool loads,
		       bool prune)
{
	struct planning p = { .store = s, .prune = prune, .plan = xcalloc(1, sizeof(*p.plan)) };

	for (size_t i = 0; i < nr_files; i++)
		want(&p, files[i]);
	for (size_t i = 0; i < p.nr_wanted; i++) {
		for (size_t j = i + 1; j < p.nr_wanted; j++)
			check_pair(&p, p.wanted[i].lp, p.wanted[j].lp);
	}
	if (!p.plan->nr_refusals)
		check_together(&p);
	if (prune && nr_files && !p.nr_wanted && p.plan->nr_kept_back)
		refuse(&p, "other-kernel", "--prune",
		       xasprintf("no file there is for kernel %s, and all livepatches would go",
				 kernel_release()),
		       "An empty folder says that there should be none.");
	if (p.plan->nr_refusals)
		return p.plan;

	p.symbols = is_this_machine() ? targets_of_machine_and_ftrace() : targets_of_store();
	if (loads) {
		p.now = machine_read();
		machine_need_livepatching(p.now);
		if (!p.now->core)
			p.now->policy = policy_kept();
	}
	p.boot = boot_store(&p);
	for (size_t i = 0; i < p.nr_wanted; i++)
		compare_with_store(&p, &p.wanted[i]);
	if (prune)
		find_leaving(&p);
	find_order(&p);
	return p.plan;
}
