/* SPDX-License-Identifier: GPL-2.0 */
/* util.h - messages, memory, small files */
#ifndef KLP_SETS_READ_UTIL_H
#define KLP_SETS_READ_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit status of the command, the same for every verb. */
enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1,	/* it cannot be done, or there is a conflict */
	EXIT_USAGE = 2,		/* the command line is wrong */
	/* Of status alone: */
	EXIT_TRANSITION = 3,	/* a transition is in progress, and all else is well */
	EXIT_UNKNOWN = 4,	/* it cannot be found out */
};

/* Options that come before or after the verb, for every verb; set by main.c. */
extern bool opt_json;		/* --json: lists as JSON on stdout */
extern bool opt_quiet;		/* --quiet: no progress, only results and errors */

/* "klp-sets: MESSAGE" on stderr. Says what, why, and what to do, with names. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the end, with EXIT_REFUSED or EXIT_USAGE. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The end of the same, when getopt_long() has said what is wrong. */
void usage_end(void) __attribute__((noreturn));
/*
 * The exit status, another one when what was printed could not be written: somebody may
 * decide by what is missing there.
 */
int finish_output(int status);

/*
 * A copy for a terminal: one line, without what would move its cursor or change the order
 * of what is read. What strangers have named is shown through this.
 */
char *printable(const char *s);
/*
 * The length of the UTF-8 character at the start; 0 when it is none, or, beyond ASCII, one
 * that is no sign.
 */
size_t utf8_char(const char *s);

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Opens a regular file, or what a link leads to; -1 with errno, EMEDIUMTYPE for a device or a
 * pipe, which may never end. Waits for nobody.
 */
int open_regular(const char *path);
/* All that can be read and a zero byte, or NULL with errno: EFBIG if it is more than *max*. */
void *read_bytes(int fd, size_t max, size_t *size);
/*
 * The whole file without its last newline, or NULL with errno, as above. A file that somebody
 * has masked with a link to /dev/null is empty.
 */
char *read_file(const char *path);

/* Ends the line, and returns the next one; NULL after the last. */
char *next_line(char *line);
/* strerror() for these. */
const char *file_strerror(int err);
/* Writes a string to an existing file: 0, or a negative errno. For sysfs and proc. */
int write_file(const char *path, const char *value);

/* Seconds, on a clock that nobody sets. */
double now(void);
void pause_for(double seconds);

uint64_t hash_string(const char *s);
uint64_t hash_bytes(const void *data, size_t size);

/* A set as people write it: decimal, 0 to 4294967295. False for anything else. */
bool parse_set(const char *s, uint32_t *set);

/* A number after an option that may have one only behind a '=': it counts as an argument. */
void note_bare_number(const char *option, const char *number);
/* What to say when there is no such argument: a sentence that begins with ". ", or nothing. */
const char *bare_number_hint(const char *arg);

/*
 * The first part of the path of everything that is read or written, "" by default;
 * from KLP_SETS_ROOT in the environment, so that the store and the configuration can
 * be tried in a folder. It does not apply to /sys and /proc.
 */
const char *root_path(void);

#endif /* KLP_SETS_READ_UTIL_H */
