/* SPDX-License-Identifier: GPL-2.0 */
/* code.h - what the code of a module does to its data, as far as registers can be followed */
#ifndef KLP_SETS_READ_CODE_H
#define KLP_SETS_READ_CODE_H

#include "read/place.h"

struct isa;

struct code_reloc {
	struct place at, to;	/* in code; to.section 0: not of this module */
	uint32_t type;
	const char *symbol;	/* to what is not of this module */
};

struct code_input {
	const struct isa *isa;
	const struct section *sections;
	size_t nr_sections;
	const struct code_reloc *relocs;	/* sorted by place */
	size_t nr_relocs;
	const struct pointer *pointers;		/* sorted by place */
	size_t nr_pointers;
	const struct variable *variables;	/* sorted by place */
	size_t nr_variables;
};

struct code_findings {
	struct place *refs;	/* bytes that are read or written, or whose address is used */
	size_t nr_refs;
	/* Of these, some of whose address is given away, anything may be done to all. */
	struct variable *given;
	size_t nr_given;
	bool *lost;		/* by section: the same for everything in it */
};

void code_follow(const struct code_input *in, struct code_findings *found);
/*
 * The constant, 0 or 1, that this code stores into the byte at this distance from a register;
 * -1 if there is none, more than one, or one that is not seen.
 */
int code_stored_byte(const struct isa *isa, const unsigned char *code, uint64_t size,
		     int64_t offset);

#endif /* KLP_SETS_READ_CODE_H */
