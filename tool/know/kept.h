/* SPDX-License-Identifier: GPL-2.0 */
/* kept.h - whether what is in the store is in effect */
#ifndef KLP_SETS_KNOW_KEPT_H
#define KLP_SETS_KNOW_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct machine;
struct slot;
struct store;

enum kept_state {
	KEPT_ENABLED,
	KEPT_IN_TRANSITION,
	KEPT_MISSING,		/* its file is not there */
	KEPT_OTHER_BUILD,	/* boot does not load it: it is for another kernel */
	KEPT_HELD,		/* boot does not load it: the machine died */
	KEPT_REFUSED,		/* at boot, or the last time that it was to be loaded */
	KEPT_REPLACED,		/* it was loaded, or would be: another has taken its place */
	KEPT_UNLOADED,		/* it was loaded in this boot, and is not any more */
	KEPT_NOT_LOADED,	/* nobody has tried in this boot */
};

/* As scripts know them. */
extern const char * const kept_names[];

/* The current version of one set, or stock livepatch, of the store. */
struct kept {
	const struct slot *slot;
	enum kept_state state;
	char *why;		/* a part of a sentence, with what to do; NULL when all is well */
};

/* A livepatch of a set that was replaced by one that is not of that set, in this boot. */
struct lost {
	char *name;
	uint32_t replace_set;
	char *by;		/* as the kernel's log has it */
};

/* Those that are not enabled again, as far as the log still tells. */
struct lost *lost_all(const struct machine *m, size_t *n);

/* Each of the store, as the machine is and those were lost; in *n how many. */
struct kept *kept_all(const struct store *s, const struct machine *m, const struct lost *lost,
		      size_t nr_lost, size_t *n);

#endif /* KLP_SETS_KNOW_KEPT_H */
