/* SPDX-License-Identifier: GPL-2.0 */
/* store.h - the livepatches that are loaded at boot */
#ifndef KLP_SETS_KEEP_STORE_H
#define KLP_SETS_KEEP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct livepatch;
struct module_file;

/* Of a set or a stock livepatch, the current version included. */
#define STORE_VERSIONS 5

struct version {
	char *name;		/* of the module; NULL when it is missing */
	char *path;		/* of the file, in the store or yet to be copied into it */
	struct module_file *file;	/* what was read from there; NULL: not yet */
	time_t installed;
	char *parameters;	/* that it is loaded with, or NULL */
	char *build;		/* of the kernel that it was stored for, or NULL */
	struct slot *replaced;	/* what it has taken out of the store, to come back when it goes */
	size_t nr_replaced;
};

/* What the store holds of one set, or of one stock livepatch. */
struct slot {
	bool has_set;
	uint32_t replace_set;
	char *stock;		/* without a set: the name of the module */
	struct version *versions;	/* the current one, and those before it */
	size_t nr_versions;
	bool leaves;		/* it is being replaced by another */
};

struct store {
	char *folder;		/* /var/lib/klp-sets/RELEASE */
	char *content;		/* its folder with the content, or NULL when there is none */
	char *next;		/* the one that will take its place, or NULL */
	const char *loaded;	/* what is in the kernel when it is committed, or NULL */
	struct slot *slots;	/* in the order in which they are loaded */
	size_t nr_slots;
	bool damaged;		/* something was left out, after a message */
};

/* The store of kernel_release(). To change it, the lock must be held. */
struct store *store_read(void);
/* The other kernels for which something is stored. */
char **store_others(size_t *n);
/* "6.1.0-55-amd64, 6.1.0-56-amd64": the same for a message; NULL when there are none. */
char *store_other_labels(void);
/* All that has a store, with something in it or not. */
char **store_releases(size_t *n);
/* Removes the store of another kernel: 0, or -1 with errno. */
int store_remove_of(const char *release);
struct slot *store_find_set(const struct store *s, uint32_t set);
struct slot *store_find_stock(const struct store *s, const char *name);
/* What a user wrote, a set or the name of a stored livepatch; dies when there is none. */
struct slot *store_find_arg(const struct store *s, const char *arg);
/* The path of a version that stays the same when others change. */
char *stable_path(const struct store *s, const struct version *v);
/* The same as the words for load or install, with its parameters. */
char *load_words(const struct store *s, const struct version *v);
/* "2026-11-25 22:30", or "-" for none. */
char *date(time_t t);
/* "set 7", or "stock patch 'vendor_a_v1'": to be used in a message. */
const char *slot_label(const struct slot *slot);
/* "7", or "vendor_a_v1": what uninstall and rollback are told. To be freed. */
char *slot_argument(const struct slot *slot);
/* An empty one, as the last to be loaded. Moves the others: their addresses change. */
struct slot *store_add(struct store *s);
void store_remove(struct store *s, struct slot *slot);
/* Makes a version the current one; the oldest goes when there are too many. */
void slot_push(struct slot *slot, const char *name, struct module_file *file);
/* Takes the current version away; what it has replaced is the caller's to bring back. */
void slot_pop(struct slot *slot);
/* Takes a slot out of the store: the current version of another one keeps it. */
void store_keep_replaced(struct version *v, const struct slot *slot);
/*
 * Brings it back, before the one at *index*. Of one that is there again, the versions become
 * those before. Returns where it is.
 */
size_t store_bring_back(struct store *s, size_t index, const struct slot *slot);
/* Whether it was stored for another build of this kernel than the one that runs. */
bool is_of_other_build(const struct version *v);
/* It was loaded by this build, and nobody knew which one it was for. */
void store_note_build(struct version *v);
/* "set 1, set 2": what a version has replaced; NULL when that is nothing. */
char *replaced_labels(const struct version *v);
/*
 * Writes what is in memory beside the content that is in force. Nobody sees it before
 * store_commit(), which is one rename. The paths of all versions are the new ones then.
 */
void store_prepare(struct store *s);
void store_commit(struct store *s);
/* Instead of store_commit(): the store stays as it was. */
void store_abandon(struct store *s);

/* Puts a livepatch into a set as load would, with what its assignment obsoletes. */
bool give_set(struct livepatch *lp, uint32_t set, char **why);
/*
 * The livepatch of a version, in the set of its slot; NULL after a message. *file*, unless it is
 * NULL, is what it was read from.
 */
struct livepatch *slot_read(const struct slot *slot, size_t version, struct module_file **file);
/* The set that load must be told to give it, or NULL when it has one without that. */
const uint32_t *slot_wish(const struct slot *slot, const struct livepatch *lp);

#endif /* KLP_SETS_KEEP_STORE_H */
