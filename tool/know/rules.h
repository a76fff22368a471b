/* SPDX-License-Identifier: GPL-2.0 */
/* rules.h - what the kernel would say to a new livepatch */
#ifndef KLP_SETS_KNOW_RULES_H
#define KLP_SETS_KNOW_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assignment;
struct func;
struct livepatch;
struct machine;
struct symbols;

struct conflict {
	const char *code;	/* what kind it is, for programs; klp-sets.schema.json has all */
	const struct livepatch *other;	/* the one that it is with, or NULL */
	char *reason;		/* one sentence, with names */
	char *advice;		/* one sentence: what to do about it */
};

/* What the kernel does not mind, and somebody should know. */
struct warning {
	const char *code;	/* as a conflict's */
	char *text;		/* one sentence, with names */
	const char *advice;	/* for who takes it for a conflict */
};

/* What would happen if a livepatch was loaded now. It points into what was judged. */
struct verdict {
	bool managed;			/* it would belong to a set: */
	bool has_set;			/* to this one; else the file does not tell */
	uint32_t replace_set;
	const uint32_t *obsoletes;
	size_t nr_obsoletes;
	const struct assignment *assignment;	/* which it would use; or NULL */
	bool replace_all;		/* it would replace whatever is there */
	struct livepatch **replaced;	/* patches of the machine that it would replace */
	size_t nr_replaced;
	const struct func **added, **kept, **dropped;
	size_t nr_added, nr_kept, nr_dropped;
	struct conflict *conflicts;	/* none: it would be accepted */
	size_t nr_conflicts;
	struct warning *warnings;
	size_t nr_warnings;
	/* Two functions may be one by two names, and addresses, which would tell, are hidden. */
	bool blind;
};

/*
 * Which set a livepatch that is about to be loaded gets: what the operator wishes
 * now (or NULL) counts most, then what was assigned before, then the file. False, with a
 * sentence in *why, when the wish cannot be fulfilled.
 */
bool rules_choose_set(const struct machine *m, struct livepatch *lp, const uint32_t *wish,
		      char **why);
/*
 * Every rule that the kernel would apply, as far as files and sysfs tell. Neither the
 * machine nor the livepatch is changed, but for how their functions are shown. An assignment of the machine counts for a
 * livepatch without a set. With symbols, functions with two names are found, and
 * those that the kernel lacks or cannot redirect; NULL is for none. Nothing can be said of what a livepatch
 * that is "incomplete" has beside what was read.
 */
struct verdict *rules_judge(const struct machine *m, struct livepatch *lp,
			    struct symbols *symbols);
/* This kernel would not take its file: a warning, for it may be for another machine. */
void verdict_note_signature(struct verdict *v, const struct livepatch *lp, const char *why);
/* Every warning becomes a conflict. */
void verdict_be_strict(struct verdict *v);
void verdict_free(struct verdict *v);
/* Puts a livepatch on the machine, which owns it then, as if it had been loaded. */
void machine_apply(struct machine *m, struct livepatch *lp, const struct verdict *v);

#endif /* KLP_SETS_KNOW_RULES_H */
