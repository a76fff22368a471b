// SPDX-License-Identifier: GPL-2.0
/* prune.c - klp-sets prune: stores of kernels that are gone */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "verbs/prune.h"
#include "verbs/options.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "keep/store.h"
#include "read/util.h"

static int prune(const char *release)
{
	if (store_remove_of(release)) {
		warn("the store of kernel %s cannot be removed: %s", release, strerror(errno));
		return EXIT_REFUSED;
	}
	if (!opt_quiet)
		printf("the store of kernel %s is removed\n", printable(release));
	return EXIT_OK;
}

static bool has_store(char *const *releases, size_t n, const char *release)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(releases[i], release))
			return true;
	}
	return false;
}

/* Of a kernel that somebody names, it does not matter what is left on the disk. */
static int prune_named(char *const *releases, size_t n, char **words)
{
	int status = EXIT_OK;

	for (size_t i = 0; words[i]; i++) {
		if (!is_release(words[i]))
			usage_error("'%s' is not the release of a kernel", words[i]);
	}
	for (; *words; words++) {
		if (!strcmp(*words, running_release())) {
			warn("kernel %s is running, and its store stays; 'klp-sets uninstall' takes sets out of it",
			     *words);
			status = EXIT_REFUSED;
		} else if (has_store(releases, n, *words)) {
			status |= prune(*words);
		}
	}
	return status;
}

static int cmd_prune(int argc, char **argv)
{
	static const struct opt opts[] = { { 0 } };
	int status = EXIT_OK;
	char **releases;
	size_t n;

	argc = parse_options(&verb_prune, argc, argv, opts, 0, -1, NULL);
	lock_changes();
	releases = store_releases(&n);
	if (argc)
		return prune_named(releases, n, argv);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(releases[i], running_release()) && !is_installed(releases[i]))
			status |= prune(releases[i]);
	}
	return status;
}

const struct verb verb_prune = {
	.name = "prune",
	.run = cmd_prune,
	.arguments = "[RELEASE...]",
	.help = "remove the stores of kernels that are not installed any more",
};
