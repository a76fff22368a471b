/* SPDX-License-Identifier: GPL-2.0 */
/* machine.h - what is on this machine, read from sysfs */
#ifndef KLP_SETS_KNOW_MACHINE_H
#define KLP_SETS_KNOW_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/policies.h"

struct assignment;
struct livepatch;

/* A livepatch module that is no longer a patch: replaced or disabled, not removed. */
struct leftover {
	char *name;
	char *version;		/* MODULE_VERSION, or NULL */
	long refcnt;		/* 0: can be removed; held after a forced transition */
};

struct machine {
	bool livepatching;	/* /sys/kernel/livepatch exists */
	bool core;		/* klp_sets is loaded */
	struct policy policy;	/* the defaults when it is not */
	struct livepatch **patches;	/* enabled, or in transition */
	size_t nr_patches;
	struct assignment *assignments;
	size_t nr_assignments;
	bool assignments_hidden;	/* they could not be read: there may be any */
	struct leftover *leftovers;
	size_t nr_leftovers;
};

/* Reads all of it, sets in their order; a patch that goes away meanwhile is left out. */
struct machine *machine_read(void);
/* A machine with nothing on it, for checks on files alone. */
struct machine *machine_empty(void);
void machine_free(struct machine *m);
void machine_add(struct machine *m, struct livepatch *lp);
struct livepatch *machine_find(const struct machine *m, const char *name);
/* Whether a livepatch of this name is on this machine now, and not on its way out. */
bool is_enabled(const char *name);
/* What waits in the kernel for a module of this name, or NULL. */
const struct assignment *machine_find_assignment(const struct machine *m, const char *name);
/* Whether the module of this name was a patch once, and is still there. */
bool machine_has_leftover(const struct machine *m, const char *name);
/* The patch of a set, or NULL. */
struct livepatch *machine_find_set(const struct machine *m, uint32_t set);
/* The patch in transition, or NULL. */
struct livepatch *machine_in_transition(const struct machine *m);
/* Dies, and says why, on a kernel without livepatching. */
void machine_need_livepatching(const struct machine *m);
/* What a user wrote, a set or the name of a patch or module file; dies when there is none. */
struct livepatch *machine_find_arg(const struct machine *m, const char *arg);

#endif /* KLP_SETS_KNOW_MACHINE_H */
