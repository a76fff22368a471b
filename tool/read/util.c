// SPDX-License-Identifier: GPL-2.0
/* util.c - messages, memory, small files */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "read/util.h"

/* More than the symbols of any kernel, which are the largest text that is read. */
#define FILE_MAX (128UL << 20)

bool opt_json;
bool opt_quiet;

/* Whether stderr is a stream of systemd's journal, which reads a level before each line. */
static bool is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%lu:%lu", &dev, &ino) == 2 &&
	       !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}

/* Beside those of ASCII: what moves a cursor, cannot be seen, or changes the direction. */
static bool is_control(uint32_t code)
{
	return (code >= 0x7f && code < 0xa0) || code == 0x61c ||
	       (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

size_t utf8_char(const char *s)
{
	static const uint32_t first[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;
	size_t n = *u < 0x80 ? 1 : *u < 0xc0 ? 0 : *u < 0xe0 ? 2 : *u < 0xf0 ? 3 : *u < 0xf8 ? 4 : 0;
	uint32_t code;

	code = n > 1 ? *u & (0x7f >> n) : *u;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (u[i] & 0x3f);
	}
	/* The shortest form counts, and halves of a pair are no characters. */
	if (!n || code < first[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	return is_control(code) ? 0 : n;
}

char *printable(const char *s)
{
	char *copy = xcalloc(strlen(s) + 1, 1), *out = copy;
	size_t n;

	for (; *s; s += n ? n : 1) {
		n = utf8_char(s);
		if (n && (unsigned char)*s >= ' ')
			out = mempcpy(out, s, n);
		else
			*out++ = '?';
	}
	return copy;
}

/* One line: whatever is told of, no name of it makes another message. */
static void vwarn(const char *fmt, va_list args)
{
	char *text, *shown;

	fflush(stdout);
	if (vasprintf(&text, fmt, args) < 0) {
		fputs("klp-sets: out of memory\n", stderr);
		return;
	}
	shown = printable(text);
	fprintf(stderr, "%sklp-sets: %s\n", is_journal() ? "<3>" : "", shown);
	free(shown);
	free(text);
}

void warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args);
	va_end(args);
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args);
	va_end(args);
	exit(EXIT_REFUSED);
}

void usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vwarn(fmt, args);
	va_end(args);
	usage_end();
}

void usage_end(void)
{
	fputs("Try 'klp-sets --help'.\n", stderr);
	exit(EXIT_USAGE);
}

/* Who has closed the other end of the pipe has seen what he wanted. */
static bool nobody_reads(void)
{
	struct pollfd out = { .fd = STDOUT_FILENO };

	return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

int finish_output(int status)
{
	if ((!fflush(stdout) && !ferror(stdout)) || nobody_reads())
		return status;
	warn("what it printed could not be written");
	return EXIT_REFUSED;
}

static void *checked(void *p)
{
	if (!p)
		die("out of memory");
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return checked(reallocarray(p, n ? n : 1, size));
}

char *xstrdup(const char *s)
{
	return checked(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list args;
	char *s;

	va_start(args, fmt);
	if (vasprintf(&s, fmt, args) < 0)
		die("out of memory");
	va_end(args);
	return s;
}

int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), err = 0;
	struct stat st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st))
		err = errno;
	else if (S_ISDIR(st.st_mode))
		err = EISDIR;
	else if (!S_ISREG(st.st_mode))
		err = EMEDIUMTYPE;
	if (!err)
		return fd;
	close(fd);
	errno = err;
	return -1;
}

void *read_bytes(int fd, size_t max, size_t *size)
{
	size_t len = 0, room = 4096;
	char *buf = xcalloc(room, 1);
	ssize_t n;
	int err;

	while ((n = read(fd, buf + len, room - len - 1))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += n;
		if (len > max) {
			n = -1;
			errno = EFBIG;
			break;
		}
		if (len == room - 1) {
			room = room < max / 2 ? 2 * room : max + 2;
			buf = xrealloc(buf, room, 1);
		}
	}
	if (n < 0) {
		err = errno;
		free(buf);
		errno = err;
		return NULL;
	}
	buf[len] = '\0';
	*size = len;
	return buf;
}

static bool is_null_device(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

char *read_file(const char *path)
{
	int fd = open_regular(path), err;
	size_t len;
	char *text;

	if (fd < 0) {
		err = errno;
		if (err == EMEDIUMTYPE && is_null_device(path))
			return xstrdup("");
		errno = err;
		return NULL;
	}
	text = read_bytes(fd, FILE_MAX, &len);
	err = errno;
	close(fd);
	errno = err;
	if (text && len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return text;
}

char *next_line(char *line)
{
	char *end = strchr(line, '\n');

	if (end)
		*end++ = '\0';
	return end;
}

const char *file_strerror(int err)
{
	switch (err) {
	case EMEDIUMTYPE:
		return "it is not a regular file";
	case EFBIG:
		return "it is too large";
	default:
		return strerror(err);
	}
}

int write_file(const char *path, const char *value)
{
	size_t len = strlen(value);
	int fd, err = 0;
	ssize_t n;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, len);
	if (n < 0)
		err = -errno;
	else if ((size_t)n != len)
		err = -EIO;
	close(fd);
	return err;
}

double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void pause_for(double seconds)
{
	struct timespec t = { .tv_sec = seconds, .tv_nsec = (seconds - (long)seconds) * 1e9 };

	nanosleep(&t, NULL);
}

/* FNV-1a */
uint64_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++)
		h = (h ^ bytes[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

uint64_t hash_string(const char *s)
{
	return hash_bytes(s, strlen(s));
}

bool parse_set(const char *s, uint32_t *set)
{
	unsigned long long value;
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	value = strtoull(s, &end, 10);
	if (*end || errno || value > UINT32_MAX)
		return false;
	*set = value;
	return true;
}

static const char *bare_option, *bare_number;

void note_bare_number(const char *option, const char *number)
{
	bare_option = option;
	bare_number = number;
}

const char *bare_number_hint(const char *arg)
{
	if (!bare_number || strcmp(arg, bare_number))
		return "";
	return xasprintf(". The seconds of --%s follow a '=': --%s=%s", bare_option, bare_option,
			 bare_number);
}

const char *root_path(void)
{
	const char *root = getenv("KLP_SETS_ROOT");

	return root ? root : "";
}
