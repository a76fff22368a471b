/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stock.pml - what kernel/livepatch does, as far as klp-sets relies on it
 *
 * The names are those of the kernel's functions. A d_step, or an atomic, is done at
 * once; between any other two steps the tasks go on.
 */

/* --- the list klp_patches --- */

inline list_add_tail(p)
{
	list[listed] = p;
	listed++
}

inline list_add_head(p)
{
	i = listed;
	do
	:: i > 0 -> list[i] = list[i - 1]; i--
	:: else -> break
	od;
	list[0] = p;
	listed++
}

inline list_del(p)
{
	i = 0;
	do
	:: list[i] != p -> i++; assert(i < listed)
	:: else -> break
	od;
	listed--;
	do
	:: i < listed -> list[i] = list[i + 1]; i++
	:: else -> break
	od;
	list[listed] = 0
}

/* --- patch.c --- */

/* klp_patch_func() for some names of p at an address */
inline push(p, names, a)
{
	n = 0;
	do
	:: n < 4 ->
		if
		:: (names) & NAMES_AT(a) & BIT(n) ->
			ops[a].func[ops[a].nr] = ENTRY(p, n);
			ops[a].nr++
		:: else
		fi;
		n++
	:: else -> break
	od
}

/* klp_patch_object(), address by address. The engine puts nops before what p changes. */
inline klp_patch_object(p, a, where)
{
#ifdef TRAP_NOPS_LAST
	push(p, FUNCS(p) & (where), a);
	push(p, nops[p] & (where), a)
#else
	push(p, nops[p] & (where), a);
	push(p, FUNCS(p) & (where), a)
#endif
}

/*
 * klp_unpatch_func() for what these patches have at an address, or for their nops. With
 * the last entry goes the handler: unregister_ftrace_function() waits until nobody is
 * in it.
 */
#define GOES(e, who, nops_only)	((who) & BIT(PATCH_OF(e)) && (!(nops_only) || IS_NOP(e)))

inline klp_unpatch_func(who, nops_only, a)
{
	d_step {
		left = 0;
		i = 0;
		do
		:: i < ops[a].nr ->
			left = left + !GOES(ops[a].func[i], who, nops_only);
			i++
		:: else -> break
		od
	};
	left || !ops[a].nr || NOT_IN_HANDLER(1 + a);
	d_step {
		left = 0;
		j = 0;
		i = 0;
		do
		:: i < ops[a].nr ->
			e = ops[a].func[i];
			ops[a].func[i] = 0;
			if
			:: GOES(e, who, nops_only)
			:: else -> ops[a].func[j] = e; j++
			fi;
			i++
		:: else -> break
		od;
		ops[a].nr = j
	}
}

inline klp_unpatch_objects(who, nops_only)
{
	do
	:: atomic { a < NR_ADDRS -> klp_unpatch_func(who, nops_only, a); a++ }
	:: atomic { a == NR_ADDRS -> a = 0; break }
	od
}

/* The handler looks at the top entry and, if that is in transition, at the task. */
#define TOP(a)	(ops[a].nr -> ops[a].func[ops[a].nr - 1] : 0)
#define NEXT(a)	(ops[a].nr > 1 -> ops[a].func[ops[a].nr - 2] : 0)
#define CHOSEN(t, top, next)	((top) && func_transition & BIT(PATCH_OF(top)) && \
				 patch_state[t] == UNPATCHED -> (next) : (top))

/* With SLOW_HANDLER others act while it holds the entries, and might free them. */
inline call(t, a)
{
#ifdef SLOW_HANDLER
	if
	:: ops[a].nr ->
		handler[t] = 1 + a;
		handler_top[t] = TOP(a);
		handler_next[t] = NEXT(a)
	:: else -> e = 0; enter(t, 1 + a)
	fi
#else
	i = TOP(a);
	j = NEXT(a);
	e = CHOSEN(t, i, j);
	enter(t, 1 + a)
#endif
}

inline klp_ftrace_handler(t)
{
	entry_exists(handler_top[t]);
	e = CHOSEN(t, handler_top[t], handler_next[t]);
	entry_exists(e);
	enter(t, handler[t]);
	handler[t] = 0;
	handler_top[t] = 0;
	handler_next[t] = 0
}

/*
 * A task comes to the code that entry e leads to. From outside, it is in there now;
 * from inside another function, it returns at once.
 */
inline enter(t, where)
{
	k = CODE_OF(e);
	right_version(t, where, k);
	if
	:: !in_func[t] -> in_func[t] = where; in_code[t] = k
	:: else
	fi
}

inline leave(t)
{
	in_func[t] = 0;
	in_code[t] = 0;
	forced_over[t] = false
}

/* --- transition.c --- */

/* klp_synchronize_transition() waits for handlers that have started. */
#define synchronize()	(!IN_HANDLER)

inline klp_init_transition(p, state)
{
	klp_sets_at_init_transition(p, state);
	d_step {
		transition = p;
		target_state = state;
		j = 0;
		do
		:: j < NR_TASKS -> patch_state[j] = !(state); j++
		:: else -> break
		od;
		func_transition = func_transition | BIT(p);
		worlds_part(p, state)
	}
}

inline klp_start_transition()
{
	j = 0;
	do
	:: j < NR_TASKS -> pending[j] = (patch_state[j] != target_state); j++
	:: else -> break
	od
}

inline klp_reverse_transition()
{
	d_step {
		j = 0;
		do
		:: j < NR_TASKS -> pending[j] = false; j++
		:: else -> break
		od
	};
	synchronize();
	d_step {
		printf("%d: reversed\n", transition);
		is_enabled = is_enabled ^ BIT(transition);
		target_state = !target_state;
		klp_start_transition()
	}
}

#ifdef FORCE_ALL	/* 5.10 */
#define MARKED_BY_FORCE(p)	true
#else
#define MARKED_BY_FORCE(p)	((p) == transition -> target_state == UNPATCHED : \
				 target_state == PATCHED && replace & BIT(transition))
#endif

/* klp_update_patch_state() for every task, wherever it is. */
inline klp_force_transition()
{
	d_step {
		printf("%d: forced\n", transition);
		j = 0;
		do
		:: j < NR_TASKS ->
			if
			:: pending[j] ->
				pending[j] = false;
				patch_state[j] = target_state;
				forced_over[j] = (in_func[j] || handler[j])
			:: else
			fi;
			j++
		:: else -> break
		od;
		i = 0;
		do
		:: i < listed ->
			forced = (MARKED_BY_FORCE(list[i]) -> forced | BIT(list[i]) : forced);
			i++
		:: else -> break
		od
	}
}

/*
 * klp_check_stack_func(): k becomes whether the task is in code that the target state
 * does away with. When patching, that is the entry below the new one. Where stock
 * patches stack, there may be none below and others above: then the kernel compares
 * with something that is no entry, and nothing matches.
 */
inline klp_check_stack(t)
{
	k = 0;
	i = 0;
	do
	:: in_func[t] && i < ops[in_func[t] - 1].nr ->
		e = ops[in_func[t] - 1].func[i];
		if
		:: PATCH_OF(e) != transition
		:: else ->
			if
			:: target_state == UNPATCHED
			:: target_state == PATCHED && i -> e = ops[in_func[t] - 1].func[i - 1]
			:: target_state == PATCHED && !i ->
				e = (ops[in_func[t] - 1].nr == 1 -> 0 : NONE)
			fi;
			k = k || (e != NONE && CODE_OF(e) == in_code[t])
		fi;
		i++
	:: else -> break
	od
}

/* A task that runs cannot be switched, and nobody knows how long that lasts. */
inline klp_try_switch_task(t)
{
	atomic {
		if
		:: patch_state[t] == target_state
		:: patch_state[t] != target_state -> complete = false
		:: patch_state[t] != target_state && !handler[t] ->
			d_step {
				klp_check_stack(t);
				if
				:: k -> complete = false
				:: else ->
					pending[t] = false;
					patch_state[t] = target_state;
					switched_outside(t)
				fi
			}
		fi
	}
}

inline klp_try_complete_transition()
{
	complete = true;
	do
	:: atomic { t < NR_TASKS -> klp_try_switch_task(t); t++ }
	:: atomic { t == NR_TASKS -> t = 0; break }
	od;
	if
	:: atomic { complete -> complete = false; p = transition };
		klp_complete_transition();
		d_step {
			if
			:: !(is_enabled & BIT(p)) -> klp_free_patch_async(p)
			:: else
			fi;
			/* klp_free_replaced_patches_async() */
			do
			:: replace & is_enabled & BIT(p) && list[0] != p ->
				klp_free_patch_async(list[0])
			:: else -> break
			od;
			p = 0
		}
	:: else
	fi
}

inline klp_complete_transition()
{
	if
	:: replace & BIT(transition) && target_state == PATCHED ->
		/* klp_unpatch_replaced_patches() */
		d_step {
			old = 0;
			i = 0;
			do
			:: list[i] != transition -> old = old | BIT(list[i]); i++; assert(i < listed)
			:: else -> break
			od;
			is_enabled = is_enabled & ~old
		};
		klp_unpatch_objects(old, false);
		/* klp_discard_nops() */
		klp_unpatch_objects(BIT(transition), true);
		atomic { old = 0; klp_free_objects_dynamic(transition) }
	:: else
	fi;
	if
	:: target_state == UNPATCHED -> klp_unpatch_objects(BIT(transition), false)
	:: else
	fi;
	atomic {
		target_state == PATCHED || synchronize();
		func_transition = func_transition & ~BIT(transition)
	};
	atomic {
		target_state == UNPATCHED || synchronize();
		d_step { klp_clear_patch_states() };
		klp_sets_at_complete(transition);
		d_step {
			printf("%d: complete\n", transition);
			transition = NONE;
			target_state = IDLE
		}
	}
}

inline klp_clear_patch_states()
{
	j = 0;
	do
	:: j < NR_TASKS ->
		assert(!pending[j]);
		patch_state[j] = IDLE;
		j++
	:: else -> break
	od;
	worlds_join()
}

/* Nothing is patched yet: it was the carrier's pre_patch that failed, and that is first. */
inline klp_cancel_transition(p)
{
	synchronize();
	d_step {
		target_state = UNPATCHED;
		func_transition = func_transition & ~BIT(p);
		klp_clear_patch_states();
		transition = NONE;
		target_state = IDLE
	}
}

/* --- core.c --- */

/* For every function of every patch in the list. The engine has its own. */
inline klp_add_nops(p)
{
	i = 0;
	do
	:: i < listed -> nops[p] = nops[p] | (FUNCS(list[i]) & ~FUNCS(p)); i++
	:: else -> break
	od;
	obj_loaded = (klp_alive && nops[p] & TARGET -> obj_loaded | BIT(p) : obj_loaded)
}

/* Nops and what was made for them; a carrier with ->dynamic set would go, too. */
inline klp_free_objects_dynamic(p)
{
	nops[p] = 0;
	obj_loaded = (FUNCS(p) & TARGET -> obj_loaded : obj_loaded & ~BIT(p))
#ifdef TRAP_CARRIER_DYNAMIC
	; carrier = carrier & ~BIT(p)
#endif
}

inline klp_free_patch_start(p)
{
	carrier = carrier & ~BIT(p);
	nops[p] = 0;
	obj_loaded = obj_loaded & ~BIT(p);
	list_del(p)
}

inline klp_free_patch_async(p)
{
	free_queued = free_queued | BIT(p);
	klp_free_patch_start(p)
}

/* Not under klp_mutex. */
inline klp_free_patch_finish(p)
{
#ifdef WRITER	/* kobject_put() waits for those who are in a file */
	atomic { !(in_store & BIT(p)) -> in_sysfs = in_sysfs & ~BIT(p) };
#endif
	klp_sets_at_release(p);
	atomic {
		printf("%d: free\n", p);
		core_let_go(p);
		if
		:: !(forced & BIT(p)) -> nobody_is_in(p); module_ref = module_ref & ~BIT(p)
		:: else
		fi
	}
}

/* With klp_mutex held; up to klp_init_patch(). Its return value is "refused". */
inline klp_enable_patch(p)
{
#ifdef TRAP_ADMIT_UNLOCKED
	mutex_unlock();
#endif
	klp_sets_at_compatible(p);
#ifdef TRAP_ADMIT_UNLOCKED
	mutex_lock();
#endif
#ifdef FAILURES	/* try_module_get() */
	if
	:: refused = true
	:: skip
	fi;
#endif
	if
	:: !refused -> module_ref = module_ref | BIT(p)
	:: else
	fi;
#ifdef WRITER	/* kobject_add() */
	in_sysfs = (refused -> in_sysfs : in_sysfs | BIT(p));
#endif
#ifdef FAILURES	/* kobject_add(), or a symbol that is not found */
	if
	:: refused = true
	:: skip
	fi;
#endif
	if
	:: !refused -> d_step { klp_init_patch(p) }
	:: else
	fi
}

inline klp_init_patch(p)
{
	obj_loaded = (klp_alive && FUNCS(p) & TARGET -> obj_loaded | BIT(p) : obj_loaded);
	if
	:: replace & BIT(p) -> klp_add_nops(p)
	:: else
	fi;
	list_add_tail(p)
}

/* The first attempt to complete is left to the work item, here and below. */
inline __klp_enable_patch(p)
{
	if
	:: transition == NONE ->
		klp_init_transition(p, PATCHED);
		klp_sets_at_pre_patch(p);
		if
		:: refused -> klp_cancel_transition(p)
		:: else
		fi
	:: else -> refused = true	/* -EBUSY */
	fi;
	do
	:: d_step { !refused && a < NR_ADDRS -> klp_patch_object(p, a, LOADED(p)); a++ }
	:: atomic {
		!refused && a == NR_ADDRS ->
		d_step {
			a = 0;
			printf("%d: enabling\n", p);
			klp_start_transition();
			is_enabled = is_enabled | BIT(p)
		};
		break }
	:: atomic { refused -> d_step { klp_free_patch_start(p) }; break }
	od
}

inline __klp_disable_patch(p)
{
	klp_init_transition(p, UNPATCHED);
	d_step {
		printf("%d: disabling\n", p);
		klp_start_transition();
		is_enabled = is_enabled & ~BIT(p)
	}
}

/* Of a 0; whoever is told something else has seen that it is none of these. */
inline enabled_store(p)
{
	mutex_lock();
	if
	:: is_enabled & BIT(p) && transition == p ->
		stays_enabled(p);
		klp_reverse_transition();
		skip
	:: is_enabled & BIT(p) && transition == NONE ->
		stays_enabled(p);
		__klp_disable_patch(p);
		skip
	:: else
	fi;
	mutex_unlock()
}

#if TARGET
/* In the order of the list. Nobody calls the module's functions before it is done. */
inline klp_module_coming()
{
	d_step {
		printf("target module: coming\n");
		klp_alive = true;
		j = 0;
		do
		:: j < listed ->
			if
			:: (FUNCS(list[j]) | nops[list[j]]) & TARGET ->
				obj_loaded = obj_loaded | BIT(list[j]);
				k = 0;
				do
				:: k < NR_ADDRS -> klp_patch_object(list[j], k, TARGET); k++
				:: else -> break
				od
			:: else
			fi;
			j++
		:: else -> break
		od
	}
}

inline klp_module_going()
{
	klp_alive = false;
	do
	:: atomic {
		a < NR_ADDRS ->
		if
		:: NAMES_AT(a) & TARGET -> klp_unpatch_func(obj_loaded, false, a)
		:: else
		fi;
		a++ }
	:: atomic { a == NR_ADDRS -> a = 0; break }
	od;
	atomic { printf("target module: gone\n"); obj_loaded = 0 }
}
#endif
