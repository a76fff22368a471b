/* SPDX-License-Identifier: GPL-2.0 */
/*
 * rules.pml - what must be true, whatever happens
 *
 * The rules know which patches ought to be enabled from the words of
 * Documentation/rules.md alone, and which code a task ought to come to from that. They
 * look at the machine, and not at how klp-sets comes to its results.
 */

/* What a new patch takes away, of the patches that are enabled. */
#define OF_SET(p, q)	(MANAGED(q) && REACHES(p, SET(q)) -> BIT(q) : 0)
#define REPLACED(p)	(ALL(p) || !MANAGED(p) && REPLACE(p) -> 7 : (!MANAGED(p) -> 0 : \
			 OF_SET(p, 0) | OF_SET(p, 1) | OF_SET(p, 2)))

/*
 * The patches that are enabled for a task that has patch_state PATCHED, and for one
 * that has UNPATCHED: with the patch that is in transition, and without it. Outside a
 * transition they are the same.
 */
byte with, without;
byte was_forced;		/* the forced flags when the transition started */
bool guarded;			/* the hooks have been in force since then */
bool forced_over[NR_TASKS];	/* force has switched the task inside a function */

inline worlds_part(p, state)
{
	was_forced = forced;
	guarded = IN_FORCE;
	if
	:: state == PATCHED -> with = (with & ~REPLACED(p)) | BIT(p)
	:: else -> without = without & ~BIT(p)
	fi
}

inline worlds_join()
{
	if
	:: target_state == PATCHED -> without = with
	:: else -> with = without
	fi
}

#define WORLD(t)	(patch_state[t] == UNPATCHED -> (without) : (with))

/* The right version of a function. Where stock patches stack, it is that of the last. */
#define CHANGES(p, a)	(FUNCS(p) & NAMES_AT(a))
#define VERSION(world, a)	((world) & 4 && CHANGES(2, a) -> 3 : \
				((world) & 2 && CHANGES(1, a) -> 2 : \
				((world) & 1 && CHANGES(0, a) -> 1 : 0)))

/* Two patches share a function, and nobody could notice in time: no version is right. */
#ifdef LATE
#define UNNOTICED(names)	(names)
#else
#define UNNOTICED(names)	false
#endif
#define EXEMPT(t)	(forced_over[t] || UNNOTICED(true))

/* A task calls what its world provides, and nothing else. */
inline right_version(t, where, code)
{
	assert(EXEMPT(t) || (code) == VERSION(WORLD(t), (where) - 1))
}

/* A task that has switched is in no function of the other world. */
inline switched_outside(t)
{
	assert(EXEMPT(t) || !in_func[t] || in_code[t] == VERSION(WORLD(t), in_func[t] - 1))
}

/* An entry that klp_ftrace_handler() holds is not freed. */
inline entry_exists(e)
{
	assert((e) == 0 || IS_NOP(e) ||
	       (FUNCS(PATCH_OF(e)) & BIT(NAME_OF(e)) && text & BIT(PATCH_OF(e))))
}

/* Before stock drops its reference on a patch's module, and before the text goes. */
inline nobody_is_in(p)
{
	assert(in_code[0] != 1 + p && in_code[CALLERS > 1] != 1 + p)
}

/* Whoever can remove a livepatch's module can remove the core next. */
inline core_let_go(p)
{
	assert(!(alive & BIT(p)))
}

#define SHARE_AT(p, q, a)	((a) < NR_ADDRS && CHANGES(p, a) && CHANGES(q, a))
#define SHARE(p, q)	(SHARE_AT(p, q, 0) || SHARE_AT(p, q, 1) || SHARE_AT(p, q, 2))

/*
 * A patch with a state that must stay is not disabled, only replaced, by anybody who could
 * see that its transition is complete when he began. Until it is, it may be reversed.
 */
bool began_settled;

inline stays_enabled(p)
{
	assert(!began_settled)
}

inline may_be_reversed(p)
{
	assert(!refused || !(introducing & BIT(p)))
}

/* A patch is refused for nothing but a function that is changed outside its scope. */
#define CLASHES(p, q)	(with & BIT(q) & ~REPLACED(p) && (MANAGED(p) || MANAGED(q)) && SHARE(p, q))
inline rightly_refused(p)
{
	assert(UNNOTICED(true) || CLASHES(p, 0) || CLASHES(p, 1) || CLASHES(p, 2))
}

/* Whenever klp_mutex is released. */
inline check_rules()
{
	d_step {
		if
		:: transition == NONE -> settled()
		:: else
		fi;
		bystanders_unharmed();
		core_held()
	}
}

inline settled()
{
	/* What ought to be enabled is, and nothing else is in the list. */
	assert(with == without);
	k = 0;
	i = 0;
	do
	:: i < listed -> k = k | BIT(list[i]); i++
	:: else -> break
	od;
	assert(k == with && is_enabled == with);

	i = 0;
	do
	:: i < listed ->
		j = 0;
		do
		:: j < i ->
			/* One patch a set. */
			assert(!MANAGED(list[i]) || !MANAGED(list[j]) ||
			       SET(list[i]) != SET(list[j]));
			/* No function in two sets, or in a set and a stock patch. */
			assert(!SHARE(list[i], list[j]) ||
			       UNNOTICED(!(FUNCS(list[i]) & FUNCS(list[j]))) ||
			       (!MANAGED(list[i]) && !MANAGED(list[j])));
			j++
		:: else -> break
		od;
		/* No nop outlives its transition. */
		assert(!nops[list[i]]);
		i++
	:: else -> break
	od;

	/* Nothing is left in ftrace that no enabled patch has put there. */
	i = 0;
	do
	:: i < NR_ADDRS ->
		j = 0;
		do
		:: j < ops[i].nr ->
			assert(with & BIT(PATCH_OF(ops[i].func[j])) && !IS_NOP(ops[i].func[j]));
			j++
		:: else -> break
		od;
		i++
	:: else -> break
	od;

	/* Force has left no mark on a patch that stays. */
	assert(!guarded || (forced & with) == (was_forced & with));
	was_forced = 0;
	guarded = false;
#ifndef UNLOAD	/* the hooks stay, so the next transition starts with this anyway */
	klp_sets_reset_force()
#endif
}

#define THERE		(klp_alive -> 15 : 15 & ~TARGET)
#define IS_OF(p, a, i)	(ops[a].nr > (i) && PATCH_OF(ops[a].func[(i) % DEPTH]) == (p))
#define IN_STACK(p, a)	(IS_OF(p, a, 0) || IS_OF(p, a, 1) || IS_OF(p, a, 2) || IS_OF(p, a, 3))

/* A patch that the transition does not concern is enabled, and in force everywhere. */
inline bystanders_unharmed()
{
	j = 0;
	do
	:: j < NR_PATCHES ->
		if
		:: with & without & BIT(j) ->
			assert(is_enabled & BIT(j) && module_ref & BIT(j));
			i = 0;
			do
			:: i < NR_ADDRS ->
				assert(!(CHANGES(j, i) & THERE) || IN_STACK(j, i));
				i++
			:: else -> break
			od
		:: else
		fi;
		j++
	:: else -> break
	od
}

/* The core stays as long as there is a record. */
#define COUNT(s)	(((s) & 1) + (((s) >> 1) & 1) + (((s) >> 2) & 1))
inline core_held()
{
	assert(core_ref >= COUNT(alive) + (admitted != NONE));
	assert(!died || !alive && admitted == NONE)
}
