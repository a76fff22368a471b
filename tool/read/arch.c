// SPDX-License-Identifier: GPL-2.0
/*
 * arch.c - what module files of the architectures with livepatching have of their own
 *
 * The command may run on any of them and read a file of any other.
 */
#include <stddef.h>

#include "read/arch.h"
#include "read/decode.h"

static const struct arch archs[] = {
	{ .machine = EM_X86_64, .data = ELFDATA2LSB, .pointer = R_X86_64_64 },
	{ .machine = EM_AARCH64, .data = ELFDATA2LSB, .pointer = R_AARCH64_ABS64,
	  /* The two instructions of CONFIG_DYNAMIC_FTRACE_WITH_CALL_OPS. */
	  .before_entry = 8, .isa = &isa_arm64 },
	{ .machine = EM_S390, .data = ELFDATA2MSB, .pointer = R_390_64, .isa = &isa_s390x },
	{ .machine = EM_PPC64, .data = ELFDATA2LSB, .pointer = R_PPC64_ADDR64,
	  .isa = &isa_ppc64le },
};

const struct arch *arch_of(const GElf_Ehdr *ehdr)
{
	for (size_t i = 0; i < sizeof(archs) / sizeof(archs[0]); i++) {
		if (ehdr->e_machine == archs[i].machine &&
		    ehdr->e_ident[EI_DATA] == archs[i].data &&
		    ehdr->e_ident[EI_CLASS] == ELFCLASS64)
			return &archs[i];
	}
	return NULL;
}

uint64_t arch_number(const struct arch *arch, const void *from, unsigned int bytes)
{
	uint16_t half = 0;
	uint32_t word = 0;
	uint64_t xword = 0;
	Elf_Data in = { .d_buf = (void *)from, .d_size = bytes, .d_version = EV_CURRENT };
	Elf_Data out = { .d_size = bytes, .d_version = EV_CURRENT };

	switch (bytes) {
	case 1:
		return *(const unsigned char *)from;
	case 2:
		in.d_type = ELF_T_HALF;
		out.d_buf = &half;
		break;
	case 4:
		in.d_type = ELF_T_WORD;
		out.d_buf = &word;
		break;
	case 8:
		in.d_type = ELF_T_XWORD;
		out.d_buf = &xword;
		break;
	default:
		return 0;
	}
	out.d_type = in.d_type;
	if (!elf64_xlatetom(&out, &in, arch->data))
		return 0;
	return half | word | xword;
}
