// SPDX-License-Identifier: GPL-2.0
/*
 * stamp.c - a set in the file of a livepatch that knows nothing of sets
 *
 * Symbols may point into the modinfo, so what stays in it stays where it is: what is taken
 * out becomes zeros, which every reader skips, and what is new comes last. The section goes
 * to the end of the file when it does not fit where it was; nothing else is moved.
 */
#include <errno.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keep/stamp.h"
#include "read/modfile.h"
#include "read/util.h"

#define MODINFO ".modinfo"

struct text {
	char *bytes;
	size_t size;
};

/* --- the modinfo ------------------------------------------------------------------ */

static void add_tag(struct text *text, const char *tag, const char *value)
{
	char *line = xasprintf("%s=%s", tag, value);
	size_t size = strlen(line) + 1;

	text->bytes = xrealloc(text->bytes, text->size + size, 1);
	memcpy(text->bytes + text->size, line, size);
	text->size += size;
	free(line);
}

/* Whether the tag was there; all of its lines are zeros then. */
static bool take_out(struct text *text, const char *tag)
{
	size_t len = strlen(tag), i = 0, n;
	bool found = false;

	for (; i < text->size; i += n + 1) {
		n = strnlen(text->bytes + i, text->size - i);
		if (n <= len || text->bytes[i + len] != '=' || memcmp(text->bytes + i, tag, len))
			continue;
		memset(text->bytes + i, 0, n);
		found = true;
	}
	return found;
}

static char *set_list(const uint32_t *sets, size_t nr)
{
	char *list = xstrdup("");

	for (size_t i = 0; i < nr; i++) {
		char *longer = xasprintf("%s%s%u", list, i ? "," : "", sets[i]);

		free(list);
		list = longer;
	}
	return list;
}

/* *old*, which is changed, with the set; what it was in mainline's word, it is again. */
static struct text new_modinfo(struct text old, uint32_t set, const uint32_t *obsoletes,
			       size_t nr_obsoletes)
{
	struct text text = { .size = old.size };
	char *value = xasprintf("%u", set);
	bool provides;

	take_out(&old, "replace_set");
	take_out(&old, "obsoletes");
	provides = take_out(&old, "provides");
	/* What was stamped before makes room. */
	while (text.size && !old.bytes[text.size - 1])
		text.size--;
	text.bytes = xcalloc(text.size + 1, 1);
	memcpy(text.bytes, old.bytes, text.size);
	text.size += text.size > 0;

	add_tag(&text, "replace_set", value);
	if (provides)
		add_tag(&text, "provides", value);
	free(value);
	if (nr_obsoletes) {
		value = set_list(obsoletes, nr_obsoletes);
		add_tag(&text, "obsoletes", value);
		free(value);
	}
	return text;
}

/* --- the file --------------------------------------------------------------------- */

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *shdr)
{
	Elf_Scn *scn = NULL;
	size_t strndx;

	if (elf_getshdrstrndx(elf, &strndx))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *found = gelf_getshdr(scn, shdr) ?
				    elf_strptr(elf, strndx, shdr->sh_name) : NULL;

		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

/* What else is in the file, behind the start of a section. */
struct others {
	uint64_t start, next, end;
};

static void note_other(struct others *o, uint64_t offset, uint64_t size)
{
	if (!size)
		return;
	if (offset + size > o->end)
		o->end = offset + size;
	if (offset + size > o->start && offset < o->next)
		o->next = offset;
}

/* Where a section has to be to have this size. */
static uint64_t find_room(Elf *elf, Elf_Scn *scn, const GElf_Shdr *shdr, size_t size)
{
	struct others o = { .start = shdr->sh_offset, .next = UINT64_MAX };
	uint64_t align = shdr->sh_addralign > 1 ? shdr->sh_addralign : 1;
	Elf_Scn *other = NULL;
	GElf_Shdr header;
	GElf_Ehdr ehdr;
	size_t nr;

	if (!gelf_getehdr(elf, &ehdr) || elf_getshdrnum(elf, &nr))
		return 0;
	note_other(&o, 0, ehdr.e_ehsize);
	note_other(&o, ehdr.e_shoff, nr * ehdr.e_shentsize);
	while ((other = elf_nextscn(elf, other))) {
		if (other != scn && gelf_getshdr(other, &header) && header.sh_type != SHT_NOBITS)
			note_other(&o, header.sh_offset, header.sh_size);
	}
	if (shdr->sh_offset + size <= o.next)
		return shdr->sh_offset;
	return (o.end + align - 1) / align * align;
}

/* libelf makes the file as long as any header says. */
static bool is_within(Elf *elf, size_t size)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_offset > size)
			return false;
	}
	return true;
}

static bool update(Elf *elf, uint32_t set, const uint32_t *obsoletes, size_t nr_obsoletes,
		   struct text *new)
{
	GElf_Shdr shdr;
	Elf_Scn *scn = find_section(elf, MODINFO, &shdr);
	Elf_Data *data = scn ? elf_getdata(scn, NULL) : NULL;

	if (!data || !data->d_buf)
		return false;
	*new = new_modinfo((struct text) { data->d_buf, data->d_size }, set, obsoletes,
			   nr_obsoletes);
	shdr.sh_offset = find_room(elf, scn, &shdr, new->size);
	shdr.sh_size = new->size;
	if (shdr.sh_offset > MODULE_FILE_MAX)
		return false;
	data->d_buf = new->bytes;
	data->d_size = new->size;
	elf_flagdata(data, ELF_C_SET, ELF_F_DIRTY);
	elf_flagelf(elf, ELF_C_SET, ELF_F_LAYOUT);
	return gelf_update_shdr(scn, &shdr) && elf_update(elf, ELF_C_WRITE) >= 0;
}

static bool same_section(Elf_Scn *a, Elf_Scn *b, bool is_modinfo)
{
	GElf_Shdr old, new;
	Elf_Data *x, *y;

	if (!gelf_getshdr(a, &old) || !gelf_getshdr(b, &new))
		return false;
	if (is_modinfo) {
		new.sh_offset = old.sh_offset;
		new.sh_size = old.sh_size;
	}
	if (memcmp(&old, &new, sizeof(old)))
		return false;
	if (is_modinfo || old.sh_type == SHT_NOBITS)
		return true;
	x = elf_rawdata(a, NULL);
	y = elf_rawdata(b, NULL);
	return x && y && x->d_size == y->d_size &&
	       (!x->d_size || !memcmp(x->d_buf, y->d_buf, x->d_size));
}

/* A file in which sections share their bytes, for example, has something changed that must not be. */
static bool differ_in_modinfo_only(Elf *a, Elf *b)
{
	Elf_Scn *old = NULL, *new = NULL, *modinfo;
	GElf_Ehdr x, y;
	GElf_Shdr shdr;

	if (!gelf_getehdr(a, &x) || !gelf_getehdr(b, &y) || memcmp(&x, &y, sizeof(x)))
		return false;
	modinfo = find_section(a, MODINFO, &shdr);
	while ((old = elf_nextscn(a, old))) {
		new = elf_nextscn(b, new);
		if (!new || !same_section(old, new, old == modinfo))
			return false;
	}
	return !elf_nextscn(b, new);
}

static int write_all(int fd, const unsigned char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0)
			return -1;
		data += n;
		size -= n;
	}
	return 0;
}

static unsigned char *stamp_file(int fd, const struct module_file *file, uint32_t set,
				 const uint32_t *obsoletes, size_t nr_obsoletes, size_t *size)
{
	Elf *elf, *before = NULL, *after = NULL;
	struct text modinfo = { 0 };
	unsigned char *content = NULL;
	bool good;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_RDWR, NULL);
	good = elf && is_within(elf, file->content_size) &&
	       update(elf, set, obsoletes, nr_obsoletes, &modinfo);
	elf_end(elf);
	free(modinfo.bytes);
	if (good && lseek(fd, 0, SEEK_SET) == 0)
		content = read_bytes(fd, MODULE_FILE_MAX, size);
	if (content) {
		before = elf_memory((char *)file->content, file->content_size);
		after = elf_memory((char *)content, *size);
		good = before && after && differ_in_modinfo_only(before, after);
	}
	elf_end(before);
	elf_end(after);
	if (good && content)
		return content;
	free(content);
	return NULL;
}

unsigned char *stamp(const struct module_file *file, uint32_t set, const uint32_t *obsoletes,
		     size_t nr_obsoletes, size_t *size, char **why)
{
	int fd = memfd_create("stamp", MFD_CLOEXEC);
	unsigned char *content = NULL;

	if (fd < 0 || write_all(fd, file->content, file->content_size)) {
		*why = xstrdup(strerror(errno));
	} else {
		content = stamp_file(fd, file, set, obsoletes, nr_obsoletes, size);
		if (!content)
			*why = xstrdup("libelf cannot write a modinfo into it and leave all else as it was");
	}
	if (fd >= 0)
		close(fd);
	return content;
}
