// SPDX-License-Identifier: GPL-2.0
/* names.c - what a module is called, in the kernel's list and as the name of its file */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "read/names.h"
#include "read/util.h"

char *module_underscores(char *name)
{
	for (char *c = name; *c; c++) {
		if (*c == '-')
			*c = '_';
	}
	return name;
}

/* Whatever the locale is: these are bytes of C identifiers. */
static bool is_word(const char *s, const char *more)
{
	for (; *s; s++) {
		if (!isascii(*s) || !(isalnum(*s) || strchr(more, *s)))
			return false;
	}
	return true;
}

bool is_module_name(const char *name)
{
	return *name && strlen(name) <= MODULE_NAME_MAX && is_word(name, "_");
}

char *module_name(const char *arg)
{
	static const char * const endings[] = { ".ko", ".ko.gz", ".ko.xz", ".ko.zst" };
	const char *slash = strrchr(arg, '/');
	char *name = xstrdup(slash ? slash + 1 : arg), *dot = strchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(endings) / sizeof(endings[0]); i++) {
		if (!strcmp(dot, endings[i]))
			*dot = '\0';
	}
	module_underscores(name);
	if (is_module_name(name))
		return name;
	free(name);
	return NULL;
}

char *need_module_name(const char *arg)
{
	char *name = module_name(arg);

	if (!name)
		usage_error("'%s' cannot be the name of a module: 1 to %d letters, digits, - and _",
			    arg, MODULE_NAME_MAX);
	return name;
}

/* As distributions name them: 6.12.118+deb13-amd64, 5.14.0-427.el9.x86_64, 6.8~rc1 */
bool is_release(const char *name)
{
	return *name && *name != '.' && strlen(name) <= 64 && is_word(name, "-+._~:@,=%^");
}
