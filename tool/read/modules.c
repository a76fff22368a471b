// SPDX-License-Identifier: GPL-2.0
/*
 * modules.c - where the files of a kernel's modules are
 *
 * Where depmod was, the file is the one that modprobe would load. Elsewhere, as in the tree
 * of a build, it is found by its name.
 */
#include <ftw.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "read/modules.h"
#include "read/names.h"
#include "read/util.h"

struct module {
	char *name;
	char *path;
};

struct modules {
	struct kmod_ctx *ctx;	/* or NULL, and these are all: */
	struct module *all;	/* sorted by their names */
	size_t nr, room;
	char *last;		/* that was found by the former */
};

/* nftw() takes no argument. */
static struct modules *walking;

static int look_at(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	const char *file = path + ftw->base;
	struct modules *m = walking;
	char *name;

	if (type != FTW_F || !strstr(file, ".ko"))
		return 0;
	name = module_name(file);
	if (!name)
		return 0;
	if (m->nr == m->room) {
		m->room = m->room ? 2 * m->room : 256;
		m->all = xrealloc(m->all, m->room, sizeof(*m->all));
	}
	m->all[m->nr++] = (struct module) { name, xstrdup(path) };
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct module *x = a, *y = b;

	return strcmp(x->name, y->name) ?: strcmp(x->path, y->path);
}

struct modules *modules_open(const char *folder)
{
	static const char * const no_config[] = { NULL };
	char *index = xasprintf("%s/modules.dep.bin", folder);
	struct modules *m = xcalloc(1, sizeof(*m));

	if (!access(index, R_OK)) {
		m->ctx = kmod_new(folder, no_config);
		if (!m->ctx)
			die("out of memory");
		kmod_set_log_priority(m->ctx, -1);
		kmod_load_resources(m->ctx);
	} else {
		walking = m;
		nftw(folder, look_at, 16, FTW_PHYS);
		if (m->nr)
			qsort(m->all, m->nr, sizeof(*m->all), compare);
	}
	free(index);
	return m;
}

void modules_close(struct modules *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->nr; i++) {
		free(m->all[i].name);
		free(m->all[i].path);
	}
	free(m->all);
	free(m->last);
	kmod_unref(m->ctx);
	free(m);
}

static const char *find_by_depmod(struct modules *m, const char *name)
{
	struct kmod_module *mod = NULL;
	const char *path = NULL;

	free(m->last);
	if (kmod_module_new_from_name(m->ctx, name, &mod) >= 0)
		path = kmod_module_get_path(mod);
	m->last = path ? xstrdup(path) : NULL;
	kmod_module_unref(mod);
	return m->last;
}

const char *modules_find(struct modules *m, const char *name)
{
	size_t low = 0, high = m->nr;

	if (!is_module_name(name))
		return NULL;
	if (m->ctx)
		return find_by_depmod(m, name);
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(m->all[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < m->nr && !strcmp(m->all[low].name, name) ? m->all[low].path : NULL;
}
