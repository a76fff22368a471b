// SPDX-License-Identifier: GPL-2.0
/*
 * targets.c - the functions that a livepatch is about to change
 *
 * What runs is known best by the kernel itself. A module that is not loaded is known by its
 * file. Where the kernel hides its addresses (kernel.kptr_restrict), its System.map has other
 * ones, but two functions have the same address in both, or in none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "know/targets.h"
#include "keep/kernel.h"
#include "read/symbols.h"
#include "read/util.h"

static const char * const maps[] = {
	"%s/boot/System.map-%s", "%s/lib/modules/%s/System.map", "%s/lib/modules/%s/build/System.map",
	"%s/usr/lib/debug/boot/vmlinux-%s", "%s/usr/lib/debug/lib/modules/%s/vmlinux",
	"%s/lib/modules/%s/build/vmlinux",
};

/* Some distributions install one that only tells where the real one is. */
#define FEWEST 1000

/* The first file that is a map of this kernel, or NULL. */
static struct symbols *read_map(const char *root, const char *release)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		/* One of the above. */
		char *path = xasprintf(maps[i], root, release);
		struct symbols *s = symbols_read(path);

		free(path);
		if (s && symbols_count(s) >= FEWEST)
			return s;
		symbols_free(s);
	}
	return NULL;
}

static void use_modules(struct symbols *s, const char *root, const char *release)
{
	char *folder = xasprintf("%s/lib/modules/%s", root, release);

	symbols_use_modules(s, folder);
	free(folder);
}

static struct symbols *read_machine(void)
{
	struct symbols *s = symbols_read("/proc/kallsyms"), *map;

	if (!s)
		return s;
	if (symbols_hidden(s, "vmlinux") && !geteuid()) {
		map = read_map("", running_release());
		if (map) {
			symbols_free(s);
			s = map;
		}
	}
	use_modules(s, "", running_release());
	return s;
}

/* The modules that are loaded, but for those whose functions nobody changes. */
static char *loaded_modules(void)
{
	char *text = read_file("/proc/modules"), *key = xstrdup(""), *line, *rest;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		const char *taint = strrchr(line, '(');
		char *longer;

		if ((taint && strchr(taint, 'K')) || !strncmp(line, "klp_sets ", 9))
			continue;
		longer = xasprintf("%s%.*s ", key, (int)strcspn(line, " "), line);
		free(key);
		key = longer;
	}
	free(text);
	return key;
}

struct symbols *targets_of_machine(void)
{
	static struct symbols *symbols;
	static char *read_with;
	char *now = loaded_modules();

	if (symbols && !strcmp(read_with, now)) {
		free(now);
		return symbols;
	}
	symbols_free(symbols);
	free(read_with);
	read_with = now;
	symbols = read_machine();
	return symbols;
}

struct symbols *targets_of_machine_and_ftrace(void)
{
	struct symbols *s = targets_of_machine();

	if (s)
		symbols_use_ftrace(s);
	return s;
}

struct symbols *targets_of_store(void)
{
	struct symbols *s = read_map(root_path(), kernel_release()) ?: symbols_new();

	use_modules(s, root_path(), kernel_release());
	return s;
}

struct symbols *targets_of_files(const char *map, const char *modules)
{
	struct symbols *s = map ? symbols_read(map) : symbols_new();

	if (!s)
		die("cannot read symbols from '%s': %s", map,
		    errno == EINVAL ? "it is no System.map, no copy of /proc/kallsyms, and no vmlinux" :
				      file_strerror(errno));
	if (modules && access(modules, R_OK | X_OK))
		die("cannot read modules from '%s': %s", modules, file_strerror(errno));
	if (modules)
		symbols_use_modules(s, modules);
	return s;
}
