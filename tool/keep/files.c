// SPDX-License-Identifier: GPL-2.0
/*
 * files.c - files that survive a crash, with their old content or with the new
 *
 * rename() makes the new content appear at once. It only says so after a power loss
 * when the content was on disk before, and the folder is after it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/files.h"
#include "read/util.h"

static int close_synced(int fd)
{
	int err = fsync(fd) ? errno : 0;

	if (close(fd) && !err)
		err = errno;
	errno = err;
	return err ? -1 : 0;
}

int sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : close_synced(fd);
}

static char *parent_of(const char *path)
{
	char *copy = xstrdup(path);
	char *parent = xstrdup(dirname(copy));

	free(copy);
	return parent;
}

int make_folder(const char *path)
{
	char *parent;
	int ret;

	if (!mkdir(path, 0755)) {
		parent = parent_of(path);
		ret = sync_folder(parent);
	} else if (errno == ENOENT) {
		parent = parent_of(path);
		ret = make_folder(parent);
		if (!ret)
			ret = make_folder(path);
	} else {
		return errno == EEXIST ? 0 : -1;
	}
	free(parent);
	return ret;
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *s = data;

	while (size) {
		ssize_t n = write(fd, s, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		s += n;
		size -= n;
	}
	return 0;
}

int new_file(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), err = 0;

	if (fd < 0)
		return -1;
	if (write_all(fd, data, size))
		err = errno;
	if (close_synced(fd) && !err)
		err = errno;
	errno = err;
	return err ? -1 : 0;
}

/*
 * A file that the administrator made a link stays one: what it leads to is replaced, if that
 * is a file. A link to /dev/null, or to nothing, says that there must not be any.
 */
static char *real_path(const char *path, struct stat *st, bool *there)
{
	char *real;

	*there = !stat(path, st);
	if (*there && S_ISREG(st->st_mode))
		return realpath(path, NULL);
	if (*there) {
		errno = S_ISDIR(st->st_mode) ? EISDIR : EMEDIUMTYPE;
		return NULL;
	}
	if (errno != ENOENT)
		return NULL;
	if (!lstat(path, st)) {
		errno = ENOENT;
		return NULL;
	}
	real = xasprintf("%s%s", strchr(path, '/') ? "" : "./", path);
	st->st_mode = 0644;
	return real;
}

int can_replace_file(const char *path)
{
	struct stat st;
	bool there;
	char *real = real_path(path, &st, &there);

	free(real);
	return real ? 0 : -1;
}

int replace_bytes(const char *path, const void *data, size_t size)
{
	struct stat st;
	bool there;
	char *real = real_path(path, &st, &there), *folder, *new;
	int fd, err = 0;

	if (!real)
		return -1;
	folder = parent_of(real);
	new = xasprintf("%s/.%s.new", folder, strrchr(real, '/') + 1);
	if (make_folder(folder)) {
		err = errno;
		goto out;
	}
	/* What an interrupted change has left, or a link that somebody has put there. */
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0) {
		err = errno;
		goto out;
	}
	if (write_all(fd, data, size) || (there && fchown(fd, st.st_uid, st.st_gid)) ||
	    fchmod(fd, st.st_mode & 07777))
		err = errno;
	if (close_synced(fd) && !err)
		err = errno;
	if (!err && (rename(new, real) || sync_folder(folder)))
		err = errno;
	if (err)
		unlink(new);
out:
	free(new);
	free(folder);
	free(real);
	errno = err;
	return err ? -1 : 0;
}

int replace_file(const char *path, const char *content)
{
	return replace_bytes(path, content, strlen(content));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int remove_tree(const char *path)
{
	return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

char **list_folder(const char *path, size_t *n)
{
	struct dirent **entries;
	char **names;
	int found;

	*n = 0;
	found = scandir(path, &entries, is_visible, versionsort);
	if (found < 0)
		return NULL;
	names = xcalloc(found, sizeof(*names));
	for (int i = 0; i < found; i++) {
		names[i] = xstrdup(entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	*n = found;
	return names;
}

/*
 * Readable by root only: whoever can open it could keep everybody waiting. On a disk that
 * must not be written, one that is there will do.
 */
static int open_lock(const char *folder, const char *path)
{
	int fd = -1;

	if (!make_folder(folder))
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EROFS || errno == ENOSPC || errno == EDQUOT)) {
		int err = errno;

		fd = open(path, O_RDONLY | O_CLOEXEC);
		errno = err;
	}
	return fd;
}

bool try_lock_changes(void)
{
	char *folder = xasprintf("%s/var/lib/klp-sets", root_path());
	char *path = xasprintf("%s/lock", folder);
	int fd = open_lock(folder, path), err = errno;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB)) {
		if (!opt_quiet)
			warn("waiting for another klp-sets, which holds %s", path);
		if (flock(fd, LOCK_EX)) {
			err = errno;
			close(fd);
			fd = -1;
		}
	}
	if (fd < 0)
		warn("%s cannot be locked: %s%s", path, strerror(err),
		     geteuid() ? ". This needs root" : "");
	free(path);
	free(folder);
	return fd >= 0;
}

void lock_changes(void)
{
	if (!try_lock_changes())
		exit(EXIT_REFUSED);
}
