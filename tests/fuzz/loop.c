// SPDX-License-Identifier: GPL-2.0
/*
 * loop.c - klp-sets check again and again in one process, for AFL++
 *
 *   loop [--json] check ARGUMENT...
 *
 * To start one for each file would take most of the time.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/check.h"
#include "verbs/options.h"
#include "read/util.h"

int main(int argc, char **argv)
{
	char **words = xcalloc(argc + 1, sizeof(*words));

	while (__AFL_LOOP(1000)) {
		/* getopt() moves them. */
		memcpy(words, argv, argc * sizeof(*words));
		opt_json = !strcmp(argv[1], "--json");
		verb_check.run(argc - 1 - opt_json, words + 1 + opt_json);
		fflush(stdout);
	}
	return 0;
}
