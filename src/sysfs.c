// SPDX-License-Identifier: GPL-2.0
/*
 * sysfs.c - what an operator sees
 *
 * /sys/kernel/klp_sets/assign
 * /sys/kernel/klp_sets/anomalies
 * /sys/kernel/klp_sets/dead
 * /sys/kernel/klp_sets/refusals
 * /sys/kernel/klp_sets/transitions
 * /sys/kernel/klp_sets/sets/<id>/patch
 * /sys/kernel/klp_sets/sets/<id>/states
 * /sys/kernel/livepatch/<patch>/replace_set
 * /sys/kernel/livepatch/<patch>/obsoletes
 *
 * A file that took klp_mutex to be shown, and its removal under klp_mutex, would
 * wait for each other. So the files show what does not change after admit, of a
 * record that is on the list before they are there.
 */
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "core.h"

static struct kobject *klp_sets_root;		/* from module init to exit */
static struct kobject *klp_sets_folders;	/* likewise */

/* While a file of it is open, a patch stays, and its record with it. */
static const struct klp_sets_record *klp_sets_shown_record(struct kobject *kobj)
{
	return klp_sets_live_record(container_of(kobj, struct klp_patch, kobj));
}

static ssize_t replace_set_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", klp_sets_shown_record(kobj)->replace_set);
}

static ssize_t obsoletes_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	const struct klp_sets_record *rec = klp_sets_shown_record(kobj);
	unsigned int i;
	int len = 0;

	for (i = 0; i < rec->nr_obsoletes; i++)
		len += sysfs_emit_at(buf, len, "%s%u", i ? " " : "", rec->obsoletes[i]);
	return len + sysfs_emit_at(buf, len, "\n");
}

static struct kobj_attribute klp_sets_replace_set_attr = __ATTR_RO(replace_set);
static struct kobj_attribute klp_sets_obsoletes_attr = __ATTR_RO(obsoletes);

/* The last reference may be dropped later than this, but the name is free now. */
static void klp_sets_remove(struct kobject *kobj)
{
	kobject_del(kobj);
	kobject_put(kobj);
}

static ssize_t states_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return klp_sets_show_states(kobj, buf);
}

static struct kobj_attribute klp_sets_states_attr = __ATTR_RO(states);

static int klp_sets_make_folder(struct klp_sets_record *rec)
{
	struct kobject *folder;
	char name[11];
	int ret;

	snprintf(name, sizeof(name), "%u", rec->replace_set);
	folder = kobject_create_and_add(name, klp_sets_folders);
	if (!folder)
		return -ENOMEM;
	ret = sysfs_create_file(folder, &klp_sets_states_attr.attr);
	if (ret)
		klp_sets_remove(folder);
	else
		klp_sets_move_folder(rec, folder);
	return ret;
}

static int klp_sets_link_patch(struct klp_sets_record *rec)
{
	int ret = sysfs_create_link(rec->folder, &rec->patch->kobj, "patch");

	rec->unlinked = ret;
	return ret;
}

/* Makes the folder of a set, or lets the one there is show another patch. */
static int klp_sets_show_folder(struct klp_sets_record *rec)
{
	int ret;

	if (rec->folder) {
		sysfs_remove_link(rec->folder, "patch");
	} else {
		ret = klp_sets_make_folder(rec);
		if (ret)
			return ret;
	}
	return klp_sets_link_patch(rec);
}

/* The patch of the same set that a patch is about to replace, or has replaced. */
static struct klp_sets_record *klp_sets_predecessor(const struct klp_sets_record *rec)
{
	struct klp_sets_record *old_rec;
	struct klp_patch *old;

	klp_sets_for_each_patch(old) {
		old_rec = klp_sets_record_of(old);
		if (old_rec && old_rec != rec && old_rec->replace_set == rec->replace_set)
			return old_rec;
	}
	return NULL;
}

/**
 * klp_sets_show_patch() - add what sysfs shows of a managed patch
 * @rec:	the patch's record
 *
 * The files go with the patch's folder, before its release. The folder of the
 * set is made here for the first patch of the set; that of a set which has a
 * patch already shows that one until the transition is complete.
 *
 * Context: process context, under klp_mutex, with the record on the list, before
 * the transition starts.
 * Return: 0 or -ENOMEM.
 */
int klp_sets_show_patch(struct klp_sets_record *rec)
{
	struct kobject *kobj = &rec->patch->kobj;
	int ret;

	ret = sysfs_create_file(kobj, &klp_sets_replace_set_attr.attr);
	if (!ret && rec->nr_obsoletes)
		ret = sysfs_create_file(kobj, &klp_sets_obsoletes_attr.attr);
	if (!ret && !klp_sets_predecessor(rec))
		ret = klp_sets_show_folder(rec);
	if (ret) {
		/* Whether they were added or not. */
		sysfs_remove_file(kobj, &klp_sets_replace_set_attr.attr);
		sysfs_remove_file(kobj, &klp_sets_obsoletes_attr.attr);
		klp_sets_hide_set(rec);
	}
	return ret;
}

/**
 * klp_sets_show_replaced() - let the folders of the sets follow a replace
 * @rec:	the record of the new patch
 *
 * Context: process context, under klp_mutex, when its first transition is complete
 * and the replaced patches are still in stock's list.
 */
void klp_sets_show_replaced(struct klp_sets_record *rec)
{
	struct klp_sets_record *old_rec;
	struct klp_patch *old;
	bool moved = false;

	klp_sets_for_each_patch(old) {
		if (old == rec->patch || !klp_sets_replaces(rec, old))
			continue;
		old_rec = klp_sets_record_of(old);
		if (!old_rec)
			continue;
		if (rec->managed && old_rec->replace_set == rec->replace_set) {
			klp_sets_move_folder(rec, old_rec->folder);
			klp_sets_move_folder(old_rec, NULL);
			moved = true;
		}
		klp_sets_hide_set(old_rec);
		klp_sets_announce(old_rec, "replaced");
		klp_sets_mourn(old_rec, rec);
	}

	/* Nobody can be told. The replaced patch is soon released, which mends it. */
	if (moved)
		klp_sets_show_folder(rec);
	if (rec->managed)
		klp_sets_announce(rec, "enabled");
}

/**
 * klp_sets_mend_links() - make the links for which there was no memory
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_mend_links(void)
{
	struct klp_sets_record *rec;
	struct klp_patch *patch;

	klp_sets_for_each_patch(patch) {
		rec = klp_sets_record_of(patch);
		if (rec && rec->folder && rec->unlinked && klp_sets_link_patch(rec))
			pr_warn("sysfs does not show '%s' of set %u: out of memory\n",
				patch->mod->name, rec->replace_set);
	}
}

/**
 * klp_sets_hide_set() - remove the folder of a set, if the patch has it
 * @rec:	the record of a patch that is gone, or about to go
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_hide_set(struct klp_sets_record *rec)
{
	struct kobject *folder = rec->folder;

	if (!folder)
		return;
	klp_sets_move_folder(rec, NULL);
	klp_sets_remove(folder);
}

static ssize_t anomalies_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", klp_sets_anomalies());
}

static ssize_t dead_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", klp_sets_is_dead());
}

static ssize_t refusals_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", klp_sets_refusals());
}

static ssize_t transitions_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", klp_sets_transitions());
}

static struct kobj_attribute klp_sets_anomalies_attr = __ATTR_RO(anomalies);
static struct kobj_attribute klp_sets_dead_attr = __ATTR_RO(dead);
static struct kobj_attribute klp_sets_refusals_attr = __ATTR_RO(refusals);
static struct kobj_attribute klp_sets_transitions_attr = __ATTR_RO(transitions);

static const struct attribute *klp_sets_root_attrs[] = {
	&klp_sets_assign_attr.attr,
	&klp_sets_anomalies_attr.attr,
	&klp_sets_dead_attr.attr,
	&klp_sets_refusals_attr.attr,
	&klp_sets_transitions_attr.attr,
	NULL
};

/**
 * klp_sets_init_sysfs() - make /sys/kernel/klp_sets
 *
 * Return: 0 or -ENOMEM.
 */
int klp_sets_init_sysfs(void)
{
	klp_sets_root = kobject_create_and_add("klp_sets", kernel_kobj);
	if (!klp_sets_root)
		return -ENOMEM;
	klp_sets_folders = kobject_create_and_add("sets", klp_sets_root);
	if (!klp_sets_folders ||
	    sysfs_create_files(klp_sets_root, klp_sets_root_attrs)) {
		klp_sets_exit_sysfs();
		return -ENOMEM;
	}
	return 0;
}

/**
 * klp_sets_exit_sysfs() - remove /sys/kernel/klp_sets
 */
void klp_sets_exit_sysfs(void)
{
	/* Waits for those who are writing to them. */
	sysfs_remove_files(klp_sets_root, klp_sets_root_attrs);
	klp_sets_remove(klp_sets_folders);
	klp_sets_remove(klp_sets_root);
}
