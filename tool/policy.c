// SPDX-License-Identifier: GPL-2.0
/*
 * policy.c - how far a replace may reach, as the operator wants it
 *
 * The policy is a handful of parameters of the module klp_sets. They are written to
 * /etc/modprobe.d, where they hold for whoever loads it, and to the module that is
 * loaded now.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <json.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "store.h"

#define PARAMETERS "/sys/module/klp_sets/parameters"
#define CONF "/etc/modprobe.d/klp-sets.conf"

static const struct knob {
	const char *name;
	const char *values;	/* those allowed, separated by spaces; NULL for 0 and 1 */
	const char *normal;
	const char *meaning;
} knobs[] = {
	{ "stock_replace", "all scoped refuse", "all",
	  "what a stock 'replace' replaces: all, set 0, or it is refused" },
	{ "set0_replaces_all", NULL, "0",
	  "a livepatch of set 0 replaces every other" },
	{ "allow_replace_all", NULL, "1",
	  "livepatches of other sets may be replaced" },
	{ "taint", NULL, "0",
	  "a livepatch of any set but 0 taints the kernel" },
};

#define NR_KNOBS (sizeof(knobs) / sizeof(knobs[0]))

/* As the kernel reads it: a copy of the value in its short form, or NULL. */
static char *parse_value(const struct knob *knob, const char *value)
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

static const char *allowed(const struct knob *knob)
{
	return knob->values ? knob->values : "0 1";
}

/* Whether a word "NAME=VALUE" is about the knob; "taint" alone is taint=1. */
static bool is_knob(const struct knob *knob, const char *word, size_t len, const char **value)
{
	size_t n = strlen(knob->name);

	if (len < n || strncmp(word, knob->name, n) || (len > n && word[n] != '='))
		return false;
	*value = len > n ? word + n + 1 : "1";
	return true;
}

/* --- what is loaded --------------------------------------------------------- */

/* NULL when klp_sets is not loaded. */
static char *value_now(const struct knob *knob)
{
	char *path = xasprintf(PARAMETERS "/%s", knob->name);
	char *text = is_this_machine() ? read_file(path) : NULL;

	free(path);
	return text ? parse_value(knob, text) : NULL;
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

/* The last one wins, but the module takes all or none. NULL when there is none. */
static char *text_kept(const struct knob *knob, bool tell)
{
	char *options = kept_options(), *word, *rest, *found = NULL;
	const char *value;

	for (word = strtok_r(options, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (!is_knob(knob, word, strlen(word), &value))
			continue;
		if (tell && !parse_value(knob, value))
			warn("%s is to be '%s' when klp_sets is loaded, which it does not take: it cannot be loaded. It can be one of: %s",
			     knob->name, value, allowed(knob));
		free(found);
		found = xstrdup(value);
	}
	free(options);
	return found;
}

/* A value that the kernel would not take is as good as none. */
static char *value_kept(const struct knob *knob)
{
	char *text = text_kept(knob, false), *value = text ? parse_value(knob, text) : NULL;

	free(text);
	return value;
}

struct policy policy_kept(void)
{
	char *values[NR_KNOBS];
	struct policy p;

	for (size_t i = 0; i < NR_KNOBS; i++) {
		values[i] = value_kept(&knobs[i]);
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

/* --- the verb --------------------------------------------------------------- */

static void show(void)
{
	json_object *all = json_object_new_object();

	if (!opt_json)
		printf("%-18s %-8s %-10s %-18s %s\n", "NAME", "NOW", "KEPT", "VALUES", "MEANING");
	for (size_t i = 0; i < NR_KNOBS; i++) {
		const struct knob *knob = &knobs[i];
		char *now = value_now(knob), *kept = text_kept(knob, true);
		char *value = kept ? parse_value(knob, kept) : NULL;
		json_object *row;

		kept = value ? value : kept;

		if (!opt_json) {
			printf("%-18s %-8s %-10s %-18s %s\n", knob->name, now ? now : "-",
			       kept ? kept : xasprintf("(%s)", knob->normal), allowed(knob),
			       knob->meaning);
			continue;
		}
		row = json_object_new_object();
		json_object_object_add(row, "now", now ? json_object_new_string(now) : NULL);
		json_object_object_add(row, "kept", kept ? json_object_new_string(kept) : NULL);
		json_object_object_add(row, "default", json_object_new_string(knob->normal));
		json_object_object_add(row, "values", json_object_new_string(allowed(knob)));
		json_object_object_add(all, knob->name, row);
	}
	if (opt_json)
		puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
							    JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (!value_now(&knobs[0]))
		puts("klp_sets is not loaded. It will be with what is kept; (...) is the default.");
	json_object_put(all);
}

static const struct knob *find_knob(const char *arg, const char **value)
{
	for (size_t i = 0; i < NR_KNOBS; i++) {
		if (strchr(arg, '=') && is_knob(&knobs[i], arg, strlen(arg), value))
			return &knobs[i];
	}
	usage_error("'%s' is not a policy. It must be NAME=VALUE, and NAME one of stock_replace, "
		    "set0_replaces_all, allow_replace_all, taint", arg);
}

static void set_now(const struct knob *knob, const char *new)
{
	char *path = xasprintf(PARAMETERS "/%s", knob->name);
	int err = is_this_machine() ? write_file(path, new) : -ENOENT;

	if (err && err != -ENOENT)
		die("%s cannot be set to %s: %s. " CONF " has it already", path, new,
		    strerror(-err));
	if (!opt_quiet)
		printf("%s is %s %swhenever klp_sets is loaded\n", knob->name, new,
		       err ? "" : "now, and ");
	free(path);
}

int cmd_policy(int argc, char **argv)
{
	static const struct option options[] = { { 0 } };
	char *path = xasprintf("%s" CONF, root_path()), *text, **new;
	const struct knob **changed;
	const char *value;

	if (getopt_long(argc, argv, "", options, NULL) != -1)
		usage_end();
	argc -= optind;
	argv += optind;
	if (!argc) {
		show();
		return EXIT_OK;
	}

	/* All are looked at before any is written. */
	changed = xcalloc(argc, sizeof(*changed));
	new = xcalloc(argc, sizeof(*new));
	for (int i = 0; i < argc; i++) {
		changed[i] = find_knob(argv[i], &value);
		new[i] = parse_value(changed[i], value);
		if (!new[i])
			usage_error("%s cannot be '%s'. It can be one of: %s", changed[i]->name,
				    value, allowed(changed[i]));
	}

	lock_changes();
	text = read_file(path);
	if (!text && errno != ENOENT)
		die("%s cannot be read: %s", path, strerror(errno));
	text = text ? xasprintf("%s%s", text, *text ? "\n" : "") :
		      xstrdup("# See klp-sets(8), policy.\n");
	for (int i = 0; i < argc; i++)
		text = change_text(text, changed[i], new[i]);
	if (replace_file(path, text))
		die("%s cannot be written: %s", path, strerror(errno));
	for (int i = 0; i < argc; i++) {
		char *kept = value_kept(changed[i]);

		set_now(changed[i], new[i]);
		if (!kept || strcmp(kept, new[i]))
			warn("another file of modprobe.d sets %s as well, and wins: it will be %s "
			     "when klp_sets is loaded", changed[i]->name, kept ? kept : "unset");
	}
	return EXIT_OK;
}
