// SPDX-License-Identifier: GPL-2.0
/* main.c - verbs, options, --help. README.md tells what is where. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "verbs/apply.h"
#include "verbs/assign.h"
#include "verbs/boot.h"
#include "verbs/check.h"
#include "verbs/install.h"
#include "verbs/list.h"
#include "verbs/load.h"
#include "verbs/metrics.h"
#include "verbs/options.h"
#include "verbs/policy.h"
#include "verbs/prune.h"
#include "verbs/stamp.h"
#include "verbs/status.h"
#include "verbs/unload.h"
#include "read/journal.h"
#include "read/util.h"

static int help_verb(int argc, char **argv);

static const struct verb verb_help = {
	.name = "help",
	.run = help_verb,
	.arguments = "[VERB]",
	.help = "what a verb does, and its options",
};

static const struct verb * const verbs[] = {
	&verb_list,
	&verb_status,
	&verb_metrics,
	&verb_check,
	&verb_stamp,
	&verb_load,
	&verb_unload,
	&verb_reverse,
	&verb_force,
	&verb_install,
	&verb_uninstall,
	&verb_rollback,
	&verb_prune,
	&verb_apply,
	&verb_boot,
	&verb_assign,
	&verb_policy,
	&verb_help,
};

#define NR_VERBS (sizeof(verbs) / sizeof(verbs[0]))

static void help(void)
{
	puts("Usage: klp-sets [--json] [--quiet] VERB [OPTION...] [ARGUMENT...]\n"
	     "Replace sets for Linux kernel livepatches.\n");
	for (size_t i = 0; i < NR_VERBS; i++) {
		printf("  %s%s%s\n        %s\n", verbs[i]->name, *verbs[i]->arguments ? " " : "",
		       verbs[i]->arguments, verbs[i]->help);
	}
	puts("\n  --json       print what list, status, check, apply, assign and policy show as JSON\n"
	     "  -q, --quiet  no progress, only results and errors\n"
	     "  -h, --help   this text; after a verb, what that does\n"
	     "  --version    the version\n\n"
	     "Exit status: 0 done, 1 refused, 2 wrong usage; status has more. See klp-sets(8).");
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; i < NR_VERBS; i++) {
		if (!strcmp(name, verbs[i]->name))
			return verbs[i];
	}
	usage_error("there is no verb '%s'", name);
}

static int help_verb(int argc, char **argv)
{
	static const struct opt opts[] = { { 0 } };
	char *ask[] = { NULL, "--help", NULL };

	if (parse_options(&verb_help, argc, argv, opts, 0, 1, "one VERB, or none")) {
		ask[0] = argv[0];
		return find_verb(argv[0])->run(2, ask);
	}
	help();
	return EXIT_OK;
}

/*
 * The general options may stand anywhere; they are taken out of argv. After a verb, --help is
 * for that.
 */
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
		} else if (!n && (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))) {
			help();
			exit(finish_output(EXIT_OK));
		} else if (!strcmp(argv[i], "--version")) {
			puts("klp-sets " KLP_SETS_VERSION);
			exit(finish_output(EXIT_OK));
		} else {
			argv[n++] = argv[i];
		}
	}
	argv[n] = NULL;
	return n;
}

/*
 * A file that is opened later must not get the number of one of these, and our messages with
 * it: what is closed stays one that cannot be read, or written.
 */
static void open_standard_files(void)
{
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_RDONLY : O_WRONLY) != fd)
			abort();
	}
}

static void on_signal(int signal)
{
}

/*
 * Whoever reads what is printed may go away, and a file may reach its limit: a write fails
 * then, which is no reason to stop in the middle of a change. Programs that are started get
 * the default again, which they would not if these were ignored.
 */
static void fail_instead_of_dying(void)
{
	const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	sigaction(SIGPIPE, &action, NULL);
	sigaction(SIGXFSZ, &action, NULL);
}

static const struct verb *choose_verb(const char *name)
{
	const struct verb *verb = find_verb(name);
	char *others = NULL;

	if (!opt_json || verb->json)
		return verb;
	for (size_t i = 0; i < NR_VERBS; i++) {
		if (verbs[i]->json)
			others = xasprintf("%s%s%s", others ? others : "", others ? ", " : "",
					   verbs[i]->name);
	}
	usage_error("%s prints no JSON; these do: %s", name, others);
}

int main(int argc, char **argv)
{
	const struct verb *verb;

	open_standard_files();
	fail_instead_of_dying();
	/* All may see what there is, whoever made it. */
	umask(022);
	argc = take_general_options(argc - 1, argv + 1);
	argv++;
	if (!argc)
		usage_error("a verb is missing");
	verb = choose_verb(argv[0]);
	journal_verb(verb->name);
	return finish_output(verb->run(argc, argv));
}
