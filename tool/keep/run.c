// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - what is known of this boot, and forgotten with it
 *
 *   /run/klp-sets/kernel       the release of the kernel
 *   /run/klp-sets/loads/NAME   what became of a livepatch when it was to be loaded
 *
 * That is gone after a reboot. Where it is not, as in the copy of a machine that was running,
 * its first line tells: each file begins with the boot that it is of.
 */
#include <stdlib.h>
#include <string.h>

#include "keep/run.h"
#include "keep/files.h"
#include "read/util.h"

char *boot_id(void)
{
	char *id = read_file("/proc/sys/kernel/random/boot_id");

	return id ? id : xstrdup("unknown");
}

static char *run_path(const char *name)
{
	return xasprintf("/run/klp-sets/%s", name);
}

void run_note(const char *name, const char *text)
{
	char *path = run_path(name), *id = boot_id();
	char *all = xasprintf("boot %s\n%s\n", id, text);

	/* Whoever looks for it does without. */
	replace_file(path, all);
	free(all);
	free(id);
	free(path);
}

char *run_noted(const char *name)
{
	char *path = run_path(name), *id = boot_id();
	char *text = read_file(path), *first = xasprintf("boot %s\n", id), *noted = NULL;

	if (text && !strncmp(text, first, strlen(first)))
		noted = xstrdup(text + strlen(first));
	free(first);
	free(text);
	free(id);
	free(path);
	return noted;
}

void run_note_load(const char *name, const char *what)
{
	char *file = xasprintf("loads/%s", name);

	run_note(file, what);
	free(file);
}

char *run_noted_load(const char *name)
{
	char *file = xasprintf("loads/%s", name), *what = run_noted(file);

	free(file);
	return what;
}
