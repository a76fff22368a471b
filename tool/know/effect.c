// SPDX-License-Identifier: GPL-2.0
/*
 * effect.c - whether the functions of the patches are in effect
 *
 * sysfs says that a patch is enabled. Whether its functions are redirected is for
 * ftrace to say, and so is who else sits on them.
 */
#include <stdlib.h>
#include <string.h>

#include "know/effect.h"
#include "know/machine.h"
#include "know/module.h"
#include "know/transition.h"
#include "read/ftrace.h"
#include "read/livepatch.h"
#include "read/util.h"

const char * const effect_names[] = {
	[IN_EFFECT] = "in effect",
	[WAITS] = "waiting for module",
	[SUPERSEDED] = "superseded",
	[NOT_IN_EFFECT] = "not in effect",
	[UNKNOWN] = "unknown",
};

static void add_also(struct finding *f, char *who)
{
	f->also = xrealloc(f->also, f->nr_also + 1, sizeof(*f->also));
	f->also[f->nr_also++] = who;
}

static bool module_is_there(const char *object)
{
	static char *last;
	static bool there;

	if (!strcmp(object, "vmlinux"))
		return true;
	if (last && !strcmp(last, object))
		return there;
	free(last);
	last = xstrdup(object);
	there = module_is_loaded(object);
	return there;
}

static long stack_order(const struct livepatch *lp)
{
	char *path = xasprintf("/sys/kernel/livepatch/%s/stack_order", lp->name);
	char *text = read_file(path);
	long order = text ? strtol(text, NULL, 10) : 0;

	free(path);
	free(text);
	return order;
}

/* Stock patches may change the same function; the one that was loaded last runs. */
static bool is_superseded(const struct machine *m, struct finding *f)
{
	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct livepatch *other = m->patches[i];

		if (f->lp->managed || other->managed || other == f->lp || !other->enabled ||
		    !livepatch_find_func(other, f->func))
			continue;
		if (stack_order(f->lp) < stack_order(other)) {
			f->why = xasprintf("'%s' was loaded later and changes it, too", other->name);
			return true;
		}
		if (!stack_order(f->lp))
			add_also(f, xasprintf("'%s', if loaded later", other->name));
	}
	return false;
}

/* Everybody on the function but livepatch. */
static void name_others(const struct ftrace *ftrace, const struct hooked *h, struct finding *f)
{
	unsigned int known = 1;
	bool probed = false;

	if (h->direct) {
		add_also(f, xasprintf("direct call of %s", h->direct));
		known++;
	}
	for (size_t i = 0; i < ftrace->nr_probes; i++) {
		const struct probe *p = &ftrace->probes[i];

		if (strcmp(p->name, h->name) || strcmp(p->object, h->object))
			continue;
		if (p->runs)
			add_also(f, xstrdup(p->ret ? "kretprobe" : "kprobe"));
		else
			add_also(f, xasprintf("kprobe at +0x%lx in the original, which does not run",
					      p->offset));
		probed |= p->entry;
	}
	/* All kprobes are one handler. */
	known += probed;
	if (h->count > known)
		add_also(f, xasprintf("%u %s%s", h->count - known,
				      ftrace->probes_known ? "tracer" : "tracer or kprobe",
				      h->count - known == 1 ? "" : "s"));
}

static bool changed_before(const struct machine *m, size_t i, const struct func *func)
{
	while (i--) {
		if (livepatch_find_func(m->patches[i], func))
			return true;
	}
	return false;
}

/* How many functions of this name are changed, at whatever positions. */
static size_t count_changed(const struct machine *m, const struct func *func)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nr_patches; i++) {
		for (size_t j = 0; j < m->patches[i]->nr_funcs; j++) {
			const struct func *other = &m->patches[i]->funcs[j];

			n += !strcmp(other->name, func->name) &&
			     !strcmp(other->object, func->object) &&
			     !changed_before(m, i, other);
		}
	}
	return n;
}

static void judge_by_ftrace(const struct effects *e, const struct machine *m,
			    struct finding *f)
{
	const struct hooked *h, *alias;
	size_t nr, redirected = 0;

	h = ftrace_find(e->ftrace, f->func->object, f->func->name, &nr);
	for (size_t i = 0; i < nr; i++)
		redirected += h[i].livepatch;
	/* The list does not tell functions of one name apart. */
	if (redirected && redirected < count_changed(m, f->func)) {
		f->effect = UNKNOWN;
		f->why = xasprintf("livepatch redirects only %zu of the functions of this name",
				   redirected);
		return;
	}
	if (redirected && nr > 1)
		return;
	if (!redirected && (alias = ftrace_find_alias(e->ftrace, f->func)))
		h = alias;
	if (h && h->livepatch) {
		name_others(e->ftrace, h, f);
		return;
	}
	f->effect = NOT_IN_EFFECT;
	if (!h)
		f->why = xstrdup("nothing is called when it is entered");
	else if (h->redirected)
		f->why = xstrdup("somebody else redirects it");
	else
		f->why = xstrdup("livepatch is not called when it is entered");
}

static void judge(const struct effects *e, const struct machine *m, struct finding *f)
{
	if (!module_is_there(f->func->object)) {
		f->effect = WAITS;
	} else if (e->why_unknown) {
		f->effect = UNKNOWN;
	} else if (is_superseded(m, f)) {
		f->effect = SUPERSEDED;
	} else {
		judge_by_ftrace(e, m, f);
	}
}

struct effects *effects_read(const struct machine *m)
{
	const struct livepatch *changing = machine_in_transition(m);
	struct effects *e = xcalloc(1, sizeof(*e));

	e->ftrace = ftrace_read(&e->why_unknown);
	for (size_t i = 0; i < m->nr_patches; i++) {
		const struct livepatch *lp = m->patches[i];

		e->findings = xrealloc(e->findings, e->nr_findings + lp->nr_funcs,
				       sizeof(*e->findings));
		/* In a transition, what is in effect depends on the task. */
		if (lp->transition ||
		    (changing && changing->enabled && livepatch_replaces(changing, lp)))
			continue;
		for (size_t j = 0; j < lp->nr_funcs; j++) {
			struct finding *f = &e->findings[e->nr_findings++];

			*f = (struct finding) { .lp = lp, .func = &lp->funcs[j] };
			judge(e, m, f);
		}
	}
	return e;
}

void effects_free(struct effects *e)
{
	for (size_t i = 0; i < e->nr_findings; i++) {
		struct finding *f = &e->findings[i];

		free(f->why);
		for (size_t j = 0; j < f->nr_also; j++)
			free(f->also[j]);
		free(f->also);
	}
	free(e->findings);
	if (e->ftrace)
		ftrace_free(e->ftrace);
	free(e->why_unknown);
	free(e);
}

bool machine_has_changed(const struct machine *before)
{
	struct machine *now = machine_read();
	bool changed = false;

	for (size_t i = 0; i < before->nr_patches; i++) {
		const struct livepatch *lp = machine_find(now, before->patches[i]->name);

		changed |= !lp || lp->transition;
	}
	machine_free(now);
	return changed;
}
