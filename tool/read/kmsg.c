// SPDX-License-Identifier: GPL-2.0
/*
 * kmsg.c - what the kernel says in its log about something that we did
 *
 * An errno is all that a refusal gives back, and the reason is in the log. It is there
 * before the system call returns.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "read/kmsg.h"
#include "read/util.h"

/* Of the kernel's levels: what is no warning is no reason. */
#define LEVEL_WARNING 4

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

static const char *skip(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/* The message in a record, "LEVEL,NUMBER,TIME,FLAGS;MESSAGE\n KEY=VALUE\n", if it is ours. */
static char *message(char *record, const char *module)
{
	char *text = strchr(record, ';'), *own;
	const char *said;

	if (!text || (atoi(record) & 7) > LEVEL_WARNING)
		return NULL;
	*strchrnul(++text, '\n') = '\0';
	said = skip(text, "klp_sets: ");
	if (!said && skip(text, "livepatch: "))
		said = text;
	if (!said && module) {
		own = xasprintf("%s: ", module);
		said = skip(text, own);
		free(own);
	}
	/* Of any module that the kernel was not built with; no reason for anything. */
	if (said && strstr(said, "taints kernel"))
		return NULL;
	return said ? xstrdup(said) : NULL;
}

/* False at the end of the log. EPIPE: records were overwritten before they were read. */
static bool next_record(int fd, char *record, size_t size)
{
	ssize_t n;

	do {
		n = read(fd, record, size - 1);
	} while (n < 0 && errno == EPIPE);
	if (n <= 0)
		return false;
	record[n] = '\0';
	return true;
}

char *kmsg_read(int fd, const char *module)
{
	char record[8192], *line, *said = NULL, *longer;

	if (fd < 0)
		return NULL;
	while (next_record(fd, record, sizeof(record))) {
		line = message(record, module);
		if (!line)
			continue;
		longer = said ? xasprintf("%s\n%s", said, line) : xstrdup(line);
		free(said);
		free(line);
		said = longer;
	}
	close(fd);
	return said;
}

int write_file_said(const char *path, const char *value, char **said)
{
	int fd = kmsg_open();
	int err = write_file(path, value);

	*said = kmsg_read(fd, NULL);
	return err;
}

char **kmsg_lines(const char *start, size_t *n)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char record[8192], *text, **lines = NULL;

	*n = 0;
	if (fd < 0)
		return NULL;
	while (next_record(fd, record, sizeof(record))) {
		text = strchr(record, ';');
		if (!text || !skip(++text, start))
			continue;
		*strchrnul(text, '\n') = '\0';
		lines = xrealloc(lines, *n + 1, sizeof(*lines));
		lines[(*n)++] = xstrdup(text);
	}
	close(fd);
	return lines;
}

double kmsg_age(const char *start)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	unsigned long long usec, last = 0;
	char record[8192], *text;
	struct timespec now;

	if (fd < 0)
		return -1;
	while (next_record(fd, record, sizeof(record))) {
		text = strchr(record, ';');
		if (text && skip(text + 1, start) && sscanf(record, "%*u,%*u,%llu", &usec) == 1)
			last = usec;
	}
	close(fd);
	if (!last)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9 - last / 1e6;
}
