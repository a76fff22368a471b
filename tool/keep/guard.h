/* SPDX-License-Identifier: GPL-2.0 */
/* guard.h - livepatches that the machine may not survive */
#ifndef KLP_SETS_KEEP_GUARD_H
#define KLP_SETS_KEEP_GUARD_H

#include <stdbool.h>
#include <time.h>

/* A machine that is up for so many seconds after a load has survived it. */
#define GUARD_SECONDS 60

/*
 * To be called right before a livepatch is loaded: if the machine dies within a minute,
 * the next boot will not load it. False when that could not be written down, after a message
 * for the first time.
 */
bool guard_raise(const char *name);
/* It was not loaded after all. */
void guard_drop(const char *name);

/*
 * Looks at all guards. Those of this boot that are old enough go, if the transition is
 * complete or the machine is shut down (0 seconds). What is left of an earlier boot means
 * that the machine died: of a livepatch that it had not survived before, or else of any.
 * Those are held, for this process at least when that cannot be written down. Returns the
 * seconds until the next one is old enough, or can be tried to be removed again; or -1 when
 * none is left.
 */
double guard_sweep(double seconds);
/* Whether the machine has lived with this livepatch for a minute, in an earlier boot or this. */
bool guard_survived(const char *name);
/* Whether the machine died after this livepatch had been loaded, and when. */
bool guard_held(const char *name, time_t *when);
/* The operator wants it at boot, whatever happened. */
void guard_forgive(const char *name);
/* It is another livepatch than the machine has lived with. */
void guard_forget(const char *name);

#endif /* KLP_SETS_KEEP_GUARD_H */
