// SPDX-License-Identifier: GPL-2.0
/*
 * policies.c - how far a replace may reach, as the operator wants it
 *
 * The policy is a handful of parameters of the module klp_sets. They are written to
 * /etc/modprobe.d, where they hold for whoever loads it, and to the module that is
 * loaded now.
 */
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "keep/policies.h"
#include "keep/files.h"
#include "keep/kernel.h"
#include "read/util.h"

const struct knob knobs[NR_KNOBS] = {
	{ "stock_replace", "all scoped refuse", "all",
	  "what a stock 'replace' replaces: all, set 0, or it is refused" },
	{ "set0_replaces_all", NULL, "0",
	  "a livepatch of set 0 replaces every other" },
	{ "allow_replace_all", NULL, "1",
	  "livepatches of other sets may be replaced" },
	{ "taint", NULL, "0",
	  "a livepatch of any set but 0 taints the kernel" },
};

char *knob_parse(const struct knob *knob, const char *value)
{
	static const char * const yes[] = { "1", "y", "yes", "on", "true" };
	static const char * const no[] = { "0", "n", "no", "off", "false" };
	char *list, *word, *rest;

	if (!knob->values) {
		for (size_t i = 0; i < 5; i++) {
			if (!strcasecmp(value, yes[i]))
				return xstrdup("1");
			if (!strcasecmp(value, no[i]))
				return xstrdup("0");
		}
		return NULL;
	}
	list = xstrdup(knob->values);
	for (word = strtok_r(list, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (!strcmp(word, value))
			return word;
	}
	free(list);
	return NULL;
}

const char *knob_values(const struct knob *knob)
{
	return knob->values ? knob->values : "0 1";
}

bool is_knob(const struct knob *knob, const char *word, size_t len, const char **value)
{
	size_t n = strlen(knob->name);

	if (len < n || strncmp(word, knob->name, n) || (len > n && word[n] != '='))
		return false;
	*value = len > n ? word + n + 1 : "1";
	return true;
}

/* --- what is loaded --------------------------------------------------------- */

char *knob_now(const struct knob *knob)
{
	char *path = xasprintf(KNOB_PARAMETERS "/%s", knob->name);
	char *text = is_this_machine() ? read_file(path) : NULL;

	free(path);
	return text ? knob_parse(knob, text) : NULL;
}

int knob_set_now(const struct knob *knob, const char *value)
{
	char *path = xasprintf(KNOB_PARAMETERS "/%s", knob->name);
	int err = is_this_machine() ? write_file(path, value) : -ENOENT;

	free(path);
	return err;
}

/* --- what is kept ----------------------------------------------------------- */

/* All options that modprobe would give to klp_sets, from these files and folders. */
static char *options_in(const char *const *paths, size_t n)
{
	const char **list = xcalloc(n + 1, sizeof(*list)), *options;
	struct kmod_module *module;
	struct kmod_ctx *ctx;
	char *copy;

	memcpy(list, paths, n * sizeof(*list));
	ctx = kmod_new(NULL, list);
	if (!ctx || kmod_module_new_from_name(ctx, "klp_sets", &module))
		die("the configuration of modprobe cannot be read: %s", strerror(errno));
	options = kmod_module_get_options(module);
	copy = xstrdup(options ? options : "");
	kmod_module_unref(module);
	kmod_unref(ctx);
	free(list);
	return copy;
}

static char *kept_options(void)
{
	static const char * const folders[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib",
						"/lib" };
	const char *paths[5];

	for (size_t i = 0; i < 5; i++)
		paths[i] = xasprintf("%s%s/modprobe.d", root_path(), folders[i]);
	return options_in(paths, 5);
}

/* Of options, which are taken apart; the last one wins, but the module takes all or none. */
static char *find_option(char *options, const struct knob *knob, bool tell)
{
	char *word, *rest, *found = NULL;
	const char *value;

	for (word = strtok_r(options, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (!is_knob(knob, word, strlen(word), &value))
			continue;
		if (tell && !knob_parse(knob, value))
			warn("%s is to be '%s' when klp_sets is loaded, which it does not take: it cannot be loaded. It can be one of: %s",
			     knob->name, value, knob_values(knob));
		free(found);
		found = xstrdup(value);
	}
	return found;
}

char *knob_kept_text(const struct knob *knob, bool tell)
{
	return find_option(kept_options(), knob, tell);
}

/* A value that the kernel would not take is as good as none. */
char *knob_kept(const struct knob *knob)
{
	char *text = knob_kept_text(knob, false), *value = text ? knob_parse(knob, text) : NULL;

	free(text);
	return value;
}

struct policy policy_kept(void)
{
	char *values[NR_KNOBS];
	struct policy p;

	for (size_t i = 0; i < NR_KNOBS; i++) {
		values[i] = knob_kept(&knobs[i]);
		if (!values[i])
			values[i] = xstrdup(knobs[i].normal);
	}
	p.stock_replace = !strcmp(values[0], "scoped") ? STOCK_SCOPED :
			  !strcmp(values[0], "refuse") ? STOCK_REFUSE : STOCK_ALL;
	p.set0_replaces_all = *values[1] == '1';
	p.allow_replace_all = *values[2] == '1';
	p.taint = *values[3] == '1';
	return p;
}

/* --- the file --------------------------------------------------------------- */

#define MARK "# Written by klp-sets policy, which writes it anew: see klp-sets(8).\n"

/* Whoever wrote it thought of it longer than we have: once, it is kept. */
static void keep_old(const char *path, const char *text)
{
	char *old = xasprintf("%s.old", path);

	if (!access(old, F_OK))
		die("%s was not written by klp-sets, and neither it nor %s is to be lost. Move one of them away",
		    path, old);
	if (replace_file(old, xasprintf("%s\n", text)))
		die("%s cannot be written: %s", old, file_strerror(errno));
	warn("%s was not written by klp-sets: it is kept as %s. Of what it says, only the policy stays in force",
	     path, old);
}

/* The value that is to be in the file, or NULL for none. */
static const char *new_value(const struct knob *knob, const struct knob *const *changed,
			     char *const *new, size_t n, const char *path)
{
	const char *value = find_option(options_in(&path, 1), knob, false);

	value = value ? knob_parse(knob, value) : NULL;
	for (size_t i = 0; i < n; i++) {
		if (changed[i] == knob)
			value = new[i];
	}
	return value;
}

void knobs_keep(const struct knob *const *changed, char *const *new, size_t n)
{
	char *path = xasprintf("%s" POLICY_CONF, root_path()), *text = read_file(path);
	char *out = xstrdup(MARK);

	if (!text && errno != ENOENT)
		die("%s cannot be read: %s", path, file_strerror(errno));
	if (can_replace_file(path))
		die("%s cannot be written: %s. Nothing is changed", path, file_strerror(errno));
	for (size_t i = 0; i < NR_KNOBS; i++) {
		const char *value = new_value(&knobs[i], changed, new, n, path);

		if (value)
			out = xasprintf("%soptions klp_sets %s=%s\n", out, knobs[i].name, value);
	}
	if (text && *text && strncmp(text, MARK, strlen(MARK) - 1))
		keep_old(path, text);
	if (replace_file(path, out))
		die("%s cannot be written: %s", path, file_strerror(errno));
}
