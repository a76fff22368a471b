// SPDX-License-Identifier: GPL-2.0
/*
 * decode.c - as much of instructions as it takes to follow an address through registers
 *
 * What compilers make of code that looks at data is known here. Of every other
 * instruction, all that may be the number of a register counts as one that is read.
 */
#include <elf.h>
#include <stdbool.h>
#include <stddef.h>

#include "read/decode.h"

static struct insn nothing(unsigned int size)
{
	return (struct insn) {
		.size = size,
		.access = { { .base = NO_REGISTER }, { .base = NO_REGISTER } },
		.to = NO_REGISTER,
		.from = NO_REGISTER,
		.constant = NO_REGISTER,
		.stored = NO_REGISTER,
	};
}

static uint32_t bit(unsigned int reg)
{
	return 1u << reg;
}

static int64_t sign_extend(uint64_t value, unsigned int bits)
{
	uint64_t sign = 1ull << (bits - 1);

	value &= (sign << 1) - 1;
	return (int64_t)((value ^ sign) - sign);
}

static void copy(struct insn *i, int to, int from, int64_t add)
{
	i->to = to;
	i->from = from;
	i->add = add;
}

static void constant(struct insn *i, int reg, int64_t number)
{
	if (reg != NO_REGISTER)
		i->writes |= bit(reg);
	i->constant = reg;
	i->number = number;
}

static void stores_byte(struct insn *i, int reg, int64_t number)
{
	i->stores_byte = true;
	i->stored = reg;
	i->number = number;
}

static void accesses(struct insn *i, int which, int base, int64_t offset, unsigned int bytes)
{
	i->access[which].base = base;
	i->access[which].offset = offset;
	i->access[which].bytes = bytes;
}

static uint32_t word_le(const unsigned char *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* --- arm64 ------------------------------------------------------------------------ */

/* 31 is the stack pointer or zero, and of no interest. */
#define A64_ZERO 31

static int a64_reg(uint32_t w, unsigned int at)
{
	unsigned int reg = w >> at & 31;

	return reg == A64_ZERO ? NO_REGISTER : (int)reg;
}

static uint32_t a64_bit(uint32_t w, unsigned int at)
{
	return bit(w >> at & 31) & ~bit(A64_ZERO);
}

/* A load or a store of one register: a number of the processor, or of floating point. */
static void a64_transfer(struct insn *i, uint32_t w)
{
	bool vector = w >> 26 & 1;
	bool store = vector ? !(w >> 22 & 1) : !(w >> 22 & 3);

	if (vector)
		return;
	if (store)
		i->reads |= a64_bit(w, 0);
	else if ((w & 0xc0c00000) != 0xc0800000)	/* a prefetch has no register there */
		i->writes |= a64_bit(w, 0);
}

static unsigned int a64_scale(uint32_t w)
{
	return w >> 30 | (w >> 26 & 1 && w >> 23 & 1 ? 4 : 0);
}

static bool a64_memory(struct insn *i, uint32_t w)
{
	int base = a64_reg(w, 5);

	if ((w & 0x3b000000) == 0x39000000) {
		unsigned int scale = a64_scale(w);

		accesses(i, 0, base, (int64_t)(w >> 10 & 0xfff) << scale, 1u << scale);
		if ((w & 0xffc00000) == 0x39000000)
			stores_byte(i, a64_reg(w, 0), 0);
		a64_transfer(i, w);
		return true;
	}
	if ((w & 0x3b200000) == 0x38000000) {
		bool after = (w >> 10 & 3) == 1, moves = w >> 10 & 1;
		int64_t offset = sign_extend(w >> 12, 9);

		accesses(i, 0, base, after ? 0 : offset, 1u << a64_scale(w));
		a64_transfer(i, w);
		if (moves)
			copy(i, base, base, offset);
		return true;
	}
	if ((w & 0x3a000000) == 0x28000000) {
		bool vector = w >> 26 & 1, load = w >> 22 & 1;
		unsigned int mode = w >> 23 & 3;
		unsigned int scale = 2 + (vector ? w >> 30 : w >> 31);
		int64_t offset = sign_extend(w >> 15, 7) * (1 << scale);

		accesses(i, 0, base, mode == 1 ? 0 : offset, 2u << scale);
		if (!vector)
			*(load ? &i->writes : &i->reads) |= a64_bit(w, 0) | a64_bit(w, 10);
		if (mode & 1)
			copy(i, base, base, offset);
		return true;
	}
	return false;
}

static bool a64_flow(struct insn *i, uint32_t w)
{
	if ((w & 0x7c000000) == 0x14000000) {
		i->flow = w >> 31 ? FLOW_CALL : FLOW_JUMP;
		i->target = 4 * sign_extend(w, 26);
	} else if ((w & 0xff000000) == 0x54000000 || (w & 0x7e000000) == 0x34000000) {
		i->flow = FLOW_BRANCH;
		i->target = 4 * sign_extend(w >> 5, 19);
	} else if ((w & 0x7e000000) == 0x36000000) {
		i->flow = FLOW_BRANCH;
		i->target = 4 * sign_extend(w >> 5, 14);
	} else if ((w & 0xfffff000) == 0xd65f0000) {
		i->flow = FLOW_RETURN;
	} else if ((w & 0xfffff000) == 0xd63f0000) {
		i->flow = FLOW_CALL_AWAY;
	} else if ((w & 0xfffff000) == 0xd61f0000) {
		i->flow = FLOW_AWAY;
	} else if ((w & 0xffe0001f) == 0xd4200000) {
		/* BUG() does not come back, WARN() does. */
		i->flow = FLOW_NEXT;
	} else {
		return false;
	}
	return true;
}

/* A comparison with a number, or of two registers; hints and barriers. */
static bool a64_is_harmless(uint32_t w)
{
	return (w & 0x7f00001f) == 0x7100001f || (w & 0x7f20001f) == 0x6b00001f ||
	       (w & 0xfffff01f) == 0xd503201f || (w & 0xfffff000) == 0xd5033000;
}

static bool a64_number(struct insn *i, uint32_t w)
{
	/* adr, adrp; mov of a number that is turned round; mrs */
	if ((w & 0x1f000000) == 0x10000000 || (w & 0x7f800000) == 0x12800000 ||
	    (w & 0xfff00000) == 0xd5300000) {
		i->writes = a64_bit(w, 0);
	} else if ((w & 0x7f800000) == 0x52800000) {
		constant(i, a64_reg(w, 0), (uint64_t)(w >> 5 & 0xffff) << (16 * (w >> 21 & 3)));
	} else if ((w & 0xff800000) == 0x91000000 || (w & 0xff800000) == 0xd1000000) {
		int64_t add = w >> 10 & 0xfff;

		if (w >> 22 & 1)
			add <<= 12;
		copy(i, a64_reg(w, 0), a64_reg(w, 5), w >> 30 & 1 ? -add : add);
	} else if ((w & 0xffe0ffe0) == 0xaa0003e0) {
		copy(i, a64_reg(w, 0), a64_reg(w, 16), 0);
	} else if ((w & 0x1f000000) == 0x0a000000 || (w & 0x1f000000) == 0x0b000000 ||
		   (w & 0x1fe00000) == 0x1a800000) {
		i->reads = a64_bit(w, 5) | a64_bit(w, 16);
		i->writes = a64_bit(w, 0);
	} else {
		return false;
	}
	return true;
}

static struct insn a64_decode(const unsigned char *code, uint64_t left)
{
	struct insn i = nothing(4);
	uint32_t w;

	if (left < 4)
		return (struct insn) { };
	w = word_le(code);
	if (!a64_is_harmless(w) && !a64_flow(&i, w) && !a64_memory(&i, w) && !a64_number(&i, w))
		i.reads = a64_bit(w, 0) | a64_bit(w, 5) | a64_bit(w, 10) | a64_bit(w, 16);
	return i;
}

static struct reloc_use a64_reloc(uint32_t type, const unsigned char *code, uint64_t size,
				  uint64_t at)
{
	struct reloc_use use = { .use = USE_UNKNOWN, .at = at, .reg = NO_REGISTER };
	uint32_t w;

	if (size < 4 || at > size - 4)
		return use;
	w = word_le(code + at);
	switch (type) {
	case R_AARCH64_ADR_PREL_PG_HI21:
	case R_AARCH64_ADR_PREL_PG_HI21_NC:
		use.use = USE_PART;
		break;
	case R_AARCH64_ADD_ABS_LO12_NC:
	case R_AARCH64_ADR_PREL_LO21:
		use.use = USE_ADDRESS;
		use.reg = a64_reg(w, 0);
		break;
	case R_AARCH64_LDST8_ABS_LO12_NC:
	case R_AARCH64_LDST16_ABS_LO12_NC:
	case R_AARCH64_LDST32_ABS_LO12_NC:
	case R_AARCH64_LDST64_ABS_LO12_NC:
	case R_AARCH64_LDST128_ABS_LO12_NC:
		use.use = USE_ACCESS;
		use.bytes = 1u << a64_scale(w);
		break;
	case R_AARCH64_CALL26:
	case R_AARCH64_JUMP26:
	case R_AARCH64_CONDBR19:
	case R_AARCH64_TSTBR14:
		use.use = USE_FLOW;
		break;
	}
	return use;
}

const struct isa isa_arm64 = {
	.decode = a64_decode,
	.reloc = a64_reloc,
	.args = 0xff,
	.clobbered = 0x4007ffff,
	.result = 1,
};

/* --- s390x ------------------------------------------------------------------------ */

#define S390_RESULT (1 << 2)

/* 0 is no base, and no index. */
static int s390_base(unsigned int reg)
{
	return reg ? (int)reg : NO_REGISTER;
}

static unsigned int s390_short(const unsigned char *p)
{
	return (p[0] & 15) << 8 | p[1];
}

static int64_t s390_long(const unsigned char *p)
{
	return sign_extend((uint64_t)p[2] << 12 | s390_short(p), 20);
}

static int64_t s390_half(const unsigned char *p)
{
	return sign_extend((uint64_t)p[0] << 8 | p[1], 16);
}

static int64_t s390_word(const unsigned char *p)
{
	return sign_extend((uint64_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3], 32);
}

/* Every register from the first to the last, round the corner. */
static uint32_t s390_range(unsigned int first, unsigned int last)
{
	uint32_t set = bit(first);

	while (first != last) {
		first = (first + 1) & 15;
		set |= bit(first);
	}
	return set;
}

/* Everything behind the first byte may be a register, or an even one of two. */
static struct insn s390_unknown(const unsigned char *p, unsigned int size)
{
	/* Branches, and execute, of which it is not known what comes next. */
	static const unsigned char leads_away[] = {
		0x05, 0x06, 0x0b, 0x0c, 0x44, 0x45, 0x46, 0x47, 0x4d, 0x84, 0x85, 0x86, 0x87, 0xc6,
		0xcc, 0xec,
	};
	struct insn i = nothing(size);
	unsigned int first;

	for (size_t n = 0; n < sizeof(leads_away); n++) {
		if (p[0] == leads_away[n])
			i.reads = ~0u;
	}
	/* The second byte of these tells more of what it is, of the longest the last one. */
	first = p[0] == 0xb2 || p[0] == 0xb3 || p[0] == 0xb9 ? 2 : 1;
	for (unsigned int n = first; n < (size == 6 ? 5 : size); n++) {
		i.reads |= bit(p[n] & 15) | bit((p[n] & 15) | 1);
		i.reads |= bit(p[n] >> 4) | bit((p[n] >> 4) | 1);
	}
	return i;
}

/* A base and an index are the same to the processor. With both, it is not known where. */
static void s390_indexed(struct insn *i, const unsigned char *p, int64_t offset,
			 unsigned int bytes)
{
	unsigned int index = p[1] & 15, base = p[2] >> 4;

	if (index && base)
		i->reads |= bit(index) | bit(base);
	else
		accesses(i, 0, s390_base(index | base), offset, bytes);
}

static bool s390_branch(struct insn *i, const unsigned char *p)
{
	unsigned int what = p[1] & 15, mask = p[1] >> 4;

	if (p[0] == 0xa7 && what == 4) {
		i->flow = mask == 15 ? FLOW_JUMP : mask ? FLOW_BRANCH : FLOW_NEXT;
		i->target = 2 * s390_half(p + 2);
	} else if (p[0] == 0xc0 && what == 4) {
		i->flow = mask == 15 ? FLOW_JUMP : mask ? FLOW_BRANCH : FLOW_NEXT;
		i->target = 2 * s390_word(p + 2);
	} else if (p[0] == 0xa7 && what == 5) {
		i->flow = FLOW_CALL;
		i->target = 2 * s390_half(p + 2);
	} else if (p[0] == 0xc0 && what == 5) {
		i->flow = FLOW_CALL;
		i->target = 2 * s390_word(p + 2);
	} else if (p[0] == 0x0d) {
		i->flow = p[1] & 15 ? FLOW_CALL_AWAY : FLOW_NEXT;
		i->writes = bit(p[1] >> 4);
	} else if (p[0] == 0x07) {
		if (mask == 15 && what)
			i->flow = what == 14 ? FLOW_RETURN : FLOW_AWAY;
		else if (mask && what)
			i->reads = what == 14 ? S390_RESULT : ~0u;
	} else if (p[0] == 0xa7 && (what == 6 || what == 7)) {
		i->reads = bit(mask);
		i->flow = FLOW_BRANCH;
		i->target = 2 * s390_half(p + 2);
	} else if (p[0] == 0xec && ((p[5] >= 0x64 && p[5] <= 0x65) || (p[5] >= 0x76 && p[5] <= 0x77) ||
				    (p[5] >= 0x7c && p[5] <= 0x7f))) {
		i->flow = FLOW_BRANCH;
		i->target = 2 * s390_half(p + 2);
	} else {
		return false;
	}
	return true;
}

/* A comparison with a number, or of two registers; that of BUG() and WARN(). */
static bool s390_is_harmless(const unsigned char *p)
{
	unsigned int what = p[1] & 15;

	return p[0] == 0xaf || (p[0] == 0xa7 && what >= 14) || (p[0] == 0xc2 && what >= 12) ||
	       (p[0] == 0xb9 && (p[1] == 0x20 || p[1] == 0x21));
}

/* One register and a number. */
static bool s390_number(struct insn *i, const unsigned char *p)
{
	unsigned int reg = p[1] >> 4, what = p[1] & 15;

	if (p[0] == 0xa7 && (what == 8 || what == 9)) {
		constant(i, reg, s390_half(p + 2));
	} else if ((p[0] == 0xc0 && (what == 0 || what == 1 || what >= 14)) ||
		   (p[0] == 0xa5 && what >= 12)) {
		i->writes = bit(reg);
	} else if (p[0] == 0xa7 && what == 11) {
		copy(i, reg, reg, s390_half(p + 2));
	} else if (p[0] == 0xc2 && what == 8) {
		copy(i, reg, reg, s390_word(p + 2));
	} else if (p[0] == 0xec && p[5] == 0xd9) {
		copy(i, reg, what, s390_half(p + 2));
	} else if (p[0] == 0xb9 && (p[1] == 0x04 || p[1] == 0x02)) {
		copy(i, p[3] >> 4, p[3] & 15, 0);
	/* From a smaller number to a larger one, or a half of a register. */
	} else if (p[0] == 0xb9 && (p[1] == 0x06 || p[1] == 0x07 || p[1] == 0x14 || p[1] == 0x16 ||
				    p[1] == 0x26 || p[1] == 0x27 || p[1] == 0x84 ||
				    p[1] == 0x85 || p[1] == 0x94 || p[1] == 0x95)) {
		i->reads = bit(p[3] & 15);
		i->writes = bit(p[3] >> 4);
	} else if (p[0] == 0x12 || p[0] == 0x18) {
		i->reads = bit(what);
		i->writes = bit(reg);
	} else {
		return false;
	}
	return true;
}

static bool s390_load_address(struct insn *i, const unsigned char *p)
{
	int64_t offset = p[0] == 0x41 ? s390_short(p + 2) : s390_long(p + 2);
	unsigned int index = p[1] & 15, base = p[2] >> 4;

	if (p[0] != 0x41 && (p[0] != 0xe3 || p[5] != 0x71))
		return false;
	if (index && base) {
		i->reads = bit(index) | bit(base);
		i->writes = bit(p[1] >> 4);
	} else if (index | base) {
		copy(i, p[1] >> 4, index | base, offset);
	} else {
		i->writes = bit(p[1] >> 4);
	}
	return true;
}

static bool s390_memory(struct insn *i, const unsigned char *p)
{
	unsigned int reg = p[1] >> 4;

	/* A byte and a number, and the same with a larger offset. */
	if ((p[0] >= 0x91 && p[0] <= 0x97 && p[0] != 0x93)) {
		accesses(i, 0, s390_base(p[2] >> 4), s390_short(p + 2), 1);
		if (p[0] != 0x91 && p[0] != 0x95)
			stores_byte(i, NO_REGISTER, p[0] == 0x92 ? p[1] : 0xff);
	} else if (p[0] == 0xeb && p[5] >= 0x51 && p[5] <= 0x57) {
		accesses(i, 0, s390_base(p[2] >> 4), s390_long(p + 2), 1);
		if (p[5] != 0x51 && p[5] != 0x55)
			stores_byte(i, NO_REGISTER, p[5] == 0x52 ? p[1] : 0xff);
	} else if (p[0] == 0xeb && (p[5] == 0x6a || p[5] == 0x7a)) {
		accesses(i, 0, s390_base(p[2] >> 4), s390_long(p + 2), 8);
	/* A number into two to eight bytes, or compared with them. */
	} else if (p[0] == 0xe5 && ((p[1] & 0xf3) == 0x40 || (p[1] >= 0x54 && p[1] <= 0x5d))) {
		accesses(i, 0, s390_base(p[2] >> 4), s390_short(p + 2), 8);
	/* From memory to memory. */
	} else if (p[0] == 0xd2 || (p[0] >= 0xd4 && p[0] <= 0xd7)) {
		accesses(i, 0, s390_base(p[2] >> 4), s390_short(p + 2), p[1] + 1);
		accesses(i, 1, s390_base(p[4] >> 4), s390_short(p + 4), p[1] + 1);
	} else if (p[0] == 0xeb && (p[5] == 0x24 || p[5] == 0x04)) {
		uint32_t range = s390_range(reg, p[1] & 15);

		accesses(i, 0, s390_base(p[2] >> 4), s390_long(p + 2), 128);
		*(p[5] == 0x24 ? &i->reads : &i->writes) = range;
	} else if (p[0] == 0xe3 && (p[5] == 0x04 || p[5] == 0x02 || (p[5] >= 0x14 && p[5] <= 0x17) ||
				    p[5] == 0x58 || (p[5] >= 0x76 && p[5] <= 0x78) ||
				    (p[5] >= 0x90 && p[5] <= 0x95) || p[5] == 0x12)) {
		s390_indexed(i, p, s390_long(p + 2), 8);
		i->writes = bit(reg);
	} else if (p[0] == 0xe3 && (p[5] == 0x24 || p[5] == 0x50 || p[5] == 0x70 || p[5] == 0x72)) {
		s390_indexed(i, p, s390_long(p + 2), 8);
		i->reads |= bit(reg);
	} else if (p[0] == 0xe3 && (p[5] == 0x20 || p[5] == 0x21)) {
		s390_indexed(i, p, s390_long(p + 2), 8);
	} else if (p[0] == 0xc4 && (p[1] & 15) < 15 && (p[1] & 3) != 3 && (p[1] & 15) != 0) {
		i->writes = bit(reg);
	} else if (p[0] == 0x58 || p[0] == 0x48) {
		s390_indexed(i, p, s390_short(p + 2), 4);
		i->writes = bit(reg);
	} else if (p[0] == 0x50 || p[0] == 0x40 || p[0] == 0x42) {
		s390_indexed(i, p, s390_short(p + 2), 4);
		i->reads |= bit(reg);
		if (p[0] == 0x42)
			stores_byte(i, reg, 0);
	} else {
		return false;
	}
	return true;
}

static struct insn s390_decode(const unsigned char *code, uint64_t left)
{
	unsigned char p[6] = { 0 };
	unsigned int size;
	struct insn i;

	if (!left)
		return (struct insn) { };
	size = code[0] < 0x40 ? 2 : code[0] < 0xc0 ? 4 : 6;
	if (left < size)
		return (struct insn) { };
	for (unsigned int n = 0; n < size; n++)
		p[n] = code[n];
	i = nothing(size);
	if (s390_is_harmless(p) || s390_branch(&i, p) || s390_number(&i, p) || s390_load_address(&i, p) ||
	    s390_memory(&i, p))
		return i;
	return s390_unknown(p, size);
}

static struct reloc_use s390_reloc(uint32_t type, const unsigned char *code, uint64_t size,
				   uint64_t at)
{
	struct reloc_use use = { .use = USE_UNKNOWN, .reg = NO_REGISTER };
	const unsigned char *p;

	/* Half a word behind the start of the instruction, from which it counts. */
	if (at < 2 || size < 4 || at > size - 4)
		return use;
	use.at = at - 2;
	use.correct = -2;
	p = code + use.at;
	switch (type) {
	case R_390_PLT32DBL:
		use.use = USE_FLOW;
		break;
	case R_390_PC32DBL:
		if (p[0] == 0xc0 && !(p[1] & 15)) {
			use.use = USE_ADDRESS;
			use.reg = p[1] >> 4;
		} else if (p[0] == 0xc0) {
			use.use = USE_FLOW;
		} else if (p[0] == 0xc4) {
			use.use = USE_ACCESS;
			use.bytes = 8;
		}
		break;
	case R_390_GOTENT:
		/* The entry holds the address. */
		if (p[0] == 0xc4 && (p[1] & 15) == 8) {
			use.use = USE_ADDRESS;
			use.reg = p[1] >> 4;
		}
		break;
	default:
		use.correct = 0;
	}
	return use;
}

const struct isa isa_s390x = {
	.decode = s390_decode,
	.reloc = s390_reloc,
	.args = 0x7c,
	.clobbered = 0x403f,
	.result = S390_RESULT,
};

/* --- ppc64le ---------------------------------------------------------------------- */

#define PPC_RESULT (1 << 3)

static int ppc_base(unsigned int reg)
{
	return reg ? (int)reg : NO_REGISTER;
}

static unsigned int ppc_reg(uint32_t w, unsigned int at)
{
	return w >> at & 31;
}

static bool ppc_memory(struct insn *i, uint32_t w)
{
	unsigned int what = w >> 26, reg = ppc_reg(w, 21), base = ppc_reg(w, 16);
	int64_t offset = sign_extend(w, 16);
	bool moves = what & 1;

	if (what == 58 || what == 62) {
		if ((w & 3) > (what == 58 ? 2 : 1))
			return false;
		moves = (w & 3) == 1;
		offset &= ~(int64_t)3;
		*(what == 58 ? &i->writes : &i->reads) |= bit(reg);
	} else if (what >= 32 && what < 46) {
		/* Numbers: lwz, lbz, then stw, stb, then lhz, lha, then sth; each, and with u. */
		*((what >= 36 && what < 40) || what >= 44 ? &i->reads : &i->writes) |= bit(reg);
	} else if (what < 48 || what >= 56) {
		return false;
	}
	accesses(i, 0, ppc_base(base), offset, 8);
	if (what == 38)
		stores_byte(i, reg, 0);
	if (moves)
		copy(i, base, base, offset);
	return true;
}

static bool ppc_flow(struct insn *i, uint32_t w)
{
	bool calls = w & 1, always = (w >> 21 & 20) == 20;
	unsigned int what = w >> 1 & 0x3ff;

	switch (w >> 26) {
	case 18:
		i->flow = calls ? FLOW_CALL : FLOW_JUMP;
		i->target = sign_extend(w & 0x3fffffc, 26);
		return !(w & 2);
	case 16:
		i->flow = FLOW_BRANCH;
		i->target = sign_extend(w & 0xfffc, 16);
		return !(w & 3);	/* neither a call nor to an address */
	case 19:
		if (what == 528)
			i->flow = calls ? FLOW_CALL_AWAY : FLOW_AWAY;
		else if (what == 16 && always)
			i->flow = calls ? FLOW_CALL_AWAY : FLOW_RETURN;
		else if (what == 16 && !calls)
			i->reads = PPC_RESULT;
		else
			return what == 150;	/* isync */
		return what == 16 || always;
	}
	return false;
}

static bool ppc_number(struct insn *i, uint32_t w)
{
	unsigned int reg = ppc_reg(w, 21), base = ppc_reg(w, 16), what = w >> 1 & 0x3ff;
	int64_t number = sign_extend(w, 16);

	switch (w >> 26) {
	case 14:
	case 15:
		if (!base)
			constant(i, reg, w >> 26 == 15 ? number * 0x10000 : number);
		else
			copy(i, reg, base, w >> 26 == 15 ? number * 0x10000 : number);
		return true;
	case 10:
	case 11:	/* comparisons */
	case 2:
	case 3:		/* BUG() and WARN() */
		return true;
	case 24:
	case 25:
	case 26:
	case 27:
	case 28:
	case 29:
	case 21:
	case 30:
		if (w == 0x60000000)
			return true;
		i->reads = bit(reg) | (w >> 26 == 30 && (w >> 4 & 1) ? bit(ppc_reg(w, 11)) : 0);
		i->writes = bit(base);
		/* rldimi leaves something of the old value */
		if (w >> 26 == 30 && (w >> 2 & 7) == 3)
			i->reads |= bit(base);
		return true;
	case 31:
		if (what == 444 && reg == ppc_reg(w, 11)) {
			copy(i, base, reg, 0);
			return true;
		}
		if (what == 339)
			i->writes = bit(reg);
		/* mflr and the like; cmp, cmpl; tw, td; sync */
		return what == 339 || what == 0 || what == 32 || what == 4 || what == 68 ||
		       what == 598;
	}
	return false;
}

static struct insn ppc_decode(const unsigned char *code, uint64_t left)
{
	struct insn i = nothing(4);
	uint32_t w;

	if (left < 4)
		return (struct insn) { };
	w = word_le(code);
	/* The first half of one of POWER10, of which nothing is known. */
	if (w >> 26 == 1)
		return (struct insn) { };
	if (ppc_flow(&i, w) || ppc_memory(&i, w) || ppc_number(&i, w))
		return i;
	i = nothing(4);
	i.reads = bit(ppc_reg(w, 21)) | bit(ppc_reg(w, 16)) | bit(ppc_reg(w, 11)) |
		  bit(ppc_reg(w, 6));
	/* A branch that is not known would lead who knows where. */
	if (w >> 26 >= 16 && w >> 26 <= 19)
		i.reads = ~0u;
	return i;
}

static struct reloc_use ppc_reloc(uint32_t type, const unsigned char *code, uint64_t size,
				  uint64_t at)
{
	struct reloc_use use = { .use = USE_UNKNOWN, .at = at & ~(uint64_t)3, .reg = NO_REGISTER };
	unsigned int what;
	uint32_t w;

	if (size < 4 || use.at > size - 4)
		return use;
	w = word_le(code + use.at);
	what = w >> 26;
	switch (type) {
	case R_PPC64_TOC16_HA:
	case R_PPC64_REL16_HA:
	case R_PPC64_REL16_LO:
		use.use = USE_PART;
		break;
	case R_PPC64_TOC16_LO:
	case R_PPC64_TOC16_LO_DS:
	case R_PPC64_TOC16:
	case R_PPC64_TOC16_DS:
		use.reg = ppc_reg(w, 21);
		if (what == 14) {
			use.use = USE_ADDRESS;
		} else if (what == 58 && !(w & 3)) {
			use.use = USE_LOAD;
			use.bytes = 8;
		} else if ((what >= 32 && what != 46 && what < 56 && !(what & 1)) ||
			   (what == 62 && !(w & 3))) {
			use.use = USE_ACCESS;
			use.bytes = 8;
		}
		break;
	case R_PPC64_REL24:
	case R_PPC64_REL14:
	case 116:	/* R_PPC64_REL24_NOTOC */
		use.use = USE_FLOW;
		break;
	}
	return use;
}

const struct isa isa_ppc64le = {
	.decode = ppc_decode,
	.reloc = ppc_reloc,
	.args = 0x7f8,
	.clobbered = 0x1ff9,
	.result = PPC_RESULT,
};
