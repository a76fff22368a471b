// SPDX-License-Identifier: GPL-2.0
/*
 * parameters.c - the parameters that a module is loaded with
 *
 * The kernel ignores one that it does not know, and says so in its log only. So who has
 * mistyped one is told before.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "know/parameters.h"
#include "read/image.h"
#include "read/modfile.h"
#include "read/names.h"
#include "read/util.h"

/* More than anybody means. */
#define PARAMETERS_MAX 4096

/* What the kernel takes for any module. */
static bool is_general(const char *name)
{
	return !strcmp(name, "dyndbg") || !strcmp(name, "async_probe");
}

/* "parmtype=NAME:TYPE" is there for each. */
static bool has_parameter(const struct image *image, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = image_modinfo(image, "parmtype", NULL); p;
	     p = image_modinfo(image, "parmtype", p)) {
		if (!strncmp(p, name, len) && p[len] == ':')
			return true;
	}
	return is_general(name);
}

/* In quotes where it has spaces; the kernel knows of nothing else. */
static char *in_quotes(const char *name, const char *value)
{
	const char *quote = strpbrk(value, " \t") || !*value ? "\"" : "";

	if (strchr(value, '"') || strcmp(value, printable(value)))
		usage_error("the value of the parameter '%s' has characters that the kernel cannot be told",
			    name);
	return xasprintf("%s=%s%s%s", name, quote, value, quote);
}

static char *parse(const struct module_file *file, const struct image *image, const char *word)
{
	const char *value = strchr(word, '=');
	char *name = module_underscores(xasprintf("%.*s", (int)(value - word), word));

	if (!has_parameter(image, name))
		die("the module in %s has no parameter '%s'. 'modinfo' shows those that it has",
		    file->path, name);
	return in_quotes(name, value + 1);
}

void parameters_need_form(const char *verb, char **words)
{
	for (; *words; words++) {
		if (!strchr(*words, '=') || **words == '=')
			usage_error("%s needs one FILE, and then only its parameters, each as NAME=VALUE: '%s' is none",
				    verb, *words);
	}
}

char *parameters_from_words(const struct module_file *file, char **words)
{
	struct image *image;
	char *all = NULL, *longer, *word, *why;

	if (!*words)
		return NULL;
	image = image_open(file, &why);
	if (!image)
		die("%s cannot be used: %s", file->path, why);
	for (; *words; words++) {
		word = parse(file, image, *words);
		longer = xasprintf("%s%s%s", all ? all : "", all ? " " : "", word);
		free(word);
		free(all);
		all = longer;
		if (strlen(all) > PARAMETERS_MAX)
			usage_error("the parameters have more than %d characters", PARAMETERS_MAX);
	}
	image_close(image);
	return all;
}
