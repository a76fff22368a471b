// SPDX-License-Identifier: GPL-2.0
/* notes.c - the build id among the notes of the kernel, or of a module */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/notes.h"
#include "read/util.h"

/* More than any notes. */
#define NOTES_MAX (1 << 20)

static size_t aligned(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

static char *hex(const unsigned char *bytes, size_t n)
{
	char *text = xcalloc(2 * n + 1, 1);

	for (size_t i = 0; i < n; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	return text;
}

char *build_id_find(const void *data, size_t size)
{
	const char *notes = data;
	Elf64_Nhdr note;

	for (size_t at = 0, name, desc; at + sizeof(note) <= size; at = desc + aligned(note.n_descsz)) {
		memcpy(&note, notes + at, sizeof(note));
		name = at + sizeof(note);
		if (aligned(note.n_namesz) < note.n_namesz || aligned(note.n_namesz) > size - name)
			return NULL;
		desc = name + aligned(note.n_namesz);
		if (aligned(note.n_descsz) < note.n_descsz || aligned(note.n_descsz) > size - desc)
			return NULL;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(notes + name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)))
			return hex((const unsigned char *)notes + desc, note.n_descsz);
	}
	return NULL;
}

char *build_id_read(const char *path)
{
	int fd = open_regular(path);
	size_t size;
	char *notes, *build = NULL;

	if (fd < 0)
		return NULL;
	notes = read_bytes(fd, NOTES_MAX, &size);
	close(fd);
	if (notes)
		build = build_id_find(notes, size);
	free(notes);
	return build;
}
