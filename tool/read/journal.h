/* SPDX-License-Identifier: GPL-2.0 */
/* journal.h - what was done, for systemd's journal, so that nobody has to read sentences */
#ifndef KLP_SETS_READ_JOURNAL_H
#define KLP_SETS_READ_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

struct livepatch;

/* klp-sets(8) has the MESSAGE_ID of each, which is for ever. */
enum event {
	EVENT_LOADED,
	EVENT_LOADED_AT_BOOT,
	EVENT_REPLACED,
	EVENT_UNLOADED,
	EVENT_REFUSED,
	EVENT_REFUSED_BY_KERNEL,
	EVENT_STUCK,
	EVENT_REVERSED,
	EVENT_FORCED,
	EVENT_STORED,
	EVENT_REMOVED,
	EVENT_ROLLED_BACK,
	EVENT_HELD,
	EVENT_ASSIGNED,
	EVENT_UNASSIGNED,
	EVENT_POLICY,
	NR_EVENTS
};

/* The verb that this process runs, for KLP_SETS_VERB. */
void journal_verb(const char *name);

/*
 * One entry is put together, and sent when it is complete. Where no journal is, nothing happens,
 * and nobody waits for one that does not listen.
 */
struct entry;

struct entry *entry_new(enum event event) __attribute__((warn_unused_result));
/* A field, unless the value is NULL. One that comes again has several values. */
void entry_add(struct entry *e, const char *field, const char *value);
void entry_add_set(struct entry *e, bool has_set, uint32_t set);
/* KLP_SETS_LIVEPATCH, and its set. */
void entry_add_livepatch(struct entry *e, const struct livepatch *lp);
/* With the sentence, which is for people. The entry is gone. */
void entry_send(struct entry *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* KLP_SETS_READ_JOURNAL_H */
