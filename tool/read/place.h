/* SPDX-License-Identifier: GPL-2.0 */
/* place.h - the sections of a module file, and places in them */
#ifndef KLP_SETS_READ_PLACE_H
#define KLP_SETS_READ_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct section {
	const char *name;
	uint64_t size, flags;
	const unsigned char *data;	/* NULL: zeros, or not read */
};

/* Somewhere in the module: an offset in a section. */
struct place {
	size_t section;
	uint64_t offset;
};

/* What the loader would write: at one place, the address of another. */
struct pointer {
	struct place at;
	struct place to;	/* section 0: a symbol of the kernel or another module */
};

struct variable {
	struct place start;
	uint64_t size;
};

static inline struct place place_add(struct place place, uint64_t offset)
{
	place.offset += offset;
	return place;
}

static inline bool same_place(struct place a, struct place b)
{
	return a.section == b.section && a.offset == b.offset;
}

#endif /* KLP_SETS_READ_PLACE_H */
