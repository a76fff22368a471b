/* SPDX-License-Identifier: GPL-2.0 */
/* run.h - what is known of this boot, and forgotten with it */
#ifndef KLP_SETS_KEEP_RUN_H
#define KLP_SETS_KEEP_RUN_H

/* The kernel's name for this boot, "unknown" if it has none. To be freed. */
char *boot_id(void);
/* Writes a note below /run/klp-sets, if that is possible, whatever KLP_SETS_ROOT is. */
void run_note(const char *name, const char *text);
/* What was noted there in this boot, or NULL. To be freed. */
char *run_noted(const char *name);

/* What became of a livepatch the last time that it was to be loaded: "loaded", or "refused". */
void run_note_load(const char *name, const char *what);
char *run_noted_load(const char *name);

#endif /* KLP_SETS_KEEP_RUN_H */
