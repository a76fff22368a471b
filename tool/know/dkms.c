// SPDX-License-Identifier: GPL-2.0
/*
 * dkms.c - why the module klp_sets is not there
 *
 * DKMS answers slowly and in another way with every version, but where it keeps what has not
 * changed. A build that succeeds leaves its log in a folder of the kernel; one that fails, or is
 * under way, in one that the next build uses again, of whichever kernel that is.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "know/dkms.h"
#include "keep/files.h"
#include "read/util.h"

#define TREE "/var/lib/dkms/klp-sets"
#define SOURCES "/usr/src"
#define SOURCE "klp-sets-"

static bool exists(const char *format, const char *a, const char *b)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), format, a, b);
	return !access(path, F_OK);
}

/* The newest version whose source DKMS has, or would take, or NULL. */
static char *source_version(void)
{
	char **names, *version = NULL;
	size_t n;

	names = list_folder(TREE, &n);
	for (size_t i = 0; i < n; i++) {
		if (exists(TREE "/%s/source/%s", names[i], "dkms.conf"))
			version = names[i];
	}
	if (version)
		return version;
	names = list_folder(SOURCES, &n);
	for (size_t i = 0; i < n; i++) {
		if (!strncmp(names[i], SOURCE, strlen(SOURCE)) &&
		    exists(SOURCES "/%s/%s", names[i], "dkms.conf"))
			version = names[i] + strlen(SOURCE);
	}
	return version;
}

/* The log of a build for this kernel that did not succeed, or NULL. */
static char *failed_log(const char *version, const char *release)
{
	char *path = xasprintf(TREE "/%s/build/make.log", version), *text = read_file(path);
	char *kernel = xasprintf(" for kernel %s ", release), *end;

	if (text) {
		end = strchr(text, '\n');
		if (end)
			*end = '\0';
	}
	if (!text || !strstr(text, kernel)) {
		free(path);
		path = NULL;
	}
	free(text);
	free(kernel);
	return path;
}

/* The command that installs the headers of this kernel; NULL where nobody knows it. */
static char *headers_command(const char *release)
{
	if (!access("/usr/bin/apt-get", X_OK))
		return xasprintf("apt install linux-headers-%s", release);
	if (!access("/usr/bin/dnf", X_OK))
		return xasprintf("dnf install kernel-devel-%s", release);
	return NULL;
}

/* DKMS compresses modules where the kernel's are compressed. */
static char *file_for_modprobe(const char *release)
{
	static const char * const folders[] = { "updates/dkms", "updates", "extra", "weak-updates" };
	static const char * const endings[] = { "", ".xz", ".zst", ".gz" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
		for (size_t j = 0; j < sizeof(endings) / sizeof(*endings); j++) {
			char *path = xasprintf("/lib/modules/%s/%s/klp-sets.ko%s", release,
					       folders[i], endings[j]);

			if (!access(path, F_OK))
				return path;
			free(path);
		}
	}
	return NULL;
}

char *dkms_advice(const char *release)
{
	char *file = file_for_modprobe(release), *version, *install, *log, *headers;

	if (file)
		return xasprintf("modprobe does not know of %s; 'depmod %s' tells it", file, release);
	version = source_version();
	if (!version)
		return xstrdup("install klp-sets-dkms, or see 'Install it' in README.md");
	install = xasprintf("dkms install klp-sets/%s -k %s", version, release);
	if (!exists("/lib/modules/%s/build/%s", release, "Makefile")) {
		headers = headers_command(release);
		return xasprintf("DKMS has its source, but the headers of this kernel are missing; %s%s%s, then '%s'",
				 headers ? "'" : "install them", headers ?: "", headers ? "'" : "",
				 install);
	}
	log = failed_log(version, release);
	if (log)
		return xasprintf("DKMS could not build it, and %s says why; '%s' tries again",
				 log, install);
	return xasprintf("DKMS has its source and has not built it; '%s' does, or says why not",
			 install);
}
