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

bool is_module_name(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		if (!isascii(name[i]) || !(isalnum(name[i]) || name[i] == '_'))
			return false;
	}
	return i && i <= MODULE_NAME_MAX;
}

bool is_module_pattern(const char *name)
{
	size_t len = strlen(name);
	char *start;
	bool is;

	if (!len || len > MODULE_NAME_MAX || name[len - 1] != '*')
		return false;
	start = xstrdup(name);
	start[len - 1] = '\0';
	is = is_module_name(start);
	free(start);
	return is;
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
