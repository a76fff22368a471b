/* SPDX-License-Identifier: GPL-2.0 */
/* load.h - the verb load: a livepatch takes effect */
#ifndef KLP_SETS_VERBS_LOAD_H
#define KLP_SETS_VERBS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "verbs/options.h"

struct livepatch;
struct module_file;

/*
 * Seconds that a command waits for a transition without --wait: after 15, the kernel
 * signals those who hold it up, which helps with most of them.
 */
#define PATIENCE 20

/* As long as it takes: what --wait without a number means. */
#define FOR_EVER -1

struct load_options {
	const uint32_t *set;	/* --set, or NULL */
	const char *parameters;	/* of the module, as the kernel wants them; or NULL */
	bool keep;		/* do not remove what was replaced */
	bool replace_all;	/* a stock livepatch may take sets away */
	struct duration wait;	/* --wait */
	/* Called once it is in the kernel, before its transition is waited for; or NULL. */
	void (*loaded)(void *data);
	void *data;
};

/* All of `klp-sets load`: EXIT_OK or EXIT_REFUSED, with messages. */
int load_patch(const struct module_file *file, const struct load_options *options);
/* Seconds to wait for each thing that takes time: those of --wait, or PATIENCE. */
double patience(const struct load_options *options);

/* For the journal: its transition has had its time. */
void note_stuck(const struct livepatch *lp);

extern const struct verb verb_load;

#endif /* KLP_SETS_VERBS_LOAD_H */
