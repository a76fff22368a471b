/* SPDX-License-Identifier: GPL-2.0 */
/*
 * core.h - what the files of the core module share
 *
 * Everything happens inside stock livepatch's own operations, so its klp_mutex
 * is the lock of nearly everything here. The exceptions are marked where they
 * are declared.
 */
#ifndef _KLP_SETS_CORE_H
#define _KLP_SETS_CORE_H

#undef pr_fmt
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/livepatch.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "klp_sets.h"
#include "table.h"

/**
 * struct klp_sets_stock - stock livepatch's private parts, by address
 *
 * Filled in once at load, see symbols.c. The functions are only ever hooked and
 * never called: see the rule on IBT there. The last ones serve speed alone, and are
 * not to be looked at where @transition_work, or @ops, is NULL.
 */
struct klp_sets_stock {
	struct mutex *mutex;
	struct list_head *patches;
	struct klp_patch **transition_patch;
	struct kobj_type *ktype_patch;
	struct kobj_type *ktype_object;
	struct kobj_type *ktype_func;
	unsigned long is_patch_compatible;
	unsigned long init_transition;
	unsigned long force_transition;
	unsigned long try_complete_transition;
	unsigned long reverse_transition;
	unsigned long release_patch;
	unsigned long enabled_store;
	struct delayed_work *transition_work;
	unsigned int *signals_cnt;
	struct list_head *ops;
	unsigned long ftrace_handler;
};

extern struct klp_sets_stock klp;

#define klp_sets_for_each_patch(patch)	\
	list_for_each_entry(patch, klp.patches, list)

/**
 * struct klp_sets_carrier - an object of the patch that carries no function
 * @obj:	what stock livepatch sees; first, because stock frees it by kfree()
 * @rec:	the record of the patch
 *
 * It stands first in the patch's obj_list, so that its callbacks run before
 * anything is patched and in process context, see carrier.c.
 */
struct klp_sets_carrier {
	struct klp_object obj;
	struct klp_sets_record *rec;
};

/**
 * struct klp_sets_record - what is known of an admitted patch
 * @node:	in the list of records; klp_mutex and klp_sets_records_lock
 * @patch:	the patch; may be looked into while it is in stock's list
 * @dead:	@patch is gone; klp_sets_records_lock
 * @managed:	it belongs to a set; otherwise a stock patch until its transition is over
 * @replace_all: it replaces every patch on the machine
 * @replace_stock: it replaces every stock patch
 * @taint:	it sets a taint flag when it is enabled
 * @settled:	its enabling is complete
 * @was_forced:	a transition that it took part in, or inherited, was forced
 * @replace_set: the set
 * @nr_obsoletes: number of further sets that it replaces
 * @obsoletes:	those
 * @p:		what the client passed, when it has states
 * @states_text: what the file "states" shows of them, or NULL
 * @blocker:	the state for which it cannot be disabled, from when @settled becomes true;
 *		klp_mutex and klp_sets_records_lock
 * @assignment:	what made it managed, until it is enabled
 * @carrier:	owned by the record until commit, by the patch afterwards
 * @folder:	the folder of the set, while it shows @patch
 * @unlinked:	@folder lacks the link to it, for want of memory
 *
 * Apart from the exceptions noted, klp_mutex protects the members, or they do
 * not change after admit. The files of sysfs stay within the latter.
 *
 * Every managed patch has one as long as it lives, so what is needed between
 * admit and commit alone is kept elsewhere.
 */
struct klp_sets_record {
	struct list_head node;
	struct klp_patch *patch;
	bool dead;
	bool managed;
	bool replace_all;
	bool replace_stock;
	bool taint;
	bool settled;
	bool was_forced;
	bool unlinked;
	u32 replace_set;
	unsigned int nr_obsoletes;
	u32 *obsoletes;
	struct klp_sets_patch *p;
	char *states_text;
	const struct klp_sets_state *blocker;
	struct klp_sets_assignment *assignment;
	struct klp_sets_carrier *carrier;
	struct kobject *folder;
};

/**
 * struct klp_sets_request - a call of klp_sets_enable() on its way to admit
 * @node:	in the list of requests; klp_mutex
 * @p:		what the caller wants
 * @task:	the caller
 * @replace:	the patch's own replace flag
 * @seen:	admit was asked
 * @err:	why it refused; stock livepatch would make it -EINVAL
 */
struct klp_sets_request {
	struct list_head node;
	struct klp_sets_patch *p;
	struct task_struct *task;
	bool replace;
	bool seen;
	int err;
};

/* kernel.c */
int klp_sets_check_kernel(void);

/* symbols.c */
int klp_sets_find_symbols(void);

/* api.c */
struct klp_sets_request *klp_sets_find_request(const struct klp_patch *patch);
bool klp_sets_have_requests(void);

/* policy.c */
enum klp_sets_stock_policy {
	KLP_SETS_STOCK_ALL,
	KLP_SETS_STOCK_SCOPED,
	KLP_SETS_STOCK_REFUSE,
};

enum klp_sets_stock_policy klp_sets_stock_policy(void);
bool klp_sets_may_replace_all(const struct klp_sets_patch *p);
bool klp_sets_must_taint(const struct klp_sets_patch *p);
void klp_sets_taint(struct klp_sets_record *rec);

/* assign.c */
struct klp_sets_assignment *klp_sets_find_assignment(const char *name);
void klp_sets_get_assigned(const struct klp_sets_assignment *a, struct klp_sets_patch *p);
void klp_sets_assignment_done(struct klp_sets_assignment *a);
bool klp_sets_have_assignments(void);
void klp_sets_reap_assignments(void);
void klp_sets_drop_assignments(void);
extern struct kobj_attribute klp_sets_assign_attr;

/* hooks.c */
#define KLP_SETS_DEATH	"ftrace has stopped itself, and klp_sets with it, until the next boot"
bool klp_sets_is_dead(void);
int klp_sets_update_hooks(void);
int klp_sets_check_places(const struct klp_sets_record *rec);
int klp_sets_init_hooks(void);
void klp_sets_exit_hooks(void);

/* admit.c */
bool klp_sets_admit(struct klp_patch *patch);
int klp_sets_check_patch(const struct klp_patch *patch);
int klp_sets_check_first_time(const struct klp_patch *patch);
int klp_sets_check_adopted(struct klp_sets_record *rec);

/* record.c */
extern struct klp_sets_record *klp_sets_admitted;
void klp_sets_set_admitted(struct klp_sets_record *rec);
struct klp_sets_record *klp_sets_alloc_record(struct klp_patch *patch,
					      struct klp_sets_patch *p);
void klp_sets_free_record(struct klp_sets_record *rec);
struct klp_sets_record *klp_sets_record_of(const struct klp_patch *patch);
struct klp_sets_record *klp_sets_live_record(const struct klp_patch *patch);
bool klp_sets_have_records(void);
void klp_sets_add_record(struct klp_sets_record *rec);
void klp_sets_remove_record(struct klp_sets_record *rec);
void klp_sets_bury(const struct klp_patch *patch);
void klp_sets_drop_admitted(void);
void klp_sets_schedule_reap(void);
void klp_sets_flush_records(void);
void klp_sets_start_blocking(struct klp_sets_record *rec);
bool klp_sets_blocks(const struct klp_patch *patch);
void klp_sets_move_folder(struct klp_sets_record *rec, struct kobject *folder);
ssize_t klp_sets_show_states(const struct kobject *folder, char *buf);

/* scope.c */
bool klp_sets_replaces(const struct klp_sets_record *rec, const struct klp_patch *old);
bool klp_sets_conflicts(const struct klp_sets_record *rec, const struct klp_patch *old);
#define KLP_SETS_WHO_LEN	(MODULE_NAME_LEN + 32)
const char *klp_sets_who(char *buf, const struct klp_patch *patch,
			 const struct klp_sets_record *rec);

static inline bool klp_sets_is_loaded(const struct klp_object *obj)
{
	return !obj->name || obj->mod;
}

/* nops.c */
int klp_sets_add_nops(struct klp_sets_record *rec, struct klp_sets_table *table,
		      const struct klp_patch *old);
unsigned int klp_sets_count_nops(void);
void klp_sets_free_nops(void);
void klp_sets_link_nops(struct klp_sets_record *rec);

/* carrier.c */
int klp_sets_check_aliases(struct klp_sets_record *rec);
int klp_sets_adopt(struct klp_sets_record *rec);
struct klp_sets_carrier *klp_sets_alloc_carrier(struct klp_sets_record *rec);
struct klp_sets_record *klp_sets_carried_record(const struct klp_object *obj);

/* states.c */
int klp_sets_check_table(const struct klp_sets_patch *p);
int klp_sets_check_own_states(const struct klp_sets_record *rec);
int klp_sets_check_foreign_states(const struct klp_sets_record *rec,
				  const struct klp_patch *old);
int klp_sets_check_replaced_states(const struct klp_sets_record *rec,
				   const struct klp_patch *old, bool replaces);
const struct klp_sets_state *klp_sets_find_blocker(const struct klp_sets_record *rec);
int klp_sets_states_pre_patch(struct klp_sets_record *rec);
void klp_sets_states_post_patch(struct klp_sets_record *rec);
void klp_sets_states_pre_unpatch(struct klp_sets_record *rec);
void klp_sets_states_post_unpatch(struct klp_sets_record *rec);
char *klp_sets_format_states(const struct klp_sets_record *rec);
void klp_sets_exit_states(void);

/* report.c */
struct klp_sets_counts {
	unsigned int funcs;	/* that the patch changes */
	unsigned int nops;	/* that admit prepared, until commit */
	unsigned int replaced;	/* patches */
};

unsigned int klp_sets_refusals(void);
unsigned int klp_sets_transitions(void);
void klp_sets_count_refusal(void);
void klp_sets_completed(const struct klp_sets_record *rec, bool enabled);
s64 klp_sets_set_of(const struct klp_sets_record *rec);
void klp_sets_count(const struct klp_sets_record *rec, struct klp_sets_counts *counts);
__printf(3, 4)
void klp_sets_refuse(const struct klp_patch *patch, const struct klp_sets_record *rec,
		     const char *fmt, ...);
void klp_sets_say_busy(const char *name, const char *what);
void klp_sets_announce(const struct klp_sets_record *rec, const char *what);
void klp_sets_mourn(const struct klp_sets_record *old_rec, const struct klp_sets_record *rec);

/* commit.c */
void klp_sets_commit(struct klp_patch *patch);
void klp_sets_retire(struct klp_patch *patch);
void klp_sets_enabled(const struct klp_patch *patch);

/* force.c */
int klp_sets_prepare_force(void);
void klp_sets_force_begins(void);
void klp_sets_force_ends(void);
bool klp_sets_was_forced(void);
void klp_sets_reset_force(void);
void klp_sets_free_force(void);

/* retry.c */
void klp_sets_retry(void);
void klp_sets_retry_reversed(void);

/* search.c */
void klp_sets_put_first(const struct klp_sets_table *table);
void klp_sets_put_patch_first(const struct klp_patch *patch);

/* verify.c */
unsigned int klp_sets_anomalies(void);
void klp_sets_count_anomaly(void);
int klp_sets_prepare_verify(void);
void klp_sets_note_left(const struct klp_sets_record *rec, bool enabled);
void klp_sets_verify(const struct klp_patch *new);
void klp_sets_free_verify(void);

/* sysfs.c */
int klp_sets_init_sysfs(void);
void klp_sets_exit_sysfs(void);
int klp_sets_show_patch(struct klp_sets_record *rec);
void klp_sets_show_replaced(struct klp_sets_record *rec);
void klp_sets_mend_links(void);
void klp_sets_hide_set(struct klp_sets_record *rec);

#endif /* _KLP_SETS_CORE_H */
