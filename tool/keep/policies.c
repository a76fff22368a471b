// SPDX-License-Identifier: GPL-2.0
/*
 * policies.c - how far a replace may reach, as the operator wants it
 *
 * The policy is a handful of parameters of the module klp_sets. They are written to
 * /etc/modprobe.d, where they hold for whoever loads it, and to the module that is
 * loaded now.
 */
#include <ctype.h>
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "keep/policies.h"
#include "keep/files.h"
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

/* All options that modprobe would give to klp_sets, from whatever file. */
static char *kept_options(void)
{
	static const char * const folders[] = { "/etc", "/run", "/usr/local/lib", "/usr/lib",
						"/lib" };
	const char *paths[6] = { NULL }, *options;
	struct kmod_module *module;
	struct kmod_ctx *ctx;
	char *copy;

	for (size_t i = 0; i < 5; i++)
		paths[i] = xasprintf("%s%s/modprobe.d", root_path(), folders[i]);
	ctx = kmod_new(NULL, paths);
	if (!ctx || kmod_module_new_from_name(ctx, "klp_sets", &module))
		die("the configuration of modprobe cannot be read: %s", strerror(errno));
	options = kmod_module_get_options(module);
	copy = xstrdup(options ? options : "");
	kmod_module_unref(module);
	kmod_unref(ctx);
	return copy;
}

/* The last one wins, but the module takes all or none. */
char *knob_kept_text(const struct knob *knob, bool tell)
{
	char *options = kept_options(), *word, *rest, *found = NULL;
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
	free(options);
	return found;
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

/* The length of what separates words: blanks, and a line's end after a backslash. */
static size_t gap(const char *s)
{
	size_t n = 0;

	for (;;) {
		if (s[n] == ' ' || s[n] == '\t')
			n++;
		else if (s[n] == '\\' && s[n + 1] == '\n')
			n += 2;
		else
			return n;
	}
}

static size_t word_len(const char *s)
{
	size_t n = 0;

	while (s[n] && !isspace((unsigned char)s[n]) && !(s[n] == '\\' && s[n + 1] == '\n'))
		n++;
	return n;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && !strncmp(s, word, len);
}

/* Where the options of klp_sets start on this line, or NULL. */
static const char *find_options(const char *s)
{
	size_t len;

	s += gap(s);
	len = word_len(s);
	if (!is_word(s, len, "options"))
		return NULL;
	s += len;
	s += gap(s);
	len = word_len(s);
	return is_word(s, len, "klp_sets") || is_word(s, len, "klp-sets") ? s + len : NULL;
}

/* The whole line, with those that continue it and its newline. */
static size_t line_len(const char *s)
{
	size_t n = 0;

	while (s[n] && s[n] != '\n')
		n += s[n] == '\\' && s[n + 1] ? 2 : 1;
	return n + (s[n] == '\n');
}

/* The text with a value changed wherever it is set, or set at the end; all else stays. */
static char *change_text(const char *text, const struct knob *knob, const char *new)
{
	char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);
	bool found = false;
	const char *value;

	if (!f)
		die("out of memory");
	while (*text) {
		const char *end = text + line_len(text), *word = find_options(text);

		while (word && word < end) {
			size_t len;

			word += gap(word);
			len = word_len(word);
			if (!len)
				break;
			if (is_knob(knob, word, len, &value)) {
				fwrite(text, 1, word - text, f);
				fprintf(f, "%s=%s", knob->name, new);
				text = word + len;
				found = true;
			}
			word += len;
		}
		fwrite(text, 1, end - text, f);
		text = end;
	}
	if (!found)
		fprintf(f, "options klp_sets %s=%s\n", knob->name, new);
	fclose(f);
	return out;
}

void knobs_keep(const struct knob *const *changed, char *const *new, size_t n)
{
	char *path = xasprintf("%s" POLICY_CONF, root_path()), *text = read_file(path);

	if (!text && errno != ENOENT)
		die("%s cannot be read: %s", path, strerror(errno));
	text = text ? xasprintf("%s%s", text, *text ? "\n" : "") :
		      xstrdup("# See klp-sets(8), policy.\n");
	for (size_t i = 0; i < n; i++)
		text = change_text(text, changed[i], new[i]);
	if (replace_file(path, text))
		die("%s cannot be written: %s", path, strerror(errno));
}
