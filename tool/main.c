// SPDX-License-Identifier: GPL-2.0
/* main.c - verbs, options, --help. README.md tells what is where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "verbs/assign.h"
#include "verbs/boot.h"
#include "verbs/check.h"
#include "verbs/install.h"
#include "verbs/list.h"
#include "verbs/load.h"
#include "verbs/policy.h"
#include "verbs/status.h"
#include "verbs/unload.h"
#include "read/util.h"

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *help;
} verbs[] = {
	{ "list", cmd_list, "[-v|--verbose] [--stored]",
	  "sets and livepatches on this machine, or in the store" },
	{ "status", cmd_status, "[-v|--verbose]",
	  "what a transition waits for, and whether each patch is in effect" },
	{ "check", cmd_check, "[--set N] [--empty] [--symbols MAP] FILE...",
	  "what would happen if these were loaded, one after the other" },
	{ "load", cmd_load, "[--set N] [--wait[=SECONDS]] [--keep] FILE",
	  "load a livepatch; it replaces the one of its set" },
	{ "unload", cmd_unload, "[--wait[=SECONDS]] [--keep] SET|PATCH",
	  "disable a livepatch and remove its module" },
	{ "reverse", cmd_reverse, "[--wait[=SECONDS]] [SET|PATCH]",
	  "turn a transition back" },
	{ "force", cmd_force, "[--yes] [SET|PATCH]",
	  "end a transition whatever it costs" },
	{ "install", cmd_install, "[--set N] [--load] FILE",
	  "keep a livepatch in the store, to be loaded at boot" },
	{ "uninstall", cmd_uninstall, "SET|PATCH",
	  "take a set out of the store" },
	{ "rollback", cmd_rollback, "[--wait[=SECONDS]] SET|PATCH",
	  "go back to the version before, in the store and on the machine" },
	{ "boot", cmd_boot, "[--wait=SECONDS] [--settled[=SECONDS]]",
	  "load the store; systemd does this at boot" },
	{ "assign", cmd_assign, "[MODULE SET [OBSOLETED SET...] | MODULE -]",
	  "put a livepatch that knows nothing of sets into one" },
	{ "policy", cmd_policy, "[NAME=VALUE...]",
	  "show or set how far a replace may reach" },
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* Somebody may decide by what is missing there. */
static int after_output(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	warn("what it printed could not be written");
	return EXIT_REFUSED;
}

static void help(void)
{
	puts("Usage: klp-sets [--json] [--quiet] VERB [OPTION...] [ARGUMENT...]\n"
	     "Replace sets for Linux kernel livepatches.\n");
	for (size_t i = 0; i < NR_VERBS; i++) {
		printf("  %s%s%s\n        %s\n", verbs[i].name, *verbs[i].arguments ? " " : "",
		       verbs[i].arguments, verbs[i].help);
	}
	puts("\n  --json       print lists as JSON\n"
	     "  -q, --quiet  no progress, only results and errors\n"
	     "  -h, --help   this text\n"
	     "  --version    the version\n\n"
	     "Exit status: 0 done, 1 refused, 2 wrong usage. See klp-sets(8).");
}

/* The general options may stand anywhere; they are taken out of argv. */
static int take_general_options(int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			while (i < argc)
				argv[n++] = argv[i++];
			break;
		}
		if (!strcmp(argv[i], "--json")) {
			opt_json = true;
		} else if (!strcmp(argv[i], "--quiet") || !strcmp(argv[i], "-q")) {
			opt_quiet = true;
		} else if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h")) {
			help();
			exit(after_output(EXIT_OK));
		} else if (!strcmp(argv[i], "--version")) {
			puts("klp-sets " KLP_SETS_VERSION);
			exit(after_output(EXIT_OK));
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

int main(int argc, char **argv)
{
	/* All may see what there is, whoever made it. */
	umask(022);
	argc = take_general_options(argc - 1, argv + 1);
	argv++;
	if (!argc)
		usage_error("a verb is missing");
	for (size_t i = 0; i < NR_VERBS; i++) {
		if (!strcmp(argv[0], verbs[i].name))
			return after_output(verbs[i].run(argc, argv));
	}
	usage_error("there is no verb '%s'", argv[0]);
}
