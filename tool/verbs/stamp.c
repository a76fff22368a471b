// SPDX-License-Identifier: GPL-2.0
/* stamp.c - klp-sets stamp: a set in the file of a livepatch that knows nothing of sets */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verbs/stamp.h"
#include "keep/files.h"
#include "keep/stamp.h"
#include "read/elf.h"
#include "read/livepatch.h"
#include "read/modfile.h"
#include "read/setnames.h"
#include "read/signature.h"
#include "read/util.h"

/* Those who load it may go by the ending. */
static void refuse_ending(const char *out)
{
	static const char * const endings[] = { ".gz", ".xz", ".zst" };
	size_t len = strlen(out), n;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		n = strlen(endings[i]);
		if (len > n && !strcmp(out + len - n, endings[i]))
			usage_error("what is written is not compressed, as '%s' says: name a .ko, and compress that",
				    out);
	}
}

/* A folder that is missing is a mistake. */
static void need_folder(const char *out)
{
	char *copy = xstrdup(out);
	const char *folder = dirname(copy);

	if (access(folder, X_OK))
		die("cannot write '%s': %s: %s", out, folder, strerror(errno));
	free(copy);
}

static void __attribute__((noreturn)) refuse(const char *path, const char *why)
{
	die("cannot stamp '%s': %s", path, why);
}

static struct livepatch *read_stock(const struct module_file *file)
{
	struct livepatch *lp;
	char *why;

	lp = livepatch_read(file, &why);
	if (!lp)
		refuse(file->path, why);
	if (lp->native)
		refuse(file->path, xasprintf("its code asks klp_sets for a set itself%s; that is changed in its source",
					     lp->has_set ? xasprintf(", %u", lp->replace_set) : ""));
	if (is_signed(file))
		refuse(file->path, "it is signed, and the signature is one of the file as it is. Stamp it before it is signed");
	return lp;
}

/* What others will read in it. */
static void verify(const struct module_file *file, const char *out, const unsigned char *content,
		   size_t size, uint32_t set, const struct set_list *obsoletes)
{
	const struct module_file stamped = {
		.path = (char *)out,
		.fd = -1,
		.content = (unsigned char *)content,
		.content_size = size,
	};
	struct livepatch *lp;
	char *why;

	lp = livepatch_read(&stamped, &why);
	if (!lp)
		refuse(file->path, why);
	if (!lp->has_set || lp->replace_set != set || lp->nr_obsoletes != obsoletes->nr)
		refuse(file->path, "what was stamped cannot be read in it");
	livepatch_free(lp);
}

static int cmd_stamp(int argc, char **argv)
{
	const uint32_t *set = NULL;
	struct set_list obsoletes = { 0 };
	const struct opt opts[] = {
		{ "set", 0, TAKES_SET, &set, "the set that it belongs to" },
		{ "obsoletes", 0, TAKES_SETS, &obsoletes,
		  "further sets that it replaces, as 2,3" },
		{ 0 }
	};
	struct module_file *file;
	struct livepatch *lp;
	unsigned char *content;
	size_t size;
	char *why;

	parse_options(&verb_stamp, argc, argv, opts, 2, 2,
		      "a FILE, and OUT, which may be the same");
	if (!set)
		usage_error("stamp needs --set N");
	refuse_ending(argv[1]);
	file = module_file_open(argv[0], &why);
	if (!file)
		refuse(argv[0], why);
	lp = read_stock(file);
	content = stamp(file, *set, obsoletes.sets, obsoletes.nr, &size, &why);
	if (!content)
		refuse(argv[0], why);
	verify(file, argv[1], content, size, *set, &obsoletes);
	need_folder(argv[1]);
	if (replace_bytes(argv[1], content, size))
		die("cannot write '%s': %s", argv[1], file_strerror(errno));
	if (opt_quiet)
		return EXIT_OK;
	printf("%s: '%s' of set %s", printable(argv[1]), lp->name, set_label(*set));
	for (size_t i = 0; i < obsoletes.nr; i++)
		printf("%s%s", i ? ", " : ", which obsoletes ", set_label(obsoletes.sets[i]));
	putchar('\n');
	return EXIT_OK;
}

const struct verb verb_stamp = {
	.name = "stamp",
	.run = cmd_stamp,
	.arguments = "--set N [--obsoletes LIST] FILE OUT",
	.help = "write the set of a livepatch into its file, for those that know nothing of sets",
};
