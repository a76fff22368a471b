/* SPDX-License-Identifier: GPL-2.0 */
/* assignments.h - livepatches that know nothing of sets, and the sets that they belong to */
#ifndef KLP_SETS_KEEP_ASSIGNMENTS_H
#define KLP_SETS_KEEP_ASSIGNMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct assignment {
	char *name;		/* of the module, or a pattern: "kpatch_5_14_*" */
	uint32_t replace_set;
	uint32_t *obsoletes;
	size_t nr_obsoletes;
};

/* The assignments in /etc/klp-sets/assign.conf. */
struct assignment *assignments_kept(size_t *n);
/* The one for a module, or NULL. */
const struct assignment *assignment_kept(const char *name);
/*
 * That for a module, as the kernel finds it: its own, else the longest pattern that matches.
 * Of several, the last one counts. NULL when there is none.
 */
const struct assignment *assignment_for(const struct assignment *all, size_t n,
					const char *name);
/* The one with this very name, or pattern. */
const struct assignment *assignment_find(const struct assignment *all, size_t n,
					 const char *name);
/* Whether it is for a module of this name. */
bool assignment_matches(const struct assignment *a, const char *name);
bool assignment_is_pattern(const struct assignment *a);
/* A line of that file, or of the kernel's own; false when it makes no sense. */
bool assignment_parse(const char *line, struct assignment *a);
/* The same from MODULE SET [OBSOLETED SET...]. */
bool assignment_from_words(char **words, size_t n, struct assignment *a);
/*
 * Puts it into the file, in the place of those with its name; NULL takes them out. Dies when
 * that fails, with what the kernel has by then.
 */
void assignment_keep(const char *name, const struct assignment *a, const char *by_then);
/* Dies when the file is none that can be replaced. To be called before the kernel is told. */
void assignments_must_be_kept(void);
/* Gives it to the kernel: 0, or a negative errno with what the kernel said, or NULL. */
int assign_now(const struct assignment *a, char **said);
/* Drops what waits in the kernel for a module: 0, or a negative errno. */
int unassign_now(const char *module);

#endif /* KLP_SETS_KEEP_ASSIGNMENTS_H */
