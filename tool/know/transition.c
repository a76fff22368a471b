// SPDX-License-Identifier: GPL-2.0
/*
 * transition.c - waiting for transitions, and the tasks that hold them up
 *
 * The kernel looks at tasks that are not switched yet after milliseconds, and in the end
 * once a second. Nothing wakes up those who wait for the end, so they look into sysfs
 * now and then.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "know/transition.h"
#include "know/machine.h"
#include "read/kmsg.h"
#include "read/livepatch.h"
#include "read/sysfs.h"
#include "read/util.h"

#define PF_KTHREAD 0x00200000	/* of the flags in /proc/PID/stat */
#define STALLED_MAX 10		/* tasks that a time-out names */

/* --- tasks ------------------------------------------------------------------ */

static char *read_task(int pid, int tid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, file);
	return read_file(path);
}

/* The arguments, as far as they are worth a line; each ends with a zero byte. */
static char *read_command(int pid)
{
	char path[32], command[200];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	file = fopen(path, "re");
	if (!file)
		return NULL;
	len = fread(command, 1, sizeof(command) - 1, file);
	fclose(file);
	while (len && !command[len - 1])
		len--;
	command[len] = '\0';
	for (size_t i = 0; i < len; i++) {
		if (!command[i])
			command[i] = ' ';
	}
	/* Whoever named it may have thought of the terminal that it is shown on. */
	return len ? printable(command) : NULL;
}

/* "TID (COMM) STATE ... FLAGS ... STARTTIME ...": fields 3, 9 and 22 of proc(5). */
static bool parse_stat(struct task *task, const char *stat)
{
	const char *name = strchr(stat, '('), *end = strrchr(stat, ')');
	unsigned long long start;
	struct timespec boot;
	unsigned int flags;
	char *comm;

	if (!name || !end)
		return false;
	if (sscanf(end + 1, " %c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &task->state, &flags, &start) != 3)
		return false;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	task->user = !(flags & PF_KTHREAD);
	task->age = boot.tv_sec - (double)start / sysconf(_SC_CLK_TCK);
	comm = xasprintf("%.*s", (int)(end - name - 1), name + 1);
	task->comm = printable(comm);
	free(comm);
	return true;
}

/*
 * Without the "[<0>] " at the start of a line, which stands for an address. While a task
 * runs, there is no stack to be seen: those who run for a moment only are asked again.
 */
static char *read_stack(int pid, int tid)
{
	static const char none[] = "[<0>] ";
	char *stack = read_task(pid, tid, "stack");
	char *found;

	for (int i = 0; i < 5 && stack && !*stack; i++) {
		free(stack);
		pause_for(0.002);
		stack = read_task(pid, tid, "stack");
	}
	found = stack;
	while (found && (found = strstr(found, none)))
		memmove(found, found + strlen(none), strlen(found + strlen(none)) + 1);
	return stack;
}

static void add_waiting(struct progress *p, int pid, int tid, bool with_stack)
{
	struct task task = { .pid = pid, .tid = tid };
	char *stat = read_task(pid, tid, "stat");

	/* It is gone, which is as good as switched. */
	if (!stat || !parse_stat(&task, stat)) {
		free(stat);
		p->done++;
		return;
	}
	free(stat);
	if (with_stack) {
		task.stack = read_stack(pid, tid);
		task.command = read_command(pid);
	}
	p->waiting = xrealloc(p->waiting, p->nr_waiting + 1, sizeof(*p->waiting));
	p->waiting[p->nr_waiting++] = task;
}

static void look_at_task(struct progress *p, int pid, int tid, int target, bool with_stack)
{
	char *state = read_task(pid, tid, "patch_state");

	if (!state) {
		if (errno == EACCES || errno == EPERM)
			p->unreadable = true;
		return;
	}
	p->total++;
	if (atoi(state) == target)
		p->done++;
	else
		add_waiting(p, pid, tid, with_stack);
	free(state);
}

static void look_at_process(struct progress *p, int pid, int target, bool with_stacks)
{
	struct dirent *entry;
	char path[32];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (isdigit(entry->d_name[0]))
			look_at_task(p, pid, atoi(entry->d_name), target, with_stacks);
	}
	closedir(dir);
}

struct progress *progress_read(const struct livepatch *lp, bool with_stacks)
{
	struct progress *p = xcalloc(1, sizeof(*p));
	DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		die("/proc: %s; it must be mounted", strerror(errno));
	while ((entry = readdir(dir))) {
		if (isdigit(entry->d_name[0]))
			look_at_process(p, atoi(entry->d_name), lp->enabled, with_stacks);
	}
	closedir(dir);
	return p;
}

void progress_free(struct progress *p)
{
	for (size_t i = 0; i < p->nr_waiting; i++) {
		free(p->waiting[i].comm);
		free(p->waiting[i].stack);
		free(p->waiting[i].command);
	}
	free(p->waiting);
	free(p);
}

double transition_age(const struct livepatch *lp)
{
	char *start = xasprintf("livepatch: '%s': starting ", lp->name);
	double age = kmsg_age(start);

	free(start);
	return age;
}

/* --- stacks ----------------------------------------------------------------- */

/* "NAME+0x1/0x2 [MODULE]": the module is vmlinux when there is none. */
static bool parse_frame(const char *line, char *name, char *module)
{
	strcpy(module, "vmlinux");
	return sscanf(line, "%511[^+ \n]%*[^ \n]%*[ ][%63[^] \n]]", name, module) >= 1;
}

bool livepatch_replaces(const struct livepatch *lp, const struct livepatch *old)
{
	if (lp == old)
		return false;
	/* A stock patch that replaces takes everything away; one that does not, nothing. */
	if (!lp->managed)
		return lp->replace;
	if (!old->managed)
		return false;
	return old->replace_set == lp->replace_set || livepatch_obsoletes(lp, old->replace_set);
}

static bool changes(const struct livepatch *lp, const char *object, const char *name)
{
	for (size_t i = 0; i < lp->nr_funcs; i++) {
		if (!strcmp(lp->funcs[i].name, name) && !strcmp(lp->funcs[i].object, object))
			return true;
	}
	return false;
}

/* Stock patches may lie on each other; then the one below is what is being left. */
static bool overlap(const struct livepatch *lp, const struct livepatch *other)
{
	for (size_t i = 0; i < lp->nr_funcs; i++) {
		if (livepatch_find_func(other, &lp->funcs[i]))
			return true;
	}
	return false;
}

/* Whether a task that is in this function would come back to the wrong version. */
static bool blocks(const struct machine *m, const struct livepatch *lp, const char *object,
		   const char *name)
{
	const struct livepatch *other = machine_find(m, object);

	/* Code of a patch that goes away: the one that is disabled, or the replaced ones. */
	if (other == lp)
		return !lp->enabled;
	if (other)
		return lp->enabled && (livepatch_replaces(lp, other) || overlap(lp, other));
	/* The original; in a reversal that of functions which only the old patch changes. */
	if (lp->enabled)
		return changes(lp, object, name);
	for (size_t i = 0; i < m->nr_patches; i++) {
		if (livepatch_replaces(lp, m->patches[i]) && changes(m->patches[i], object, name))
			return true;
	}
	return false;
}

const char *stack_blocker(const struct machine *m, const struct livepatch *lp,
			  const char *stack, size_t *len)
{
	char name[512], module[64];
	const char *line, *end;

	for (line = stack; line && *line; line = *end ? end + 1 : NULL) {
		end = strchrnul(line, '\n');
		if (parse_frame(line, name, module) && blocks(m, lp, module, name)) {
			*len = end - line;
			return line;
		}
	}
	return NULL;
}

/* --- waiting ---------------------------------------------------------------- */

/* What is told to those who wait, and when. */
struct report {
	const char *name;
	double start, next;
	double interval;	/* between plain lines */
	bool terminal, shown;
};

static void report_line(struct report *r, const struct progress *p, bool enabled)
{
	const char *what = enabled ? "patching" : "unpatching";
	char *tasks = p->unreadable || !p->total ? xstrdup("") :
		      xasprintf(", %zu of %zu tasks done", p->done, p->total);

	fprintf(stderr, "%s%s: %s%s, %.0f s%s", r->terminal ? "\r" : "klp-sets: ", r->name, what,
		tasks, now() - r->start, r->terminal ? "\033[K" : "\n");
	fflush(stderr);
	free(tasks);
	r->shown = true;
}

static void report_progress(struct report *r)
{
	struct livepatch lp = { .enabled = sysfs_flag(SYS_LIVEPATCH, r->name, "enabled") > 0 };
	double began = now();
	struct progress *p;

	if (opt_quiet || began < r->next)
		return;
	p = progress_read(&lp, false);
	report_line(r, p, lp.enabled);
	progress_free(p);
	if (r->terminal) {
		/* Many tasks take long to look at: that is not to keep a processor busy. */
		r->next = now() + 0.2 + 10 * (now() - began);
	} else {
		r->next = now() + r->interval;
		r->interval = r->interval < 30 ? r->interval * 2 : 60;
	}
}

static void report_end(struct report *r)
{
	if (r->shown && r->terminal)
		fputs("\r\033[K", stderr);
}

static void tell_task(const struct machine *m, const struct livepatch *lp, const struct task *task)
{
	const char *line = NULL;
	size_t len;

	if (task->stack)
		line = stack_blocker(m, lp, task->stack, &len);
	if (line)
		warn("  %s, task %d: in %.*s", task->comm, task->tid, (int)len, line);
	else
		warn("  %s, task %d", task->comm, task->tid);
}

/* Who holds up a transition that was given up waiting for. */
static void tell_stalled(const char *name)
{
	struct machine *m = machine_read();
	struct livepatch *lp = machine_find(m, name);
	struct progress *p;

	if (!lp) {
		machine_free(m);
		return;
	}
	p = progress_read(lp, true);
	warn("the transition of '%s' is not complete; %zu of %zu tasks are not switched", name,
	     p->nr_waiting, p->total);
	for (size_t i = 0; i < p->nr_waiting && i < STALLED_MAX; i++)
		tell_task(m, lp, &p->waiting[i]);
	progress_free(p);
	machine_free(m);
}

static bool wait_until(const char *name, double start, double seconds)
{
	struct report r = { .name = name, .start = now(), .interval = 5 };
	double pause = 0.001;

	r.terminal = isatty(STDERR_FILENO);
	r.next = r.start + (r.terminal ? 0.3 : 5);
	while (in_transition(name)) {
		if (seconds >= 0 && now() - start >= seconds) {
			report_end(&r);
			tell_stalled(name);
			return false;
		}
		report_progress(&r);
		pause_for(pause);
		/* Milliseconds at first: that is what it takes when nobody is in the way. */
		pause = pause < 0.1 ? pause * 1.5 : 0.15;
	}
	report_end(&r);
	return true;
}

bool transition_wait(const char *name, double seconds)
{
	return wait_until(name, now(), seconds);
}

static char *find_transition(void)
{
	DIR *dir = opendir(SYS_LIVEPATCH);
	struct dirent *entry;
	char *name = NULL;

	if (!dir)
		return NULL;
	while (!name && (entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && in_transition(entry->d_name))
			name = xstrdup(entry->d_name);
	}
	closedir(dir);
	return name;
}

bool transition_wait_any(double seconds)
{
	double start = now();
	bool done = true;
	char *name;

	while (done && (name = find_transition())) {
		done = wait_until(name, start, seconds);
		free(name);
	}
	return done;
}
