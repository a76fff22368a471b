/* SPDX-License-Identifier: GPL-2.0 */
/* notes.h - the build id among the notes of the kernel, or of a module */
#ifndef KLP_SETS_READ_NOTES_H
#define KLP_SETS_READ_NOTES_H

#include <stddef.h>

/* In hex, of notes one after the other; NULL when there is none, or they are damaged. */
char *build_id_find(const void *notes, size_t size);
/* The same of a file with notes. */
char *build_id_read(const char *path);

#endif /* KLP_SETS_READ_NOTES_H */
