// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - the livepatches that are loaded at boot
 *
 *   /var/lib/klp-sets/6.1.0-56-amd64/
 *       content -> content.12
 *       content.12/01-set-7/current/vendor_a_v2.ko
 *       content.12/01-set-7/before-1/vendor_a_v1.ko
 *       content.12/02-stock-hotfix/current/hotfix.ko
 *       content.12/02-stock-hotfix/current/build-id
 *       content.12/02-stock-hotfix/current/parameters
 *       content.12/02-stock-hotfix/current/replaced/01-set-3/current/vendor_c.ko
 *
 * The link is what counts. A change writes a whole new content beside the one that is
 * in force, with hard links to the files that stay, and puts it on disk. Then the link
 * is renamed: that is the commit. What an interrupted change has left behind is not
 * linked to, and the next change removes it.
 *
 * Nobody but klp-sets writes here. What is damaged all the same is named and left out,
 * and the rest is used.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keep/store.h"
#include "keep/assignments.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "read/elf.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/names.h"
#include "read/setnames.h"
#include "read/util.h"

#define CONTENT "content"
#define REPLACED "replaced"
#define BUILD "build-id"
#define PARAMETERS "parameters"

static char *join(const char *folder, const char *name)
{
	return xasprintf("%s/%s", folder, name);
}

/* Collected while reading, a line each: a content that was replaced meanwhile is read again. */
static void __attribute__((format(printf, 3, 4)))
complain(char **complaints, struct store *s, const char *fmt, ...)
{
	va_list args;
	char *text, *all;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		die("out of memory");
	va_end(args);
	all = xasprintf("%s%s\n", *complaints ? *complaints : "", text);
	free(*complaints);
	free(text);
	*complaints = all;
	s->damaged = true;
}

/* "01-set-7" and "02-stock-hotfix" */
static bool parse_slot(const char *name, struct slot *slot)
{
	int end = 0;

	memset(slot, 0, sizeof(*slot));
	if (sscanf(name, "%*u-set-%n", &end) == 0 && end) {
		slot->has_set = true;
		return parse_set(name + end, &slot->replace_set);
	}
	if (sscanf(name, "%*u-stock-%n", &end) == 0 && end && is_module_name(name + end)) {
		slot->stock = xstrdup(name + end);
		return true;
	}
	return false;
}

/* "current" is 0, "before-1" is 1 */
static bool parse_version(const char *name, size_t *version)
{
	uint32_t n;

	if (!strcmp(name, "current")) {
		*version = 0;
		return true;
	}
	if (strncmp(name, "before-", 7) || !parse_set(name + 7, &n) || !n || n >= STORE_VERSIONS)
		return false;
	*version = n;
	return true;
}

static void read_slots(struct store *s, const char *folder, struct slot **slots, size_t *nr,
		       char **complaints);

static void read_version(struct store *s, struct version *v, const char *folder,
			 char **complaints)
{
	char **names, *file = NULL, *name = NULL;
	size_t n, files = 0;
	struct stat st;

	names = list_folder(folder, &n);
	if (!names) {
		complain(complaints, s, "%s cannot be read: %s", folder, strerror(errno));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(names[i], REPLACED)) {
			read_slots(s, join(folder, names[i]), &v->replaced, &v->nr_replaced,
				   complaints);
		} else if (!strcmp(names[i], PARAMETERS)) {
			v->parameters = read_file(join(folder, PARAMETERS));
		} else if (!strcmp(names[i], BUILD)) {
			v->build = read_file(join(folder, BUILD));
		} else {
			file = names[i];
			files++;
		}
	}
	if (files == 1)
		name = module_name(file);
	if (!name) {
		complain(complaints, s, "%s does not hold one module, as it should", folder);
		return;
	}
	v->path = join(folder, file);
	v->name = name;
	if (!stat(v->path, &st))
		v->installed = st.st_mtime;
}

/* A version before that could not be read: those before it move up. */
static void close_gaps(struct slot *slot)
{
	size_t n = 1;

	for (size_t i = 1; i < slot->nr_versions; i++) {
		if (slot->versions[i].name)
			slot->versions[n++] = slot->versions[i];
	}
	slot->nr_versions = n;
}

static void read_slot(struct store *s, struct slot *slot, const char *folder, char **complaints)
{
	size_t n, version;
	char **names;

	slot->versions = xcalloc(STORE_VERSIONS, sizeof(*slot->versions));
	slot->nr_versions = 1;
	names = list_folder(folder, &n);
	if (!names) {
		complain(complaints, s, "%s cannot be read: %s", folder, strerror(errno));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char *path = join(folder, names[i]);

		if (!parse_version(names[i], &version)) {
			complain(complaints, s, "%s is not of the store", path);
			continue;
		}
		read_version(s, &slot->versions[version], path, complaints);
		if (version >= slot->nr_versions)
			slot->nr_versions = version + 1;
	}
	close_gaps(slot);
	if (!slot->versions[0].name)
		complain(complaints, s, "the current version of %s is missing in %s",
			 slot_label(slot), folder);
}

static struct slot *add_slot(struct slot **slots, size_t *nr)
{
	*slots = xrealloc(*slots, *nr + 1, sizeof(**slots));
	memset(&(*slots)[*nr], 0, sizeof(**slots));
	return &(*slots)[(*nr)++];
}

static void read_slots(struct store *s, const char *folder, struct slot **slots, size_t *nr,
		       char **complaints)
{
	char **names;
	struct slot slot;
	size_t n;

	names = list_folder(folder, &n);
	if (!names) {
		complain(complaints, s, "%s cannot be read: %s", folder, strerror(errno));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char *path = join(folder, names[i]);

		if (!parse_slot(names[i], &slot)) {
			complain(complaints, s, "%s is not of the store", path);
			continue;
		}
		read_slot(s, &slot, path, complaints);
		*add_slot(slots, nr) = slot;
	}
}

static void read_content(struct store *s, char **complaints)
{
	s->slots = NULL;
	s->nr_slots = 0;
	if (access(s->content, F_OK))
		complain(complaints, s, "%s/" CONTENT " points to %s, which cannot be read: %s",
			 s->folder, s->content, strerror(errno));
	else
		read_slots(s, s->content, &s->slots, &s->nr_slots, complaints);
}

/* What the link points to, or NULL when there is none. */
static char *read_link(const struct store *s)
{
	char *link = join(s->folder, CONTENT);
	char target[64];
	ssize_t n;

	n = readlink(link, target, sizeof(target) - 1);
	if (n < 0) {
		if (errno == ENOENT)
			return NULL;
		die("%s cannot be read: %s", link, strerror(errno));
	}
	target[n] = '\0';
	if (strncmp(target, CONTENT ".", strlen(CONTENT ".")) || strchr(target, '/'))
		die("the store is damaged: %s points to '%s'. Make it point to one of the folders "
		    "beside it, or remove it to begin with an empty store", link, target);
	return join(s->folder, target);
}

struct store *store_read(void)
{
	struct store *s = xcalloc(1, sizeof(*s));
	char *complaints, *line, *rest, *now;

	s->folder = xasprintf("%s/var/lib/klp-sets/%s", root_path(), kernel_release());
	now = read_link(s);
	do {
		s->content = now;
		complaints = NULL;
		s->damaged = false;
		if (s->content)
			read_content(s, &complaints);
		now = read_link(s);
	} while (now && (!s->content || strcmp(now, s->content)));
	line = complaints ? strtok_r(complaints, "\n", &rest) : NULL;
	for (; line; line = strtok_r(NULL, "\n", &rest))
		warn("the store is damaged: %s", line);
	return s;
}

char **store_releases(size_t *n)
{
	char *folder = xasprintf("%s/var/lib/klp-sets", root_path()), **names;
	size_t nr = 0;
	struct stat st;

	names = list_folder(folder, n);
	for (size_t i = 0; i < *n; i++) {
		char *path = join(folder, names[i]);

		if (!lstat(path, &st) && S_ISDIR(st.st_mode))
			names[nr++] = names[i];
		free(path);
	}
	*n = nr;
	free(folder);
	return names;
}

char **store_others(size_t *n)
{
	char **names = store_releases(n);
	size_t nr = 0, nr_slots;

	for (size_t i = 0; i < *n; i++) {
		char *content = xasprintf("%s/var/lib/klp-sets/%s/" CONTENT, root_path(), names[i]);

		list_folder(content, &nr_slots);
		if (nr_slots && strcmp(names[i], kernel_release()))
			names[nr++] = names[i];
		free(content);
	}
	*n = nr;
	return names;
}

char *store_other_labels(void)
{
	size_t n;
	char **names = store_others(&n), *all = NULL;

	for (size_t i = 0; i < n; i++)
		all = xasprintf("%s%s%s", all ? all : "", all ? ", " : "", names[i]);
	return all;
}

int store_remove_of(const char *release)
{
	char *folder = xasprintf("%s/var/lib/klp-sets/%s", root_path(), release);
	char *link = join(folder, CONTENT);
	int ret = 0;

	/* First the link: what is left when this is interrupted is an empty store. */
	if (unlink(link) && errno != ENOENT)
		ret = -1;
	if (!ret)
		ret = remove_tree(folder);
	free(link);
	free(folder);
	return ret;
}

struct slot *store_find_set(const struct store *s, uint32_t set)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		if (s->slots[i].has_set && s->slots[i].replace_set == set)
			return &s->slots[i];
	}
	return NULL;
}

struct slot *store_find_stock(const struct store *s, const char *name)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		if (!s->slots[i].has_set && !strcmp(s->slots[i].stock, name))
			return &s->slots[i];
	}
	return NULL;
}

/*
 * Dies when it is one that another one has replaced, which keeps it: that of the set, or of
 * this name.
 */
static void explain_replaced(const struct store *s, const uint32_t *set, const char *name)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		const struct version *v = &s->slots[i].versions[0];

		for (size_t j = 0; v->name && j < v->nr_replaced; j++) {
			const struct slot *old = &v->replaced[j];

			if ((set && old->has_set && old->replace_set == *set) ||
			    (name && old->versions[0].name &&
			     !strcmp(old->versions[0].name, name)))
				die("%s is not in the store of kernel %s: '%s' has taken its place. "
				    "'klp-sets rollback %s' brings it back", slot_label(old),
				    kernel_release(), v->name, v->name);
		}
	}
}

struct slot *store_find_arg(const struct store *s, const char *arg)
{
	uint32_t set;
	char *name;

	if (find_set(arg, &set)) {
		struct slot *slot = store_find_set(s, set);

		if (slot)
			return slot;
		explain_replaced(s, &set, NULL);
		die("set %s is not in the store of kernel %s. 'klp-sets list --stored' shows "
		    "what is%s", set_label(set), kernel_release(), bare_number_hint(arg));
	}
	name = need_module_name(arg);
	for (size_t i = 0; i < s->nr_slots; i++) {
		struct slot *slot = &s->slots[i];

		if ((slot->versions[0].name && !strcmp(slot->versions[0].name, name)) ||
		    (slot->stock && !strcmp(slot->stock, name)))
			return slot;
	}
	explain_replaced(s, NULL, name);
	die("'%s' is not in the store of kernel %s. 'klp-sets list --stored' shows what is",
	    arg, kernel_release());
}

char *stable_path(const struct store *s, const struct version *v)
{
	return xasprintf("%s/" CONTENT "%s", s->folder, v->path + strlen(s->content));
}

char *load_words(const struct store *s, const struct version *v)
{
	char *path = stable_path(s, v);

	return v->parameters ? xasprintf("%s %s", path, v->parameters) : path;
}

char *date(time_t t)
{
	char text[32] = "-";

	if (t)
		strftime(text, sizeof(text), "%F %R", localtime(&t));
	return xstrdup(text);
}

const char *slot_label(const struct slot *slot)
{
	static char *labels[4];
	static unsigned int next;
	char **label = &labels[next++ % 4];

	free(*label);
	*label = slot->has_set ? xasprintf("set %s", set_label(slot->replace_set)) :
				 xasprintf("stock patch '%s'", slot->stock);
	return *label;
}

char *slot_argument(const struct slot *slot)
{
	return slot->has_set ? xasprintf("%u", slot->replace_set) : xstrdup(slot->stock);
}

struct slot *store_add(struct store *s)
{
	return add_slot(&s->slots, &s->nr_slots);
}

void store_remove(struct store *s, struct slot *slot)
{
	size_t after = &s->slots[s->nr_slots] - (slot + 1);

	memmove(slot, slot + 1, after * sizeof(*slot));
	s->nr_slots--;
}

void slot_push(struct slot *slot, const char *name, struct module_file *file)
{
	/* In the place of one that is missing, else before all others. */
	if (!slot->nr_versions || slot->versions[0].name) {
		size_t keep = slot->nr_versions;

		if (keep == STORE_VERSIONS)
			keep--;
		slot->versions = xrealloc(slot->versions, keep + 1, sizeof(*slot->versions));
		memmove(slot->versions + 1, slot->versions, keep * sizeof(*slot->versions));
		slot->nr_versions = keep + 1;
	}
	memset(&slot->versions[0], 0, sizeof(slot->versions[0]));
	slot->versions[0].name = xstrdup(name);
	slot->versions[0].path = xstrdup(file->path);
	slot->versions[0].file = file;
	if (is_this_machine() && running_build())
		slot->versions[0].build = xstrdup(running_build());
}

void slot_pop(struct slot *slot)
{
	slot->nr_versions--;
	memmove(slot->versions, slot->versions + 1, slot->nr_versions * sizeof(*slot->versions));
}

void store_keep_replaced(struct version *v, const struct slot *slot)
{
	*add_slot(&v->replaced, &v->nr_replaced) = *slot;
}

/* Whether two of them are one place in the store. */
static bool same_slot(const struct slot *a, const struct slot *b)
{
	if (a->has_set != b->has_set)
		return false;
	return a->has_set ? a->replace_set == b->replace_set : !strcmp(a->stock, b->stock);
}

size_t store_bring_back(struct store *s, size_t index, const struct slot *slot)
{
	for (size_t i = 0; i < s->nr_slots; i++) {
		struct slot *there = &s->slots[i];
		size_t n = there->nr_versions;

		if (!same_slot(there, slot))
			continue;
		there->versions = xrealloc(there->versions, STORE_VERSIONS,
					   sizeof(*there->versions));
		for (size_t j = 0; n < STORE_VERSIONS && j < slot->nr_versions; j++) {
			if (slot->versions[j].name)
				there->versions[n++] = slot->versions[j];
		}
		there->nr_versions = n;
		return i;
	}
	store_add(s);
	memmove(&s->slots[index + 1], &s->slots[index],
		(s->nr_slots - 1 - index) * sizeof(*s->slots));
	s->slots[index] = *slot;
	s->slots[index].leaves = false;
	return index;
}

bool is_of_other_build(const struct version *v)
{
	return v->build && is_this_machine() && running_build() && strcmp(v->build, running_build());
}

void store_note_build(struct version *v)
{
	char *path, *text;

	if (v->build || !is_this_machine() || !running_build())
		return;
	v->build = xstrdup(running_build());
	path = xasprintf("%.*s/" BUILD, (int)(strrchr(v->path, '/') - v->path), v->path);
	text = xasprintf("%s\n", v->build);
	/* Next time, then. */
	replace_file(path, text);
	free(text);
	free(path);
}

char *replaced_labels(const struct version *v)
{
	char *all = NULL;

	for (size_t i = 0; i < v->nr_replaced; i++)
		all = xasprintf("%s%s%s", all ? all : "", all ? ", " : "",
				slot_label(&v->replaced[i]));
	return all;
}

/* The content that is being written, until it is in force. */
static const struct store *half;

/* At the end of the process, however that comes about: the disk may be full of it. */
static void drop_half(void)
{
	if (!half)
		return;
	unlink(join(half->folder, CONTENT ".link"));
	remove_tree(half->next);
}

/* The store is as it was: whatever is left behind is not linked to. */
static void must(int ret, const char *what, const char *path)
{
	if (ret)
		die("%s cannot be %s: %s. The store is as it was", path, what, strerror(errno));
}

/* The same, when a livepatch may be loaded that was to be stored. */
static void must_commit(const struct store *s, int ret, const char *what, const char *path)
{
	if (ret && s->loaded)
		die("%s cannot be %s: %s. The store is as it was, and '%s' is loaded", path, what,
		    strerror(errno), s->loaded);
	must(ret, what, path);
}

/* What interrupted changes have left behind, and the content before the last one. */
static void clean(const struct store *s)
{
	size_t n;
	char **names = list_folder(s->folder, &n);

	for (size_t i = 0; i < n; i++) {
		char *path = join(s->folder, names[i]);

		if (!strncmp(names[i], CONTENT ".", strlen(CONTENT ".")) &&
		    (!s->content || strcmp(path, s->content)))
			must(remove_tree(path), "removed", path);
	}
}

static char *next_content(const struct store *s)
{
	unsigned long number = 0;

	if (s->content)
		number = strtoul(strrchr(s->content, '.') + 1, NULL, 10);
	return xasprintf("%s/" CONTENT ".%lu", s->folder, number + 1);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char *path = join(folder, name), *line = xasprintf("%s\n", text);

	must(new_file(path, line, strlen(line)), "written", path);
	free(line);
	free(path);
}

static void write_slots(struct slot *slots, size_t n, const char *folder, unsigned int depth);

static void write_version(struct version *v, const char *folder, unsigned int depth)
{
	const char *file = strrchr(v->path, '/');
	/* A file of the store stays the same one, with the date of its installation. */
	char *path = v->installed ? join(folder, file + 1) :
				    xasprintf("%s/%s%s", folder, v->name, v->file->ending);

	must(make_folder(folder), "made", folder);
	if (v->installed)
		must(link(v->path, path), "linked", path);
	else
		must(new_file(path, v->file->data, v->file->size), "written", path);
	if (v->build)
		write_text(folder, BUILD, v->build);
	if (v->parameters)
		write_text(folder, PARAMETERS, v->parameters);
	/* Two that replace each other would get deeper each time. */
	if (v->nr_replaced && depth < STORE_VERSIONS)
		write_slots(v->replaced, v->nr_replaced, join(folder, REPLACED), depth + 1);
	must(sync_folder(folder), "synced", folder);
	v->path = path;
}

static void write_slot(struct slot *slot, const char *folder, unsigned int depth)
{
	must(make_folder(folder), "made", folder);
	for (size_t i = 0; i < slot->nr_versions; i++) {
		if (!slot->versions[i].name)
			continue;
		write_version(&slot->versions[i],
			      i ? xasprintf("%s/before-%zu", folder, i) :
				  xasprintf("%s/current", folder), depth);
	}
	must(sync_folder(folder), "synced", folder);
}

static void write_slots(struct slot *slots, size_t n, const char *folder, unsigned int depth)
{
	must(make_folder(folder), "made", folder);
	for (size_t i = 0; i < n; i++) {
		struct slot *slot = &slots[i];

		if (slot->has_set)
			write_slot(slot, xasprintf("%s/%02zu-set-%u", folder, i + 1,
						   slot->replace_set), depth);
		else
			write_slot(slot, xasprintf("%s/%02zu-stock-%s", folder, i + 1,
						   slot->stock), depth);
	}
	must(sync_folder(folder), "synced", folder);
}

void store_prepare(struct store *s)
{
	if (s->content && access(s->content, F_OK))
		die("the store is damaged, and cannot be changed like this. Make %s/" CONTENT
		    " point to one of the folders beside it, or remove it to begin with an "
		    "empty store", s->folder);
	must(make_folder(s->folder), "made", s->folder);
	clean(s);
	s->next = next_content(s);
	half = s;
	atexit(drop_half);
	write_slots(s->slots, s->nr_slots, s->next, 0);
}

void store_commit(struct store *s)
{
	char *link = join(s->folder, CONTENT);
	char *new = join(s->folder, CONTENT ".link");

	must_commit(s, symlink(strrchr(s->next, '/') + 1, new), "made", new);
	must_commit(s, sync_folder(s->folder), "synced", s->folder);
	must_commit(s, rename(new, link), "renamed", new);
	half = NULL;
	s->content = s->next;
	s->next = NULL;
	if (sync_folder(s->folder))
		die("%s cannot be synced: %s. A power loss may bring its old content back",
		    s->folder, strerror(errno));
	clean(s);
	free(link);
	free(new);
}

void store_abandon(struct store *s)
{
	half = NULL;
	remove_tree(s->next);
	s->next = NULL;
}

/* The assignment that would put it there by itself, or NULL. */
static const struct assignment *assignment_to(const struct livepatch *lp, uint32_t set)
{
	const struct assignment *a = lp->native ? NULL : assignment_kept(lp->name);

	return a && a->replace_set == set ? a : NULL;
}

bool give_set(struct livepatch *lp, uint32_t set, char **why)
{
	const struct assignment *a = assignment_to(lp, set);

	if (!livepatch_put_into_set(lp, set, why))
		return false;
	if (a)
		lp->nr_obsoletes = 0;
	for (size_t i = 0; a && i < a->nr_obsoletes; i++)
		livepatch_add_obsolete(lp, a->obsoletes[i]);
	return true;
}

struct livepatch *slot_read(const struct slot *slot, size_t version, struct module_file **keep)
{
	const struct version *v = &slot->versions[version];
	struct module_file *file;
	struct livepatch *lp;
	char *why;

	if (!v->name)
		return NULL;
	file = module_file_open(v->path, &why);
	lp = file ? livepatch_read(file, &why) : NULL;
	if (keep && lp)
		*keep = file;
	else
		module_file_close(file);
	if (!lp) {
		warn("'%s' of %s cannot be used: %s: %s. Install it again, or go back with "
		     "'klp-sets rollback'", v->name, slot_label(slot), v->path, why);
		return NULL;
	}
	if (strcmp(lp->name, v->name)) {
		warn("'%s' of %s cannot be used: %s is a livepatch '%s'. Install it again",
		     v->name, slot_label(slot), v->path, lp->name);
		return NULL;
	}
	if (slot->has_set && !give_set(lp, slot->replace_set, &why)) {
		warn("'%s' of %s cannot be used: %s", v->name, slot_label(slot), why);
		return NULL;
	}
	return lp;
}

const uint32_t *slot_wish(const struct slot *slot, const struct livepatch *lp)
{
	bool has_none = slot->has_set && !lp->native && !assignment_to(lp, slot->replace_set);

	return has_none ? &slot->replace_set : NULL;
}
