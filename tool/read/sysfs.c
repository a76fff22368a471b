// SPDX-License-Identifier: GPL-2.0
/* sysfs.c - files of sysfs and tracefs, and what two of them say of a livepatch */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "read/sysfs.h"
#include "read/util.h"

void sysfs_each(const char *path, void *data,
		void (*fn)(const char *path, const char *name, void *data))
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			fn(path, entry->d_name, data);
	}
	closedir(dir);
}

char *sysfs_read(const char *folder, const char *name, const char *file)
{
	char *path = xasprintf("%s/%s/%s", folder, name, file);
	char *content = read_file(path);

	free(path);
	return content;
}

int sysfs_flag(const char *folder, const char *name, const char *file)
{
	char *content = sysfs_read(folder, name, file);
	int value = content ? *content == '1' || *content == 'Y' : -1;

	free(content);
	return value;
}

char *tracing_read(const char *file)
{
	static const char * const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	char *content = NULL;

	for (size_t i = 0; !content && i < 2; i++) {
		char *path = xasprintf("%s/%s", places[i], file);

		content = read_file(path);
		free(path);
		if (!content && errno != ENOENT)
			break;
	}
	return content;
}

bool in_transition(const char *name)
{
	return sysfs_flag(SYS_LIVEPATCH, name, "transition") > 0;
}

bool in_effect(const char *name)
{
	return sysfs_flag(SYS_LIVEPATCH, name, "enabled") > 0 && !in_transition(name);
}
