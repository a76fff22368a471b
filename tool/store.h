/* SPDX-License-Identifier: GPL-2.0 */
/*
 * store.h - what install.c, boot.c, assign.c and policy.c stand on
 *
 *   files.c  files that survive a crash, with their old content or with the new
 *   store.c  the livepatches that are loaded at boot
 *   guard.c  livepatches that the machine may not survive
 */
#ifndef KLP_SETS_STORE_H
#define KLP_SETS_STORE_H

#include <time.h>

#include "klp-sets.h"

/* --- files.c: 0, or -1 with errno ------------------------------------------- */

/* With all parents, and on disk when it returns. */
int make_folder(const char *path);
/* What was created, renamed or removed in the folder is on disk when it returns. */
int sync_folder(const char *path);
/* Makes a new file of the same content, on disk when it returns. */
int copy_file(const char *from, const char *to);
/*
 * The file has the old content or the new one at any time, and the new one is on disk
 * when it returns. Its folder is made when it is missing; its mode and owner are kept.
 */
int replace_file(const char *path, const char *content);
/* The folder and all in it. */
int remove_tree(const char *path);
/* The names in a folder that do not start with a dot, in order of their numbers. */
char **list_folder(const char *path, size_t *n);
/*
 * Commands that change the store or the configuration wait here for each other, until
 * the end of the process. Dies when it cannot be locked.
 */
void lock_changes(void);

/* --- store.c ---------------------------------------------------------------- */

/* Of a set or a stock livepatch, the current version included. */
#define STORE_VERSIONS 5

struct version {
	char *name;		/* of the module; NULL when it is missing */
	char *path;		/* of the file, in the store or yet to be copied into it */
	time_t installed;
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
struct slot *store_find_set(const struct store *s, uint32_t set);
struct slot *store_find_stock(const struct store *s, const char *name);
/* What a user wrote, a set or the name of a stored livepatch; dies when there is none. */
struct slot *store_find_arg(const struct store *s, const char *arg);
/* The path of a version that stays the same when others change. */
char *stable_path(const struct store *s, const struct version *v);
/* "2026-11-25 22:30", or "-" for none. */
char *date(time_t t);
/* "set 7", or "stock patch 'vendor_a_v1'": to be used in a message. */
const char *slot_label(const struct slot *slot);
/* An empty one, as the last to be loaded. Moves the others: their addresses change. */
struct slot *store_add(struct store *s);
void store_remove(struct store *s, struct slot *slot);
/* Makes a version the current one; the oldest goes when there are too many. */
void slot_push(struct slot *slot, const char *name, const char *path);
/* Takes the current version away. */
void slot_pop(struct slot *slot);
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
/* The livepatch of a version, in the set of its slot; NULL after a message. */
struct livepatch *slot_read(const struct slot *slot, size_t version);
/* The set that load must be told to give it, or NULL when it has one without that. */
const uint32_t *slot_wish(const struct slot *slot, const struct livepatch *lp);

/* --- guard.c ---------------------------------------------------------------- */

/* A machine that is up for so many seconds after a load has survived it. */
#define GUARD_SECONDS 60

/*
 * Looks at all guards. Those of this boot that are old enough go, if the transition is
 * complete or the machine is shut down (0 seconds). What is left of an earlier boot means
 * that the machine died: of a livepatch that it had not survived before, or else of any.
 * Those are held. Returns the seconds until the next one is old enough, or -1 when none
 * is left.
 */
double guard_sweep(double seconds);
/* Whether the machine died after this livepatch had been loaded, and when. */
bool guard_held(const char *name, time_t *when);
/* The operator wants it at boot, whatever happened. */
void guard_forgive(const char *name);
/* It is another livepatch than the machine has lived with. */
void guard_forget(const char *name);

#endif /* KLP_SETS_STORE_H */
