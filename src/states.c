// SPDX-License-Identifier: GPL-2.0
/*
 * states.c - side effects that live as long as a set has them
 *
 * A patch sets up the states that it introduces and cleans up its own. What it
 * takes over from the patches that it replaces is handed over silently, and what
 * it lacks is cleaned up by the patch that goes away.
 *
 *			enable or replace			disable
 *	starts		introduced: pre_patch			all: pre_unpatch
 *			obsolete: pre_unpatch
 *	complete	obsolete: post_unpatch			all: post_unpatch
 *			introduced: post_patch
 *	reversed	obsolete: post_patch			all: post_patch
 *			introduced: post_unpatch
 *
 * States are set up in the order of their array and removed in reverse. All this
 * happens in the callbacks of a carrier: in process context, under klp_mutex.
 * Nothing is remembered of what was introduced: the replaced patches stay in
 * stock's list until the transition is complete, so it is asked for again.
 */
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "core.h"

#define klp_sets_for_each_own_state(rec, state)				\
	for (state = (rec) && (rec)->p ? (rec)->p->states : NULL;	\
	     state && state->id; state++)

static unsigned int klp_sets_count_states(const struct klp_sets_record *rec)
{
	const struct klp_sets_state *state;
	unsigned int nr = 0;

	klp_sets_for_each_own_state(rec, state)
		nr++;
	return nr;
}

static struct klp_sets_state *klp_sets_own_state(const struct klp_sets_record *rec,
						 unsigned long id)
{
	struct klp_sets_state *state;

	klp_sets_for_each_own_state(rec, state)
		if (state->id == id)
			return state;
	return NULL;
}

/* In either kind of array. */
static bool klp_sets_has_state(struct klp_patch *patch, const struct klp_sets_record *rec,
			       unsigned long id)
{
	return klp_get_state(patch, id) || klp_sets_own_state(rec, id);
}

static const char *klp_sets_state_name(const struct klp_sets_state *state)
{
	return state->name ?: "-";
}

/* An entry that is not all zero is no end of an array. */
static bool klp_sets_is_end(const struct klp_sets_state *state)
{
	return !state->name && !state->is_shadow && !state->shadow_dtor &&
	       !state->block_disable && !state->callbacks.pre_patch &&
	       !state->callbacks.post_patch && !state->callbacks.pre_unpatch &&
	       !state->callbacks.post_unpatch;
}

/* The operator gets one line a state, in columns. */
static bool klp_sets_is_word(const char *name)
{
	if (!*name)
		return false;
	while (isgraph(*name))
		name++;
	return !*name;
}

static int klp_sets_refuse_twice(const struct klp_patch *patch, unsigned long id)
{
	klp_sets_refuse(patch, NULL, "it has state %lu twice", id);
	return -EINVAL;
}

/**
 * klp_sets_check_table() - refuse an array of states that makes no sense
 * @p:		the client's patch
 *
 * Return: 0 or -EINVAL (said in the log).
 */
int klp_sets_check_table(const struct klp_sets_patch *p)
{
	const struct klp_sets_state *state, *other;

	for (state = p->states; state && state->id; state++) {
		if (klp_get_state(p->patch, state->id))
			return klp_sets_refuse_twice(p->patch, state->id);
		for (other = p->states; other != state; other++)
			if (other->id == state->id)
				return klp_sets_refuse_twice(p->patch, state->id);
		if (state->name && !klp_sets_is_word(state->name)) {
			klp_sets_refuse(p->patch, NULL, "the name of state %lu is not one word",
					state->id);
			return -EINVAL;
		}
	}
	if (state && !klp_sets_is_end(state)) {
		klp_sets_refuse(p->patch, NULL, "a state ('%s') has no id",
				klp_sets_state_name(state));
		return -EINVAL;
	}
	return 0;
}

static int klp_sets_refuse_state(const struct klp_sets_record *rec,
				 const struct klp_patch *old, unsigned long id,
				 const char *why, int err)
{
	char owner[KLP_SETS_WHO_LEN];

	klp_sets_refuse(rec->patch, rec, "state %lu, used by %s, %s", id,
			klp_sets_who(owner, old, klp_sets_record_of(old)), why);
	return err;
}

#define klp_sets_for_each_stock_state(patch, state)	\
	for (state = (patch)->states; state && state->id; state++)

/**
 * klp_sets_check_own_states() - refuse a stock state that is there twice
 * @rec:	the new patch's record
 *
 * Return: 0 or -EINVAL (said in the log).
 */
int klp_sets_check_own_states(const struct klp_sets_record *rec)
{
	const struct klp_state *state, *other;

	klp_sets_for_each_stock_state(rec->patch, state)
		for (other = rec->patch->states; other != state; other++)
			if (other->id == state->id)
				return klp_sets_refuse_twice(rec->patch, state->id);
	return 0;
}

/**
 * klp_sets_check_foreign_states() - a state belongs to one set
 * @rec:	the new patch's record
 * @old:	an enabled patch outside its scope
 *
 * Rule 3 of the contract, for both kinds of states.
 *
 * Return: 0 or -EINVAL (said in the log).
 */
int klp_sets_check_foreign_states(const struct klp_sets_record *rec,
				  const struct klp_patch *old)
{
	const struct klp_sets_state *own;
	const struct klp_state *state;

	klp_sets_for_each_stock_state(old, state)
		if (klp_sets_has_state(rec->patch, rec, state->id))
			return klp_sets_refuse_state(rec, old, state->id,
						     "belongs to another set", -EINVAL);
	klp_sets_for_each_own_state(klp_sets_record_of(old), own)
		if (klp_sets_has_state(rec->patch, rec, own->id))
			return klp_sets_refuse_state(rec, old, own->id,
						     "belongs to another set", -EINVAL);
	return 0;
}

/*
 * Stock livepatch's rule, see klp_is_state_compatible() in kernel/livepatch:
 * a patch that replaces another must know all its states, and none in an older
 * version. A patch that stacks on another must not have an older version.
 */
static int klp_sets_check_versions(const struct klp_sets_record *rec,
				   const struct klp_patch *old, bool replaces)
{
	const struct klp_state *old_state, *state;

	klp_sets_for_each_stock_state(old, old_state) {
		if (klp_sets_own_state(rec, old_state->id))
			continue;
		state = klp_get_state(rec->patch, old_state->id);
		if (!state && replaces)
			return klp_sets_refuse_state(rec, old, old_state->id,
						     "is missing in it", -EINVAL);
		if (state && state->version < old_state->version)
			return klp_sets_refuse_state(rec, old, old_state->id,
						     "is older in it", -EINVAL);
	}
	return 0;
}

static bool klp_sets_same_state(const struct klp_sets_state *a, const struct klp_sets_state *b)
{
	return a->is_shadow == b->is_shadow &&
	       !strcmp(klp_sets_state_name(a), klp_sets_state_name(b));
}

/**
 * klp_sets_check_replaced_states() - whether a patch can take over from another
 * @rec:	the new patch's record
 * @old:	an enabled patch with which it does not conflict
 * @replaces:	whether it replaces that
 *
 * Return: 0, -EINVAL, or -EBUSY when a state does not let itself be removed
 * (said in the log).
 */
int klp_sets_check_replaced_states(const struct klp_sets_record *rec,
				   const struct klp_patch *old, bool replaces)
{
	const struct klp_sets_state *old_state, *state;

	klp_sets_for_each_own_state(klp_sets_record_of(old), old_state) {
		state = klp_sets_own_state(rec, old_state->id);
		if (state && !klp_sets_same_state(state, old_state))
			return klp_sets_refuse_state(rec, old, old_state->id,
						     "has another name or is_shadow", -EINVAL);
		if (old_state->block_disable &&
		    !klp_sets_has_state(rec->patch, rec, old_state->id))
			return klp_sets_refuse_state(rec, old, old_state->id,
						     "cannot be removed, and is missing in it",
						     -EBUSY);
	}
	return klp_sets_check_versions(rec, old, replaces);
}

/**
 * klp_sets_find_blocker() - the state for which a patch cannot be disabled
 * @rec:	the patch's record
 *
 * Return: a state, or NULL.
 */
const struct klp_sets_state *klp_sets_find_blocker(const struct klp_sets_record *rec)
{
	const struct klp_sets_state *state;

	klp_sets_for_each_own_state(rec, state)
		if (state->block_disable)
			return state;
	return NULL;
}

/* Whether the new patch found the state in a patch that it replaces. */
static bool klp_sets_is_inherited(const struct klp_sets_record *rec, unsigned long id)
{
	struct klp_patch *old;

	klp_sets_for_each_patch(old) {
		if (old != rec->patch && klp_sets_replaces(rec, old) &&
		    klp_sets_has_state(old, klp_sets_record_of(old), id))
			return true;
	}
	return false;
}

static void klp_sets_call(struct klp_sets_record *rec, struct klp_sets_state *state,
			  void (*callback)(struct klp_sets_patch *, struct klp_sets_state *))
{
	if (callback)
		callback(rec->p, state);
}

/* Ids of shadow variables that a forced task may still use; klp_mutex. */
static DEFINE_XARRAY(klp_sets_left_alone);

/* There was no memory to remember one of those; klp_mutex. */
static bool klp_sets_leave_all_alone;

/*
 * A task that was forced may be in the old code for ever, so the variables must
 * stay, even when a later patch has the same state again. While a module with such
 * code is pinned, it keeps this one and what it remembers.
 */
static void klp_sets_note_use(const struct klp_sets_record *rec, unsigned long id)
{
	if ((rec->was_forced || klp_sets_was_forced()) &&
	    xa_err(xa_store(&klp_sets_left_alone, id, xa_mk_value(1), GFP_KERNEL)))
		klp_sets_leave_all_alone = true;
}

static bool klp_sets_may_be_in_use(const struct klp_sets_record *rec, unsigned long id)
{
	klp_sets_note_use(rec, id);
	return klp_sets_leave_all_alone || xa_load(&klp_sets_left_alone, id);
}

/* The end of a state's life. */
static void klp_sets_clean_up(struct klp_sets_record *rec, struct klp_sets_state *state)
{
	klp_sets_call(rec, state, state->callbacks.post_unpatch);
	if (!state->is_shadow)
		return;

	if (klp_sets_may_be_in_use(rec, state->id))
		pr_warn("shadow variables of state %lu '%s' of '%s' are left alone: a transition was forced\n",
			state->id, klp_sets_state_name(state), rec->patch->mod->name);
	else
		klp_shadow_free_all(state->id, state->shadow_dtor);
}

/* A state of @rec, if it goes when @new replaces it, or when nobody does. */
static struct klp_sets_state *klp_sets_going_state(struct klp_sets_record *rec,
						   struct klp_sets_record *new,
						   unsigned int i)
{
	struct klp_sets_state *state = &rec->p->states[i];

	return new && klp_sets_has_state(new->patch, new, state->id) ? NULL : state;
}

static void klp_sets_start_removal(struct klp_sets_record *rec, struct klp_sets_record *new)
{
	unsigned int i = klp_sets_count_states(rec);
	struct klp_sets_state *state;

	while (i--) {
		state = klp_sets_going_state(rec, new, i);
		if (state)
			klp_sets_call(rec, state, state->callbacks.pre_unpatch);
	}
}

static void klp_sets_finish_removal(struct klp_sets_record *rec, struct klp_sets_record *new)
{
	unsigned int i = klp_sets_count_states(rec);
	struct klp_sets_state *state;

	while (i--) {
		state = klp_sets_going_state(rec, new, i);
		if (state)
			klp_sets_clean_up(rec, state);
	}
}

static void klp_sets_revert_removal(struct klp_sets_record *rec, struct klp_sets_record *new)
{
	struct klp_sets_state *state;

	klp_sets_for_each_own_state(rec, state)
		if (!new || !klp_sets_has_state(new->patch, new, state->id))
			klp_sets_call(rec, state, state->callbacks.post_patch);
}

/* Calls one of the above for every managed patch that @rec replaces. */
static void klp_sets_for_replaced(struct klp_sets_record *rec,
				  void (*what)(struct klp_sets_record *old_rec,
					       struct klp_sets_record *rec))
{
	struct klp_sets_record *old_rec;
	struct klp_patch *old;

	klp_sets_for_each_patch(old) {
		old_rec = klp_sets_record_of(old);
		if (old_rec && old_rec != rec && klp_sets_replaces(rec, old))
			what(old_rec, rec);
	}
}

/* Undoes the set-up of the first @i states. */
static void klp_sets_undo_introduction(struct klp_sets_record *rec, unsigned int i)
{
	while (i--) {
		if (!klp_sets_is_inherited(rec, rec->p->states[i].id))
			klp_sets_clean_up(rec, &rec->p->states[i]);
	}
}

static int klp_sets_introduce(struct klp_sets_record *rec)
{
	struct klp_sets_state *state;
	int ret;

	klp_sets_for_each_own_state(rec, state) {
		if (!state->callbacks.pre_patch || klp_sets_is_inherited(rec, state->id))
			continue;
		ret = state->callbacks.pre_patch(rec->p, state);
		/* Or module_init would be taken for a success. */
		if (ret > 0)
			ret = -EINVAL;
		if (ret) {
			klp_sets_refuse(rec->patch, rec, "state %lu '%s' cannot be set up (%d)",
					state->id, klp_sets_state_name(state), ret);
			klp_sets_undo_introduction(rec, state - rec->p->states);
			return ret;
		}
	}
	return 0;
}

/**
 * klp_sets_states_pre_patch() - a patch is about to be enabled
 * @rec:	its record
 *
 * Context: process context, under klp_mutex, before anything is patched.
 * Return: 0, or what a state's pre_patch returned, after undoing the others.
 */
int klp_sets_states_pre_patch(struct klp_sets_record *rec)
{
	int ret = klp_sets_introduce(rec);

	if (!ret)
		klp_sets_for_replaced(rec, klp_sets_start_removal);
	return ret;
}

static void klp_sets_inherit_force(struct klp_sets_record *old_rec,
				   struct klp_sets_record *rec)
{
	rec->was_forced |= old_rec->was_forced;
}

/* A stock patch may have taken them over, and its record goes now. */
static void klp_sets_note_all_uses(struct klp_sets_record *old_rec, struct klp_sets_record *rec)
{
	struct klp_sets_state *state;

	klp_sets_for_each_own_state(old_rec, state)
		if (state->is_shadow)
			klp_sets_note_use(old_rec, state->id);
}

/* The replaced patches stay, but tasks were forced to the new one and back. */
static void klp_sets_note_force(struct klp_sets_record *old_rec, struct klp_sets_record *rec)
{
	old_rec->was_forced |= klp_sets_was_forced();
}

/**
 * klp_sets_states_post_patch() - a transition to the patched state is complete
 * @rec:	the record of the patch that was enabled, or that stays after its
 *		disabling was reversed
 *
 * Context: process context, under klp_mutex; replaced patches are still in
 * stock's list.
 */
void klp_sets_states_post_patch(struct klp_sets_record *rec)
{
	struct klp_sets_state *state;

	if (rec->settled) {
		klp_sets_revert_removal(rec, NULL);
	} else {
		klp_sets_for_replaced(rec, klp_sets_finish_removal);
		klp_sets_for_replaced(rec, klp_sets_inherit_force);
		if (!rec->managed)
			klp_sets_for_replaced(rec, klp_sets_note_all_uses);
		klp_sets_for_each_own_state(rec, state)
			if (!klp_sets_is_inherited(rec, state->id))
				klp_sets_call(rec, state, state->callbacks.post_patch);
	}
	rec->was_forced |= klp_sets_was_forced();
	rec->settled = true;
}

/**
 * klp_sets_states_pre_unpatch() - a patch is about to be disabled
 * @rec:	its record
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_states_pre_unpatch(struct klp_sets_record *rec)
{
	klp_sets_start_removal(rec, NULL);
}

/**
 * klp_sets_states_post_unpatch() - a transition to the unpatched state is complete
 * @rec:	the record of the patch that was disabled, or whose enabling failed or
 *		was reversed
 *
 * Context: process context, under klp_mutex.
 */
void klp_sets_states_post_unpatch(struct klp_sets_record *rec)
{
	if (rec->settled) {
		klp_sets_finish_removal(rec, NULL);
	} else {
		klp_sets_for_replaced(rec, klp_sets_revert_removal);
		klp_sets_undo_introduction(rec, klp_sets_count_states(rec));
		klp_sets_for_replaced(rec, klp_sets_note_force);
	}
}

/* As snprintf(). */
static int klp_sets_format_state(char *buf, size_t size, const struct klp_sets_record *rec,
				 const struct klp_sets_state *state)
{
	return snprintf(buf, size, "%lu %s %s %s\n", state->id, klp_sets_state_name(state),
			rec->patch->mod->name, state->block_disable ? "block_disable" : "-");
}

/**
 * klp_sets_format_states() - what an operator reads of a patch's states
 * @rec:	its record
 *
 * A file of sysfs has one page. It ends with a whole line, and the log says how many
 * states it lacks.
 *
 * Context: process context, when the record is made.
 * Return: the text, or NULL.
 */
char *klp_sets_format_states(const struct klp_sets_record *rec)
{
	unsigned int nr = klp_sets_count_states(rec), shown = 0;
	const struct klp_sets_state *state;
	size_t size = 1, len = 0;
	char *text;

	klp_sets_for_each_own_state(rec, state) {
		size_t more = klp_sets_format_state(NULL, 0, rec, state);

		if (size + more > PAGE_SIZE)
			break;
		size += more;
		shown++;
	}

	text = kzalloc(size, GFP_KERNEL);
	if (!text)
		return NULL;
	for (state = rec->p->states; state < rec->p->states + shown; state++)
		len += klp_sets_format_state(text + len, size - len, rec, state);
	if (shown < nr)
		pr_warn("sysfs does not show the last %u of the %u states of '%s'\n", nr - shown,
			nr, rec->patch->mod->name);
	return text;
}

/**
 * klp_sets_exit_states() - forget what was forced, at module exit
 */
void klp_sets_exit_states(void)
{
	xa_destroy(&klp_sets_left_alone);
}
