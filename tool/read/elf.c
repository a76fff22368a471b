// SPDX-License-Identifier: GPL-2.0
/*
 * elf.c - a livepatch read from a module file
 *
 * What a livepatch changes stands in tables, whose pointers are relocations. The
 * kernel's structures have other sizes in other kernels, but what an author fills
 * in comes first and has never moved. So a table is read from one pointer to the
 * next, without knowing how large an entry is.
 *
 * The tools that make livepatches from source patches have tables of their own, which
 * the module turns into the kernel's when it is loaded.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/elf.h"
#include "read/image.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/names.h"
#include "read/util.h"

/* struct klp_patch */
#define PATCH_OBJS	8
#define PATCH_STATES	16
#define PATCH_REPLACE	24
#define PATCH_SIZE	32	/* of what an author fills in */

/* struct klp_object */
#define OBJ_NAME	0
#define OBJ_FUNCS	8
#define OBJ_PRE_UNPATCH	32
#define OBJ_POST_UNPATCH 40
#define OBJ_SIZE	48

/* struct klp_func */
#define FUNC_NAME	0
#define FUNC_NEW	8
#define FUNC_SYMPOS	16
#define FUNC_SIZE	24

/* struct klp_state */
#define STATE_ID	0
#define STATE_VERSION	8
#define STATE_SIZE	24	/* all of it */

/* struct klp_sets_patch, of include/klp_sets.h */
#define SETS_SET	8
#define SETS_OBSOLETES	16
#define SETS_NR_OBSOLETES 24
#define SETS_REPLACE_ALL 28
#define SETS_STATES	32
#define SETS_SIZE	40

/* struct klp_sets_state */
#define SETS_STATE_ID	0
#define SETS_STATE_NAME	8
#define SETS_STATE_IS_SHADOW 48
#define SETS_STATE_BLOCK 64
#define SETS_STATE_SIZE	72

/* struct kpatch_patch_func of kpatch-build, in a section of its own */
#define KPATCH_FUNCS	".kpatch.funcs"
#define KPATCH_NEW	0
#define KPATCH_SYMPOS	32
#define KPATCH_NAME	40
#define KPATCH_OBJ	48
#define KPATCH_SIZE	56

/* Its structures of a callback and the object that it is for, a section for each kind. */
#define KPATCH_PRE_UNPATCH ".kpatch.callbacks.pre_unpatch"
#define KPATCH_POST_UNPATCH ".kpatch.callbacks.post_unpatch"
#define KPATCH_CALLBACK_OBJ 8
#define KPATCH_CALLBACK_SIZE 16

/* struct klp_object_ext and klp_func_ext of the kernel's klp-build */
#define EXT_OBJS	".init.klp_objects"
#define EXT_FUNCS	".init.klp_funcs"
#define EXT_START	".init.klp_"	/* of all that it makes, from 7.2 on */
#define EXT_OBJS_OLD	"__klp_objects"	/* 6.19 to 7.1 */
#define EXT_FUNCS_OLD	"__klp_funcs"
#define EXT_START_OLD	"__klp_"
#define EXT_RELOCS_OLD	"__klp_relocs"	/* what is left over of the linking */
#define EXT_NR_FUNCS	56
#define EXT_OBJ_SIZE	64
#define EXT_FUNC_SIZE	24

/* The section with struct module. */
#define THIS_MODULE	".gnu.linkonce.this_module"

/* Many tables may be one and the same, for somebody who plays tricks. */
#define MAX_ENTRIES	10000
#define MAX_STEPS	(4 * MAX_ENTRIES)

struct reader {
	struct image *image;
	struct livepatch *lp;
	const char **objects;		/* names of those with the kernel's own tables */
	size_t nr_objects;
	size_t nr_steps;		/* entries that were looked at, of whatever table */
	bool damaged;
	const char *newer;		/* a section of a klp-build that is not known here */
};

/* To be called for each entry that is read. */
static bool is_too_long(struct reader *r)
{
	if (++r->nr_steps > MAX_STEPS)
		r->damaged = true;
	return r->damaged;
}

/* The first thing that the kernel would complain about is enough. */
static void __attribute__((format(printf, 2, 3))) set_flaw(struct reader *r,
							   const char *fmt, ...)
{
	va_list args;

	if (r->lp->flaw)
		return;
	va_start(args, fmt);
	if (vasprintf(&r->lp->flaw, fmt, args) < 0)
		die("out of memory");
	va_end(args);
}

/* A name that something points to; the file is damaged if it is no name. */
static const char *read_name(struct reader *r, const struct pointer *p)
{
	const char *name = image_string(r->image, p->to);

	if (!name || !*name)
		r->damaged = true;
	return name;
}

/* The kernel waits for a module of exactly this name, which may be for ever. */
static void check_object_name(struct reader *r, const char *object)
{
	char *name;

	if (is_module_name(object) && strcmp(object, "vmlinux"))
		return;
	name = module_name(object);
	if (!strcmp(object, "vmlinux"))
		set_flaw(r, "its object for the kernel's functions is called 'vmlinux'; it must have no name");
	else if (name)
		set_flaw(r, "no module can be called '%s', as one of its objects is; it should be '%s'",
			 object, name);
	else
		set_flaw(r, "no module can be called '%s', as one of its objects is", object);
	free(name);
}

static void add_func(struct reader *r, const char *object, const struct pointer *name,
		     uint64_t sympos)
{
	const char *s = read_name(r, name);

	if (r->lp->nr_funcs == MAX_ENTRIES)
		r->damaged = true;
	if (!r->damaged)
		livepatch_add_func(r->lp, object, s, sympos);
}

/* Those of struct klp_object, which klp-build's tables have as well. */
static void read_cleaners(struct reader *r, struct place start, const char *object)
{
	if (image_pointer(r->image, place_add(start, OBJ_PRE_UNPATCH)))
		livepatch_add_cleaner(r->lp, object, "pre_unpatch");
	if (image_pointer(r->image, place_add(start, OBJ_POST_UNPATCH)))
		livepatch_add_cleaner(r->lp, object, "post_unpatch");
}

/* --- the kernel's own tables -------------------------------------------------- */

/* The table may be another one by the time when the kernel sees it. */
static void note_code(struct reader *r, struct place from, uint64_t end)
{
	if (image_is_writable(r->image, from) && image_code_refers(r->image, from, end))
		r->lp->incomplete = true;
}

static void read_funcs(struct reader *r, struct place table, const char *object)
{
	uint64_t end = image_end(r->image, table);
	const struct pointer *p, *new;
	struct place at = table;
	size_t i = 0;

	note_code(r, table, end);
	while (!is_too_long(r) && (p = image_next_pointer(r->image, at)) && p->at.offset < end) {
		/* The table ends with an entry of zeros, which can be the first one. */
		if (!i++ && p->at.offset > table.offset + FUNC_NEW)
			break;
		if (image_is_code(r->image, p->to)) {
			set_flaw(r, "function %zu of %s has no name", i, object);
			at = place_add(p->at, FUNC_SIZE - FUNC_NEW);
			continue;
		}
		new = image_pointer(r->image, place_add(p->at, FUNC_NEW));
		if (!new || !image_is_code(r->image, new->to))
			set_flaw(r, "function %zu of %s has no replacement", i, object);
		add_func(r, object, p, image_number(r->image, place_add(p->at, FUNC_SYMPOS), 8));
		at = place_add(p->at, FUNC_SIZE);
	}
}

/*
 * Where the entry of an object begins, given the first pointer in it: that of its
 * name, or that of its functions, when they are the kernel's own.
 */
static struct place object_start(struct reader *r, const struct pointer *p)
{
	const struct pointer *next = image_pointer(r->image, place_add(p->at, OBJ_FUNCS));
	struct place at = p->at;

	if (next ? !image_is_code(r->image, next->to) : !image_is_writable(r->image, p->to))
		return at;
	at.offset -= OBJ_FUNCS;
	return at;
}

static void note_object(struct reader *r, const char *object)
{
	r->objects = xrealloc(r->objects, r->nr_objects + 1, sizeof(*r->objects));
	r->objects[r->nr_objects++] = object;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char **)a, *(const char **)b);
}

/* Two objects of one name cannot both have a folder in sysfs. */
static void check_objects(struct reader *r)
{
	if (r->nr_objects)
		qsort(r->objects, r->nr_objects, sizeof(*r->objects), compare_strings);
	for (size_t i = 1; i < r->nr_objects; i++) {
		if (!strcmp(r->objects[i - 1], r->objects[i]))
			set_flaw(r, "object %s is there twice", r->objects[i]);
	}
}

static void read_object(struct reader *r, struct place start)
{
	const struct pointer *name = image_pointer(r->image, place_add(start, OBJ_NAME));
	const struct pointer *funcs = image_pointer(r->image, place_add(start, OBJ_FUNCS));
	const char *object = name ? read_name(r, name) : "vmlinux";

	r->damaged |= r->nr_objects == MAX_ENTRIES;
	if (r->damaged)
		return;
	if (name)
		check_object_name(r, object);
	note_object(r, object);
	read_cleaners(r, start, object);
	if (!funcs)
		set_flaw(r, "object %s has no functions", object);
	else if (!funcs->to.section)
		r->lp->incomplete = true;
	else
		read_funcs(r, funcs->to, object);
}

/* Returns the number of objects. */
static size_t read_objects(struct reader *r, struct place table)
{
	uint64_t end = image_end(r->image, table);
	struct place at = table, start;
	const struct pointer *p;
	size_t i = 0;

	note_code(r, table, end);
	while (!is_too_long(r) && (p = image_next_pointer(r->image, at)) && p->at.offset < end) {
		if (i ? image_is_code(r->image, p->to) :
			p->at.offset > table.offset + OBJ_FUNCS)
			break;
		start = i++ ? object_start(r, p) : table;
		read_object(r, start);
		at = place_add(start, OBJ_SIZE);
	}
	return i;
}

static void read_stock_states(struct reader *r, struct place table)
{
	uint64_t end = image_end(r->image, table), id;
	struct place at;

	note_code(r, table, end);
	for (at = table; at.offset + STATE_SIZE <= end; at.offset += STATE_SIZE) {
		id = image_number(r->image, place_add(at, STATE_ID), 8);
		r->damaged |= r->lp->nr_states == MAX_ENTRIES;
		if (!id || r->damaged)
			break;
		livepatch_add_state(r->lp, id)->version =
			image_number(r->image, place_add(at, STATE_VERSION), 4);
	}
}

/* --- struct klp_sets_patch ---------------------------------------------------- */

/* An entry that is not all zero is no end of an array. */
static bool is_end(struct reader *r, struct place at)
{
	const struct pointer *p = image_next_pointer(r->image, at);

	if (p && p->at.offset < at.offset + SETS_STATE_SIZE)
		return false;
	return !image_number(r->image, place_add(at, SETS_STATE_IS_SHADOW), 1) &&
	       !image_number(r->image, place_add(at, SETS_STATE_BLOCK), 1);
}

/* NULL when it has none. */
static const char *state_name(struct reader *r, struct place at)
{
	const struct pointer *name = image_pointer(r->image, place_add(at, SETS_STATE_NAME));

	return name ? image_string(r->image, name->to) ?: "" : NULL;
}

static void read_sets_state(struct reader *r, struct place at, uint64_t id)
{
	const char *name = state_name(r, at);
	struct state *state = livepatch_add_state(r->lp, id);

	state->managed = true;
	state->is_shadow = image_number(r->image, place_add(at, SETS_STATE_IS_SHADOW), 1);
	state->block_disable = image_number(r->image, place_add(at, SETS_STATE_BLOCK), 1);
	if (!name)
		return;
	state->name = xstrdup(name);
	if (!*state->name || strchr(state->name, ' '))
		set_flaw(r, "the name of state %lu is not one word", state->id);
}

static void read_sets_states(struct reader *r, struct place table)
{
	uint64_t end = image_end(r->image, table), id;
	struct place at;

	note_code(r, table, end);
	for (at = table; at.offset + SETS_STATE_SIZE <= end; at.offset += SETS_STATE_SIZE) {
		id = image_number(r->image, place_add(at, SETS_STATE_ID), 8);
		if (!id) {
			if (!is_end(r, at))
				set_flaw(r, "a state ('%s') has no id",
					 state_name(r, at) ?: "-");
			break;
		}
		r->damaged |= r->lp->nr_states == MAX_ENTRIES;
		if (r->damaged)
			break;
		read_sets_state(r, at, id);
	}
}

static void read_sets_obsoletes(struct reader *r, struct place at)
{
	const struct pointer *array = image_pointer(r->image, place_add(at, SETS_OBSOLETES));
	uint64_t nr = image_number(r->image, place_add(at, SETS_NR_OBSOLETES), 4), size;

	if (!nr)
		return;
	if (!array || nr > MAX_OBSOLETES) {
		set_flaw(r, "it obsoletes %lu sets (at most %d)%s", (unsigned long)nr,
			 MAX_OBSOLETES, array ? "" : ", but does not say which");
		return;
	}
	if (!image_bytes(r->image, array->to, &size) || 4 * nr > size) {
		r->damaged = true;
		return;
	}
	note_code(r, array->to, array->to.offset + 4 * nr);
	for (uint64_t i = 0; i < nr; i++)
		livepatch_add_obsolete(r->lp, image_number(r->image,
							   place_add(array->to, 4 * i), 4));
}

/* What points to the patch and has nothing but data where data must be. */
static const struct pointer *find_sets_patch(struct reader *r, struct place patch)
{
	const struct pointer *p, *states, *obsoletes, *found = NULL;
	size_t nr;

	p = image_pointers(r->image, &nr);
	for (size_t i = 0; i < nr; i++, p++) {
		if (!same_place(p->to, patch) || !image_is_writable(r->image, p->at))
			continue;
		obsoletes = image_pointer(r->image, place_add(p->at, SETS_OBSOLETES));
		states = image_pointer(r->image, place_add(p->at, SETS_STATES));
		if ((obsoletes && image_is_code(r->image, obsoletes->to)) ||
		    (states && !image_is_writable(r->image, states->to)))
			continue;
		if (found)
			r->lp->incomplete = true;
		else
			found = p;
	}
	return found;
}

static void read_sets_patch(struct reader *r, struct place patch)
{
	const struct pointer *p = find_sets_patch(r, patch), *states;

	if (!p) {
		r->lp->incomplete = true;
		return;
	}
	note_code(r, place_add(p->at, 1), p->at.offset + SETS_SIZE);
	if (r->lp->incomplete)
		return;
	r->lp->has_set = true;
	r->lp->replace_set = image_number(r->image, place_add(p->at, SETS_SET), 4);
	r->lp->replace_all = image_number(r->image, place_add(p->at, SETS_REPLACE_ALL), 1);
	read_sets_obsoletes(r, p->at);
	states = image_pointer(r->image, place_add(p->at, SETS_STATES));
	if (states)
		read_sets_states(r, states->to);
}

static bool is_this_module(struct reader *r, const struct pointer *p)
{
	return !p->to.offset && p->to.section &&
	       !strcmp(image_section_name(r->image, p->to), THIS_MODULE);
}

/* The variable's address is passed on; to look into it is something else. */
static bool is_set_up_by_code(struct reader *r, struct place patch)
{
	const struct pointer *p;
	size_t nr;

	if (image_code_refers(r->image, place_add(patch, 1), patch.offset + PATCH_SIZE))
		return true;
	p = image_pointers(r->image, &nr);
	for (size_t i = 0; i < nr; i++, p++) {
		if (p->to.section == patch.section && p->to.offset > patch.offset &&
		    p->to.offset < patch.offset + PATCH_SIZE)
			return true;
	}
	return false;
}

static void read_patch(struct reader *r, struct place patch)
{
	const struct pointer *objs = image_pointer(r->image, place_add(patch, PATCH_OBJS));
	const struct pointer *states = image_pointer(r->image, place_add(patch, PATCH_STATES));

	if (is_set_up_by_code(r, patch))
		r->lp->incomplete = true;
	r->lp->replace = image_number(r->image, place_add(patch, PATCH_REPLACE), 1);
	if (!read_objects(r, objs->to))
		r->lp->incomplete = true;
	check_objects(r);
	if (states)
		read_stock_states(r, states->to);
	if (image_needs(r->image, "klp_sets_enable"))
		read_sets_patch(r, patch);
}

/* { THIS_MODULE, objects... }, where the kernel can write to both. */
static bool read_patches(struct reader *r)
{
	const struct pointer *p, *objs, *found = NULL;
	size_t nr;

	p = image_pointers(r->image, &nr);
	for (size_t i = 0; i < nr; i++, p++) {
		if (!is_this_module(r, p) || !image_is_writable(r->image, p->at))
			continue;
		objs = image_pointer(r->image, place_add(p->at, PATCH_OBJS));
		if (!objs || !objs->to.section || !image_is_writable(r->image, objs->to))
			continue;
		if (found)
			r->lp->incomplete = true;
		else
			found = p;
	}
	if (found)
		read_patch(r, found->at);
	return found;
}

/* --- the tables of tools -------------------------------------------------------- */

/*
 * These modules set the flag in code, in a structure that they have just allocated:
 * a constant byte is moved to this distance from a register.
 */
static bool find_replace(struct reader *r)
{
	const unsigned char *code;
	struct place start;
	uint64_t size;

	if (!image_section(r->image, ".init.text", &start, &size))
		return true;
	code = image_bytes(r->image, start, &size);
	for (uint64_t i = 0; code && i + 4 <= size; i++) {
		if (code[i] == 0xc6 && code[i + 1] >= 0x40 && code[i + 1] <= 0x47 &&
		    code[i + 1] != 0x44 && code[i + 2] == PATCH_REPLACE && code[i + 3] <= 1)
			return code[i + 3];
	}
	/* What both tools do when they are not told otherwise. */
	return true;
}

static void read_kpatch_cleaners(struct reader *r, const char *section, const char *callback)
{
	struct place at;
	uint64_t size;

	if (!image_section(r->image, section, &at, &size))
		return;
	for (; size >= KPATCH_CALLBACK_SIZE && !is_too_long(r); size -= KPATCH_CALLBACK_SIZE) {
		const struct pointer *p = image_pointer(r->image,
							place_add(at, KPATCH_CALLBACK_OBJ));
		const char *object = p ? read_name(r, p) : NULL;

		if (object && !r->damaged)
			livepatch_add_cleaner(r->lp, object, callback);
		at = place_add(at, KPATCH_CALLBACK_SIZE);
	}
}

static bool read_kpatch(struct reader *r)
{
	const struct pointer *name, *object, *new;
	const char *object_name;
	struct place at;
	uint64_t size;

	if (!image_section(r->image, KPATCH_FUNCS, &at, &size))
		return false;
	for (; size >= KPATCH_SIZE && !is_too_long(r); size -= KPATCH_SIZE) {
		new = image_pointer(r->image, place_add(at, KPATCH_NEW));
		name = image_pointer(r->image, place_add(at, KPATCH_NAME));
		object = image_pointer(r->image, place_add(at, KPATCH_OBJ));
		object_name = object ? read_name(r, object) : NULL;
		if (!new || !name || !object_name) {
			r->damaged = true;
			break;
		}
		if (strcmp(object_name, "vmlinux"))
			check_object_name(r, object_name);
		add_func(r, object_name, name,
				 image_number(r->image, place_add(at, KPATCH_SYMPOS), 8));
		at = place_add(at, KPATCH_SIZE);
	}
	r->damaged |= size;
	read_kpatch_cleaners(r, KPATCH_PRE_UNPATCH, "pre_unpatch");
	read_kpatch_cleaners(r, KPATCH_POST_UNPATCH, "post_unpatch");
	r->lp->replace = find_replace(r);
	return true;
}

/* Returns the number of its functions. */
static uint64_t read_ext_object(struct reader *r, struct place at)
{
	const struct pointer *name = image_pointer(r->image, place_add(at, OBJ_NAME));
	const struct pointer *funcs = image_pointer(r->image, place_add(at, OBJ_FUNCS));
	const char *object = name ? read_name(r, name) : "vmlinux";
	uint64_t nr = image_number(r->image, place_add(at, EXT_NR_FUNCS), 4);

	r->newer = !nr || !funcs || !funcs->to.section ? EXT_OBJS : r->newer;
	if (r->newer)
		return 0;
	if (name && !r->damaged)
		check_object_name(r, object);
	if (!r->damaged)
		read_cleaners(r, at, object);
	for (uint64_t i = 0; i < nr && !r->damaged && !r->newer; i++) {
		struct place func = place_add(funcs->to, i * EXT_FUNC_SIZE);
		const struct pointer *p = image_pointer(r->image, place_add(func, FUNC_NAME));

		if (!p || !image_pointer(r->image, place_add(func, FUNC_NEW)))
			r->newer = EXT_FUNCS;
		else
			add_func(r, object, p,
				 image_number(r->image, place_add(func, FUNC_SYMPOS), 8));
	}
	return nr;
}

/* A table beside those that are known has something to say. */
static void find_other_tables(struct reader *r, const char *start)
{
	static const char * const known[] = {
		EXT_OBJS, EXT_FUNCS, EXT_OBJS_OLD, EXT_FUNCS_OLD, EXT_RELOCS_OLD, NULL
	};
	const char *name;

	for (size_t i = 1; (name = image_section_like(r->image, start, &i)); i++) {
		size_t k = 0;

		while (known[k] && strcmp(known[k], name))
			k++;
		if (!known[k])
			r->newer = name;
	}
}

static bool read_klp_build(struct reader *r)
{
	uint64_t size, present, nr = 0, funcs_size;
	struct place at, funcs;

	find_other_tables(r, EXT_START);
	find_other_tables(r, EXT_START_OLD);
	if (!image_section(r->image, EXT_OBJS, &at, &size) &&
	    !image_section(r->image, EXT_OBJS_OLD, &at, &size))
		return r->newer;
	r->damaged |= size && !image_bytes(r->image, at, &present);
	for (; size >= EXT_OBJ_SIZE && !r->newer && !is_too_long(r); size -= EXT_OBJ_SIZE) {
		nr += read_ext_object(r, at);
		at = place_add(at, EXT_OBJ_SIZE);
	}
	/* A table in another form has other ends, or leaves functions over. */
	if (size)
		r->newer = r->newer ?: EXT_OBJS;
	else if ((image_section(r->image, EXT_FUNCS, &funcs, &funcs_size) ||
		  image_section(r->image, EXT_FUNCS_OLD, &funcs, &funcs_size)) &&
		 funcs_size != nr * EXT_FUNC_SIZE)
		r->newer = r->newer ?: EXT_FUNCS;
	r->lp->replace = find_replace(r);
	return true;
}

/* --- modinfo -------------------------------------------------------------------- */

/* Modinfo has no bounds: what is longer is not worth more. */
#define TEXT_MAX 255

static char *text_of(const char *s)
{
	char *start = xasprintf("%.*s", TEXT_MAX, s), *text = printable(start);

	free(start);
	return text;
}

/*
 * The name of struct module, which is what the kernel goes by. What comes before it there
 * is zero in a file, as is what follows. Modinfo, which depmod trusts, has it as well.
 */
static char *read_module_name(const struct image *image, char **why)
{
	const char *known = image_modinfo(image, "name", NULL);
	const unsigned char *bytes = NULL;
	uint64_t size = 0, i = 0;
	struct place module;
	char name[MODULE_NAME_MAX + 1] = "";

	if (image_section(image, THIS_MODULE, &module, &size))
		bytes = image_bytes(image, module, &size);
	while (bytes && i < size && !bytes[i])
		i++;
	for (size_t len = 0; bytes && i < size && bytes[i] && len < MODULE_NAME_MAX; i++)
		name[len++] = bytes[i];
	while (bytes && i < size && !bytes[i])
		i++;
	if (!bytes || i < size || !is_module_name(name))
		*why = xstrdup("the file is damaged: its module has no name that a module can have");
	else if (known && strcmp(known, name))
		*why = xasprintf("the file is damaged: its module is called '%s', and '%s' in its modinfo",
				 name, text_of(known));
	else
		return xstrdup(name);
	return NULL;
}

/*
 * What klp_sets_enable_patch() and MODULE_INFO(replace_set) leave in the file, or
 * MODULE_INFO(provides): mainline's word for it.
 */
static void read_modinfo_set(struct reader *r, const char *key)
{
	const char *value = NULL;
	uint32_t set;

	while ((value = image_modinfo(r->image, key, value))) {
		if (!parse_set(value, &set)) {
			char *copy = text_of(value);

			set_flaw(r, "its %s is '%s', which is no set", key, copy);
			free(copy);
			return;
		}
		if (r->lp->has_set && r->lp->replace_set != set && !r->lp->native) {
			set_flaw(r, "it says that it is of set %u and of set %u", r->lp->replace_set,
				 set);
			return;
		}
		if (r->lp->has_set && r->lp->replace_set != set)
			r->lp->incomplete = true;
		r->lp->has_set = true;
		r->lp->replace_set = set;
	}
}

static void read_modinfo_obsoletes(struct reader *r)
{
	const char *value = image_modinfo(r->image, "obsoletes", NULL);
	char *list, *word, *rest;
	uint32_t set;

	if (!value)
		return;
	list = xstrdup(value);
	for (word = strtok_r(list, ", ", &rest); word && !r->lp->flaw;
	     word = strtok_r(NULL, ", ", &rest)) {
		if (r->lp->nr_obsoletes == MAX_OBSOLETES)
			set_flaw(r, "it obsoletes more than %d sets", MAX_OBSOLETES);
		else if (parse_set(word, &set))
			livepatch_add_obsolete(r->lp, set);
		else
			set_flaw(r, "it obsoletes '%s', which is no set", text_of(word));
	}
	free(list);
}

static void read_modinfo(struct reader *r)
{
	const char *version = image_modinfo(r->image, "version", NULL);
	const char *vermagic = image_modinfo(r->image, "vermagic", NULL);

	if (version)
		r->lp->version = text_of(version);
	if (vermagic) {
		r->lp->kernel = text_of(vermagic);
		r->lp->kernel[strcspn(r->lp->kernel, " ")] = '\0';
	}
	/* A call of klp_sets_enable() says itself what it wants. */
	if (r->lp->has_set)
		return;
	read_modinfo_set(r, "replace_set");
	read_modinfo_set(r, "provides");
	if (!r->lp->native)
		read_modinfo_obsoletes(r);
	else if (!r->lp->has_set)
		r->lp->incomplete = true;
}

static void read_livepatch(struct reader *r)
{
	r->lp->native = image_needs(r->image, "klp_sets_enable") ||
			image_needs(r->image, "klp_sets_enable_patch");
	/* None of them: it is put together when the module is loaded. */
	r->lp->by_tool = read_kpatch(r) || read_klp_build(r);
	if (!r->lp->by_tool && !read_patches(r))
		r->lp->incomplete = true;
	read_modinfo(r);
}

struct livepatch *livepatch_read(const struct module_file *file, char **why)
{
	struct reader r = { .image = image_open(file, why) };
	struct place modinfo;
	const char *marker;
	uint64_t size;
	char *name;

	if (!r.image)
		return NULL;
	if (!image_section(r.image, ".modinfo", &modinfo, &size)) {
		*why = xstrdup("it is not a kernel module: it has no modinfo");
		image_close(r.image);
		return NULL;
	}
	marker = image_modinfo(r.image, "livepatch", NULL);
	if (!marker || *marker != 'Y') {
		*why = xstrdup("it is not a livepatch: its modinfo has no livepatch=Y");
		image_close(r.image);
		return NULL;
	}
	name = read_module_name(r.image, why);
	if (!name) {
		image_close(r.image);
		return NULL;
	}
	r.lp = livepatch_new(name);
	free(name);
	r.lp->path = xstrdup(file->path);
	read_livepatch(&r);
	free(r.objects);
	if (r.newer)
		*why = xasprintf("the klp-build of a kernel that is newer than this klp-sets has made it, or it is damaged: its table %s has a form that is not known here",
				 text_of(r.newer));
	image_close(r.image);
	if (*why || r.damaged) {
		*why = *why ?: xstrdup("the file is damaged: its tables make no sense");
		livepatch_free(r.lp);
		return NULL;
	}
	return r.lp;
}
