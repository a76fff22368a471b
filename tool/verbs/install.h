/* SPDX-License-Identifier: GPL-2.0 */
/* install.h - what is in the store: install, uninstall, rollback */
#ifndef KLP_SETS_VERBS_INSTALL_H
#define KLP_SETS_VERBS_INSTALL_H

#include <stdbool.h>
#include <stdint.h>

#include "verbs/options.h"
#include "read/journal.h"

struct livepatch;
struct load_options;
struct module_file;
struct slot;
struct store;

/* What was prepared is in force, and loaded at boot whatever has become of it before. */
void install_commit(struct store *s, const char *name);
/*
 * Loads the current version of the new content, which is in force as soon as the kernel
 * has it: whatever happens then, machine and store agree. EXIT_OK or EXIT_REFUSED; dies when
 * nothing has changed.
 */
int install_load(struct store *s, const struct slot *slot, const struct livepatch *lp,
		 const struct module_file *file, struct load_options *options);
/* For the journal. The livepatch, its set, and the version whose place it takes may be missing. */
void note_stored(enum event event, const char *name, bool has_set, uint32_t set, const char *from);
/* Takes it out of the store, with all its versions. */
void uninstall_slot(struct store *s, struct slot *slot);

extern const struct verb verb_install;
extern const struct verb verb_uninstall;
extern const struct verb verb_rollback;

#endif /* KLP_SETS_VERBS_INSTALL_H */
