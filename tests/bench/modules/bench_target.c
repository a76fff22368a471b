// SPDX-License-Identifier: GPL-2.0
/*
 * bench_target.c - 5,000 functions to patch, and one to sleep in
 *
 * The functions are called bench_f0000 to bench_f4999. In bench_f5000 a task can hold
 * a transition up.
 */
#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/wait.h>

/* The compiler must not merge, clone or look into them. */
#define F1(n)							\
	static __used __attribute__((__noipa__)) int bench_f##n(int x)	\
	{							\
		return x;					\
	}
#define F10(n)	F1(n##0) F1(n##1) F1(n##2) F1(n##3) F1(n##4)	\
		F1(n##5) F1(n##6) F1(n##7) F1(n##8) F1(n##9)
#define F100(n)	F10(n##0) F10(n##1) F10(n##2) F10(n##3) F10(n##4)	\
		F10(n##5) F10(n##6) F10(n##7) F10(n##8) F10(n##9)
#define F1000(n) F100(n##0) F100(n##1) F100(n##2) F100(n##3) F100(n##4)	\
		F100(n##5) F100(n##6) F100(n##7) F100(n##8) F100(n##9)

F1000(0)
F1000(1)
F1000(2)
F1000(3)
F1000(4)

static u64 call_ns;
module_param_named(call_ns, call_ns, ullong, 0444);
MODULE_PARM_DESC(call_ns, "what the calls took");

/* Nothing may come between, so that the figure is exact. */
static int set_calls(const char *val, const struct kernel_param *kp)
{
	unsigned int nr, i;
	unsigned long flags;
	u64 start;
	int ret;

	ret = kstrtouint(val, 10, &nr);
	if (ret)
		return ret;
	local_irq_save(flags);
	start = ktime_get_ns();
	for (i = 0; i < nr; i++)
		bench_f0000(i);
	call_ns = ktime_get_ns() - start;
	local_irq_restore(flags);
	return 0;
}

static const struct kernel_param_ops calls_ops = {
	.set = set_calls,
};
module_param_cb(calls, &calls_ops, NULL, 0200);
MODULE_PARM_DESC(calls, "how often to call bench_f0000()");

static DECLARE_WAIT_QUEUE_HEAD(sleepers);

/* Neither woken now and then, nor by the signals of livepatch: it takes no time at all. */
static __attribute__((__noipa__)) int bench_f5000(int x)
{
	wait_event_killable(sleepers, x);
	return x;
}

static int set_sleep(const char *val, const struct kernel_param *kp)
{
	/* A task that writes to another parameter must not wait for this one. */
	kernel_param_unlock(THIS_MODULE);
	bench_f5000(0);
	kernel_param_lock(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops sleep_ops = {
	.set = set_sleep,
};
module_param_cb(sleep, &sleep_ops, NULL, 0200);
MODULE_PARM_DESC(sleep, "sleep in bench_f5000() until killed");

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Target of the klp-sets benchmark");
