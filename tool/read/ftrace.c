// SPDX-License-Identifier: GPL-2.0
/*
 * ftrace.c - who is called when a function is entered, as ftrace and kprobes tell it
 *
 * A line in enabled_functions, from 5.10 to now:
 *
 *   NAME [MODULE] (COUNT) R I D O M	tramp: ADDRESS (HANDLER+0x0/0x1) ->SYMBOL+0x2/0x3
 *	direct-->TRAMPOLINE+0x4/0x5
 *
 * or, where there are no trampolines, as on arm64,
 *
 *   NAME [MODULE] (COUNT) R I D O M	ops: OPS (HANDLER+0x0/0x1)
 *
 * COUNT is the number of those who registered. The letters are flags, each may be
 * missing: I says that one of them may send the caller elsewhere. The kernel lets
 * only one do that on a function. The handler is named when it is the only one, and on
 * some kernels never.
 * The second line is there for a direct call, which is what BPF trampolines use.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "read/ftrace.h"
#include "read/livepatch.h"
#include "read/symbols.h"
#include "read/sysfs.h"
#include "read/util.h"

#define STOPPED "ftrace has stopped itself after an error; see the kernel log, and reboot"

static int compare_keys(const char *object, const char *name, const struct hooked *b)
{
	int ret = strcmp(name, b->name);

	return ret ? ret : strcmp(object, b->object);
}

static int compare(const void *a, const void *b)
{
	const struct hooked *x = a;

	return compare_keys(x->object, x->name, b);
}

/* A word up to a blank, of which the caller becomes the owner. */
static char *take_word(const char **text)
{
	size_t len = strcspn(*text, " \t+");
	char *word = strndup(*text, len);

	if (!word)
		die("out of memory");
	*text += len;
	return word;
}

static void add_hooked(struct ftrace *f, const char *line)
{
	struct hooked h = { .object = "vmlinux" };
	const char *end;
	bool named;

	h.name = take_word(&line);
	line += strspn(line, " ");
	end = strchr(line, ']');
	if (*line == '[' && end) {
		line++;
		h.object = take_word(&line);
		h.object[strcspn(h.object, "]")] = '\0';
		line = end + 1;
	} else {
		h.object = xstrdup("vmlinux");
	}
	line = strchr(line, '(');
	/* A function that was there before its section was discarded has no more to tell. */
	if (!line) {
		free(h.name);
		free(h.object);
		return;
	}
	h.count = strtoul(line + 1, NULL, 10);
	line += strcspn(line, ")");
	for (; *line && *line != '\t' && *line != '-'; line++)
		h.redirected |= *line == 'I';
	/* Of several, livepatch is the one that may: no patch is enabled without it. */
	named = strstr(line, "\ttramp:") || strstr(line, "\tops:");
	h.livepatch = h.redirected && (!named || strstr(line, "(klp_ftrace_handler+"));
	f->hooked = xrealloc(f->hooked, f->nr_hooked + 1, sizeof(*f->hooked));
	f->hooked[f->nr_hooked++] = h;
}

static void add_direct(struct ftrace *f, const char *line)
{
	const char *arrow = strstr(line, "-->");

	if (!arrow || !f->nr_hooked)
		return;
	arrow += 3;
	f->hooked[f->nr_hooked - 1].direct = take_word(&arrow);
}

static void parse_hooked(struct ftrace *f, char *text)
{
	char *line, *rest;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (*line == '\t')
			add_direct(f, line);
		else
			add_hooked(f, line);
	}
	if (f->nr_hooked)
		qsort(f->hooked, f->nr_hooked, sizeof(*f->hooked), compare);
}

/*
 * A probe that is not ftrace's, and yet comes before it: on arm64 the site is the second
 * instruction of a function, or the third. Nowhere else is such an address behind the site.
 */
#define BEFORE_SITE 4

/* "ADDRESS  k  NAME+0x0  [MODULE] [DISABLED][FTRACE]" */
static void add_probe(struct ftrace *f, const char *line)
{
	struct probe p = { };
	char name[512], type;
	int len = 0;

	if (sscanf(line, "%*s %c %511[^+ ]+%lx %n", &type, name, &p.offset, &len) != 3 || !len)
		return;
	if (strstr(line, "[DISABLED]") || strstr(line, "[GONE]"))
		return;
	line += len;
	p.name = xstrdup(name);
	p.object = *line && *line != '[' ? take_word(&line) : xstrdup("vmlinux");
	p.entry = strstr(line, "[FTRACE]");
	p.runs = p.entry || p.offset <= BEFORE_SITE;
	p.ret = type == 'r';
	f->probes = xrealloc(f->probes, f->nr_probes + 1, sizeof(*f->probes));
	f->probes[f->nr_probes++] = p;
}

static void parse_probes(struct ftrace *f, char *text)
{
	char *line, *rest;

	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		add_probe(f, line);
}

static char *why_not(void)
{
	switch (errno) {
	case EACCES:
	case EPERM:
		return xstrdup("only root may read ftrace's list of functions");
	case ENODEV:
		return xstrdup(STOPPED);
	case ENOENT:
		return xstrdup("tracefs is not mounted; 'mount -t tracefs tracefs /sys/kernel/tracing' does it");
	default:
		return xasprintf("ftrace's list of functions cannot be read: %s", strerror(errno));
	}
}

struct ftrace *ftrace_read(char **why)
{
	char *text = tracing_read("enabled_functions");
	struct ftrace *f;

	if (!text) {
		*why = why_not();
		return NULL;
	}
	f = xcalloc(1, sizeof(*f));
	parse_hooked(f, text);
	free(text);

	text = read_file("/sys/kernel/debug/kprobes/list");
	f->probes_known = text;
	if (text)
		parse_probes(f, text);
	free(text);

	text = read_file("/proc/sys/kernel/ftrace_enabled");
	f->off = text && !strcmp(text, "0");
	/* The file is dead with it, and its list of functions is empty. */
	if (!text && errno == ENODEV) {
		*why = xstrdup(STOPPED);
		ftrace_free(f);
		return NULL;
	}
	free(text);
	return f;
}

void ftrace_free(struct ftrace *f)
{
	if (!f)
		return;
	symbols_free(f->symbols);
	for (size_t i = 0; i < f->nr_hooked; i++) {
		free(f->hooked[i].object);
		free(f->hooked[i].name);
		free(f->hooked[i].direct);
	}
	for (size_t i = 0; i < f->nr_probes; i++) {
		free(f->probes[i].object);
		free(f->probes[i].name);
	}
	free(f->hooked);
	free(f->probes);
	free(f);
}

const struct hooked *ftrace_find(const struct ftrace *f, const char *object, const char *name,
				 size_t *nr)
{
	size_t low = 0, high = f->nr_hooked, middle;

	*nr = 0;
	while (low < high) {
		middle = (low + high) / 2;
		if (compare_keys(object, name, &f->hooked[middle]) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low + *nr < f->nr_hooked &&
	       !compare_keys(object, name, &f->hooked[low + *nr]))
		++*nr;
	return *nr ? &f->hooked[low] : NULL;
}

const struct hooked *ftrace_find_alias(struct ftrace *f, const struct func *func)
{
	const struct hooked *h;
	const char *name;
	uint64_t addr;
	size_t i = 0, nr;

	if (!f->symbols)
		f->symbols = symbols_read("/proc/kallsyms");
	if (!f->symbols)
		return NULL;
	addr = symbols_find(f->symbols, func).addr;
	while (addr && (name = symbols_name(f->symbols, func->object, addr, &i))) {
		h = ftrace_find(f, func->object, name, &nr);
		if (nr == 1)
			return h;
	}
	return NULL;
}

static void add_watcher(struct watcher **watchers, size_t *nr, const char *function, char *who)
{
	*watchers = xrealloc(*watchers, *nr + 1, sizeof(**watchers));
	(*watchers)[(*nr)++] = (struct watcher) { function, who };
}

/* All kprobes at the entry are one handler, and so are those that are called directly. */
static void add_handlers(const struct ftrace *f, const struct hooked *h, struct watcher **watchers,
			 size_t *nr)
{
	unsigned int known = h->livepatch + !!h->direct;
	bool probed = false;

	if (h->direct)
		add_watcher(watchers, nr, h->name, xasprintf("direct call of %s", h->direct));
	for (size_t i = 0; i < f->nr_probes && !probed; i++)
		probed = f->probes[i].entry && !strcmp(f->probes[i].name, h->name) &&
			 !strcmp(f->probes[i].object, h->object);
	known += probed;
	if (h->count > known)
		add_watcher(watchers, nr, h->name,
			    xasprintf("%u %s%s", h->count - known,
				      f->probes_known ? "tracer" : "tracer or kprobe",
				      h->count - known == 1 ? "" : "s"));
}

static int compare_watchers(const void *a, const void *b)
{
	const struct watcher *x = a, *y = b;

	return strcmp(x->function, y->function) ?: strcmp(x->who, y->who);
}

struct watcher *ftrace_watchers(const struct ftrace *f, const char *module, size_t *nr)
{
	struct watcher *watchers = NULL;

	*nr = 0;
	for (size_t i = 0; i < f->nr_probes; i++) {
		const struct probe *p = &f->probes[i];
		const char *kind = p->ret ? "kretprobe" : "kprobe";

		if (!strcmp(p->object, module))
			add_watcher(&watchers, nr, p->name,
				    p->offset && !p->entry ? xasprintf("%s at +0x%lx", kind, p->offset) :
							     xstrdup(kind));
	}
	for (size_t i = 0; i < f->nr_hooked; i++) {
		if (!strcmp(f->hooked[i].object, module))
			add_handlers(f, &f->hooked[i], &watchers, nr);
	}
	if (*nr)
		qsort(watchers, *nr, sizeof(*watchers), compare_watchers);
	return watchers;
}

void watchers_free(struct watcher *watchers, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(watchers[i].who);
	free(watchers);
}
