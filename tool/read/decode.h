/* SPDX-License-Identifier: GPL-2.0 */
/* decode.h - as much of instructions as it takes to follow an address through registers */
#ifndef KLP_SETS_READ_DECODE_H
#define KLP_SETS_READ_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#define NO_REGISTER (-1)

enum flow {
	FLOW_NEXT,	/* to the instruction behind it */
	FLOW_BRANCH,	/* or to *target* */
	FLOW_JUMP,	/* to *target* */
	FLOW_CALL,	/* to *target*, and then to the one behind it */
	FLOW_CALL_AWAY,	/* the same, to an address in a register */
	FLOW_AWAY,	/* to an address in a register */
	FLOW_RETURN,
};

/* What it does to registers, in the order of the first of them. */
struct insn {
	unsigned int size;
	uint32_t reads;		/* of these, the value goes where nobody follows it */
	struct {
		int base;	/* or NO_REGISTER, as in all that follows */
		int64_t offset;
		unsigned int bytes;
	} access[2];		/* bytes in memory that it reads or writes */
	uint32_t writes;	/* of these, the old value is gone */
	int to, from;		/* to = from + add */
	int64_t add;
	enum flow flow;
	int64_t target;		/* from its start */
	int constant;		/* this register becomes *number*, */
	int stored;		/* or its lowest byte is stored; NO_REGISTER: *number* is, */
	bool stores_byte;	/* and nothing else, at the first access */
	int64_t number;
};

/* What an instruction does with the address that a relocation puts into it. */
enum use {
	USE_PART,		/* next to nothing: another relocation has the rest */
	USE_ADDRESS,		/* reg = address */
	USE_LOAD,		/* reg = pointer at the address */
	USE_ACCESS,		/* reads or writes bytes there */
	USE_FLOW,		/* goes there */
	USE_UNKNOWN,
};

struct reloc_use {
	enum use use;
	uint64_t at;		/* where the instruction starts */
	int64_t correct;	/* to be added to the address */
	int reg;
	unsigned int bytes;
};

/* What the instructions of an architecture are like. */
struct isa {
	struct insn (*decode)(const unsigned char *code, uint64_t left);
	/* A relocation of this type at this offset in code of that size. */
	struct reloc_use (*reloc)(uint32_t type, const unsigned char *code, uint64_t size,
				  uint64_t at);
	uint32_t args;		/* registers that a function gets */
	uint32_t clobbered;	/* and that it leaves with something else */
	uint32_t result;
};

extern const struct isa isa_arm64, isa_s390x, isa_ppc64le;

#endif /* KLP_SETS_READ_DECODE_H */
