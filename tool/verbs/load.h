/* SPDX-License-Identifier: GPL-2.0 */
/* load.h - the verb load: a livepatch takes effect */
#ifndef KLP_SETS_VERBS_LOAD_H
#define KLP_SETS_VERBS_LOAD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Seconds that a command waits for a transition without --wait: after 15, the kernel
 * signals those who hold it up, which helps with most of them.
 */
#define PATIENCE 20

struct load_options {
	const uint32_t *set;	/* --set, or NULL */
	bool keep;		/* do not remove what was replaced */
	bool wait;
	double seconds;		/* -1: as long as it takes */
	/* Called once it is in the kernel, before its transition is waited for; or NULL. */
	void (*loaded)(void *data);
	void *data;
};

/* All of `klp-sets load`: EXIT_OK or EXIT_REFUSED, with messages. */
int load_patch(const char *path, const struct load_options *options);
/* What "--wait" or "--wait=SECONDS" (NULL without) means; ends the process when wrong. */
void parse_wait(const char *seconds, struct load_options *options);
/* Seconds to wait for each thing that takes time: those of --wait, or PATIENCE. */
double patience(const struct load_options *options);

int cmd_load(int argc, char **argv);

#endif /* KLP_SETS_VERBS_LOAD_H */
