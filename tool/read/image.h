/* SPDX-License-Identifier: GPL-2.0 */
/* image.h - a module file as the kernel's loader would see it: places and pointers */
#ifndef KLP_SETS_READ_IMAGE_H
#define KLP_SETS_READ_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct image;
struct module_file;

/* Needs the file as long as it is open. NULL with the reason in *why, which is to be freed. */
struct image *image_open(const struct module_file *file, char **why);
void image_close(struct image *image);

/* The value of a modinfo tag after *prev* (NULL: the first one), or NULL. */
const char *image_modinfo(const struct image *image, const char *tag, const char *prev);
/* Whether it needs a symbol of the kernel or another module. */
bool image_needs(const struct image *image, const char *symbol);
/* The start of the section of this name, with its size; false when there is none. */
bool image_section(const struct image *image, const char *name, struct place *start,
		   uint64_t *size);
/* The name of the first section from number *i* on whose name begins so, and its number; or NULL. */
const char *image_section_like(const struct image *image, const char *start, size_t *i);
const char *image_section_name(const struct image *image, struct place place);
bool image_is_code(const struct image *image, struct place place);
bool image_is_writable(const struct image *image, struct place place);

/* All pointers in data, in the order of their places. */
const struct pointer *image_pointers(const struct image *image, size_t *count);
/* The pointer at exactly this place, or the first one from it on in its section. */
const struct pointer *image_pointer(const struct image *image, struct place at);
const struct pointer *image_next_pointer(const struct image *image, struct place from);

/* A number of up to 8 bytes, 0 where there is nothing in the file. */
uint64_t image_number(const struct image *image, struct place at, unsigned int bytes);
/* A name that a terminal can show, of less than 512 bytes; or NULL. */
const char *image_string(const struct image *image, struct place at);
/* The bytes from a place to the end of its section, or NULL. */
const unsigned char *image_bytes(const struct image *image, struct place at, uint64_t *size);
/* Where the variable that starts here ends at the latest. */
uint64_t image_end(const struct image *image, struct place start);
/* Whether code refers to places from *from* on and before the offset *end*. */
bool image_code_refers(const struct image *image, struct place from, uint64_t end);

static inline struct place place_add(struct place place, uint64_t offset)
{
	place.offset += offset;
	return place;
}

static inline bool same_place(struct place a, struct place b)
{
	return a.section == b.section && a.offset == b.offset;
}

#endif /* KLP_SETS_READ_IMAGE_H */
