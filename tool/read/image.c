// SPDX-License-Identifier: GPL-2.0
/*
 * image.c - a module file as the kernel's loader would see it: places and pointers
 *
 * A file may be damaged, or made by somebody who means harm. Every offset that
 * comes from it is checked where it is used.
 */
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "read/image.h"
#include "read/modfile.h"
#include "read/util.h"

#define CONSTANT 4

/* As KSYM_NAME_LEN of the newest kernels: no name of anything is as long. */
#define NAME_SIZE 512

struct section {
	const char *name;
	uint64_t size, flags;
	const unsigned char *data;	/* NULL: zeros, or not read */
};

struct variable {
	struct place start;
	uint64_t size;
};

struct image {
	uint64_t bytes_left, zeros_left;	/* for sections that were not looked at yet */
	Elf *elf;
	struct section *sections;
	size_t nr_sections;
	struct pointer *pointers;	/* in data, sorted */
	size_t nr_pointers;
	struct place *targets;		/* of those, sorted */
	size_t nr_targets;
	struct place *refs;		/* what code refers to, sorted */
	size_t nr_refs;
	struct variable *variables;	/* sorted */
	size_t nr_variables;
	const char **needed;		/* undefined symbols */
	size_t nr_needed;
	struct place modinfo;
	uint64_t modinfo_size;
};

/* --- reading it ------------------------------------------------------------- */

static int compare_places(const void *a, const void *b)
{
	const struct place *p = a, *q = b;

	if (p->section != q->section)
		return p->section < q->section ? -1 : 1;
	if (p->offset != q->offset)
		return p->offset < q->offset ? -1 : 1;
	return 0;
}

/* All sorted arrays start with a place; the first element that is not before this one. */
static size_t lower_bound(const void *array, size_t nr, size_t size, struct place place)
{
	size_t low = 0, high = nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_places((const char *)array + middle * size, &place) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Room for one more in an array that doubles. */
static void *grow(void *array, size_t nr, size_t size)
{
	return nr & (nr - 1) ? array : xrealloc(array, nr ? 2 * nr : 1, size);
}

/* Where a string ends is looked for once: in a table that ends with one, all do. */
static bool is_string_table(Elf_Scn *scn)
{
	Elf_Data *data = elf_rawdata(scn, NULL);

	return data && (!data->d_size || !((char *)data->d_buf)[data->d_size - 1]);
}

/*
 * What is in the file is there once, so all of it takes no more time and memory than the
 * file has bytes; and no offset into what is not there can wrap.
 */
static bool has_room(struct image *image, const GElf_Shdr *shdr)
{
	uint64_t *left = shdr->sh_type == SHT_NOBITS ? &image->zeros_left : &image->bytes_left;

	if (shdr->sh_size > *left)
		return false;
	*left -= shdr->sh_size;
	return true;
}

static bool read_sections(struct image *image)
{
	size_t strndx, nr;
	Elf_Scn *scn = NULL;

	if (elf_getshdrnum(image->elf, &nr) || elf_getshdrstrndx(image->elf, &strndx) ||
	    nr > image->bytes_left / sizeof(Elf64_Shdr))
		return false;
	image->sections = xcalloc(nr, sizeof(*image->sections));
	image->nr_sections = nr;
	while ((scn = elf_nextscn(image->elf, scn))) {
		size_t i = elf_ndxscn(scn);
		struct section *section;
		GElf_Shdr shdr;
		Elf_Data *data;

		if (i >= nr || !gelf_getshdr(scn, &shdr) || !has_room(image, &shdr) ||
		    (shdr.sh_type == SHT_STRTAB && !is_string_table(scn)))
			return false;
		section = &image->sections[i];
		section->name = elf_strptr(image->elf, strndx, shdr.sh_name);
		if (!section->name)
			return false;
		section->size = shdr.sh_size;
		section->flags = shdr.sh_flags;
		if ((shdr.sh_type != SHT_PROGBITS && shdr.sh_type != SHT_NOTE) ||
		    !(shdr.sh_flags & SHF_ALLOC))
			continue;
		data = elf_rawdata(scn, NULL);
		if (!data || data->d_size != shdr.sh_size)
			return false;
		section->data = data->d_buf;
	}
	return true;
}

static bool read_symbols(struct image *image, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	GElf_Sym sym;

	if (!data || !shdr->sh_entsize)
		return false;
	for (size_t i = 1; i < shdr->sh_size / shdr->sh_entsize; i++) {
		if (!gelf_getsym(data, i, &sym))
			return false;
		if (sym.st_shndx == SHN_UNDEF) {
			const char *name = elf_strptr(image->elf, shdr->sh_link, sym.st_name);

			if (!name)
				return false;
			image->needed = grow(image->needed, image->nr_needed,
					     sizeof(*image->needed));
			image->needed[image->nr_needed++] = name;
		} else if (GELF_ST_TYPE(sym.st_info) == STT_OBJECT && sym.st_size &&
			   sym.st_shndx < SHN_LORESERVE) {
			image->variables = grow(image->variables, image->nr_variables,
						sizeof(*image->variables));
			image->variables[image->nr_variables++] = (struct variable) {
				.start = { sym.st_shndx, sym.st_value },
				.size = sym.st_size,
			};
		}
	}
	return true;
}

/* Where a relocation leads, without its addend. */
static bool find_symbol(struct image *image, Elf_Data *symbols, size_t index,
			struct place *place)
{
	GElf_Sym sym;

	if (!gelf_getsym(symbols, index, &sym))
		return false;
	place->section = sym.st_shndx < SHN_LORESERVE ? sym.st_shndx : SHN_UNDEF;
	place->offset = place->section ? sym.st_value : 0;
	return place->section < image->nr_sections;
}

/*
 * Of code, only where it leads is of interest. An instruction with a constant behind the
 * address leads up to CONSTANT bytes further, since the processor counts from its end.
 */
static void add_ref(struct image *image, unsigned int type, struct place to)
{
	if (!to.section)
		return;
	switch (type) {
	case R_X86_64_PC32:
	case R_X86_64_PLT32:
		to.offset += 4;
		break;
	case R_X86_64_64:
	case R_X86_64_32:
	case R_X86_64_32S:
		break;
	default:
		return;
	}
	image->refs = grow(image->refs, image->nr_refs, sizeof(*image->refs));
	image->refs[image->nr_refs++] = to;
}

static bool read_relocations(struct image *image, Elf_Scn *scn, const GElf_Shdr *shdr)
{
	Elf_Data *data, *symbols;
	struct section *target;
	GElf_Rela rela;

	/* Those of debug information are many, and tell nothing. */
	if (!shdr->sh_info || shdr->sh_info >= image->nr_sections)
		return true;
	target = &image->sections[shdr->sh_info];
	if (!(target->flags & SHF_ALLOC))
		return true;

	data = elf_getdata(scn, NULL);
	symbols = elf_getdata(elf_getscn(image->elf, shdr->sh_link), NULL);
	if (!data || !symbols || !shdr->sh_entsize)
		return false;
	for (size_t i = 0; i < shdr->sh_size / shdr->sh_entsize; i++) {
		struct place to;

		if (!gelf_getrela(data, i, &rela) ||
		    !find_symbol(image, symbols, GELF_R_SYM(rela.r_info), &to))
			return false;
		if (to.section)
			to.offset += rela.r_addend;
		if (target->flags & SHF_EXECINSTR) {
			add_ref(image, GELF_R_TYPE(rela.r_info), to);
			continue;
		}
		if (GELF_R_TYPE(rela.r_info) != R_X86_64_64)
			continue;
		if (target->size < 8 || rela.r_offset > target->size - 8)
			return false;
		image->pointers = grow(image->pointers, image->nr_pointers,
				       sizeof(*image->pointers));
		image->pointers[image->nr_pointers++] = (struct pointer) {
			.at = { shdr->sh_info, rela.r_offset },
			.to = to,
		};
	}
	return true;
}

static void sort(struct image *image)
{
	image->nr_targets = image->nr_pointers;
	image->targets = xcalloc(image->nr_targets, sizeof(*image->targets));
	for (size_t i = 0; i < image->nr_targets; i++)
		image->targets[i] = image->pointers[i].to;
	qsort(image->targets, image->nr_targets, sizeof(*image->targets), compare_places);
	if (image->nr_pointers)
		qsort(image->pointers, image->nr_pointers, sizeof(*image->pointers),
		      compare_places);
	if (image->nr_refs)
		qsort(image->refs, image->nr_refs, sizeof(*image->refs), compare_places);
	if (image->nr_variables)
		qsort(image->variables, image->nr_variables, sizeof(*image->variables),
		      compare_places);
}

static bool read_image(struct image *image)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	if (!read_sections(image))
		return false;
	while ((scn = elf_nextscn(image->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr))
			return false;
		if (shdr.sh_type == SHT_SYMTAB && !read_symbols(image, scn, &shdr))
			return false;
		if (shdr.sh_type == SHT_RELA && !read_relocations(image, scn, &shdr))
			return false;
	}
	sort(image);
	if (!image_section(image, ".modinfo", &image->modinfo, &image->modinfo_size) ||
	    !image->sections[image->modinfo.section].data)
		image->modinfo_size = 0;
	return true;
}

/* The headers of sections come last, and are what is missing first. */
static bool is_cut_short(const struct module_file *file)
{
	Elf64_Ehdr ehdr;

	if (file->content_size < SELFMAG || memcmp(file->content, ELFMAG, SELFMAG))
		return false;
	if (file->content_size < sizeof(ehdr))
		return true;
	memcpy(&ehdr, file->content, sizeof(ehdr));
	return ehdr.e_ident[EI_CLASS] == ELFCLASS64 && ehdr.e_type == ET_REL &&
	       (ehdr.e_shoff > file->content_size ||
		file->content_size - ehdr.e_shoff < (uint64_t)ehdr.e_shnum * sizeof(Elf64_Shdr));
}

static bool is_module(const struct module_file *file, Elf *elf, char **why)
{
	GElf_Ehdr ehdr;

	if (!file->content_size || is_cut_short(file)) {
		*why = xstrdup(file->content_size ? "the file is damaged: it is cut short" :
						    "the file is empty");
		return false;
	}
	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr) ||
	    ehdr.e_type != ET_REL) {
		*why = xstrdup("it is not a kernel module");
		return false;
	}
	if (ehdr.e_machine != EM_X86_64 || ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB) {
		*why = xstrdup("it is not for x86-64");
		return false;
	}
	return true;
}

struct image *image_open(const struct module_file *file, char **why)
{
	struct image *image = xcalloc(1, sizeof(*image));

	*why = NULL;
	image->bytes_left = file->content_size;
	image->zeros_left = MODULE_FILE_MAX;
	elf_version(EV_CURRENT);
	image->elf = elf_memory((char *)file->content, file->content_size);
	if (is_module(file, image->elf, why) && !read_image(image))
		*why = xstrdup("the file is damaged");
	if (*why) {
		image_close(image);
		return NULL;
	}
	return image;
}

void image_close(struct image *image)
{
	elf_end(image->elf);
	free(image->sections);
	free(image->pointers);
	free(image->targets);
	free(image->refs);
	free(image->variables);
	free(image->needed);
	free(image);
}

/* --- looking into it ---------------------------------------------------------- */

const char *image_modinfo(const struct image *image, const char *tag, const char *prev)
{
	const char *start = (const char *)image->sections[image->modinfo.section].data;
	const char *p = prev ? prev + strlen(prev) + 1 : start;
	const char *end = start ? start + image->modinfo_size : start;
	size_t len = strlen(tag);

	while (p < end) {
		size_t n = strnlen(p, end - p);

		if (p + n == end)
			break;
		if (n > len && p[len] == '=' && !memcmp(p, tag, len))
			return p + len + 1;
		p += n + 1;
	}
	return NULL;
}

bool image_needs(const struct image *image, const char *symbol)
{
	for (size_t i = 0; i < image->nr_needed; i++) {
		if (!strcmp(image->needed[i], symbol))
			return true;
	}
	return false;
}

bool image_section(const struct image *image, const char *name, struct place *start,
		   uint64_t *size)
{
	for (size_t i = 1; i < image->nr_sections; i++) {
		if (image->sections[i].name && !strcmp(image->sections[i].name, name)) {
			*start = (struct place) { i, 0 };
			*size = image->sections[i].size;
			return true;
		}
	}
	return false;
}

const char *image_section_like(const struct image *image, const char *start, size_t *i)
{
	for (; *i < image->nr_sections; (*i)++) {
		const char *name = image->sections[*i].name;

		if (name && !strncmp(name, start, strlen(start)))
			return name;
	}
	return NULL;
}

const char *image_section_name(const struct image *image, struct place place)
{
	const char *name = image->sections[place.section].name;

	return name ? name : "";
}

/* Code of the kernel counts, too: what else would a patch point to there? */
bool image_is_code(const struct image *image, struct place place)
{
	return !place.section || image->sections[place.section].flags & SHF_EXECINSTR;
}

bool image_is_writable(const struct image *image, struct place place)
{
	return image->sections[place.section].flags & SHF_WRITE;
}

const struct pointer *image_pointers(const struct image *image, size_t *count)
{
	*count = image->nr_pointers;
	return image->pointers;
}

const struct pointer *image_next_pointer(const struct image *image, struct place from)
{
	size_t i = lower_bound(image->pointers, image->nr_pointers, sizeof(*image->pointers),
			       from);

	if (i == image->nr_pointers || image->pointers[i].at.section != from.section)
		return NULL;
	return &image->pointers[i];
}

const struct pointer *image_pointer(const struct image *image, struct place at)
{
	const struct pointer *p = image_next_pointer(image, at);

	return p && p->at.offset == at.offset ? p : NULL;
}

const unsigned char *image_bytes(const struct image *image, struct place at, uint64_t *size)
{
	const struct section *section = &image->sections[at.section];

	if (!section->data || at.offset >= section->size)
		return NULL;
	*size = section->size - at.offset;
	return section->data + at.offset;
}

uint64_t image_number(const struct image *image, struct place at, unsigned int bytes)
{
	uint64_t size, value = 0;
	const unsigned char *p = image_bytes(image, at, &size);

	if (p && bytes <= size)
		memcpy(&value, p, bytes);
	return value;
}

const char *image_string(const struct image *image, struct place at)
{
	uint64_t size;
	const unsigned char *s = image_bytes(image, at, &size);

	for (uint64_t i = 0; s && i < size && i < NAME_SIZE; i++) {
		if (!s[i])
			return (const char *)s;
		/* As isprint() of the kernel. */
		if (s[i] < ' ' || (s[i] > '~' && s[i] < 0xa1))
			break;
	}
	return NULL;
}

/* The next element of a sorted array that is further on in the same section. */
static uint64_t next_after(const struct place *array, size_t nr, struct place start,
			   uint64_t end)
{
	size_t i = lower_bound(array, nr, sizeof(*array), place_add(start, 1));

	if (i < nr && array[i].section == start.section && array[i].offset < end)
		return array[i].offset;
	return end;
}

/*
 * The symbol knows. Where it was stripped, or when it stands for a larger variable
 * that contains this one, it ends where something else begins that is pointed to.
 */
uint64_t image_end(const struct image *image, struct place start)
{
	uint64_t end = image->sections[start.section].size;
	size_t i = lower_bound(image->variables, image->nr_variables,
			       sizeof(*image->variables), start);

	if (start.offset >= end)
		return start.offset;
	end = next_after(image->targets, image->nr_targets, start, end);
	if (i == image->nr_variables || !same_place(image->variables[i].start, start))
		return next_after(image->refs, image->nr_refs, start, end);
	if (image->variables[i].size < end - start.offset)
		end = start.offset + image->variables[i].size;
	return end;
}

/* In doubt, it is what comes behind. */
bool image_code_refers(const struct image *image, struct place from, uint64_t end)
{
	size_t i = lower_bound(image->refs, image->nr_refs, sizeof(*image->refs), from);

	return i < image->nr_refs && image->refs[i].section == from.section &&
	       image->refs[i].offset + CONSTANT < end;
}
