// SPDX-License-Identifier: GPL-2.0
/* modfile.c - a module file, read once: what is judged is what is stored and loaded */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "read/modfile.h"
#include "read/util.h"

/* The same formats that modprobe reads, by the programs that made them. */
static const struct compression {
	const char *magic;
	size_t len;
	const char *program;
	const char *ending;
} compressions[] = {
	{ "\x1f\x8b", 2, "gzip", ".ko.gz" },
	{ "\xfd" "7zXZ", 6, "xz", ".ko.xz" },	/* with its NUL */
	{ "\x28\xb5\x2f\xfd", 4, "zstd", ".ko.zst" },
};

static const struct compression *find_compression(const struct module_file *file)
{
	for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++) {
		const struct compression *c = &compressions[i];

		if (file->size >= c->len && !memcmp(file->data, c->magic, c->len))
			return c;
	}
	return NULL;
}

/* What was read, as a file: the one on disk may have changed since. */
static int memory_file(const struct module_file *file)
{
	int fd = memfd_create("module", MFD_CLOEXEC);
	size_t done = 0;

	while (fd >= 0 && done < file->size) {
		ssize_t n = write(fd, file->data + done, file->size - done);

		if (n < 0) {
			close(fd);
			return -1;
		}
		done += n;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Runs a program from one file to another: 0, or an errno. */
static int start(const char *program, int in, int out, pid_t *pid)
{
	char *const argv[] = { (char *)program, "-dcq", NULL };
	posix_spawn_file_actions_t actions;
	int err;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	err = posix_spawnp(pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return err;
}

static char *why_failed(const char *program, int status)
{
	if (WIFSIGNALED(status))
		return xasprintf("%s, which decompresses it, was ended by signal %d", program,
				 WTERMSIG(status));
	/* As a shell, where it cannot tell itself that the program is not there. */
	if (WEXITSTATUS(status) == 127)
		return xasprintf("it is compressed with %s, which cannot be run here", program);
	return xasprintf("%s cannot decompress it: it is damaged, or cut short", program);
}

static void decompress(struct module_file *file, const struct compression *c, char **why)
{
	int in = memory_file(file), pipefd[2], err, status;
	pid_t pid;

	if (in < 0 || pipe2(pipefd, O_CLOEXEC)) {
		*why = xstrdup(strerror(errno));
		close(in);
		return;
	}
	err = start(c->program, in, pipefd[1], &pid);
	close(in);
	close(pipefd[1]);
	if (err) {
		*why = err == ENOENT ?
		       xasprintf("it is compressed with %s, which is not installed here", c->program) :
		       xasprintf("it is compressed with %s, which cannot be started: %s", c->program,
				 strerror(err));
		close(pipefd[0]);
		return;
	}
	file->content = read_bytes(pipefd[0], MODULE_FILE_MAX, &file->content_size);
	err = errno;
	/* Whoever has not written all of it by now gets a SIGPIPE. */
	close(pipefd[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!file->content)
		*why = err == EFBIG ? xstrdup("it is too large for a module when it is decompressed") :
				      xstrdup(strerror(err));
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		*why = why_failed(c->program, status);
}

static void read_module(struct module_file *file, char **why)
{
	const struct compression *c;

	file->fd = open_regular(file->path);
	if (file->fd >= 0)
		file->data = read_bytes(file->fd, MODULE_FILE_MAX, &file->size);
	if (!file->data) {
		*why = xstrdup(errno == EFBIG ? "it is too large for a module" :
						file_strerror(errno));
		return;
	}
	file->ending = ".ko";
	c = find_compression(file);
	if (c) {
		file->ending = c->ending;
		decompress(file, c, why);
	} else {
		file->content = file->data;
		file->content_size = file->size;
	}
}

struct module_file *module_file_open(const char *path, char **why)
{
	struct module_file *file = xcalloc(1, sizeof(*file));

	*why = NULL;
	file->path = xstrdup(path);
	read_module(file, why);
	if (!*why)
		return file;
	module_file_close(file);
	return NULL;
}

char *module_file_sum(const struct module_file *file)
{
	return xasprintf("%zu-%016lx", file->content_size,
			 hash_bytes(file->content, file->content_size));
}

void module_file_close(struct module_file *file)
{
	if (!file)
		return;
	if (file->fd >= 0)
		close(file->fd);
	if (file->content != file->data)
		free(file->content);
	free(file->data);
	free(file->path);
	free(file);
}
