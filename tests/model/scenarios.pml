/* SPDX-License-Identifier: GPL-2.0 */
/*
 * scenarios.pml - which livepatches there are
 *
 * Functions have names F, G, H and I, at the addresses 0, 1, 2 and 3 if nothing else
 * is said. Each row has a cell for patch 0, 1 and 2. Every module may be loaded at any
 * time, and be gone again at any time, in each scenario.
 *
 *	SETS		the set, or 0 for a stock patch
 *	FUNCTIONS	what it changes
 *	OBSOLETES	another set that it replaces, or 0
 *	EVERYTHING	1: .replace_all of struct klp_sets_patch
 *	REPLACE_FLAGS	1: .replace of struct klp_patch
 */
#define F	1
#define G	2
#define H	4
#define I	8

#define ROW(a, b, c)	((a) + ((b) << 4) + ((c) << 8))
#define CELL(row, p)	(((row) >> (4 * (p))) & 15)

/* Two versions of set 1, of which the second lacks a function; and set 2. */
#ifdef VERSIONS
#define NR_PATCHES	3
#define NR_ADDRS	3
#define SETS		ROW(1,		1,	2)
#define FUNCTIONS	ROW(F+G,	F,	H)
#endif

/* Two versions of a set, and two tasks that are in their functions. */
#ifdef TWO_TASKS
#define NR_PATCHES	2
#define NR_ADDRS	2
#define SETS		ROW(1,		1,	0)
#define FUNCTIONS	ROW(F+G,	F,	0)
#define CALLERS		2
#endif

/* As VERSIONS, and G and H are in a module that comes and goes. */
#ifdef TARGET_MODULE
#define NR_PATCHES	3
#define NR_ADDRS	3
#define SETS		ROW(1,		1,	2)
#define FUNCTIONS	ROW(F+G,	F,	H)
#define TARGET		(G+H)
#endif

/* Set 1 obsoletes set 2, which afterwards may have patches again. */
#ifdef OBSOLETE_SETS
#define NR_PATCHES	3
#define NR_ADDRS	3
#define SETS		ROW(1,		2,	2)
#define FUNCTIONS	ROW(F,		F+G,	H)
#define OBSOLETES	ROW(2,		0,	0)
#endif

/* A set, a patch that replaces everything, and a stock patch that does. */
#ifdef REPLACE_ALL
#define NR_PATCHES	3
#define NR_ADDRS	3
#define SETS		ROW(1,		2,	0)
#define FUNCTIONS	ROW(F,		G,	H)
#define EVERYTHING	ROW(0,		1,	0)
#define REPLACE_FLAGS	ROW(1,		0,	1)
#endif

/* A set, a stock patch that replaces everything, and one that stands on top of it. */
#ifdef STOCK_STACK
#define NR_PATCHES	3
#define NR_ADDRS	2
#define SETS		ROW(1,		0,	0)
#define FUNCTIONS	ROW(F,		G,	G)
#define REPLACE_FLAGS	ROW(0,		1,	0)
#endif

/* A stock patch that replaces everything is assigned to set 1, before or after it is loaded. */
#ifdef ADOPTION
#define NR_PATCHES	3
#define NR_ADDRS	3
#define SETS		ROW(1,		1,	2)
#define FUNCTIONS	ROW(F,		F+G,	H)
#define REPLACE_FLAGS	ROW(0,		1,	0)
#define ADOPTED		1
#endif

/* A function of a module is changed by two sets and by a stock patch, or would be. */
#ifdef ONE_FUNCTION
#define NR_PATCHES	3
#define NR_ADDRS	2
#define SETS		ROW(1,		2,	0)
#define FUNCTIONS	ROW(F+G,	G,	G)
#define TARGET		G
#endif

/* I is another name of G, between the versions of a set and between sets. */
#ifdef ALIASES
#define NR_PATCHES	3
#define NR_ADDRS	2
#define SETS		ROW(1,		1,	2)
#define FUNCTIONS	ROW(F+G,	I,	I)
#define NAMES_AT(a)	((a) == 1 -> G+I : BIT(a))
#define SLOW_HANDLER
#endif

/* The same in a module that comes later, when nobody can be refused any more. */
#ifdef LATE_ALIASES
#define NR_PATCHES	3
#define NR_ADDRS	2
#define SETS		ROW(1,		1,	2)
#define FUNCTIONS	ROW(G,		F,	I)
#define NAMES_AT(a)	((a) == 1 -> G+I : BIT(a))
#define TARGET		(G+I)
#define LATE
#endif

/* The same within a set. */
#ifdef LATE_ALIAS_IN_SET
#define NR_PATCHES	2
#define NR_ADDRS	2
#define SETS		ROW(1,		1,	0)
#define FUNCTIONS	ROW(G,		I,	0)
#define NAMES_AT(a)	((a) == 1 -> G+I : BIT(a))
#define TARGET		(G+I)
#define LATE
#define SLOW_HANDLER
#define DEPTH		4
#endif

/* Every step of those who come and go: the core, a set, a stock patch; any may fail. */
#ifdef COMING_AND_GOING
#define NR_PATCHES	2
#define SETS		ROW(1,		0,	0)
#define FUNCTIONS	0
#define REPLACE_FLAGS	ROW(0,		1,	0)
#define CALLERS		0
#define FAILURES
#define UNLOAD
#endif

/* The same, and ftrace may stop for good at any time. */
#ifdef FTRACE_STOPS
#define NR_PATCHES	2
#define SETS		ROW(1,		0,	0)
#define FUNCTIONS	0
#define CALLERS		0
#define STOPS
#define UNLOAD
#endif

/* Two patches of a set are loaded at the same time. */
#ifdef TWO_LOADERS
#define NR_PATCHES	2
#define SETS		ROW(1,		1,	0)
#define FUNCTIONS	0
#define CALLERS		0
#define FAILURES
#endif

/* Two versions of a set with a state that must stay, and somebody who writes to "enabled". */
#ifdef IMPATIENCE
#define NR_PATCHES	2
#define SETS		ROW(1,		1,	0)
#define FUNCTIONS	0
#define CALLERS		0
#define FAILURES
#define WRITER
#endif

/* What is not about the check after a transition is small without it. */
#if !defined STOPS && !defined WRITER
#define VERIFIES
#endif

#ifndef OBSOLETES
#define OBSOLETES	0
#endif
#ifndef EVERYTHING
#define EVERYTHING	0
#endif
#ifndef REPLACE_FLAGS
#define REPLACE_FLAGS	0
#endif
/* A stock patch that can be assigned to its set. */
#ifndef ADOPTED
#define IS_ASSIGNED(p)	false
#else
#define IS_ASSIGNED(p)	((p) == ADOPTED)
#endif
#define IS_CLIENT(p)	(SET(p) != 0 && !IS_ASSIGNED(p))
/* What is in the module that comes and goes: names. */
#ifndef TARGET
#define TARGET		0
#endif
#ifndef NR_ADDRS
#define NR_ADDRS	1
#endif
#ifndef NAMES_AT
#define NAMES_AT(a)	BIT(a)
#endif
/* How many tasks are in functions. */
#ifndef CALLERS
#define CALLERS		1
#endif
/* How many entries a function's stack may have. */
#ifndef DEPTH
#define DEPTH		NR_PATCHES
#endif

#define SET(p)		CELL(SETS, p)
#define FUNCS(p)	CELL(FUNCTIONS, p)
#define REPLACE(p)	CELL(REPLACE_FLAGS, p)
#define ALL(p)		CELL(EVERYTHING, p)
/* Whether a patch of a set reaches those of another: its own, or one that it obsoletes. */
#define REACHES(p, set)	(SET(p) == (set) || CELL(OBSOLETES, p) == (set))
/* Whether a patch belongs to a set. */
#define MANAGED(p)	(members & BIT(p))
