// SPDX-License-Identifier: GPL-2.0
/* util.c - messages, memory, small files */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "read/util.h"
#include "read/names.h"

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

static void vwarn(const char *fmt, va_list args)
{
	fflush(stdout);
	fputs(is_journal() ? "<3>klp-sets: " : "klp-sets: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
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

int finish_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
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

char *read_file(const char *path)
{
	size_t len = 0, size = 4096;
	char *buf = xcalloc(size, 1);
	int fd, err;
	ssize_t n;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		goto failed;
	while ((n = read(fd, buf + len, size - len - 1)) > 0) {
		len += n;
		if (len == size - 1) {
			size *= 2;
			buf = xrealloc(buf, size, 1);
		}
	}
	err = errno;
	close(fd);
	errno = err;
	if (n < 0)
		goto failed;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return buf;

failed:
	err = errno;
	free(buf);
	errno = err;
	return NULL;
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

const char *root_path(void)
{
	const char *root = getenv("KLP_SETS_ROOT");

	return root ? root : "";
}

const char *kernel_release(void)
{
	static struct utsname name;
	const char *release = getenv("KLP_SETS_KERNEL");

	if (release && *release) {
		if (!is_release(release))
			die("KLP_SETS_KERNEL is '%s', which no kernel can be called", release);
		return release;
	}
	if (uname(&name))
		die("uname: %s", strerror(errno));
	return name.release;
}

bool is_this_machine(void)
{
	struct utsname name;

	return !*root_path() && !uname(&name) && !strcmp(name.release, kernel_release());
}
