/* SPDX-License-Identifier: GPL-2.0 */
/* arch.h - what module files of the architectures with livepatching have of their own */
#ifndef KLP_SETS_READ_ARCH_H
#define KLP_SETS_READ_ARCH_H

#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>

struct isa;

struct arch {
	uint16_t machine;	/* e_machine and EI_DATA of its files */
	unsigned char data;
	uint32_t pointer;	/* the relocation that writes an address into data */
	/*
	 * Before a function by so much may be the place where ftrace is called, as the
	 * compiler's list has it.
	 */
	unsigned int before_entry;
	/* Where instructions name a place by themselves, and code need not be followed: NULL. */
	const struct isa *isa;
};

/* NULL for a file of another architecture. */
const struct arch *arch_of(const GElf_Ehdr *ehdr);
/* A number of 1, 2, 4 or 8 bytes from a file of this architecture; 0 for another size. */
uint64_t arch_number(const struct arch *arch, const void *from, unsigned int bytes);

#endif /* KLP_SETS_READ_ARCH_H */
