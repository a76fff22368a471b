// SPDX-License-Identifier: GPL-2.0
/*
 * code.c - what the code of a module does to its data, as far as registers can be followed
 *
 * On some architectures the compiler puts the address of a structure, or of all data of
 * a file, into a register, and what is read or written is told by offsets from there, which
 * are in no table. So each address is followed from where it is put into a register, on all
 * ways that code may take from there, until nothing is left of it. Where an instruction is
 * not understood, or the way is too long, all data around the address counts as referred to.
 */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "read/code.h"
#include "read/decode.h"
#include "read/util.h"

#define NR_REGISTERS 32

/* For one address, and for all of them. */
#define MAX_STATES 512
#define MAX_STEPS (1 << 18)
#define MAX_GIVEN 128
/* Of addresses that are passed on: many relocations may be for the same bytes. */
#define MAX_PASSED (1 << 18)

/* What every register has: nothing of the address, or the address and a bit more. */
struct state {
	struct place at;	/* the next instruction */
	uint32_t known;
	int32_t more[NR_REGISTERS];
};

struct walk {
	const struct code_input *in;
	struct code_findings *found;
	struct place start;		/* the address */
	struct state *states;		/* in which code was or will be looked at */
	size_t nr_states;
	size_t steps;
	size_t passed;
	bool *given;			/* by section: the pointers in all of it */
	bool lost;
};

static int compare_places(struct place a, struct place b)
{
	if (a.section != b.section)
		return a.section < b.section ? -1 : 1;
	return (a.offset > b.offset) - (a.offset < b.offset);
}

/* Both kinds of arrays are sorted, and start with a place. */
static const void *find(const void *array, size_t nr, size_t size, struct place at)
{
	size_t low = 0, high = nr, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (compare_places(*(struct place *)((char *)array + middle * size), at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < nr ? (char *)array + low * size : NULL;
}

/* The relocation in these bytes of code. */
static const struct code_reloc *reloc_in(const struct code_input *in, struct place at,
					 unsigned int size)
{
	const struct code_reloc *r = find(in->relocs, in->nr_relocs, sizeof(*r), at);

	return r && r->at.section == at.section && r->at.offset < at.offset + size ? r : NULL;
}

static void *grow(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array : xrealloc(array, nr ? 2 * nr : 1, size);
}

static void add_ref(struct code_findings *found, struct place place)
{
	found->refs = grow(found->refs, found->nr_refs, sizeof(*found->refs));
	found->refs[found->nr_refs++] = place;
}

static bool is_writable(const struct code_input *in, size_t section)
{
	return in->sections[section].flags & SHF_WRITE;
}

static void give(struct walk *w, struct place place);

/* Who can read these bytes has the addresses in them. */
static void give_pointers(struct walk *w, struct place from, uint64_t size)
{
	const struct code_input *in = w->in;
	const struct pointer *p = find(in->pointers, in->nr_pointers, sizeof(*p), from);

	for (; p && p < in->pointers + in->nr_pointers && p->at.section == from.section &&
	       p->at.offset - from.offset < size; p++) {
		if (++w->passed > MAX_PASSED)
			return;
		if (is_writable(in, p->to.section))
			give(w, p->to);
	}
}

static void give_section(struct walk *w, size_t section)
{
	if (w->given[section])
		return;
	w->given[section] = true;
	give_pointers(w, (struct place) { section, 0 }, w->in->sections[section].size);
}

static void lose(struct walk *w, size_t section)
{
	if (w->found->lost[section])
		return;
	w->found->lost[section] = true;
	give_section(w, section);
}

/* The variable in which this is, or NULL. */
static const struct variable *variable_of(const struct code_input *in, struct place place)
{
	const struct variable *v;

	if (!in->nr_variables)
		return NULL;
	v = find(in->variables, in->nr_variables, sizeof(*v), place_add(place, 1)) ?:
	    in->variables + in->nr_variables;
	if (v == in->variables)
		return NULL;
	v--;
	return v->start.section == place.section && place.offset - v->start.offset < v->size ?
	       v : NULL;
}

static void give(struct walk *w, struct place place)
{
	const struct variable *v = variable_of(w->in, place);
	struct code_findings *found = w->found;

	add_ref(found, place);
	for (size_t i = 0; v && i < found->nr_given; i++) {
		if (same_place(found->given[i].start, v->start))
			return;
	}
	if (!v || found->nr_given == MAX_GIVEN) {
		lose(w, place.section);
		return;
	}
	found->given = grow(found->given, found->nr_given, sizeof(*found->given));
	found->given[found->nr_given++] = *v;
	give_pointers(w, v->start, v->size);
}

/* What is asked for is at multiples of 4. */
static void add_access(struct walk *w, struct place place, unsigned int bytes)
{
	w->steps += bytes / 16;
	for (unsigned int i = 0; i < bytes; i += 4)
		add_ref(w->found, place_add(place, i));
	if (bytes > 1)
		add_ref(w->found, place_add(place, bytes - 1));
	give_pointers(w, place, bytes);
}

static struct place value_of(const struct walk *w, const struct state *s, int reg)
{
	return place_add(w->start, s->more[reg]);
}

static bool has(const struct state *s, int reg)
{
	return reg != NO_REGISTER && s->known >> reg & 1;
}

static void forget(struct state *s, uint32_t registers)
{
	s->known &= ~registers;
	for (int i = 0; i < NR_REGISTERS; i++) {
		if (!has(s, i))
			s->more[i] = 0;
	}
}

static bool same_state(const struct state *a, const struct state *b)
{
	return same_place(a->at, b->at) && a->known == b->known &&
	       !memcmp(a->more, b->more, sizeof(a->more));
}

static void go(struct walk *w, struct state s, struct place at)
{
	const struct section *section = &w->in->sections[at.section];

	s.at = at;
	if (!s.known)
		return;
	if (w->nr_states == MAX_STATES || !at.section || !(section->flags & SHF_EXECINSTR)) {
		w->lost = true;
		return;
	}
	for (size_t i = 0; i < w->nr_states; i++) {
		if (same_state(&w->states[i], &s))
			return;
	}
	w->states[w->nr_states++] = s;
}

/* These get the livepatch because it is to be enabled. */
static bool is_enabler(const char *symbol)
{
	return symbol && (!strcmp(symbol, "klp_enable_patch") ||
			  !strcmp(symbol, "klp_sets_enable_patch") ||
			  !strcmp(symbol, "klp_sets_enable"));
}

static void give_all(struct walk *w, const struct state *s, uint32_t registers)
{
	for (int i = 0; i < NR_REGISTERS; i++) {
		if (registers >> i & 1 && has(s, i))
			give(w, value_of(w, s, i));
	}
}

/* To where it says, or to a function of this module or of another one. */
static void leave(struct walk *w, const struct state *s, const struct insn *insn, bool returns)
{
	const struct code_reloc *r = reloc_in(w->in, s->at, insn->size);
	struct state callee = *s;

	if (returns)
		forget(&callee, ~w->in->isa->args);
	if (!r) {
		go(w, callee, place_add(s->at, insn->target));
	} else if (r->to.section) {
		struct reloc_use use = w->in->isa->reloc(r->type,
							 w->in->sections[s->at.section].data,
							 w->in->sections[s->at.section].size,
							 r->at.offset);

		go(w, callee, place_add(r->to, use.correct));
	} else if (!is_enabler(r->symbol)) {
		give_all(w, &callee, w->in->isa->args);
	}
}

static void step(struct walk *w, struct state s)
{
	const struct section *section = &w->in->sections[s.at.section];
	const struct isa *isa = w->in->isa;
	struct insn insn = { };
	int32_t more = 0;
	bool copied;

	if (section->data && s.at.offset < section->size)
		insn = isa->decode(section->data + s.at.offset, section->size - s.at.offset);
	if (!insn.size || insn.reads & s.known) {
		w->lost = true;
		return;
	}
	for (int i = 0; i < 2; i++) {
		if (has(&s, insn.access[i].base))
			add_access(w, place_add(value_of(w, &s, insn.access[i].base),
						insn.access[i].offset),
				   insn.access[i].bytes);
	}
	copied = has(&s, insn.from);
	if (copied && __builtin_add_overflow(s.more[insn.from], insn.add, &more)) {
		w->lost = true;
		return;
	}
	forget(&s, insn.writes);
	if (insn.to != NO_REGISTER)
		forget(&s, 1u << insn.to);
	if (copied) {
		s.known |= 1u << insn.to;
		s.more[insn.to] = more;
	}

	switch (insn.flow) {
	case FLOW_NEXT:
		break;
	case FLOW_BRANCH:
		leave(w, &s, &insn, false);
		break;
	case FLOW_JUMP:
		leave(w, &s, &insn, false);
		return;
	case FLOW_CALL:
		leave(w, &s, &insn, true);
		forget(&s, isa->clobbered);
		break;
	case FLOW_CALL_AWAY:
		give_all(w, &s, isa->args);
		forget(&s, isa->clobbered);
		break;
	case FLOW_AWAY:
		w->lost = s.known;
		return;
	case FLOW_RETURN:
		give_all(w, &s, isa->result);
		return;
	}
	go(w, s, place_add(s.at, insn.size));
}

static void follow(struct walk *w, struct place start, struct place at, int reg)
{
	struct state first = { .known = 1u << reg };

	w->start = start;
	w->nr_states = 0;
	w->lost = false;
	go(w, first, at);
	for (size_t i = 0; i < w->nr_states && !w->lost; i++) {
		if (++w->steps > MAX_STEPS)
			w->lost = true;
		else
			step(w, w->states[i]);
	}
	if (w->lost)
		lose(w, start.section);
}

static void look_at(struct walk *w, const struct code_reloc *r)
{
	const struct section *code = &w->in->sections[r->at.section];
	struct reloc_use use = { .use = USE_UNKNOWN };
	const struct pointer *p;
	struct place to = r->to;
	struct insn insn = { };

	if (!to.section)
		return;
	if (code->data)
		use = w->in->isa->reloc(r->type, code->data, code->size, r->at.offset);
	to.offset += use.correct;
	if (use.use == USE_PART || use.use == USE_FLOW)
		return;
	/* The table of addresses that the compiler makes for itself. */
	if (use.use == USE_LOAD && !strcmp(w->in->sections[to.section].name ?: "", ".toc")) {
		p = find(w->in->pointers, w->in->nr_pointers, sizeof(*p), to);
		if (!p || !same_place(p->at, to) || !p->to.section)
			return;
		to = p->to;
		use.use = USE_ADDRESS;
	}
	if (use.use == USE_LOAD || use.use == USE_ACCESS) {
		add_access(w, to, use.bytes);
		return;
	}
	add_ref(w->found, to);
	if (!is_writable(w->in, to.section)) {
		give_section(w, to.section);
		return;
	}
	if (use.use == USE_ADDRESS)
		insn = w->in->isa->decode(code->data + use.at, code->size - use.at);
	if (!insn.size || use.reg == NO_REGISTER)
		lose(w, to.section);
	else
		follow(w, to, (struct place) { r->at.section, use.at + insn.size }, use.reg);
}

void code_follow(const struct code_input *in, struct code_findings *found)
{
	struct walk w = { .in = in, .found = found };

	w.states = xcalloc(MAX_STATES, sizeof(*w.states));
	w.given = xcalloc(in->nr_sections, sizeof(*w.given));
	found->lost = xcalloc(in->nr_sections, sizeof(*found->lost));
	for (size_t i = 0; i < in->nr_relocs && w.passed <= MAX_PASSED; i++)
		look_at(&w, &in->relocs[i]);
	/* What was not looked at may refer to anything. */
	if (w.passed > MAX_PASSED)
		memset(found->lost, true, in->nr_sections * sizeof(*found->lost));
	free(w.given);
	free(w.states);
}

/* --- a byte in an unknown structure ------------------------------------------------- */

struct constants {
	uint32_t known;
	int64_t value[NR_REGISTERS];
};

/* Where code is gone to from elsewhere, nothing is known of registers. */
static bool *find_targets(const struct isa *isa, const unsigned char *code, uint64_t size)
{
	bool *targets = xcalloc(size + 1, sizeof(*targets));
	struct insn insn;

	for (uint64_t at = 0; at < size; at += insn.size) {
		insn = isa->decode(code + at, size - at);
		if (!insn.size)
			break;
		if (insn.flow != FLOW_NEXT && at + insn.target < size)
			targets[at + insn.target] = true;
	}
	return targets;
}

/* The byte that an instruction stores, or -1. */
static int byte_of(const struct constants *c, const struct insn *insn)
{
	if (insn->stored == NO_REGISTER)
		return insn->number & 0xff;
	return c->known >> insn->stored & 1 ? c->value[insn->stored] & 0xff : -1;
}

int code_stored_byte(const struct isa *isa, const unsigned char *code, uint64_t size,
		     int64_t offset)
{
	bool *targets = find_targets(isa, code, size);
	struct constants c = { };
	int found = -1, byte;
	struct insn insn;

	for (uint64_t at = 0; at < size; at += insn.size) {
		insn = isa->decode(code + at, size - at);
		if (targets[at])
			c.known = 0;
		if (!insn.size) {
			found = -1;
			break;
		}
		if (insn.stores_byte && insn.access[0].offset == offset) {
			byte = byte_of(&c, &insn);
			if (byte < 0 || byte > 1 || (found >= 0 && found != byte)) {
				found = -1;
				break;
			}
			found = byte;
		}
		c.known &= ~(insn.reads | insn.writes);
		if (insn.to != NO_REGISTER)
			c.known &= ~(1u << insn.to);
		if (insn.constant != NO_REGISTER) {
			c.known |= 1u << insn.constant;
			c.value[insn.constant] = insn.number;
		}
		if (insn.flow != FLOW_NEXT)
			c.known = 0;
	}
	free(targets);
	return found;
}
