/* SPDX-License-Identifier: GPL-2.0 */
/*
 * engine.pml - what src/ does, file by file
 *
 * klp_sets_at_...() stand where stock livepatch has a hook, and do nothing while the
 * hooks are not in place.
 */

/* --- scope.c --- */

/* klp_sets_record_of() */
#define IS_MEMBER(p)	(MANAGED(p) && carrier & BIT(p))

/* klp_sets_replaces(): whether a new patch replaces an enabled one */
#define REPLACES(new, old)	(ALL(new) || (MANAGED(new) -> \
				 IS_MEMBER(old) && REACHES(new, SET(old)) : REPLACE(new)))

/* klp_sets_conflicts(): whether they must have nothing in common */
#define CONFLICTS(new, old)	(!REPLACES(new, old) && (MANAGED(new) || IS_MEMBER(old)))

/* --- hooks.c --- */

/* klp_sets_are_needed(): when the hooks only linger, they change nothing. */
#ifdef TRAP_HOOKS_GO_EARLY
#define HOOKS_NEEDED	(!died && (requests || admitted != NONE || assigned))
#else
#define HOOKS_NEEDED	(!died && (requests || admitted != NONE || assigned || alive))
#endif
#define IN_FORCE	(hooked && HOOKS_NEEDED)

/* klp_sets_die(): what is hooked stays hooked, and so this module stays. */
inline klp_sets_die()
{
	d_step {
		printf("core: dead\n");
		klp_sets_reset_force();
		guarded = false;
		died = true;
		core_ref++
	}
}

/* When ftrace stops, it may be before it has hooked anything, or after. */
inline klp_sets_place_hooks()
{
	d_step { klp_sets_reset_force(); hooked = !ftrace_stopped };
	if
	:: ftrace_stopped -> hooked = true; klp_sets_die()
	:: skip
	fi
}

/*
 * unregister_ftrace_function() waits for hooks that run, but not for a task in
 * klp_sets_admit(). "guarded" belongs to rules.pml.
 */
inline klp_sets_remove_hooks()
{
#ifndef TRAP_VERIFIED_LATE
	d_step { klp_sets_verify(0) };
#endif
	if
	:: hooked && !died && !ftrace_stopped ->
		d_step { hooked = false; guarded = false };
		!in_hook
#ifndef TRAP_STOP_UNSEEN
	:: hooked && !died && ftrace_stopped -> klp_sets_die()
#endif
	:: else
	fi
}

/* The hooks linger where the core may be unloaded. */
inline klp_sets_update_hooks()
{
	if
	:: HOOKS_NEEDED && !hooked -> klp_sets_place_hooks()
#ifndef UNLOAD
	:: !HOOKS_NEEDED && hooked -> klp_sets_remove_hooks()
#endif
	:: else
	fi
}

#ifdef TRAP_BLOCKS_EARLY
#define BLOCKS(p)	(alive & BIT(p))
#else
#define BLOCKS(p)	(alive & blocking & BIT(p))
#endif

/* klp_sets_is_blocked(), not under klp_mutex; all patches of this scenario block */
inline klp_sets_at_enabled_store(p)
{
	d_step {
		refused = hooked && BLOCKS(p);
		may_be_reversed(p)
	}
}

/* --- verify.c --- */

/* klp_sets_note_left(), before stock removes patches */
inline klp_sets_note_left(p)
{
#ifdef VERIFIES
	expected = 0;
	i = 0;
	do
	:: i < listed ->
		if
		:: target_state == UNPATCHED -> k = (list[i] == p)
		:: target_state == PATCHED && (list[i] == p || !(introducing & BIT(p))) -> k = 0
		:: target_state == PATCHED && list[i] != p && introducing & BIT(p) ->
			k = REPLACES(p, list[i])
		fi;
		expected = (k -> expected : expected | BIT(list[i]));
		i++
	:: else -> break
	od;
	unverified = true;
	reap_queued = true
#else
	skip
#endif
}

/* klp_sets_verify(), after that: no patch has left but those that should have, and all of them */
inline klp_sets_verify(new)
{
#ifdef VERIFIES
	k = 0;
	i = 0;
	do
	:: i < listed -> k = k | BIT(list[i]); i++
	:: else -> break
	od;
	assert(!unverified || (k & ~(new)) == expected);
	unverified = false;
	expected = 0
#else
	skip
#endif
}

/* --- api.c: klp_sets_enable() is this, klp_enable_patch(), klp_sets_end() --- */

inline klp_sets_begin(p)
{
	if
	:: transition != NONE || died -> refused = true
	:: else ->
		requests = requests | BIT(p);
		klp_sets_update_hooks();
		if
		:: hooked && !died -> replace = replace & ~BIT(p)
		:: else -> refused = true
		fi
	fi
}

inline klp_sets_end(p)
{
	requests = requests & ~BIT(p);
	klp_sets_drop_admitted();
	klp_sets_update_hooks()
}

/* klp_sets_flush_records(), without klp_mutex */
#define FLUSHED		(!reap_queued && !reap_runs)

inline klp_sets_flush(p)
{
	if
	:: refused -> FLUSHED
	:: else
	fi;
	calls = calls & ~BIT(p)
}

/* --- admit.c --- */

/* klp_is_patch_compatible() is redirected to klp_sets_admit(), which may sleep. */
inline klp_sets_at_compatible(p)
{
	if
	:: IN_FORCE ->
		in_admit = true;
#ifndef TRAP_VERIFIED_LATE
		d_step { klp_sets_verify(0) };
#endif
		klp_sets_drop_admitted();
		d_step {
			/*
			 * klp_sets_check_first_time(): this is a new patch, no matter
			 * whose record once had its address.
			 */
			assert(!(alive & BIT(p)));
			if
			:: transition == NONE && core == CORE_LOADED -> klp_sets_admit(p)
			:: else	/* stock says -EBUSY by itself; or the core is going away */
			fi
		};
		d_step {
			assert(core != CORE_GONE);
			in_admit = false
		}
	:: else
	fi
}

#ifdef TRAP_NO_NAMES
#define SAME_NAME(p, q)	false
#else
#define SAME_NAME(p, q)	(FUNCS(p) & FUNCS(q))
#endif

inline klp_sets_admit(p)
{
	/* klp_sets_find_assignment() */
	members = (assigned && IS_ASSIGNED(p) -> members | BIT(p) : members);
	i = 0;
	do
	:: i < listed ->
		/* klp_sets_prepare_nops(), klp_sets_check_names() */
		prepared[p] = (REPLACES(p, list[i]) -> prepared[p] | FUNCS(list[i]) : prepared[p]);
		refused = refused || (CONFLICTS(p, list[i]) && SAME_NAME(p, list[i]));
		i++
	:: else -> break
	od;
#ifdef TRAP_NO_NOPS
	prepared[p] = 0;
#endif
	prepared[p] = (MANAGED(p) && !refused -> prepared[p] & ~FUNCS(p) : 0);
	if
	:: refused ->
		printf("%d: refused for a name\n", p);
		rightly_refused(p)
	:: else ->
#ifndef TRAP_NO_REF
		core_ref++;
#endif
		admitted = p;
#ifndef TRAP_KEEP_REPLACE
		replace = (MANAGED(p) -> replace & ~BIT(p) : replace);
#endif
		/* If enabling fails, whoever made a request cleans up, or else the work item. */
		reap_queued = reap_queued || !IS_CLIENT(p)
	fi
}

/* --- commit.c --- */

inline klp_sets_at_init_transition(p, state)
{
	d_step {
		if
		:: hooked ->
			klp_sets_reset_force();
#ifndef TRAP_VERIFIED_LATE
			j = (state == PATCHED -> BIT(p) : 0);
			klp_sets_verify(j)
#endif
		:: else
		fi;
		if
		:: IN_FORCE && state == PATCHED && admitted == p -> klp_sets_commit(p)
		:: IN_FORCE && state == UNPATCHED -> klp_sets_retire(p)
		:: else
		fi
	}
}

inline klp_sets_commit(p)
{
	admitted = NONE;
	alive = alive | BIT(p);
	carrier = carrier | BIT(p);
	introducing = introducing | BIT(p);
	blocking = blocking & ~BIT(p);
	if
	:: MANAGED(p) ->
		/* klp_sets_link_nops(): obj->mod was copied from what they cover */
		nops[p] = nops[p] | prepared[p];
#ifndef TRAP_NOP_WITHOUT_MOD
		obj_loaded = (klp_alive && nops[p] & TARGET -> obj_loaded | BIT(p) : obj_loaded);
#endif
#ifndef TRAP_NO_ORDER
		klp_sets_order_patches(p);
#endif
		replace = replace | BIT(p)
	:: else
	fi;
	prepared[p] = 0
}

/* Those that are replaced, then the new one, then all others. */
#define GOES_FIRST(p, i)	(list[i] != (p) && REPLACES(p, list[i]))
#define GOES_LAST(p, i)		(list[i] != (p) && !REPLACES(p, list[i]))

inline klp_sets_order_patches(p)
{
	j = 0;
	i = 0;
	do
	:: i < listed && GOES_FIRST(p, i) -> temp[j] = list[i]; j++; i++
	:: i < listed && !GOES_FIRST(p, i) -> i++
	:: else -> break
	od;
	temp[j] = p;
	j++;
	i = 0;
	do
	:: i < listed && GOES_LAST(p, i) -> temp[j] = list[i]; j++; i++
	:: i < listed && !GOES_LAST(p, i) -> i++
	:: else -> break
	od;
	i = 0;
	do
	:: i < listed -> list[i] = temp[i]; i++
	:: else -> break
	od
}

#ifdef TRAP_NO_RETIRE
#define RETIRES(p)	false
#elif defined TRAP_STOCK_NOT_RETIRED
#define RETIRES(p)	IS_MEMBER(p)
#else
#define RETIRES(p)	(IS_MEMBER(p) || replace & BIT(p))
#endif

/* A patch that is being disabled stands before all others, and replaces none of them. */
inline klp_sets_retire(p)
{
	if
	:: RETIRES(p) ->
		list_del(p);
		list_add_head(p);
		replace = (IS_MEMBER(p) -> replace & ~BIT(p) : replace)
	:: else
	fi
}

/* --- carrier.c --- */

/* What a patch has at an address, as far as it knows. */
#define OWN(p, a)	(FUNCS(p) & NAMES_AT(a) & LOADED(p))
#define OWN_NOPS(p, a)	(nops[p] & NAMES_AT(a) & LOADED(p))

inline klp_sets_at_pre_patch(p)
{
	if
	:: carrier & BIT(p) ->
		d_step {
			/* klp_sets_check_aliases() */
			j = 0;
			do
			:: j < NR_ADDRS -> klp_sets_check_addr(p, j); j++
			:: else -> break
			od
		};
#ifdef FAILURES	/* pre_patch of a state */
		if
		:: refused = true
		:: skip
		fi
#endif
	:: else
	fi
}

/* Where another set changes what is at an address, nobody else may, nor go back there. */
#ifdef TRAP_NO_ADDRS
#define MAY_NOT(p, a)	false
#elif defined TRAP_NOP_DROPPED
#define MAY_NOT(p, a)	OWN(p, a)
#else
#define MAY_NOT(p, a)	(OWN(p, a) || OWN_NOPS(p, a))
#endif

/* A nop would hide new code at the same address, and one nop is enough. */
#ifdef TRAP_NOP_OVER_ALIAS
#define KEPT(p, a)	OWN_NOPS(p, a)
#else
#define KEPT(p, a)	(k || OWN(p, a) -> 0 : LOWEST(OWN_NOPS(p, a)))
#endif
#define LOWEST(names)	((names) & F -> F : ((names) & G -> G : ((names) & H -> H : I)))

inline klp_sets_check_addr(p, a)
{
	/* k: another set changes what is at this address */
	k = 0;
	i = 0;
	do
	:: i < listed ->
		k = k || (list[i] != p && CONFLICTS(p, list[i]) && OWN(list[i], a));
		i++
	:: else -> break
	od;
	if
	:: k && MAY_NOT(p, a) ->
		printf("%d: refused for an address\n", p);
		rightly_refused(p);
		refused = true
	:: else -> nops[p] = (OWN_NOPS(p, a) -> (nops[p] & ~NAMES_AT(a)) | KEPT(p, a) : nops[p])
	fi
}

/* klp_sets_post_patch(), klp_sets_post_unpatch(): a stock patch is let go */
inline klp_sets_at_complete(p)
{
	if
	:: carrier & BIT(p) ->
		d_step {
			klp_sets_note_left(p);
			/* klp_sets_start_blocking() */
#if defined WRITER && !defined TRAP_BLOCKS_LATE
			blocking = (target_state == PATCHED -> blocking | BIT(p) : blocking);
#endif
			introducing = introducing & ~BIT(p)
		}
	:: else
	fi;
	if
	:: carrier & BIT(p) && !MANAGED(p) ->
		carrier = carrier & ~BIT(p);
		klp_sets_bury(p)
	:: else
	fi
#ifdef TRAP_REPLACE_CLEARED_EARLY
	; replace = (IS_MEMBER(p) -> replace & ~BIT(p) : replace)
#endif
}

/* --- assign.c --- */

/* klp_sets_enabled(): an assignment is done when its patch is enabled */
inline klp_sets_assignment_done(p)
{
	assigned = assigned && !(is_enabled & BIT(p) && MANAGED(p) && IS_ASSIGNED(p))
}

#define CAN_ADOPT(p)	(is_enabled & BIT(p) && !MANAGED(p))

/* klp_sets_adopt_patch(); k: why it cannot join */
inline klp_sets_adopt(p)
{
	d_step {
		members = members | BIT(p);
		k = 0;
		i = 0;
		do
		:: i < listed ->
			k = k || (list[i] != p && (REPLACES(p, list[i]) || FUNCS(p) & FUNCS(list[i])));
			i++
		:: else -> break
		od;
		if
		:: k -> members = members & ~BIT(p)
		:: else ->
			printf("%d: adopted\n", p);
			carrier = carrier | BIT(p);
			alive = alive | BIT(p);
			core_ref++;
			/* klp_sets_update_hooks(), before the checks */
			if
			:: !hooked -> klp_sets_reset_force(); hooked = true
			:: else
			fi
		fi
	}
}

/* --- force.c --- */

inline klp_sets_reset_force()
{
	noted = false;
	noted_forced = 0;
	noted_marks = 0
}

#ifdef TRAP_NOTED_TWICE
#define MAY_NOTE	true
#else
#define MAY_NOTE	!noted
#endif

/* klp_sets_force_begins(): once a transition, since the flags are spoilt afterwards */
inline klp_sets_at_force()
{
	d_step {
		guarded = guarded && IN_FORCE;
		if
		:: IN_FORCE && MAY_NOTE -> noted = true; noted_forced = forced
		:: else
		fi
	}
}

#ifdef TRAP_NO_REPAIR
#define REPAIRED(goes_away)	forced
#elif defined TRAP_REPAIRS_ALL
#define REPAIRED(goes_away)	noted_forced
#elif defined TRAP_FORCE_FORGOTTEN
#define REPAIRED(goes_away)	((goes_away) -> (forced) : (noted_forced))
#else
#define REPAIRED(goes_away)	((goes_away) -> (noted_marks) : (noted_forced))
#endif

/*
 * klp_sets_force_ends(), at every attempt to complete. A transition that was forced
 * can be reversed, and reversed again, before it completes.
 */
inline klp_sets_at_try_complete()
{
	d_step {
		klp_sets_assignment_done(transition);
		if
		:: hooked && noted ->
			noted_marks = noted_marks | forced;
			/* k: whether the patch at this place of the list goes away */
			k = is_enabled & replace & BIT(transition);
			i = 0;
			do
			:: i < listed ->
				k = (list[i] == transition -> !(is_enabled & BIT(transition)) : k);
				forced = (forced & ~BIT(list[i])) | (REPAIRED(k) & BIT(list[i]));
				k = (list[i] == transition -> 0 : k);
				i++
			:: else -> break
			od
#ifdef TRAP_FORCE_FORGOTTEN
			; klp_sets_reset_force()
#endif
		:: else
		fi
	}
}

/* --- record.c --- */

/* klp_kobj_release_patch(), not under klp_mutex */
inline klp_sets_at_release(p)
{
	if
	:: atomic { hooked -> in_hook++ };
#ifndef TRAP_NOT_BURIED
		klp_sets_bury(p);
#endif
		d_step { assert(core != CORE_GONE); in_hook-- }
	:: atomic { !hooked -> skip }
	fi
}

inline klp_sets_bury(p)
{
	if
	:: alive & BIT(p) ->
		d_step { alive = alive & ~BIT(p); dead = true };
#ifdef TRAP_PUT_TOO_EARLY
		core_ref--;
		reap_queued = true
#else
		reap_queued = true;
#ifndef TRAP_PUT_TOO_LATE
		core_ref--
#endif
#endif
	:: else
	fi
}

inline klp_sets_drop_admitted()
{
	d_step {
		if
		:: admitted != NONE ->
			prepared[admitted] = 0;
			admitted = NONE;
			core_ref--
		:: else
		fi
	}
}

inline klp_sets_reap()
{
	mutex_lock();
	d_step { klp_sets_verify(0) };
	klp_sets_drop_admitted();
	d_step {
		assert(core != CORE_GONE);
#ifdef TRAP_BLOCKS_LATE
		blocking = is_enabled & ~introducing;
#endif
#ifdef TRAP_PUT_TOO_LATE
		core_ref = (dead -> core_ref - 1 : core_ref);
#endif
		dead = false
	};
	klp_sets_update_hooks();
	mutex_unlock();
	d_step { assert(core != CORE_GONE); reap_runs = false }
}

/* --- main.c --- */

inline klp_sets_exit()
{
	mutex_lock();
	assigned = false;
#ifdef TRAP_FLUSH_LOCKED
	FLUSHED;
#endif
	mutex_unlock();
#ifndef TRAP_NO_FLUSH
	FLUSHED;
#endif
	/* klp_sets_exit_hooks() */
#ifndef TRAP_EXIT_UNLOCKED
	mutex_lock();
#endif
	klp_sets_remove_hooks();
#ifndef TRAP_EXIT_UNLOCKED
	mutex_unlock();
#endif
#ifdef TRAP_EXIT_RETURNS
	skip
#else
endstays:
	!died
#endif
}
