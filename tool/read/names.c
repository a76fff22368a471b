// SPDX-License-Identifier: GPL-2.0
/* names.c - what a module is called, in the kernel's list and as the name of its file */
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

char *module_name(const char *arg)
{
	const char *slash = strrchr(arg, '/');
	char *name = xstrdup(slash ? slash + 1 : arg);
	char *end = strstr(name, ".ko");

	if (end)
		*end = '\0';
	return module_underscores(name);
}
