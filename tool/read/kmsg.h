/* SPDX-License-Identifier: GPL-2.0 */
/* kmsg.h - what the kernel says in its log about something that we did */
#ifndef KLP_SETS_READ_KMSG_H
#define KLP_SETS_READ_KMSG_H

#include <stddef.h>

/* From here on, what is new in the kernel's log; -1 when it cannot be read. */
int kmsg_open(void);
/*
 * The warnings of klp_sets, livepatch and a module (or NULL) since then, a line each,
 * without "klp_sets: "; NULL when there are none. Closes the log.
 */
char *kmsg_read(int fd, const char *module);
/* The lines in the log that begin so, the oldest first. */
char **kmsg_lines(const char *start, size_t *n);
/* Seconds since the kernel last said something that begins so; -1: it is not in the log. */
double kmsg_age(const char *start);
/* write_file(), and what the kernel said about it, or NULL. */
int write_file_said(const char *path, const char *value, char **said);

#endif /* KLP_SETS_READ_KMSG_H */
