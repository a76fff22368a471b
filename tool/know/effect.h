/* SPDX-License-Identifier: GPL-2.0 */
/* effect.h - whether the functions of the patches are in effect */
#ifndef KLP_SETS_KNOW_EFFECT_H
#define KLP_SETS_KNOW_EFFECT_H

#include <stdbool.h>
#include <stddef.h>

struct func;
struct ftrace;
struct livepatch;
struct machine;

enum effect { IN_EFFECT, WAITS, SUPERSEDED, NOT_IN_EFFECT, UNKNOWN };

extern const char * const effect_names[];

/* What was found out about one function of a patch. */
struct finding {
	const struct livepatch *lp;
	const struct func *func;
	enum effect effect;
	char *why;		/* or NULL */
	char **also;		/* who else sits on it */
	size_t nr_also;
};

struct effects {
	struct finding *findings;	/* those of a patch follow each other */
	size_t nr_findings;
	struct ftrace *ftrace;		/* NULL when it cannot be read */
	char *why_unknown;		/* nobody can say what is in effect; or NULL */
};

/* Of all patches that no transition concerns. It points into the machine. */
struct effects *effects_read(const struct machine *m);
void effects_free(struct effects *e);
/*
 * Whether a patch that was enabled is no more, or about to be: then what was found
 * about the machine may not fit together.
 */
bool machine_has_changed(const struct machine *before);

#endif /* KLP_SETS_KNOW_EFFECT_H */
