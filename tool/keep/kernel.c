// SPDX-License-Identifier: GPL-2.0
/*
 * kernel.c - which kernel this is, whatever it is called by now
 *
 * Livepatches of vendors change what uname tells, to show that they are there. So the
 * release is noted by who asks first in a boot, which is klp-sets.service where that is
 * enabled. Where nobody has noted it, the store may know a kernel of this build.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "keep/kernel.h"
#include "keep/files.h"
#include "keep/run.h"
#include "read/notes.h"
#include "read/util.h"

#define NOTE "kernel"

/* 6.12.118+deb13-amd64, 5.14.0-427.el9.x86_64 */
bool is_release(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) < sizeof(((struct utsname *)0)->release);
}

const char *running_build(void)
{
	static bool asked;
	static char *build;

	if (!asked)
		build = build_id_read("/sys/kernel/notes");
	asked = true;
	return build;
}

/* Whether something in the store of a kernel was stored for this build. */
static bool knows_build(const char *release, const char *build)
{
	char *content = xasprintf("%s/var/lib/klp-sets/%s/content", root_path(), release), **slots;
	bool known = false;
	size_t n;

	slots = list_folder(content, &n);
	for (size_t i = 0; i < n && !known; i++) {
		char *path = xasprintf("%s/%s/current/build-id", content, slots[i]);
		char *text = read_file(path);

		known = text && !strcmp(text, build);
		free(text);
		free(path);
	}
	free(content);
	return known;
}

static char *release_by_store(const char *called)
{
	const char *build = running_build();
	char *folder, **names;
	size_t n;

	if (!build || knows_build(called, build))
		return NULL;
	folder = xasprintf("%s/var/lib/klp-sets", root_path());
	names = list_folder(folder, &n);
	free(folder);
	for (size_t i = 0; i < n; i++) {
		if (knows_build(names[i], build))
			return names[i];
	}
	return NULL;
}

static bool has_modules(const char *release)
{
	char *path = xasprintf("/lib/modules/%s", release);
	bool there = !access(path, F_OK);

	free(path);
	return there;
}

/* BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64: what the boot loader has loaded, if it says so. */
static char *release_by_image(const char *called)
{
	char *words = has_modules(called) ? NULL : read_file("/proc/cmdline");
	char *image = words ? strstr(words, "BOOT_IMAGE=") : NULL, *release;

	if (!image)
		return NULL;
	image[strcspn(image, " \n")] = '\0';
	release = strstr(image, "vmlinuz-");
	if (!release || !is_release(release + strlen("vmlinuz-")) ||
	    !has_modules(release + strlen("vmlinuz-")))
		return NULL;
	return release + strlen("vmlinuz-");
}

const char *running_release(void)
{
	static char *release;
	static struct utsname name;

	if (release)
		return release;
	release = run_noted(NOTE);
	if (release && is_release(release))
		return release;
	if (uname(&name))
		die("uname: %s", strerror(errno));
	release = release_by_store(name.release);
	if (!release)
		release = release_by_image(name.release);
	if (!release)
		release = name.release;
	if (!geteuid())
		run_note(NOTE, release);
	return release;
}

/* Folders of modules stay behind, with what other packages have put there. */
bool is_installed(const char *release)
{
	static const char *const files[] = {
		"/boot/vmlinuz-%s", "/lib/modules/%s/vmlinuz", "/lib/modules/%s/kernel",
	};
	bool there = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]) && !there; i++) {
		char *path = xasprintf("%s%.*s%s%s", root_path(),
				       (int)(strchr(files[i], '%') - files[i]), files[i], release,
				       strchr(files[i], '%') + 2);

		there = !access(path, F_OK);
		free(path);
	}
	return there;
}

const char *kernel_release(void)
{
	const char *release = getenv("KLP_SETS_KERNEL");

	if (!release || !*release)
		return running_release();
	if (!is_release(release))
		die("KLP_SETS_KERNEL is '%s', which no kernel can be called", release);
	return release;
}

bool is_this_machine(void)
{
	return !*root_path() && !strcmp(kernel_release(), running_release());
}
