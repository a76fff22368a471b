/* SPDX-License-Identifier: GPL-2.0 */
/*
 * klp-sets.pml - a machine with livepatches, small enough to try everything on it
 *
 * Start here, or with README.md. This file has what exists on the machine and who
 * acts on it. What the actors do is in
 *	scenarios.pml	which livepatches there are
 *	stock.pml	kernel/livepatch
 *	engine.pml	src/ of this tree
 *	rules.pml	what must be true, whatever happens
 * and every step there says which function of the kernel or of src/ it is.
 *
 * A set of patches, or of names of functions, is a word with a bit for each.
 * TRAP_... are mistakes that one could make. The model must find each of them.
 */
#define BIT(x)		(1 << (x))
#define NONE		255

#include "scenarios.pml"

/* patch_state of a task, and klp_target_state */
#define UNPATCHED	0
#define PATCHED		1
#define IDLE		2

/* Stock livepatch: klp_mutex, and what it protects. */
bool mutex;
byte list[NR_PATCHES];			/* klp_patches */
byte listed;				/* how many are in it */
byte is_enabled, replace, forced;	/* members of struct klp_patch: patches */
byte nops[4];				/* of each patch: names */
byte obj_loaded;			/* obj->mod is set for the target module: patches */
byte transition = NONE;			/* klp_transition_patch */
byte func_transition;			/* func->transition: patches */
byte target_state = IDLE;		/* klp_target_state */
byte free_queued;			/* free_work is scheduled: patches */

#ifdef WRITER
byte in_sysfs, in_store;	/* its "enabled" is there, is being written to: patches */
#endif

/* The ftrace ops of an address: ops->func_stack, whose last entry is on top. */
typedef klp_ops { byte func[DEPTH]; byte nr };
klp_ops ops[NR_ADDRS];

/* An entry in there is that of a patch for a name; 0 is none. */
#define ENTRY(p, n)	(1 + 4 * (p) + (n))
#define PATCH_OF(e)	(((e) - 1) / 4)
#define NAME_OF(e)	(((e) - 1) % 4)
#define IS_NOP(e)	(nops[PATCH_OF(e)] & BIT(NAME_OF(e)))
/* The code that an entry leads to: 0 for the original, or 1 + its patch. */
#define CODE_OF(e)	((e) == 0 || IS_NOP(e) -> 0 : 1 + PATCH_OF(e))

/* klp_is_object_loaded(): names whose object is there, as far as the patch knows */
#define LOADED(p)	(obj_loaded & BIT(p) -> 15 : 15 & ~TARGET)

/* Modules: whose text is there, on which stock livepatch has a reference. */
byte text, module_ref;
bool klp_alive, target_live;		/* the target module, for livepatch and for callers */

/*
 * Tasks. The last stands for all others on the machine: it only has to switch.
 * The others may be in one function, and call further ones from there.
 */
#define NR_TASKS	(CALLERS + 1)
byte patch_state[NR_TASKS] = IDLE;
bool pending[NR_TASKS];			/* TIF_PATCH_PENDING */
byte in_func[NR_TASKS];			/* 0, or 1 + the address of the function */
byte in_code[NR_TASKS];			/* the version of it: 0, or 1 + the patch */
byte handler[NR_TASKS];			/* in klp_ftrace_handler() of: 0, or 1 + the address */
byte handler_top[NR_TASKS], handler_next[NR_TASKS];	/* the entries that it holds */

/* A task can call a function of the target module while that is there. */
#define MAY_CALL(t, a)	(!handler[t] && (!(NAMES_AT(a) & TARGET) || target_live))
#define AT_TARGET(t)	(in_func[t] && NAMES_AT(in_func[t] - 1) & TARGET || \
			 handler[t] && NAMES_AT(handler[t] - 1) & TARGET)
#define IN_TARGET	(AT_TARGET(0) || AT_TARGET(CALLERS > 1))
#define IN_HANDLER	(handler[0] || handler[CALLERS > 1])
#define NOT_IN_HANDLER(where)	(handler[0] != (where) && handler[CALLERS > 1] != (where))

/* klp-sets */
#define CORE_LOADED	0
#define CORE_GOING	1
#define CORE_GONE	2
byte core = CORE_LOADED;
byte core_ref;				/* references that records hold on the core's module */
byte calls;				/* livepatch modules that are inside klp_sets_enable() */
bool hooked;				/* klp_sets_hooked */
byte in_hook;				/* hooks that run without klp_mutex */
bool in_admit;				/* a task is in klp_sets_admit(), and may sleep */
byte requests;				/* klp_sets_requests: patches */
bool assigned;				/* klp_sets_assignments is not empty */
byte admitted = NONE;			/* klp_sets_admitted */
byte prepared[4];			/* klp_sets_nops, klp_sets_nop_objs: names */
byte members;				/* rec->managed: patches */
byte carrier;				/* the carrier is in obj_list: patches */
byte alive;				/* there is a record that is not dead: patches */
bool dead;				/* there are dead records */
bool reap_queued, reap_runs;		/* klp_sets_reap_work */
bool ftrace_stopped, died;		/* ftrace_disabled; klp_sets_died */
byte introducing, blocking;		/* !rec->settled, rec->blocker: patches */
byte expected;				/* klp_sets_left: patches */
bool unverified;			/* klp_sets_unverified */
bool noted;				/* klp_sets_nr_flags is not 0 */
byte noted_forced, noted_marks;		/* klp_sets_flags: patches */

/* For use within one step. */
hidden byte i, j, k, n, e;
hidden byte temp[NR_PATCHES];

inline mutex_lock()
{
	atomic { !mutex -> mutex = true }
}

inline mutex_unlock()
{
	atomic { check_rules(); mutex = false }
}

/*
 * Where tasks call functions, what tasks cannot notice is done at once, and work
 * items are quick, or there would be too much to try. Where none do, every step is
 * one by itself, and others come in between two critical sections of one caller.
 */
#if CALLERS
#define AT_ONCE		atomic
#define WORKERS_DONE	(!free_queued && !reap_queued)
#define mutex_pass()	skip
#else
#define AT_ONCE
#define WORKERS_DONE	true
#define mutex_pass()	mutex_unlock(); mutex_lock()
#endif

#include "engine.pml"
#include "rules.pml"
#include "stock.pml"

/*
 * A livepatch module: insmod, the worker that frees its patch, rmmod. As often as
 * it likes, and always at the same address.
 */
proctype Livepatch(byte p)
{
	byte a;
	bool refused;

insmod:
end:	AT_ONCE {
		atomic {
			!mutex && WORKERS_DONE && (!IS_CLIENT(p) || core == CORE_LOADED) ->
			text = text | BIT(p);
			is_enabled = is_enabled & ~BIT(p);
			forced = forced & ~BIT(p);
			replace = (REPLACE(p) -> replace | BIT(p) : replace & ~BIT(p));
			members = (IS_CLIENT(p) -> members | BIT(p) : members & ~BIT(p));
			calls = (IS_CLIENT(p) -> calls | BIT(p) : calls)
		};
		mutex_lock();
		if
		:: IS_CLIENT(p) -> klp_sets_begin(p); mutex_pass()
		:: else
		fi;
		if
		:: !refused -> klp_enable_patch(p)
		:: else
		fi
	};
	if
	:: !refused -> __klp_enable_patch(p)
	:: else
	fi;
	AT_ONCE {
		if
		:: refused && module_ref & BIT(p) ->
			mutex_unlock();
			klp_free_patch_finish(p);
			mutex_lock()
		:: else -> mutex_pass()
		fi;
		if
		:: IS_CLIENT(p) -> klp_sets_end(p)
		:: else
		fi;
		mutex_unlock();
		if
		:: IS_CLIENT(p) -> klp_sets_flush(p)
		:: else
		fi
	};
	if
	:: refused -> refused = false; goto rmmod
	:: else
	fi;

	/* klp_free_patch_work_fn() */
endenabled:
	AT_ONCE {
		atomic { free_queued & BIT(p) -> free_queued = free_queued & ~BIT(p) };
		klp_free_patch_finish(p);
rmmod:
endpinned:
		atomic {
			!(module_ref & BIT(p)) && !IN_HANDLER ->
			nobody_is_in(p);
			text = text & ~BIT(p)
		}
	};
	goto insmod
}

/* All that is one critical section of klp_mutex, in any order. */
proctype Machine()
{
	byte p, a, t, left, old;
	bool complete;

end:	do
	/* klp_transition_work_fn() */
	:: atomic {
		!mutex && WORKERS_DONE && transition != NONE -> mutex = true;
		klp_sets_at_try_complete() };
		klp_try_complete_transition();
		mutex_unlock()

#ifndef WRITER
	/* enabled_store(), of the patch that is in transition */
	:: atomic {
		!mutex && WORKERS_DONE && transition != NONE -> mutex = true;
		klp_reverse_transition() };
		mutex_unlock()

	/* enabled_store(), of any other */
	:: atomic {
		!mutex && WORKERS_DONE && transition == NONE && listed -> mutex = true;
		if
		:: p = list[0]
		:: listed > 1 -> p = list[1]
#if NR_PATCHES > 2
		:: listed > 2 -> p = list[2]
#endif
		fi;
		__klp_disable_patch(p);
		p = 0 };
		mutex_unlock()
#endif

	/* force_store() */
	:: atomic {
		!mutex && WORKERS_DONE && transition != NONE ->
		klp_sets_at_force();
		klp_force_transition();
		check_rules() }

#if TARGET
	/* The target module is loaded, and afterwards its functions may be called. */
	:: atomic {
		!mutex && WORKERS_DONE && !klp_alive ->
		klp_module_coming();
		check_rules();
		target_live = true }

	/* It is removed when no task is in it any more. */
	:: atomic { target_live && !IN_TARGET && WORKERS_DONE -> target_live = false };
		mutex_lock();
		klp_module_going();
		mutex_unlock()
#endif

#ifdef UNLOAD
	/* The hooks have lingered long enough. */
	:: atomic { !mutex && core != CORE_GONE && hooked && !HOOKS_NEEDED && !died -> mutex = true };
		klp_sets_remove_hooks();
		mutex_unlock()
#endif

#ifdef STOPS
	/* ftrace_kill() */
	:: !ftrace_stopped -> ftrace_stopped = true
#endif

	/* The work item of klp-sets. */
	:: AT_ONCE {
		atomic { reap_queued -> reap_queued = false; reap_runs = true };
		klp_sets_reap() }

#ifdef ADOPTED
	/* assign_store(), before the livepatch is loaded; and back */
	:: atomic {
		!mutex && WORKERS_DONE && !(text & BIT(ADOPTED)) -> assigned = !assigned;
		klp_sets_update_hooks() }

	/* assign_store(), for a stock patch that is enabled */
	:: atomic {
		!mutex && WORKERS_DONE && transition == NONE && CAN_ADOPT(ADOPTED) ->
		klp_sets_adopt(ADOPTED);
		check_rules() }
#endif

#ifdef UNLOAD
	/* assign_store(), for a livepatch that does not come; and back */
	:: atomic { !mutex && core == CORE_LOADED -> mutex = true; assigned = !assigned };
		klp_sets_update_hooks();
		mutex_unlock()
#endif
	od
}

#ifdef WRITER
/* Writes 0 to "enabled" as soon as that is there, again and again. */
proctype Impatient()
{
	byte p;
	bool refused;

end:	do
	:: atomic {
		in_sysfs ->
		if
		:: in_sysfs & BIT(0) -> p = 0
		:: in_sysfs & BIT(1) -> p = 1
		fi;
		in_store = BIT(p);
		began_settled = is_enabled & BIT(p) && transition != p };
		klp_sets_at_enabled_store(p);
		if
		:: !refused -> enabled_store(p)
		:: else
		fi;
		atomic { refused = false; in_store = 0; began_settled = false }
	od
}
#endif

/* rmmod klp_sets */
proctype Unload_core()
{
end:	atomic { !core_ref && !calls -> core = CORE_GOING };
	klp_sets_exit();
	d_step {
		core = CORE_GONE;
		assert(!hooked && !in_hook && !in_admit && admitted == NONE);
		assert(!reap_queued && !reap_runs && !alive && !dead)
	}
}

/* A task in the kernel: enters a function, calls others from there, returns. */
proctype Task(byte t)
{
end:	do
	:: d_step { MAY_CALL(t, 0) -> call(t, 0) }
	:: d_step { NR_ADDRS > 1 && MAY_CALL(t, 1) -> call(t, 1 % NR_ADDRS) }
	:: d_step { NR_ADDRS > 2 && MAY_CALL(t, 2) -> call(t, 2 % NR_ADDRS) }
#ifdef SLOW_HANDLER
	:: d_step { handler[t] -> klp_ftrace_handler(t) }
#endif
	:: d_step { in_func[t] && !handler[t] -> leave(t) }
	/* klp_update_patch_state(), as the task leaves the kernel */
	:: d_step {
		pending[t] && !in_func[t] && !handler[t] ->
		pending[t] = false;
		patch_state[t] = target_state }
	od
}

init {
	atomic {
		run Machine();
		run Livepatch(0);
		run Livepatch(1);
#if NR_PATCHES > 2
		run Livepatch(2);
#endif
#if CALLERS > 0
		run Task(0);
#endif
#if CALLERS > 1
		run Task(1);
#endif
#ifdef UNLOAD
		run Unload_core();
#endif
#ifdef WRITER
		run Impatient();
#endif
	}
}
