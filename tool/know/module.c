// SPDX-License-Identifier: GPL-2.0
/* module.c - modules loaded and removed, through libkmod */
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "know/module.h"
#include "know/dkms.h"
#include "keep/kernel.h"
#include "keep/run.h"
#include "read/ftrace.h"
#include "read/image.h"
#include "read/kmsg.h"
#include "read/modfile.h"
#include "read/names.h"
#include "read/notes.h"
#include "read/sysfs.h"
#include "read/util.h"

/* A new one each time: it would remember files and modules that have changed since. */
static struct kmod_ctx *new_context(void)
{
	char *modules = xasprintf("/lib/modules/%s", running_release());
	struct kmod_ctx *ctx = kmod_new(modules, NULL);

	free(modules);
	if (!ctx)
		die("out of memory");
	/* Whatever goes wrong is told by those who know why it was tried. */
	kmod_set_log_priority(ctx, -1);
	return ctx;
}

/* A folder in /sys/module is there for what is built in, too. */
bool module_is_loaded(const char *name)
{
	char *path = xasprintf("/sys/module/%s/initstate", name);
	bool loaded = !access(path, F_OK);

	free(path);
	return loaded;
}

/* Whom root has to ask, as far as it can be seen. */
static const char *why_not_permitted(void)
{
	char *disabled = read_file("/proc/sys/kernel/modules_disabled");
	char *lockdown = read_file("/sys/kernel/security/lockdown");

	if (geteuid())
		return "only root may do that";
	if (disabled && *disabled == '1')
		return "kernel.modules_disabled is set";
	if (lockdown && !strstr(lockdown, "[none]"))
		return "the kernel is locked down";
	return NULL;
}

const char *module_strerror(int err)
{
	switch (-err) {
	case EEXIST:
		return "a module of this name is loaded already";
	case ENOENT:
		return "it needs something that neither the kernel nor a loaded module has";
	case ENOEXEC:
		return "it is not a module for this kernel";
	case ENOKEY:
	case EKEYREJECTED:
		return "it is not signed with a key that this kernel trusts";
	case EPERM:
		return why_not_permitted() ?:
		       "its own init function, or a security module, does not permit it (Operation not permitted)";
	case EINVAL:
		return "the kernel refuses it (Invalid argument)";
	default:
		return strerror(-err);
	}
}

/* --- klp_sets ---------------------------------------------------------------- */

/* The value of a key in the modinfo of an installed module's file, or NULL. */
static char *installed_info(const struct kmod_list *info, const char *key)
{
	const struct kmod_list *entry;

	kmod_list_foreach(entry, info) {
		if (!strcmp(kmod_module_info_get_key(entry), key))
			return xstrdup(kmod_module_info_get_value(entry));
	}
	return NULL;
}

/* Whether two things that are known are not the same. */
static bool differ(const char *a, const char *b)
{
	return a && b && strcmp(a, b);
}

static void find_installed(struct core *core, const char *srcversion)
{
	struct kmod_list *list = NULL, *info = NULL;
	struct kmod_ctx *ctx = new_context();
	struct kmod_module *mod;
	char *other;

	if (kmod_module_new_from_lookup(ctx, "klp_sets", &list) >= 0 && list) {
		mod = kmod_module_get_module(list);
		if (kmod_module_get_info(mod, &info) > 0) {
			core->installed = installed_info(info, "version");
			other = installed_info(info, "srcversion");
			/* The sum of the sources does not know of the version. */
			core->other_build = differ(other, srcversion) ||
					    differ(core->installed, core->version);
			free(other);
			kmod_module_info_free_list(info);
		}
		kmod_module_unref(mod);
		kmod_module_unref_list(list);
	}
	kmod_unref(ctx);
}

const struct core *module_core(void)
{
	static struct core core;
	char *srcversion, *untested, *anomalies;

	if (core.version || !module_is_loaded("klp_sets"))
		return &core;
	core.version = sysfs_read("/sys/module", "klp_sets", "version");
	srcversion = sysfs_read("/sys/module", "klp_sets", "srcversion");
	untested = sysfs_read("/sys/module", "klp_sets", "parameters/untested");
	core.untested = untested && *untested == 'Y';
	core.dead = sysfs_flag("/sys/kernel", "klp_sets", "dead") > 0;
	anomalies = sysfs_read("/sys/kernel", "klp_sets", "anomalies");
	core.anomalies = anomalies ? strtoul(anomalies, NULL, 10) : 0;
	find_installed(&core, srcversion);
	free(srcversion);
	free(untested);
	free(anomalies);
	return &core;
}

/* --- loading ---------------------------------------------------------------- */

/* Loads a module of /lib/modules as modprobe does; -ENOENT when it is not there. */
static int probe(struct kmod_ctx *ctx, const char *name)
{
	struct kmod_list *list = NULL;
	struct kmod_module *mod;
	int err;

	err = kmod_module_new_from_lookup(ctx, name, &list);
	/* Up to libkmod 28, where depmod has made no index of what is built in. */
	if (err == -ENOSYS)
		err = -ENOENT;
	if (err < 0)
		return err;
	if (!list)
		return -ENOENT;
	mod = kmod_module_get_module(list);
	err = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL, NULL);
	kmod_module_unref(mod);
	kmod_module_unref_list(list);
	return err;
}

void module_need_core(void)
{
	struct kmod_ctx *ctx;
	char *said;
	int fd, err;

	if (!access("/sys/kernel/klp_sets", F_OK))
		return;
	if (access("/sys/kernel/livepatch", F_OK))
		die("this kernel has no livepatching: it was built without CONFIG_LIVEPATCH");

	ctx = new_context();
	fd = kmsg_open();
	err = probe(ctx, "klp_sets");
	said = kmsg_read(fd, "klp_sets");
	kmod_unref(ctx);
	if (!err)
		return;
	if (err == -ENOENT && !said)
		die("the module klp_sets is not installed for kernel %s: %s", running_release(),
		    dkms_advice(running_release()));
	die("the module klp_sets cannot be loaded: %s", said ? said : module_strerror(err));
}

/* The modules that a file names in its "depends", as modprobe would load them. */
static int insert_dependencies(struct kmod_ctx *ctx, char *names, char **said)
{
	char *name, *rest;
	int err;

	for (name = strtok_r(names, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
		/* The name of a file, until it is loaded. */
		module_underscores(name);
		if (!is_module_name(name)) {
			*said = xasprintf("the file is damaged: it needs the module '%s', which cannot be a name",
					  name);
			return -EINVAL;
		}
		if (module_is_loaded(name))
			continue;
		if (!strcmp(name, "klp_sets")) {
			module_need_core();
			continue;
		}
		err = probe(ctx, name);
		if (err) {
			*said = xasprintf("it needs the module '%s', which cannot be loaded: %s", name,
					  err == -ENOENT ? "it is not installed" :
							   module_strerror(err));
			return err;
		}
	}
	return 0;
}

/*
 * Some kernels want to know where a module comes from, and load none that is just bytes:
 * IMA, and LoadPin where it is enforced.
 */
static bool wants_origin(int err)
{
	char *enforced = err == EPERM ? read_file("/proc/sys/kernel/loadpin/enforce") : NULL;

	return err == EACCES || (enforced && *enforced == '1');
}

/*
 * The bytes that were judged, whatever is in the file by now. Those who want a file look
 * into it themselves.
 */
static int hand_over(const struct module_file *file, const char *options)
{
	if (!syscall(SYS_init_module, file->content, file->content_size, options))
		return 0;
	if (file->content != file->data || !wants_origin(errno))
		return -errno;
	return syscall(SYS_finit_module, file->fd, options, 0) ? -errno : 0;
}

int module_insert(const struct module_file *file, const char *name, const char *parameters,
		  char **said)
{
	struct kmod_ctx *ctx = new_context();
	struct kmod_module *mod = NULL;
	const char *names, *options;
	struct image *image;
	char *all;
	int fd, err;

	image = image_open(file, said);
	err = image ? kmod_module_new_from_name(ctx, name, &mod) : -ENOEXEC;
	if (!err) {
		names = image_modinfo(image, "depends", NULL);
		err = insert_dependencies(ctx, xstrdup(names ? names : ""), said);
	}
	if (!err) {
		options = kmod_module_get_options(mod);
		fd = kmsg_open();
		/* Of one that is there twice, the last one counts. */
		all = xasprintf("%s%s%s", options ? options : "", options && parameters ? " " : "",
				parameters ? parameters : "");
		err = hand_over(file, all);
		free(all);
		*said = kmsg_read(fd, name);
	}
	if (!err) {
		free(*said);
		*said = NULL;
	}
	if (image)
		image_close(image);
	kmod_module_unref(mod);
	kmod_unref(ctx);
	return err;
}

/* --- what is loaded ------------------------------------------------------------ */

static char *build_id_of_file(const struct module_file *file)
{
	struct image *image;
	struct place start;
	uint64_t size, rest;
	char *why, *build = NULL;
	const unsigned char *notes;

	image = image_open(file, &why);
	if (!image) {
		free(why);
		return NULL;
	}
	if (image_section(image, ".note.gnu.build-id", &start, &size)) {
		notes = image_bytes(image, start, &rest);
		if (notes && rest >= size)
			build = build_id_find(notes, size);
	}
	image_close(image);
	return build;
}

static char *note_of(const struct module_file *file, const char *parameters)
{
	char *sum = module_file_sum(file);
	char *note = xasprintf("loaded %s%s%s", sum, parameters ? " " : "",
			       parameters ? parameters : "");

	free(sum);
	return note;
}

void module_note_loaded(const struct module_file *file, const char *name, const char *parameters)
{
	char *note = note_of(file, parameters);

	run_note_load(name, note);
	free(note);
}

bool module_is_file(const struct module_file *file, const char *name, const char *parameters)
{
	char *path = xasprintf("/sys/module/%s/notes/.note.gnu.build-id", name);
	char *loaded = build_id_read(path), *build = build_id_of_file(file);
	char *noted = run_noted_load(name), *note = note_of(file, parameters);
	bool same = loaded && build && !strcmp(loaded, build);

	/* Who has removed it and loaded another has left no note. */
	if (noted && !strncmp(noted, "loaded ", 7))
		same = (same || (!loaded && !build)) && !strcmp(noted, note);
	else if (parameters)
		same = false;
	free(note);
	free(noted);
	free(build);
	free(loaded);
	free(path);
	return same;
}

/* --- removing --------------------------------------------------------------- */

static long references(const char *name)
{
	char *path = xasprintf("/sys/module/%s/refcnt", name);
	char *text = read_file(path);
	long refs = text ? strtol(text, NULL, 10) : -1;

	free(path);
	free(text);
	return refs;
}

static int remove_now(const char *name)
{
	struct kmod_ctx *ctx = new_context();
	struct kmod_module *mod;
	int err;

	err = kmod_module_new_from_name(ctx, name, &mod);
	if (!err) {
		/* Never waits: libkmod passes O_NONBLOCK. */
		err = kmod_module_remove_module(mod, KMOD_REMOVE_NOWAIT);
		kmod_module_unref(mod);
	}
	kmod_unref(ctx);
	return err;
}

/* Livepatching drops references in a work item, a moment after all else is done. */
static bool wait_for_references(const char *name, double deadline)
{
	while (references(name) > 0) {
		if (deadline >= 0 && now() >= deadline)
			return false;
		pause_for(0.02);
	}
	return true;
}

/*
 * When a module that was a livepatch can go
 *
 * The transition has switched every task on the kernel's list of tasks. But a task
 * that ends is taken off this list when do_exit() is not over yet. If it is in a
 * function then that the livepatch had changed (release_task(), say, or what
 * do_exit() calls after it), it runs the module's code, and no transition waits for
 * it: it would come back to code that is gone.
 *
 * User space cannot see it. /proc is made from the same list; the zombies that it
 * shows are on the list, so the transition has looked at them. But there is one thing
 * in the kernel that waits for such a task: a grace period of Tasks RCU, which knows
 * it from before it leaves the list until it has scheduled for the last time. No
 * system call asks for one, but the function tracer does, when it is taken off a
 * function, because a task may have been preempted in its trampoline. So a tracer of
 * our own is put on one function, and taken off. First of all that makes every
 * processor schedule, so that nobody is left who was running.
 *
 * What remains are tasks that sleep in that place, when the kernel is 6.9 or later:
 * Tasks RCU then takes a sleep for the end. And a kernel that does not preempt has no
 * Tasks RCU: there it is those that sleep or let others run (cond_resched()). No
 * interface tells of them. What they do takes microseconds, and waits for no program,
 * so they get a time that is long beside it. The module is kept when the grace period
 * cannot be had, or does not come to an end.
 */
#define SETTLE_SECONDS 1
#define SETTLE_SECONDS_WITHOUT_TASKS_RCU 3

/* For the last reference, which is dropped by a work item; or never. */
#define REFERENCE_SECONDS 5

/* Any function that exists where there are livepatches, and seldom runs. */
#define TRACED_FUNCTION "klp_enable_patch"

static bool kernel_preempts(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.version, "PREEMPT");
}

static int write_in(const char *folder, const char *file, const char *value)
{
	char *path = xasprintf("%s/%s", folder, file);
	int err = write_file(path, value);

	free(path);
	return err;
}

static int trace_for_a_moment(const char *instance)
{
	int err;

	/* Or the buffers would have their usual size, for each processor. */
	err = write_in(instance, "buffer_size_kb", "4");
	if (!err)
		err = write_in(instance, "set_ftrace_filter", TRACED_FUNCTION);
	if (!err)
		err = write_in(instance, "current_tracer", "function");
	if (!err)
		err = write_in(instance, "current_tracer", "nop");
	return err;
}

static int wait_for_grace_period(void)
{
	const char *tracing = "/sys/kernel/tracing";
	char *instance;
	int err;

	/* Mounted for this process alone where it is not there. */
	if (access("/sys/kernel/tracing/instances", F_OK) &&
	    (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	     mount("tracefs", tracing, "tracefs", 0, NULL)))
		return -errno;

	instance = xasprintf("%s/instances/klp-sets-%d", tracing, getpid());
	/* There is one already if a process of this number was killed in here. */
	if (mkdir(instance, 0700) && errno != EEXIST)
		return -errno;
	err = trace_for_a_moment(instance);
	rmdir(instance);
	free(instance);
	return err;
}

/* Comes to its end whoever is killed meanwhile. Its parent may get tired of waiting. */
static pid_t start_grace_period(void)
{
	sigset_t all;
	pid_t pid;
	int null;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid)
		return pid;
	setsid();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* Or whoever reads what the parent prints, or waits for its lock, waits for us. */
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	/* By its number: older libraries have no name for it. */
	syscall(__NR_close_range, 3, ~0U, 0);
	_exit(-wait_for_grace_period());
}

/* Waits until no task can be in code that no task on the list can be in. */
static int settle(double seconds)
{
	double start = now(), delay;
	pid_t pid, done;
	int status = 0;

	delay = kernel_preempts() ? SETTLE_SECONDS : SETTLE_SECONDS_WITHOUT_TASKS_RCU;
	pid = start_grace_period();
	while (!(done = waitpid(pid, &status, WNOHANG))) {
		if (seconds >= 0 && now() - start >= seconds)
			return -ETIMEDOUT;
		pause_for(0.02);
	}
	if (done != pid || !WIFEXITED(status))
		return -EINTR;
	if (WEXITSTATUS(status))
		return -WEXITSTATUS(status);
	if (now() - start < delay)
		pause_for(delay - (now() - start));
	return 0;
}

/* "; kprobe on 'new_foo'..." */
static char *who_uses(const char *name)
{
	char *why = NULL, *said = xstrdup("");
	struct ftrace *ftrace = ftrace_read(&why);
	struct watcher *watchers = NULL;
	size_t nr = 0;

	if (ftrace)
		watchers = ftrace_watchers(ftrace, name, &nr);
	for (size_t i = 0; i < nr; i++)
		said = xasprintf("%s%s%s on '%s'", said, i ? ", " : "; on its code is: ",
				 watchers[i].who, watchers[i].function);
	watchers_free(watchers, nr);
	ftrace_free(ftrace);
	free(why);
	return said;
}

static void explain_kept(const char *name, int err)
{
	if (err == -EWOULDBLOCK && references(name) > 0)
		warn("the module '%s' is kept: it has %ld references; after a forced transition it has one for ever, otherwise a BPF program or another module uses it%s",
		     name, references(name), who_uses(name));
	else if (err == -ETIMEDOUT)
		warn("the module '%s' is kept: a task that is exiting, and in no list any more, may still run its code; 'klp-sets unload %s' removes it later",
		     name, name);
	else if (err == -EPERM || err == -EACCES)
		/* Of all that may be in the way here, nothing goes while the machine is up. */
		warn("the module '%s' is kept until the next boot: %s", name,
		     why_not_permitted() ?: "a security module does not permit to remove it");
	else
		warn("the module '%s' is kept: %s; 'klp-sets unload %s' tries it again", name,
		     err == -EBUSY ? "it has no exit function, or is just being removed" :
				     strerror(-err), name);
}

int modules_remove_old(char *const *names, size_t nr, double seconds)
{
	bool hurry = seconds >= 0 && seconds < REFERENCE_SECONDS;
	double deadline = now() + (hurry ? seconds : REFERENCE_SECONDS);
	size_t nr_free = 0;
	int result = 0, err;

	for (size_t i = 0; i < nr; i++)
		nr_free += wait_for_references(names[i], deadline) && references(names[i]) >= 0;
	err = nr_free ? settle(seconds) : 0;
	for (size_t i = 0; i < nr; i++) {
		int ret = err ? err : remove_now(names[i]);

		if (references(names[i]) > 0)
			ret = -EWOULDBLOCK;
		/* Somebody else may have been faster. */
		if (!ret || ret == -ENOENT)
			continue;
		explain_kept(names[i], ret);
		result = ret;
	}
	return result;
}

int module_remove_old(const char *name, double seconds)
{
	char *names[] = { (char *)name };

	return modules_remove_old(names, 1, seconds);
}
