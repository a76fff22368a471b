// SPDX-License-Identifier: GPL-2.0
/*
 * binary.c - the functions in a vmlinux or in the file of a module, and where ftrace can be
 *
 * The compiler makes a list of the places where a function may call ftrace. In a module it
 * is a section of its own, whose contents are relocations; in a vmlinux, two symbols stand
 * around it. Where ftrace's place is a row of empty instructions, the list has another name.
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/arch.h"
#include "read/binary.h"
#include "read/modfile.h"
#include "read/util.h"

static const char * const lists[] = {
	".rela__mcount_loc",
	".rela__patchable_function_entries",
};


/* A module has less sections than this, and each is smaller. */
#define SECTION_BITS 28
#define MODULE_BITS 44

/* As KSYM_NAME_LEN of the newest kernels. */
#define NAME_SIZE 512

struct reader {
	Elf *elf;
	const struct arch *arch;
	struct binary *b;
	uint64_t base;		/* of the addresses of a module's sections; 0 for a kernel */
	uint64_t *places;	/* sorted */
	size_t nr_places;
	bool places_known;
};

/* --- symbols and places ----------------------------------------------------------- */

static Elf_Scn *find_section(const struct reader *r, GElf_Word type, const char *name,
			     GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t strndx;
	const char *found;

	if (elf_getshdrstrndx(r->elf, &strndx))
		return NULL;
	while ((scn = elf_nextscn(r->elf, scn))) {
		if (!gelf_getshdr(scn, shdr) || shdr->sh_type != type)
			continue;
		if (!name)
			return scn;
		found = elf_strptr(r->elf, strndx, shdr->sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

static uint64_t address_in(const struct reader *r, size_t section, uint64_t offset)
{
	return r->base ? r->base + ((uint64_t)section << SECTION_BITS) + offset : offset;
}

/* What the kernel would have a name for. */
static bool is_symbol(const struct reader *r, const GElf_Sym *sym)
{
	GElf_Shdr shdr;
	int type = GELF_ST_TYPE(sym->st_info);

	return sym->st_name && sym->st_shndx != SHN_UNDEF && sym->st_shndx < SHN_LORESERVE &&
	       type != STT_SECTION && type != STT_FILE &&
	       gelf_getshdr(elf_getscn(r->elf, sym->st_shndx), &shdr) &&
	       shdr.sh_flags & SHF_ALLOC &&
	       (!r->base || sym->st_value <= shdr.sh_size);
}

/* The names are copied: they outlive the file. */
static bool read_symbols(struct reader *r)
{
	GElf_Shdr shdr, strings;
	Elf_Scn *scn = find_section(r, SHT_SYMTAB, NULL, &shdr);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL, *names;
	size_t room = 0;
	GElf_Sym sym;
	struct binary *b = r->b;

	scn = data ? elf_getscn(r->elf, shdr.sh_link) : NULL;
	if (!scn || !gelf_getshdr(scn, &strings) || strings.sh_type != SHT_STRTAB)
		return false;
	names = elf_rawdata(scn, NULL);
	if (!names || !names->d_size || ((char *)names->d_buf)[names->d_size - 1])
		return false;
	b->names = xrealloc(NULL, names->d_size, 1);
	memcpy(b->names, names->d_buf, names->d_size);
	for (int i = 1; gelf_getsym(data, i, &sym); i++) {
		if (!is_symbol(r, &sym) || sym.st_name >= names->d_size ||
		    strnlen(b->names + sym.st_name, NAME_SIZE) == NAME_SIZE)
			continue;
		if (b->nr == room) {
			room = room ? 2 * room : 1024;
			b->all = xrealloc(b->all, room, sizeof(*b->all));
		}
		b->all[b->nr] = (struct binary_symbol) {
			.name = b->names + sym.st_name,
			.addr = address_in(r, sym.st_shndx, sym.st_value),
			.size = sym.st_size,
			.number = b->nr,
		};
		b->nr++;
	}
	return b->nr;
}

static void add_places(struct reader *r, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	Elf_Data *symbols = data ? elf_getdata(elf_getscn(r->elf, shdr->sh_link), NULL) : NULL;
	GElf_Rela rela;
	GElf_Sym sym;

	if (!symbols)
		return;
	r->places = xrealloc(r->places, r->nr_places + data->d_size / sizeof(Elf64_Rela) + 1,
			     sizeof(*r->places));
	for (int i = 0; gelf_getrela(data, i, &rela); i++) {
		if (gelf_getsym(symbols, GELF_R_SYM(rela.r_info), &sym))
			r->places[r->nr_places++] = address_in(r, sym.st_shndx,
							       sym.st_value + rela.r_addend);
	}
}

/* There may be one for each section of code. */
static void read_module_places(struct reader *r)
{
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr shdr;
	size_t strndx;

	/* Without any, it was built for nobody to trace. */
	r->places_known = true;
	if (elf_getshdrstrndx(r->elf, &strndx))
		return;
	while ((scn = elf_nextscn(r->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_RELA)
			continue;
		name = elf_strptr(r->elf, strndx, shdr.sh_name) ?: "";
		for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
			if (!strcmp(name, lists[i]))
				add_places(r, scn, &shdr);
		}
	}
}

static const struct binary_symbol *find_entry(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < r->b->nr; i++) {
		if (!strcmp(r->b->all[i].name, name))
			return &r->b->all[i];
	}
	return NULL;
}

static void read_kernel_places(struct reader *r)
{
	const struct binary_symbol *start = find_entry(r, "__start_mcount_loc");
	const struct binary_symbol *stop = find_entry(r, "__stop_mcount_loc");
	Elf_Scn *scn = NULL;
	Elf_Data *data;
	GElf_Shdr shdr;

	if (!start || !stop || stop->addr < start->addr || start->addr % 8)
		return;
	while ((scn = elf_nextscn(r->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_PROGBITS ||
		    start->addr < shdr.sh_addr || stop->addr - shdr.sh_addr > shdr.sh_size)
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || data->d_size != shdr.sh_size)
			return;
		r->nr_places = (stop->addr - start->addr) / 8;
		r->places = xcalloc(r->nr_places, sizeof(*r->places));
		for (size_t i = 0; i < r->nr_places; i++) {
			r->places[i] = arch_number(r->arch, (char *)data->d_buf + 8 * i +
						   (start->addr - shdr.sh_addr), 8);
			/* A kernel that finds its place at boot may fill them in then. */
			r->places_known |= r->places[i];
		}
		return;
	}
}

static int compare_places(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static enum trace trace_of(const struct reader *r, const struct binary_symbol *e)
{
	uint64_t start = e->addr - r->arch->before_entry;
	size_t low = 0, high = r->nr_places;

	if (!r->places_known)
		return TRACE_UNKNOWN;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->places[middle] < start)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->nr_places &&
	       r->places[low] - start < (e->size ? e->size : 1) + r->arch->before_entry ?
	       TRACE_YES : TRACE_NO;
}

/* Of the kernel, positions are in the order of addresses. */
static int compare_symbols(const void *a, const void *b)
{
	const struct binary_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static bool read_binary(struct reader *r)
{
	if (!read_symbols(r))
		return false;
	if (r->base)
		read_module_places(r);
	else
		read_kernel_places(r);
	if (r->nr_places)
		qsort(r->places, r->nr_places, sizeof(*r->places), compare_places);
	for (size_t i = 0; i < r->b->nr; i++)
		r->b->all[i].trace = trace_of(r, &r->b->all[i]);
	if (!r->base)
		qsort(r->b->all, r->b->nr, sizeof(*r->b->all), compare_symbols);
	free(r->places);
	return true;
}

static bool is_for(struct reader *r, int type, int other_type)
{
	GElf_Ehdr ehdr;

	if (!r->elf || elf_kind(r->elf) != ELF_K_ELF || !gelf_getehdr(r->elf, &ehdr) ||
	    (ehdr.e_type != type && ehdr.e_type != other_type))
		return false;
	r->arch = arch_of(&ehdr);
	return r->arch;
}

/* --- a kernel ---------------------------------------------------------------------- */

bool is_binary(const char *path)
{
	char magic[SELFMAG];
	int fd = open_regular(path);
	bool is = fd >= 0 && read(fd, magic, SELFMAG) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);

	if (fd >= 0)
		close(fd);
	return is;
}

/* With its debug information it is larger than anything that would be read into memory. */
bool binary_read_kernel(const char *path, struct binary *b)
{
	struct reader r = { .b = b };
	int fd = open_regular(path);
	bool done;

	memset(b, 0, sizeof(*b));
	if (fd < 0)
		return false;
	elf_version(EV_CURRENT);
	r.elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	done = is_for(&r, ET_EXEC, ET_DYN) && read_binary(&r);
	elf_end(r.elf);
	close(fd);
	errno = EINVAL;
	return done;
}

/* --- a module ---------------------------------------------------------------------- */

bool binary_read_module(const char *path, unsigned long number, struct binary *b)
{
	struct reader r = { .b = b, .base = (uint64_t)number << MODULE_BITS };
	struct module_file *file;
	bool done;
	char *why;

	memset(b, 0, sizeof(*b));
	file = module_file_open(path, &why);
	if (!file) {
		free(why);
		return false;
	}
	elf_version(EV_CURRENT);
	r.elf = elf_memory((char *)file->content, file->content_size);
	done = is_for(&r, ET_REL, ET_REL) && read_binary(&r);
	elf_end(r.elf);
	module_file_close(file);
	return done;
}
