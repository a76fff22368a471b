/* SPDX-License-Identifier: GPL-2.0 */
/* policies.h - how far a replace may reach, as the operator wants it */
#ifndef KLP_SETS_KEEP_POLICIES_H
#define KLP_SETS_KEEP_POLICIES_H

#include <stdbool.h>
#include <stddef.h>

enum stock_replace { STOCK_ALL, STOCK_SCOPED, STOCK_REFUSE };

struct policy {
	enum stock_replace stock_replace;
	bool set0_replaces_all;
	bool allow_replace_all;
	bool taint;
};

/* A parameter of klp_sets. */
struct knob {
	const char *name;
	const char *values;	/* those allowed, separated by spaces; NULL for 0 and 1 */
	const char *normal;
	const char *meaning;
};

#define NR_KNOBS 4
extern const struct knob knobs[NR_KNOBS];

#define KNOB_PARAMETERS "/sys/module/klp_sets/parameters"
#define POLICY_CONF "/etc/modprobe.d/klp-sets.conf"

/* As the kernel reads it: a copy of the value in its short form, or NULL. */
char *knob_parse(const struct knob *knob, const char *value);
/* All that it can be, for a message. */
const char *knob_values(const struct knob *knob);
/* Whether a word "NAME=VALUE" is about the knob; "taint" alone is taint=1. */
bool is_knob(const struct knob *knob, const char *word, size_t len, const char **value);
/* Its value in the kernel, NULL when klp_sets is not loaded. */
char *knob_now(const struct knob *knob);
/* Changes that: 0, or a negative errno, -ENOENT when klp_sets is not loaded. */
int knob_set_now(const struct knob *knob, const char *value);
/* What modprobe would give to klp_sets, as it is written; or NULL. *tell* warns of nonsense. */
char *knob_kept_text(const struct knob *knob, bool tell);
/* The same in its short form; NULL when it makes no sense, too. */
char *knob_kept(const struct knob *knob);
/* Writes new values into POLICY_CONF, all or none of them. */
void knobs_keep(const struct knob *const *changed, char *const *new, size_t n);
/* What modprobe would load klp_sets with. */
struct policy policy_kept(void);

#endif /* KLP_SETS_KEEP_POLICIES_H */
