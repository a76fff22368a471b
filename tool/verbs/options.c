// SPDX-License-Identifier: GPL-2.0
/* options.c - the command line of a verb, and its help */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verbs/options.h"
#include "read/livepatch.h"
#include "read/util.h"

/* Of one verb. */
#define MAX_OPTIONS 8

/* A year. It must fit into every kind of time. */
#define MAX_SECONDS (365 * 24 * 60 * 60)

/* For getopt_long(), options without a letter count from here. */
#define NO_LETTER 256

static const struct {
	int has_arg;
	const char *name;	/* as --help shows it */
} operands[] = {
	[TAKES_NOTHING] = { no_argument, "" },
	[TAKES_SET] = { required_argument, " N" },
	[TAKES_SETS] = { required_argument, " LIST" },
	[TAKES_MAP] = { required_argument, " MAP" },
	[TAKES_FOLDER] = { required_argument, " DIR" },
	[TAKES_SECONDS] = { required_argument, "=SECONDS" },
	[MAY_TAKE_SECONDS] = { optional_argument, "[=SECONDS]" },
};

static void __attribute__((noreturn)) help(const struct verb *verb, const struct opt *opts)
{
	printf("Usage: klp-sets %s%s%s\n%s\n", verb->name, *verb->arguments ? " " : "",
	       verb->arguments, verb->help);
	for (const struct opt *opt = opts; opt->name; opt++) {
		char letter[] = { '-', opt->letter, ',', ' ', '\0' };
		char *text = xasprintf("%s--%s%s", opt->letter ? letter : "", opt->name,
				       operands[opt->operand].name);

		printf("%s  %-20s  %s\n", opt == opts ? "\n" : "", text, opt->help);
		free(text);
	}
	puts("\n'klp-sets --help' tells of all verbs, klp-sets(8) of everything.");
	exit(finish_output(EXIT_OK));
}

static double parse_seconds(const char *arg)
{
	char *end;
	double seconds = strtod(arg, &end);

	if (end == arg || *end || !(seconds >= 0) || seconds > MAX_SECONDS)
		usage_error("'%s' is not a number of seconds, from 0 to %d", arg, MAX_SECONDS);
	return seconds;
}

static void add_set(struct set_list *list, uint32_t set)
{
	for (size_t i = 0; i < list->nr; i++) {
		if (list->sets[i] == set)
			return;
	}
	if (list->nr == MAX_OBSOLETES)
		usage_error("there are more than %d sets", MAX_OBSOLETES);
	list->sets = xrealloc(list->sets, list->nr + 1, sizeof(*list->sets));
	list->sets[list->nr++] = set;
}

/* "2,3": an empty word between two commas, or in all of it, is no set. */
static void take_sets(struct set_list *list, const char *arg)
{
	char *copy = xstrdup(arg), *rest = copy, *word;
	uint32_t set;

	while ((word = strsep(&rest, ","))) {
		if (!parse_set(word, &set))
			usage_error("'%s' is not a list of sets, as 2,3: numbers from 0 to 4294967295",
				    arg);
		add_set(list, set);
	}
	free(copy);
}

static void take(const struct opt *opt, const char *arg)
{
	struct duration *duration = opt->to;
	uint32_t *set;

	switch (opt->operand) {
	case TAKES_NOTHING:
		*(bool *)opt->to = true;
		break;
	case TAKES_SET:
		set = xcalloc(1, sizeof(*set));
		if (!parse_set(arg, set))
			usage_error("'%s' is not a set: a number from 0 to 4294967295", arg);
		*(const uint32_t **)opt->to = set;
		break;
	case TAKES_SETS:
		take_sets(opt->to, arg);
		break;
	case TAKES_MAP:
	case TAKES_FOLDER:
		*(const char **)opt->to = arg;
		break;
	case TAKES_SECONDS:
	case MAY_TAKE_SECONDS:
		duration->given = true;
		if (arg)
			duration->seconds = parse_seconds(arg);
		break;
	}
}

int parse_options(const struct verb *verb, int argc, char **argv, const struct opt *opts,
		  int min, int max, const char *need)
{
	struct option options[MAX_OPTIONS + 2] = { { "help", no_argument, NULL, 'h' } };
	char letters[MAX_OPTIONS + 2] = "h";
	const char *bare = NULL, *number = NULL;
	int c, i, nr_letters = 1;

	for (i = 0; opts[i].name; i++) {
		if (i == MAX_OPTIONS)
			abort();
		options[i + 1] = (struct option) {
			opts[i].name, operands[opts[i].operand].has_arg, NULL, NO_LETTER + i
		};
		if (opts[i].letter)
			letters[nr_letters++] = opts[i].letter;
	}
	/* From the start, whatever was parsed before. */
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (c == 'h')
			help(verb, opts);
		if (c == '?')
			usage_end();
		for (i = 0; opts[i].name; i++) {
			if (c != NO_LETTER + i && c != opts[i].letter)
				continue;
			take(&opts[i], optarg);
			if (opts[i].operand == MAY_TAKE_SECONDS && !optarg && argv[optind] &&
			    isdigit(*argv[optind])) {
				bare = opts[i].name;
				number = argv[optind];
			}
		}
	}
	argc -= optind;
	/* Alone, the number may be a set. */
	if (bare && ((max >= 0 && argc > max) || !strstr(verb->arguments, "SET|")))
		usage_error("the seconds of --%s follow a '=': --%s=%s", bare, bare, number);
	if (bare)
		note_bare_number(bare, number);
	if (argc && !max)
		usage_error("%s takes no arguments, but there is '%s'", verb->name, argv[optind]);
	if (argc < min || (max >= 0 && argc > max))
		usage_error("%s needs %s", verb->name, need);
	memmove(argv, argv + optind, (argc + 1) * sizeof(*argv));
	return argc;
}
