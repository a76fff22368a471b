/* SPDX-License-Identifier: GPL-2.0 */
/*
 * klp-sets.h - what the files of the command share
 *
 *   main.c       verbs, options, --help
 *   util.c       messages, memory, small files
 *   names.c      what a module is called
 *   livepatch.c  struct livepatch: one livepatch, wherever it was read from
 *   image.c      a module file: sections and pointers (image.h)
 *   elf.c        a livepatch read from a module file
 *   machine.c    what is on this machine, read from sysfs
 *   symbols.c    the functions of a kernel
 *   rules.c      what the kernel would say to a new livepatch
 *   json.c       what several verbs write as JSON
 *   kmsg.c       what the kernel says in its log
 *   module.c     modules loaded and removed, through libkmod
 *   ftrace.c     who is called when a function is entered
 *   transition.c waiting for transitions, and the tasks that hold them up
 *   list.c, check.c, load.c, unload.c, status.c: verbs
 *   install.c, boot.c, assign.c, policy.c: verbs that keep something on disk; store.h
 *
 * The process is single-threaded. It ends on out of memory, with a message. What is
 * returned is owned by the caller, who may leave it to the end of the process.
 */
#ifndef KLP_SETS_TOOL_H
#define KLP_SETS_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit status of the command, the same for every verb. */
enum {
	EXIT_OK = 0,
	EXIT_REFUSED = 1,	/* it cannot be done, or there is a conflict */
	EXIT_USAGE = 2,		/* the command line is wrong */
};

/* Options that come before or after the verb, for every verb; set by main.c. */
extern bool opt_json;		/* --json: lists as JSON on stdout */
extern bool opt_quiet;		/* --quiet: no progress, only results and errors */

/* --- util.c ---------------------------------------------------------------- */

/* "klp-sets: MESSAGE" on stderr. Says what, why, and what to do, with names. */
void warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the end, with EXIT_REFUSED or EXIT_USAGE. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
void usage_error(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The end of the same, when getopt_long() has said what is wrong. */
void usage_end(void) __attribute__((noreturn));

void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The whole file without its last newline, or NULL with errno. For sysfs and proc. */
char *read_file(const char *path);
/* Writes a string to an existing file: 0, or a negative errno. For sysfs and proc. */
int write_file(const char *path, const char *value);

/* Seconds, on a clock that nobody sets. */
double now(void);
void pause_for(double seconds);

/* A set as people write it: decimal, 0 to 4294967295. False for anything else. */
bool parse_set(const char *s, uint32_t *set);

/*
 * The first part of the path of everything that is read or written, "" by default;
 * from KLP_SETS_ROOT in the environment, so that the store and the configuration can
 * be tried in a folder. It does not apply to /sys and /proc.
 */
const char *root_path(void);
/* Whether what is kept is that of the running kernel, and not of another or of a folder. */
bool is_this_machine(void);
/* The kernel that the store is for: uname -r, or KLP_SETS_KERNEL from the environment. */
const char *kernel_release(void);

/* --- sysfs.c ---------------------------------------------------------------- */

#define SYS_LIVEPATCH "/sys/kernel/livepatch"
#define SYS_KLP_SETS "/sys/kernel/klp_sets"
#define SYS_MODULE "/sys/module"

/* Calls a function for every folder in a folder. */
void sysfs_each(const char *path, void *data,
		void (*fn)(const char *path, const char *name, void *data));
/* The file FOLDER/NAME/FILE, or NULL with errno. */
char *sysfs_read(const char *folder, const char *name, const char *file);
/* Of a boolean file: 0 or 1, -1 when it is not there. */
int sysfs_flag(const char *folder, const char *name, const char *file);
bool in_transition(const char *name);
/* Enabled, and not in transition. */
bool in_effect(const char *name);

/* --- names.c ---------------------------------------------------------------- */

/* Every '-' of a file's name is a '_' in the list of modules. Changes it, and returns it. */
char *module_underscores(char *name);
/* The name of the module in a file, "fix_1" for "store/fix-1.ko.xz". */
char *module_name(const char *arg);

/* --- livepatch.c ------------------------------------------------------------ */

struct func {
	char *object;		/* a module, or "vmlinux" */
	char *name;
	unsigned long sympos;	/* from 1; a 0 in the source is 1 here */
	bool only;		/* it was 0: there must be no other of this name */
};

struct state {
	unsigned long id;
	unsigned int version;	/* of a stock state */
	char *name;		/* NULL when it has none */
	bool managed;		/* struct klp_sets_state, not struct klp_state */
	bool is_shadow;
	bool block_disable;
};

/* How many other sets a livepatch may obsolete: KLP_SETS_MAX_OBSOLETES. */
#define MAX_OBSOLETES	256

/* One livepatch: a file, or what is enabled on the machine. */
struct livepatch {
	char *name;		/* of the module, with '_' */
	char *path;		/* of the file, or NULL */
	char *version;		/* MODULE_VERSION, or NULL */
	char *kernel;		/* release that it was built for, or NULL */

	bool has_set;		/* replace_set is known */
	uint32_t replace_set;
	uint32_t *obsoletes;
	size_t nr_obsoletes;
	bool native;		/* calls klp_sets_enable*() */
	bool replace;		/* the flag of a stock patch */
	bool replace_all;	/* the flag of a native patch */
	bool incomplete;	/* a file that decides when it is loaded what it changes */
	char *flaw;		/* of a file: why the kernel would refuse it anywhere */

	struct func *funcs;
	size_t nr_funcs;
	struct state *states;
	size_t nr_states;

	/* Of the machine only. */
	bool managed;		/* belongs to a set */
	bool enabled;
	bool transition;
};

struct livepatch *livepatch_new(const char *name);
void livepatch_free(struct livepatch *lp);
void livepatch_add_func(struct livepatch *lp, const char *object, const char *name,
			unsigned long sympos);
struct state *livepatch_add_state(struct livepatch *lp, unsigned long id);
void livepatch_add_obsolete(struct livepatch *lp, uint32_t set);
/* Whether it names the set among those that it replaces beside its own. */
bool livepatch_obsoletes(const struct livepatch *lp, uint32_t set);
bool same_func(const struct func *a, const struct func *b);
const struct func *livepatch_find_func(const struct livepatch *lp, const struct func *func);
const struct state *livepatch_find_state(const struct livepatch *lp, unsigned long id);
/*
 * What --set means for a file. False, with a sentence in *why, when it asks for another
 * set itself.
 */
bool livepatch_put_into_set(struct livepatch *lp, uint32_t set, char **why);
/* "vendor_a_v1 of set 1", or "stock patch vendor_a_v1": to be used in a message. */
const char *livepatch_who(const struct livepatch *lp);
/* "cmdline_proc_show", or "fn1 of klp_target", with ",2" when not the first symbol. */
const char *func_label(const struct func *func);

/* --- elf.c ------------------------------------------------------------------ */

/*
 * Reads a livepatch module, compressed or not, built by hand, by kpatch-build or
 * klp-build, for whatever kernel. The set is that of the call or of its modinfo.
 * Returns NULL, with the reason in *why: not a module, not a livepatch, damaged.
 */
struct livepatch *livepatch_from_file(const char *path, char **why);

/* --- machine.c -------------------------------------------------------------- */

enum stock_replace { STOCK_ALL, STOCK_SCOPED, STOCK_REFUSE };

struct policy {
	enum stock_replace stock_replace;
	bool set0_replaces_all;
	bool allow_replace_all;
	bool taint;
};

struct assignment {
	char *name;		/* of the module */
	uint32_t replace_set;
	uint32_t *obsoletes;
	size_t nr_obsoletes;
};

/* A livepatch module that is no longer a patch: replaced or disabled, not removed. */
struct leftover {
	char *name;
	char *version;		/* MODULE_VERSION, or NULL */
	long refcnt;		/* 0: can be removed; held after a forced transition */
};

struct machine {
	bool livepatching;	/* /sys/kernel/livepatch exists */
	bool core;		/* klp_sets is loaded */
	struct policy policy;	/* the defaults when it is not */
	struct livepatch **patches;	/* enabled, or in transition */
	size_t nr_patches;
	struct assignment *assignments;
	size_t nr_assignments;
	struct leftover *leftovers;
	size_t nr_leftovers;
};

/* Reads all of it, sets in their order; a patch that goes away meanwhile is left out. */
struct machine *machine_read(void);
/* A machine with nothing on it, for checks on files alone. */
struct machine *machine_empty(void);
void machine_free(struct machine *m);
void machine_add(struct machine *m, struct livepatch *lp);
struct livepatch *machine_find(const struct machine *m, const char *name);
/* Whether a livepatch of this name is on this machine now, and not on its way out. */
bool is_enabled(const char *name);
/* What waits in the kernel for a module of this name, or NULL. */
const struct assignment *machine_find_assignment(const struct machine *m, const char *name);
/* Whether the module of this name was a patch once, and is still there. */
bool machine_has_leftover(const struct machine *m, const char *name);
/* The patch of a set, or NULL. */
struct livepatch *machine_find_set(const struct machine *m, uint32_t set);
/* The patch in transition, or NULL. */
struct livepatch *machine_in_transition(const struct machine *m);
/* Dies, and says why, on a kernel without livepatching. */
void machine_need_livepatching(const struct machine *m);
/* What a user wrote, a set or the name of a patch or module file; dies when there is none. */
struct livepatch *machine_find_arg(const struct machine *m, const char *arg);

/* --- symbols.c ------------------------------------------------------------- */

/* Functions of a kernel and of modules that are loaded. */
struct symbols;
/* A System.map or a copy of /proc/kallsyms; NULL with errno. */
struct symbols *symbols_read(const char *path);
void symbols_free(struct symbols *s);
/* Whether anything is known of the kernel ("vmlinux"), or of this module. */
bool symbols_have(const struct symbols *s, const char *object);
/* How many have the name. *addr is 0 when there is none, or it is hidden. */
size_t symbols_find(const struct symbols *s, const struct func *func, uint64_t *addr);
/* A name that the object has for an address; the next one with the same *i, 0 at first. */
const char *symbols_name(const struct symbols *s, const char *object, uint64_t addr, size_t *i);

/* --- rules.c ---------------------------------------------------------------- */

struct conflict {
	char *reason;		/* one sentence, with names */
	char *advice;		/* one sentence: what to do about it */
};

/* What would happen if a livepatch was loaded now. It points into what was judged. */
struct verdict {
	bool managed;			/* it would belong to a set: */
	bool has_set;			/* to this one; else the file does not tell */
	uint32_t replace_set;
	const uint32_t *obsoletes;
	size_t nr_obsoletes;
	const struct assignment *assignment;	/* which it would use up; or NULL */
	struct livepatch **replaced;	/* patches of the machine that it would replace */
	size_t nr_replaced;
	const struct func **added, **kept, **dropped;
	size_t nr_added, nr_kept, nr_dropped;
	struct conflict *conflicts;	/* none: it would be accepted */
	size_t nr_conflicts;
};

/*
 * Which set a livepatch that is about to be loaded gets: what the operator wishes
 * now (or NULL) counts most, then what was assigned before, then the file. False, with a
 * sentence in *why, when the wish cannot be fulfilled.
 */
bool rules_choose_set(const struct machine *m, struct livepatch *lp, const uint32_t *wish,
		      char **why);
/*
 * Every rule that the kernel would apply, as far as files and sysfs tell. Neither the
 * machine nor the livepatch is changed. An assignment of the machine counts for a
 * livepatch without a set. With symbols, functions with two names are found, and
 * those that the kernel lacks; NULL is for none. Nothing can be said of what a livepatch
 * that is "incomplete" has beside what was read.
 */
struct verdict *rules_judge(const struct machine *m, const struct livepatch *lp,
			    const struct symbols *symbols);
void verdict_free(struct verdict *v);
/* Puts a livepatch on the machine, which owns it then, as if it had been loaded. */
void machine_apply(struct machine *m, struct livepatch *lp, const struct verdict *v);

/* --- transition.c ----------------------------------------------------------- */

struct task {
	int pid, tid;
	char *comm;
	char state;		/* as in /proc/PID/stat: R runs, S and D sleep... */
	bool user;		/* not a kernel thread */
	char *command;		/* with arguments; NULL for a kernel thread */
	double age;		/* seconds since it was started */
	char *stack;		/* kernel stack, a line a function; NULL when unreadable */
};

struct progress {
	size_t total, done;	/* tasks */
	struct task *waiting;	/* not switched yet */
	size_t nr_waiting;
	bool unreadable;	/* not root: the tasks could not be looked at */
};

/* Looks at all tasks once. *with_stacks* also reads where they sleep. */
struct progress *progress_read(const struct livepatch *lp, bool with_stacks);
void progress_free(struct progress *p);
/* Seconds since the transition was started or last reversed; -1 when not known. */
double transition_age(const struct livepatch *lp);
/* Whether a patch, being enabled, replaces another one. */
bool livepatch_replaces(const struct livepatch *lp, const struct livepatch *old);
/*
 * The line of a stack that keeps its task from being switched: the topmost function
 * that is patched or unpatched, or that is code of a patch on its way out. Its length
 * is in *len. NULL when there is none.
 */
const char *stack_blocker(const struct machine *m, const struct livepatch *lp,
			  const char *stack, size_t *len);
/*
 * Waits until the patch is no longer in transition, with a progress line on a
 * terminal; -1 seconds is for ever. False on time-out, after a list of the tasks
 * that hold it up.
 */
bool transition_wait(const char *name, double seconds);
/* Waits until no transition at all is going on. */
bool transition_wait_any(double seconds);

/* --- json.c ----------------------------------------------------------------- */

struct json_object;
/* null for NULL */
struct json_object *json_text(const char *s);
/* As a string: JSON has no numbers of 64 bits that everybody can read. */
struct json_object *json_id(unsigned long id);
struct json_object *json_func(const struct func *func);

/* --- kmsg.c ----------------------------------------------------------------- */

/* From here on, what is new in the kernel's log; -1 when it cannot be read. */
int kmsg_open(void);
/*
 * The warnings of klp_sets, livepatch and a module (or NULL) since then, a line each,
 * without "klp_sets: "; NULL when there are none. Closes the log.
 */
char *kmsg_read(int fd, const char *module);
/* Seconds since the kernel last said something that begins so; -1: it is not in the log. */
double kmsg_age(const char *start);
/* write_file(), and what the kernel said about it, or NULL. */
int write_file_said(const char *path, const char *value, char **said);

/* --- ftrace.c --------------------------------------------------------------- */

/* A function on which somebody waits. */
struct hooked {
	char *object, *name;
	unsigned int count;	/* of handlers */
	bool redirected;	/* one of them may send the caller elsewhere */
	bool livepatch;		/* and it is livepatch */
	char *direct;		/* what is called directly, a BPF trampoline; or NULL */
};

struct probe {
	char *object, *name;
	unsigned long offset;
	bool entry;		/* it is one of the handlers at the function's entry */
	bool ret;		/* a kretprobe */
};

struct ftrace {
	struct hooked *hooked;	/* sorted by name */
	size_t nr_hooked;
	struct probe *probes;	/* armed ones */
	size_t nr_probes;
	bool probes_known;	/* debugfs could be read */
	bool off;		/* kernel.ftrace_enabled is 0 */
	struct symbols *symbols;	/* for aliases, once one is asked for */
};

/* NULL, with the reason in *why, when ftrace's list cannot be read. */
struct ftrace *ftrace_read(char **why);
void ftrace_free(struct ftrace *f);
/* All functions of this name, *nr of them; NULL when nobody waits on any. */
const struct hooked *ftrace_find(const struct ftrace *f, const char *object, const char *name,
				 size_t *nr);
/* The function under another name of the same address: ftrace knows only one. */
const struct hooked *ftrace_find_alias(struct ftrace *f, const struct func *func);

/* --- module.c --------------------------------------------------------------- */

/* Seconds that a command waits for a transition without --wait. */
#define PATIENCE 15

/* Whether a module of this name is there, and is not built in. */
bool module_is_loaded(const char *name);
/* Loads klp_sets with modprobe's rules, unless it is there. Dies with advice. */
void module_need_core(void);
/*
 * Loads a module file with its dependencies. 0 or a negative errno, with what the
 * kernel said about it in *said, as kmsg_read().
 */
int module_insert(const char *path, char **said);
/* Why a module could not be loaded, when the kernel did not say. */
const char *module_strerror(int err);
/*
 * Removes the modules of replaced or disabled patches when it is safe: waits, for as
 * many seconds (-1: for ever), until no task that was exiting, and that no transition
 * sees, can still run their code. 0 or -errno, with a message for each that is kept.
 */
int modules_remove_old(char *const *names, size_t nr, double seconds);
int module_remove_old(const char *name, double seconds);

/* --- load.c, for boot.c and install.c ---------------------------------------- */

struct load_options {
	const uint32_t *set;	/* --set, or NULL */
	bool keep;		/* do not remove what was replaced */
	bool wait;
	double seconds;		/* -1: as long as it takes */
	/* Called once it is in the kernel, before its transition is waited for; or NULL. */
	void (*loaded)(void *data);
	void *data;
};

/* All of `klp-sets load`: EXIT_OK or EXIT_REFUSED, with messages. */
int load_patch(const char *path, const struct load_options *options);
/* What "--wait" or "--wait=SECONDS" (NULL without) means; ends the process when wrong. */
void parse_wait(const char *seconds, struct load_options *options);
/* Seconds to wait for each thing that takes time: those of --wait, or PATIENCE. */
double patience(const struct load_options *options);

/* --- assign.c, policy.c, store.c, guard.c: what is kept on disk ---------------- */

/* The assignments in /etc/klp-sets/assign.conf. */
struct assignment *assignments_kept(size_t *n);
/* The one of a module, or NULL. */
const struct assignment *assignment_kept(const char *name);
/* That of a module: of several, the last one counts. NULL when there is none. */
const struct assignment *assignment_find(const struct assignment *all, size_t n,
					 const char *name);
/* A line of that file, or of the kernel's own; false when it makes no sense. */
bool assignment_parse(const char *line, struct assignment *a);
/* The same from MODULE SET [OBSOLETED SET...]. */
bool assignment_from_words(char **words, size_t n, struct assignment *a);
/* Puts it into the file, in the place of those about the module; NULL takes them out. */
void assignment_keep(const char *module, const struct assignment *a);
/* Gives it to the kernel: 0, or a negative errno with what the kernel said, or NULL. */
int assign_now(const struct assignment *a, char **said);
/* Drops what waits in the kernel for a module: 0, or a negative errno. */
int unassign_now(const char *module);

/* A parameter of klp_sets. */
struct knob {
	const char *name;
	const char *values;	/* those allowed, separated by spaces; NULL for 0 and 1 */
	const char *normal;
	const char *meaning;
};

#define NR_KNOBS 4
extern const struct knob knobs[NR_KNOBS];

#define KNOB_PARAMETERS "/sys/module/klp_sets/parameters"
#define POLICY_CONF "/etc/modprobe.d/klp-sets.conf"

/* As the kernel reads it: a copy of the value in its short form, or NULL. */
char *knob_parse(const struct knob *knob, const char *value);
/* All that it can be, for a message. */
const char *knob_values(const struct knob *knob);
/* Whether a word "NAME=VALUE" is about the knob; "taint" alone is taint=1. */
bool is_knob(const struct knob *knob, const char *word, size_t len, const char **value);
/* Its value in the kernel, NULL when klp_sets is not loaded. */
char *knob_now(const struct knob *knob);
/* Changes that: 0, or a negative errno, -ENOENT when klp_sets is not loaded. */
int knob_set_now(const struct knob *knob, const char *value);
/* What modprobe would give to klp_sets, as it is written; or NULL. *tell* warns of nonsense. */
char *knob_kept_text(const struct knob *knob, bool tell);
/* The same in its short form; NULL when it makes no sense, too. */
char *knob_kept(const struct knob *knob);
/* Writes new values into POLICY_CONF, all or none of them. */
void knobs_keep(const struct knob *const *changed, char *const *new, size_t n);
/* What modprobe would load klp_sets with. */
struct policy policy_kept(void);

/* All of `klp-sets list --stored`. */
int list_stored(void);

/*
 * To be called right before a livepatch is loaded: if the machine dies within a minute,
 * the next boot will not load it. False when that could not be written down.
 */
bool guard_raise(const char *name);
/* It was not loaded after all. */
void guard_drop(const char *name);

/* --- verbs: argv[0] is the verb; each parses its own options with getopt_long ------- */

int cmd_list(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_unload(int argc, char **argv);
int cmd_reverse(int argc, char **argv);
int cmd_force(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_install(int argc, char **argv);
int cmd_uninstall(int argc, char **argv);
int cmd_rollback(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_assign(int argc, char **argv);
int cmd_policy(int argc, char **argv);

#endif /* KLP_SETS_TOOL_H */
