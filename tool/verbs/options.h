/* SPDX-License-Identifier: GPL-2.0 */
/* options.h - the command line of a verb, and its help */
#ifndef KLP_SETS_VERBS_OPTIONS_H
#define KLP_SETS_VERBS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct verb {
	const char *name;
	/* argv[0] is the verb. Returns the exit status. */
	int (*run)(int argc, char **argv);
	const char *arguments;	/* as the man page has them */
	bool json;		/* it prints JSON, when it is asked to */
	const char *help;	/* in a sentence */
};

/* What follows an option, and where it goes. */
enum operand {
	TAKES_NOTHING,		/* bool */
	TAKES_SET,		/* const uint32_t *, NULL when the option is not given */
	TAKES_SETS,		/* struct set_list, empty in the same way */
	TAKES_MAP,		/* const char *, the path of a System.map; NULL in the same way */
	TAKES_FOLDER,		/* the same, of a folder */
	TAKES_SECONDS,		/* struct duration */
	MAY_TAKE_SECONDS,	/* the same; left as they were without "=SECONDS" */
};

struct set_list {
	uint32_t *sets;		/* in the order given, each once */
	size_t nr;
};

struct duration {
	bool given;		/* the option was there */
	double seconds;
};

struct opt {
	const char *name;	/* without "--"; NULL at the end of a list */
	char letter;		/* of its short form, or 0 */
	enum operand operand;
	void *to;
	const char *help;
};

/*
 * Reads the options of a verb, and --help. The words that are left begin at argv[0] then, with
 * a NULL behind them. Returns how many, *min* to *max* (-1: any number); "VERB needs NEED", if
 * there are too few or too many. Ends the process when the command line is wrong, or when help
 * was asked for.
 */
int parse_options(const struct verb *verb, int argc, char **argv, const struct opt *opts,
		  int min, int max, const char *need);

#endif /* KLP_SETS_VERBS_OPTIONS_H */
