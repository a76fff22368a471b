// SPDX-License-Identifier: GPL-2.0
/* wanted.c - the folders that say what a machine should have */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keep/wanted.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "read/names.h"
#include "read/util.h"

struct entry {
	char *module;
	char *path;		/* NULL when it is masked */
};

struct entries {
	struct entry *all;
	size_t nr;
};

static bool is_module_file(const char *name)
{
	static const char * const endings[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
	size_t len = strlen(name);

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		size_t end = strlen(endings[i]);

		if (len > end && !strcmp(name + len - end, endings[i]))
			return true;
	}
	return false;
}

/* As systemd has it: empty, or a link to /dev/null, whatever that is in another root. */
static bool is_mask(const char *path)
{
	char *target = xcalloc(1, sizeof("/dev/null") + 1);
	bool mask = readlink(path, target, sizeof("/dev/null")) == strlen("/dev/null") &&
		    !strcmp(target, "/dev/null");
	struct stat st;

	free(target);
	return mask || (!stat(path, &st) && S_ISREG(st.st_mode) && !st.st_size);
}

static struct entry *find(const struct entries *e, const char *module)
{
	for (size_t i = 0; i < e->nr; i++) {
		if (!strcmp(e->all[i].module, module))
			return &e->all[i];
	}
	return NULL;
}

/* The first *before* of them are another folder's, which this one counts more than. */
static void add(struct entries *e, size_t before, const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name), *module = module_name(name);
	struct entry *there;

	if (!module)
		die("%s: no module can be called so", path);
	there = find(e, module);
	if (there && (size_t)(there - e->all) >= before)
		die("%s and another file there are for one module, '%s'. Take one of them away",
		    path, module);
	if (!there) {
		e->all = xrealloc(e->all, e->nr + 1, sizeof(*e->all));
		there = &e->all[e->nr++];
		there->module = module;
	}
	there->path = is_mask(path) ? NULL : path;
}

static void add_folder(struct entries *e, const char *folder, bool must)
{
	size_t n, before = e->nr;
	char **names;

	errno = 0;
	names = list_folder(folder, &n);
	if (!names && (must || errno != ENOENT))
		die("%s cannot be read: %s", folder, strerror(errno));
	for (size_t i = 0; i < n; i++) {
		if (is_module_file(names[i]))
			add(e, before, folder, names[i]);
	}
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strverscmp(x->module, y->module);
}

char **wanted_files(const char *folder, size_t *n)
{
	struct entries e = { };
	char **paths;

	if (folder) {
		add_folder(&e, folder, true);
	} else {
		add_folder(&e, xasprintf("%s" WANTED_PACKAGED "/%s", root_path(),
					 kernel_release()), false);
		add_folder(&e, xasprintf("%s" WANTED_LOCAL, root_path()), false);
	}
	if (e.nr)
		qsort(e.all, e.nr, sizeof(*e.all), compare);
	paths = xcalloc(e.nr, sizeof(*paths));
	*n = 0;
	for (size_t i = 0; i < e.nr; i++) {
		if (e.all[i].path)
			paths[(*n)++] = e.all[i].path;
	}
	return paths;
}
