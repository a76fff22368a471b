// SPDX-License-Identifier: GPL-2.0
/*
 * guard.c - livepatches that the machine may not survive
 *
 *   /var/lib/klp-sets/RELEASE/guards/NAME     loaded a moment ago
 *   /var/lib/klp-sets/RELEASE/survived/NAME   the machine has lived with it before
 *   /var/lib/klp-sets/RELEASE/held/NAME       the machine died a moment after it was loaded
 *
 * A guard is on disk before its livepatch is loaded. It goes when the machine has been
 * up for a minute since, or when it is shut down. One that is found after a reboot
 * tells of a machine that did neither, and boot does not load that livepatch.
 *
 * That is about one machine. The disk of one that runs may be copied, to be the image of
 * others: so a guard has the machine's id, and what is of another one counts for nothing.
 *
 * At boot many are loaded at once, and all have guards. Those that the machine has lived
 * with before are above suspicion as long as there is another.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keep/guard.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "keep/run.h"
#include "read/sysfs.h"
#include "read/util.h"

static char *folder_path(const char *folder)
{
	return xasprintf("%s/var/lib/klp-sets/%s/%s", root_path(), kernel_release(), folder);
}

static char *guard_path(const char *folder, const char *name)
{
	return xasprintf("%s/var/lib/klp-sets/%s/%s/%s", root_path(), kernel_release(), folder,
			 name);
}

/* A suspended machine proves nothing: this clock stands still then. */
static double uptime(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* NULL when it has none, or not yet. */
static char *machine_id(void)
{
	char *path = xasprintf("%s/etc/machine-id", root_path()), *id = read_file(path);

	free(path);
	if (id && strlen(id) == 32 && strspn(id, "0123456789abcdef") == 32)
		return id;
	free(id);
	return NULL;
}

/* The value in a line "KEY VALUE", or NULL. */
static char *field(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; text; text = strchr(text, '\n'), text += text != NULL) {
		if (!strncmp(text, key, len) && text[len] == ' ')
			return strndup(text + len + 1, strcspn(text + len + 1, "\n"));
	}
	return NULL;
}

/* One that does not tell, or of a machine that has no id, is taken for ours. */
static bool is_of_other_machine(const char *folder, const char *name)
{
	char *path = guard_path(folder, name), *text = read_file(path), *ours = machine_id();
	char *id = text ? field(text, "machine") : NULL;
	bool other = id && ours && strcmp(id, ours);

	free(id);
	free(ours);
	free(text);
	free(path);
	return other;
}

/*
 * Where systemd looks for guards, whatever the kernel is called. The folder must be there
 * before the link is: nobody would be told of it later.
 */
static void link_guards(void)
{
	static const char *link = "/run/klp-sets/guards", *new = "/run/klp-sets/.guards.new";
	char target[PATH_MAX], *folder = folder_path("guards");
	ssize_t n = readlink(link, target, sizeof(target));

	if (!*root_path() && (n != (ssize_t)strlen(folder) || memcmp(target, folder, n))) {
		make_folder("/run/klp-sets");
		unlink(new);
		if (symlink(folder, new) || rename(new, link))
			warn("%s cannot be made: %s. 'klp-sets boot --settled' takes the guard away",
			     link, strerror(errno));
	}
	free(folder);
}

bool guard_raise(const char *name)
{
	static char *told;
	char *path = guard_path("guards", name), *id = boot_id(), *machine = machine_id();
	char *text = xasprintf("boot %s\n%s%s%suptime %.2f\n", id, machine ? "machine " : "",
			       machine ? machine : "", machine ? "\n" : "", uptime());
	bool raised = !replace_file(path, text);

	if (!raised && (!told || strcmp(told, name))) {
		warn("%s cannot be written: %s. If the machine dies of '%s', nobody will know",
		     path, file_strerror(errno), name);
		told = xstrdup(name);
	}
	if (raised)
		link_guards();
	free(text);
	free(machine);
	free(id);
	free(path);
	return raised;
}

/* Whether it is gone. */
static bool forget(const char *folder, const char *name)
{
	char *parent = folder_path(folder), *path = guard_path(folder, name);
	bool gone = !unlink(path);

	if (gone)
		sync_folder(parent);
	else
		gone = errno == ENOENT;
	free(path);
	free(parent);
	return gone;
}

void guard_drop(const char *name)
{
	forget("guards", name);
}

void guard_forgive(const char *name)
{
	forget("held", name);
}

void guard_forget(const char *name)
{
	forget("survived", name);
}

/* Those that are held without a file, since the disk is full or must not be written. */
static char **held_here;
static size_t nr_held_here;

static bool is_held_here(const char *name)
{
	for (size_t i = 0; i < nr_held_here; i++) {
		if (!strcmp(held_here[i], name))
			return true;
	}
	return false;
}

bool guard_held(const char *name, time_t *when)
{
	char *path = guard_path(is_held_here(name) ? "guards" : "held", name);
	struct stat st;
	bool held = !stat(path, &st) && !is_of_other_machine("held", name);

	free(path);
	if (held)
		*when = st.st_mtime;
	return held;
}

static int move(const char *name, const char *folder)
{
	char *parent = folder_path(folder), *from = guard_path("guards", name);
	char *to = guard_path(folder, name);
	int ret = make_folder(parent) || rename(from, to) || sync_folder(parent) ? -1 : 0;
	int err = errno;

	free(to);
	free(from);
	free(parent);
	errno = err;
	return ret;
}

/* Whether it has moved. */
static bool hold(const char *name)
{
	/* Another klp-sets may have been faster. */
	if (!move(name, "held") || errno == ENOENT)
		return true;
	if (is_held_here(name))
		return false;
	warn("%s cannot be moved to %s: %s", guard_path("guards", name), folder_path("held"),
	     strerror(errno));
	held_here = xrealloc(held_here, nr_held_here + 1, sizeof(*held_here));
	held_here[nr_held_here++] = xstrdup(name);
	return false;
}

/*
 * The guard goes in any case, if it can; without the mark, the livepatch is a suspect next
 * time.
 */
static bool survive(const char *name)
{
	return !move(name, "survived") || forget("guards", name);
}

bool guard_survived(const char *name)
{
	char *path = guard_path("survived", name);
	bool survived = !access(path, F_OK);

	free(path);
	return survived;
}

enum guard { GONE, OF_THIS_BOOT, OF_ANOTHER, OF_OTHER_MACHINE };

/* In *at, the uptime at which it was raised in this boot. */
static enum guard look_at(const char *name, const char *this_boot, double *at)
{
	char *path = guard_path("guards", name), *text = read_file(path);
	bool gone = !text && errno == ENOENT, ours;
	char *id = text ? field(text, "boot") : NULL, *up = text ? field(text, "uptime") : NULL;

	/* No guard is raised in the future: this one is damaged. */
	ours = id && up && !strcmp(id, this_boot) && sscanf(up, "%lf", at) == 1 && *at >= 0 &&
	       *at <= uptime() + 1;
	free(up);
	free(id);
	free(text);
	free(path);
	if (gone)
		return GONE;
	if (is_of_other_machine("guards", name))
		return OF_OTHER_MACHINE;
	return ours ? OF_THIS_BOOT : OF_ANOTHER;
}

/* The machine died of one of these. Whether a guard is left, since it cannot be moved. */
static bool hold_suspects(char **names, size_t n, const char *this_boot)
{
	bool others = false, left = false;
	double at;

	for (size_t i = 0; i < n; i++)
		others |= !guard_survived(names[i]);
	/* First who is above suspicion: whoever comes in between must not find them alone. */
	for (size_t i = 0; others && i < n; i++) {
		if (guard_survived(names[i]))
			survive(names[i]);
	}
	/* Or it is a new guard by now. */
	for (size_t i = 0; i < n; i++) {
		if (look_at(names[i], this_boot, &at) != OF_ANOTHER)
			continue;
		if (others && guard_survived(names[i]))
			left = true;
		else
			left |= !hold(names[i]);
	}
	return left;
}

/* Whether it is gone. */
static bool drop_foreign(const char *folder, const char *name)
{
	if (!forget(folder, name))
		return false;
	warn("the %s is dropped that kept '%s' from being loaded at boot: it is of another machine, "
	     "of which this one is a copy", strcmp(folder, "held") ? "guard" : "mark", name);
	return true;
}

/* What another machine died of, this one may live with. */
static void drop_foreign_holds(void)
{
	char *folder = folder_path("held"), **names;
	size_t n;

	names = list_folder(folder, &n);
	for (size_t i = 0; i < n; i++) {
		if (is_of_other_machine("held", names[i]))
			drop_foreign("held", names[i]);
		free(names[i]);
	}
	free(names);
	free(folder);
}

double guard_sweep(double seconds)
{
	char *this_boot = boot_id(), *folder = folder_path("guards"), **names, **dead;
	double now = uptime(), longest = -1;
	size_t n, nr_dead = 0;

	names = list_folder(folder, &n);
	dead = xcalloc(n, sizeof(*dead));
	drop_foreign_holds();
	for (size_t i = 0; i < n; i++) {
		double at, left;
		bool lives, gone;

		switch (look_at(names[i], this_boot, &at)) {
		case GONE:
			continue;
		case OF_ANOTHER:
			dead[nr_dead++] = names[i];
			continue;
		case OF_OTHER_MACHINE:
			if (!drop_foreign("guards", names[i]) && seconds)
				longest = longest > GUARD_SECONDS ? longest : GUARD_SECONDS;
			continue;
		case OF_THIS_BOOT:
			break;
		}
		left = at + seconds - now;
		/* It may be long until all of a livepatch is in effect. */
		if (seconds && in_transition(names[i]))
			left = seconds;
		if (left > 0) {
			longest = left > longest ? left : longest;
			continue;
		}
		/* Of one that was turned back or unloaded, nothing is known. */
		lives = in_effect(names[i]);
		if (lives)
			guard_forgive(names[i]);
		if (lives && now - at >= GUARD_SECONDS)
			gone = survive(names[i]);
		else
			gone = forget("guards", names[i]);
		/* Whoever stays until all are gone would be started again at once. */
		if (!gone && seconds)
			longest = longest > GUARD_SECONDS ? longest : GUARD_SECONDS;
	}
	if (nr_dead && hold_suspects(dead, nr_dead, this_boot) && seconds)
		longest = longest > GUARD_SECONDS ? longest : GUARD_SECONDS;
	/* Somebody may call this every second, for as long as the machine is up. */
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
	free(dead);
	free(folder);
	free(this_boot);
	return longest;
}
