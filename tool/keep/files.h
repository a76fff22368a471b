/* SPDX-License-Identifier: GPL-2.0 */
/*
 * files.h - files that survive a crash, with their old content or with the new
 *
 * What returns an int returns 0, or -1 with errno.
 */
#ifndef KLP_SETS_KEEP_FILES_H
#define KLP_SETS_KEEP_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* With all parents, and on disk when it returns. */
int make_folder(const char *path);
/* What was created, renamed or removed in the folder is on disk when it returns. */
int sync_folder(const char *path);
/* Makes a new file, on disk when it returns. */
int new_file(const char *path, const void *data, size_t size);
/*
 * The file has the old content or the new one at any time, and the new one is on disk
 * when it returns. Its folder is made when it is missing; its mode and owner are kept.
 * What is there must be a regular file, or a link to one: EMEDIUMTYPE.
 */
int replace_file(const char *path, const char *content);
/* The same of bytes. */
int replace_bytes(const char *path, const void *data, size_t size);
/* Whether it is a regular file, leads to one, or is not there at all. */
int can_replace_file(const char *path);
/* The folder and all in it. */
int remove_tree(const char *path);
/* The names in a folder that do not start with a dot, in order of their numbers. */
char **list_folder(const char *path, size_t *n);
/*
 * Commands that change the store or the configuration wait here for each other, until
 * the end of the process. Dies when it cannot be locked.
 */
void lock_changes(void);
/* The same for who must go on without it: false after a message. */
bool try_lock_changes(void);

#endif /* KLP_SETS_KEEP_FILES_H */
