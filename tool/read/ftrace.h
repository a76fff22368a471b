/* SPDX-License-Identifier: GPL-2.0 */
/* ftrace.h - who is called when a function is entered, as ftrace and kprobes tell it */
#ifndef KLP_SETS_READ_FTRACE_H
#define KLP_SETS_READ_FTRACE_H

#include <stdbool.h>
#include <stddef.h>

struct func;
struct symbols;

/* A function on which somebody waits. */
struct hooked {
	char *object, *name;
	unsigned int count;	/* of handlers */
	bool redirected;	/* one of them may send the caller elsewhere */
	bool livepatch;		/* and it is livepatch */
	char *direct;		/* what is called directly, a BPF trampoline; or NULL */
};

struct probe {
	char *object, *name;
	unsigned long offset;
	bool entry;		/* it is one of the handlers at the function's entry */
	bool runs;		/* whatever is called instead of the function */
	bool ret;		/* a kretprobe */
};

struct ftrace {
	struct hooked *hooked;	/* sorted by name */
	size_t nr_hooked;
	struct probe *probes;	/* armed ones */
	size_t nr_probes;
	bool probes_known;	/* debugfs could be read */
	bool off;		/* kernel.ftrace_enabled is 0 */
	struct symbols *symbols;	/* for aliases, once one is asked for */
};

/* Somebody on a function of a module. */
struct watcher {
	const char *function;
	char *who;
};

/* NULL, with the reason in *why, when ftrace's list cannot be read. */
struct ftrace *ftrace_read(char **why);
void ftrace_free(struct ftrace *f);
/* All functions of this name, *nr of them; NULL when nobody waits on any. */
const struct hooked *ftrace_find(const struct ftrace *f, const char *object, const char *name,
				 size_t *nr);
/* The function under another name of the same address: ftrace knows only one. */
const struct hooked *ftrace_find_alias(struct ftrace *f, const struct func *func);

/*
 * Who waits on functions in a livepatch's own code, which run in the place of others; *nr of
 * them, sorted by function. To be freed with their names.
 */
struct watcher *ftrace_watchers(const struct ftrace *f, const char *module, size_t *nr);
void watchers_free(struct watcher *watchers, size_t nr);

#endif /* KLP_SETS_READ_FTRACE_H */
