// SPDX-License-Identifier: GPL-2.0
/*
 * retry.c - the next attempt to complete a transition comes when it can succeed
 *
 * With more than one processor the first attempt is hardly ever complete: the idle
 * task of another processor counts as running. It switches as soon as it is woken,
 * but stock livepatch looks again a second later. So its own work item is made
 * pending with a short delay when an attempt begins. What stock does at the end of
 * one that was not complete, schedule_delayed_work(), leaves a pending work item
 * alone; and the work item does nothing when no transition is left by then.
 */
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/smp.h>
#include <linux/workqueue.h>

#include "core.h"

/* A single word: a reader sees the old value or the new one. */
static bool klp_sets_fast_retry = true;
module_param_named(fast_retry, klp_sets_fast_retry, bool, 0644);
MODULE_PARM_DESC(fast_retry,
		 "look at the tasks again after milliseconds, not after a second (default: on)");

/* In jiffies: 8 ms at first, then twice as much each time, up to stock's own second. */
#define KLP_SETS_FIRST_DELAY	max(HZ / 125, 1)

/*
 * How long the last attempt was to wait for the next one, in jiffies; klp_mutex. Who
 * comes into the middle of a transition finds it as the last one ended.
 */
static unsigned int klp_sets_delay = HZ;

/* It may be pending, for the attempt before a reversal, or from an earlier transition. */
static notrace void klp_sets_schedule_attempt(unsigned int delay)
{
	cancel_delayed_work(klp.transition_work);
	schedule_delayed_work(klp.transition_work, delay);
}

/**
 * klp_sets_retry() - set the time of the next attempt
 *
 * Stock livepatch counts attempts, not seconds, before it signals those who hold a
 * transition up. Those that come early are taken off, so that its patience is what it was.
 * It starts counting at zero with each transition and each reversal, and so do the delays.
 *
 * Nothing of this module can be pending afterwards: the work item is stock's.
 *
 * Context: atomic, under klp_mutex, at every attempt to complete a transition.
 */
void notrace klp_sets_retry(void)
{
	bool first;

	if (!klp.transition_work || !READ_ONCE(klp_sets_fast_retry))
		return;

	first = !*klp.signals_cnt;
	if (!first && klp_sets_delay < HZ / 2)
		--*klp.signals_cnt;
	klp_sets_delay = first ? KLP_SETS_FIRST_DELAY : min(2 * klp_sets_delay, HZ + 0U);
	if (klp_sets_delay >= HZ)
		return;

	/* Before 5.17 stock leaves them asleep; and those that are awake in time need no retry. */
	wake_up_all_idle_cpus();
	klp_sets_schedule_attempt(klp_sets_delay);
}

/**
 * klp_sets_retry_reversed() - let the first attempt after a reversal come soon
 *
 * Stock livepatch leaves it to the work item that is pending, which may take a second.
 *
 * Context: atomic, under klp_mutex, when a transition is about to be reversed.
 */
void notrace klp_sets_retry_reversed(void)
{
	if (klp.transition_work && READ_ONCE(klp_sets_fast_retry))
		klp_sets_schedule_attempt(KLP_SETS_FIRST_DELAY);
}
