// SPDX-License-Identifier: GPL-2.0
/*
 * assign.c - makes a livepatch a member of a set that knows nothing of sets
 *
 * A livepatch that is enabled joins at once; for any other, the assignment waits
 * until a module of that name is admitted. A pattern, the start of a name and a *, waits for
 * all modules that are called so, and is never used up: each version of a livepatch may have
 * a name of its own.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "core.h"

/**
 * struct klp_sets_assignment - a set for a livepatch that is yet to come
 * @node:	in the list of assignments; klp_mutex
 * @done:	its patch was enabled, and it awaits to be freed; klp_mutex
 * @pattern:	@name ends in a *
 * @name:	of the livepatch module, or of several
 * @replace_set: its set
 * @nr_obsoletes: number of further sets that it replaces
 * @obsoletes:	those
 */
struct klp_sets_assignment {
	struct list_head node;
	bool done;
	bool pattern;
	char name[MODULE_NAME_LEN];
	u32 replace_set;
	unsigned int nr_obsoletes;
	u32 obsoletes[];
};

/* What waits; klp_mutex. */
static LIST_HEAD(klp_sets_assignments);

/* What waits under this very name, or pattern. */
static struct klp_sets_assignment *klp_sets_find_waiting(const char *name)
{
	struct klp_sets_assignment *a;

	list_for_each_entry(a, &klp_sets_assignments, node)
		if (!a->done && !strcmp(a->name, name))
			return a;
	return NULL;
}

/**
 * klp_sets_find_assignment() - the assignment that waits for a module
 * @name:	the module's name
 *
 * Its own, or else the longest pattern that matches.
 *
 * Context: under klp_mutex.
 * Return: the assignment, or NULL.
 */
struct klp_sets_assignment *klp_sets_find_assignment(const char *name)
{
	struct klp_sets_assignment *a, *found = klp_sets_find_waiting(name);
	size_t len, longest = 0;

	if (found)
		return found;
	list_for_each_entry(a, &klp_sets_assignments, node) {
		len = strlen(a->name);
		if (a->pattern && len > longest && !strncmp(a->name, name, len - 1)) {
			found = a;
			longest = len;
		}
	}
	return found;
}

/**
 * klp_sets_get_assigned() - an assignment in the form of a client's call
 * @a:		the assignment, which must outlive @p
 * @p:		filled in, but for the patch
 */
void klp_sets_get_assigned(const struct klp_sets_assignment *a, struct klp_sets_patch *p)
{
	p->replace_set = a->replace_set;
	p->obsoletes = a->obsoletes;
	p->nr_obsoletes = a->nr_obsoletes;
}

/**
 * klp_sets_assignment_done() - an assignment's patch is enabled
 * @a:		the assignment
 *
 * Context: any, under klp_mutex.
 */
void notrace klp_sets_assignment_done(struct klp_sets_assignment *a)
{
	a->done = !a->pattern;
}

/**
 * klp_sets_have_assignments() - whether any assignment waits
 *
 * Context: under klp_mutex.
 * Return: whether the hooks are needed for their sake.
 */
bool notrace klp_sets_have_assignments(void)
{
	return !list_empty(&klp_sets_assignments);
}

static void klp_sets_free_assignment(struct klp_sets_assignment *a)
{
	list_del(&a->node);
	kfree(a);
}

/**
 * klp_sets_reap_assignments() - free those that are done
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_reap_assignments(void)
{
	struct klp_sets_assignment *a, *tmp;

	list_for_each_entry_safe(a, tmp, &klp_sets_assignments, node)
		if (a->done)
			klp_sets_free_assignment(a);
}

/**
 * klp_sets_drop_assignments() - free all, at module exit
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_drop_assignments(void)
{
	struct klp_sets_assignment *a, *tmp;

	list_for_each_entry_safe(a, tmp, &klp_sets_assignments, node)
		klp_sets_free_assignment(a);
}

static ssize_t klp_sets_emit(char *buf, ssize_t len, const struct klp_sets_assignment *a)
{
	unsigned int i;

	len += sysfs_emit_at(buf, len, "%s %u", a->name, a->replace_set);
	for (i = 0; i < a->nr_obsoletes; i++)
		len += sysfs_emit_at(buf, len, " %u", a->obsoletes[i]);
	return len + sysfs_emit_at(buf, len, "\n");
}

/* At most what klp_sets_emit() prints. */
static size_t klp_sets_line_len(const struct klp_sets_assignment *a)
{
	return strlen(a->name) + 11 * (1 + a->nr_obsoletes) + 1;
}

static ssize_t assign_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct klp_sets_assignment *a;
	ssize_t len = 0;

	mutex_lock(klp.mutex);
	list_for_each_entry(a, &klp_sets_assignments, node)
		if (!a->done)
			len = klp_sets_emit(buf, len, a);
	mutex_unlock(klp.mutex);
	return len;
}

/* In the list of modules, every '-' of a file's name is a '_'. */
static int klp_sets_parse_name(char *name, const char *word)
{
	size_t i, start;

	if (strlen(word) >= MODULE_NAME_LEN)
		return -ENAMETOOLONG;
	for (i = 0; word[i]; i++) {
		if (!isgraph(word[i]) || word[i] == '/')
			return -EINVAL;
		name[i] = word[i] == '-' ? '_' : word[i];
	}
	if (!i)
		return -EINVAL;
	/* No module will come that is called so. One * alone would be for everybody's. */
	start = strcspn(name, "*?[");
	if (start < i && (!start || strcmp(name + start, "*"))) {
		pr_err("'%s' is not assigned: a pattern is the start of a name and one * behind it\n",
		       name);
		return -EINVAL;
	}
	return 0;
}

/* The next word of a line, or NULL. */
static char *klp_sets_word(char **line)
{
	char *word;

	do {
		word = strsep(line, " \t\n");
	} while (word && !*word);
	return word;
}

static struct klp_sets_assignment *klp_sets_parse_sets(const char *name, char *line)
{
	struct klp_sets_assignment *a;
	u32 set;
	char *word;
	int ret;

	a = kzalloc(struct_size(a, obsoletes, KLP_SETS_MAX_OBSOLETES), GFP_KERNEL);
	if (!a)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&a->node);
	strscpy(a->name, name, sizeof(a->name));
	a->pattern = name[strlen(name) - 1] == '*';

	word = klp_sets_word(&line);
	ret = word ? kstrtou32(word, 10, &a->replace_set) : -EINVAL;
	while (!ret && (word = klp_sets_word(&line))) {
		ret = kstrtou32(word, 10, &set);
		if (!ret && a->nr_obsoletes == KLP_SETS_MAX_OBSOLETES)
			ret = -E2BIG;
		if (!ret)
			a->obsoletes[a->nr_obsoletes++] = set;
	}
	if (ret) {
		kfree(a);
		return ERR_PTR(ret);
	}
	return a;
}

/* Adds an assignment, or puts it in the place of an earlier one. */
static int klp_sets_add_assignment(struct klp_sets_assignment *a)
{
	struct klp_sets_assignment *other, *old = klp_sets_find_waiting(a->name);
	size_t len = klp_sets_line_len(a);
	int ret;

	list_for_each_entry(other, &klp_sets_assignments, node)
		if (other != old)
			len += klp_sets_line_len(other);
	if (len >= PAGE_SIZE) {
		pr_err("no room for an assignment of '%s': too many are waiting\n", a->name);
		return -ENOSPC;
	}

	list_add_tail(&a->node, &klp_sets_assignments);
	ret = klp_sets_update_hooks();
	if (ret) {
		list_del_init(&a->node);
		return ret;
	}
	if (old)
		klp_sets_free_assignment(old);
	return 0;
}

static int klp_sets_drop_assignment(const char *name)
{
	struct klp_sets_assignment *a = klp_sets_find_waiting(name);

	if (!a)
		return -ENOENT;
	klp_sets_free_assignment(a);
	return klp_sets_update_hooks();
}

static struct klp_patch *klp_sets_find_patch(const char *name)
{
	struct klp_patch *patch;

	klp_sets_for_each_patch(patch)
		if (!strcmp(patch->mod->name, name))
			return patch;
	return NULL;
}

/* A patch that is enabled joins a set, if it could have been enabled as a member. */
static int klp_sets_adopt_patch(struct klp_patch *patch, const struct klp_sets_assignment *a)
{
	const struct klp_sets_record *old_rec = klp_sets_record_of(patch);
	struct klp_sets_patch p = { .patch = patch };
	struct klp_sets_record *rec;
	int ret;

	klp_sets_verify(NULL);
	klp_sets_drop_admitted();
	if (*klp.transition_patch) {
		klp_sets_say_busy(patch->mod->name, "assigned to a set");
		return -EBUSY;
	}
	if (old_rec) {
		pr_err("'%s' is not assigned to set %u: it belongs to set %u already\n",
		       patch->mod->name, a->replace_set, old_rec->replace_set);
		return -EEXIST;
	}

	klp_sets_get_assigned(a, &p);
	rec = klp_sets_alloc_record(patch, &p);
	if (IS_ERR(rec))
		return PTR_ERR(rec);

	/* Being admitted, it needs the hooks, and goes when it is dropped. */
	klp_sets_set_admitted(rec);
	ret = klp_sets_update_hooks();
	if (!ret)
		ret = klp_sets_check_adopted(rec);
	if (!ret)
		ret = klp_sets_adopt(rec);
	/* Not as what never came to commit: this patch is enabled. */
	if (klp_sets_admitted) {
		klp_sets_set_admitted(NULL);
		klp_sets_free_record(rec);
	}
	klp_sets_update_hooks();
	return ret;
}

static ssize_t klp_sets_assign(const char *name, char *line)
{
	struct klp_sets_assignment *a;
	struct klp_patch *patch;
	int ret;

	a = klp_sets_parse_sets(name, line);
	if (IS_ERR(a))
		return PTR_ERR(a);

	mutex_lock(klp.mutex);
	patch = klp_sets_find_patch(name);
	if (klp_sets_is_dead()) {
		pr_err("'%s' is not assigned to set %u: " KLP_SETS_DEATH "\n", name,
		       a->replace_set);
		ret = -ENODEV;
	} else if (patch) {
		ret = klp_sets_adopt_patch(patch, a);
	} else {
		ret = klp_sets_add_assignment(a);
	}
	if (ret || patch)
		kfree(a);
	mutex_unlock(klp.mutex);
	return ret;
}

static ssize_t klp_sets_unassign(const char *name)
{
	int ret;

	mutex_lock(klp.mutex);
	ret = klp_sets_drop_assignment(name);
	mutex_unlock(klp.mutex);
	return ret;
}

static ssize_t assign_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t count)
{
	char name[MODULE_NAME_LEN] = "";
	char *copy, *line, *word;
	ssize_t ret;

	copy = kmemdup_nul(buf, count, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;

	line = copy;
	word = klp_sets_word(&line);
	ret = word ? klp_sets_parse_name(name, word) : -EINVAL;
	if (!ret) {
		word = skip_spaces(line ?: "");
		if (*word == '-' && !*skip_spaces(word + 1))
			ret = klp_sets_unassign(name);
		else
			ret = klp_sets_assign(name, line);
	}
	kfree(copy);
	return ret ?: count;
}

/* Only root may see or change what is assigned. */
struct kobj_attribute klp_sets_assign_attr = __ATTR(assign, 0600, assign_show, assign_store);
