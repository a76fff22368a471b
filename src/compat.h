/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - everything that differs between kernels, from 5.10 on
 *
 * By what a kernel has and not by its number: vendors take over from newer kernels
 * what they need. kernel.c asks whether what is chosen here is right.
 */
#ifndef _KLP_SETS_COMPAT_H
#define _KLP_SETS_COMPAT_H

#include <linux/ftrace.h>
#include <linux/livepatch.h>
#include <linux/ptrace.h>

#ifndef CONFIG_X86_64
#error "klp-sets knows the entry of a function on x86-64 only, see KLP_SETS_ENTRY_LEN"
#endif

#if defined(CONFIG_HAVE_DYNAMIC_FTRACE_WITH_ARGS) || defined(arch_ftrace_get_regs)	/* 5.11 */
#define klp_sets_fregs		ftrace_regs
#define klp_sets_pt_regs(fregs)	ftrace_get_regs(fregs)
#define KLP_SETS_FL_RECURSION	FTRACE_OPS_FL_RECURSION
#else
/* The callback got the plain registers, and recursion protection was the default. */
#define klp_sets_fregs		pt_regs
#define klp_sets_pt_regs(fregs)	(fregs)
#define KLP_SETS_FL_RECURSION	0
#endif

#ifdef ftrace_regs_get_argument		/* 6.2 */
#define KLP_SETS_FL_REGS	0
#define klp_sets_arg(fregs, n)	ftrace_regs_get_argument(fregs, n)
#define klp_sets_redirect(fregs, func)	\
	ftrace_regs_set_instruction_pointer(fregs, (unsigned long)(func))
#else
#define KLP_SETS_FL_REGS	FTRACE_OPS_FL_SAVE_REGS
#define klp_sets_arg(fregs, n)	regs_get_kernel_argument(klp_sets_pt_regs(fregs), n)
#define klp_sets_redirect(fregs, func)	\
	instruction_pointer_set(klp_sets_pt_regs(fregs), (unsigned long)(func))
#endif

/* What klp_init_transition() is told when a patch is being enabled. */
#ifdef KLP_TRANSITION_PATCHED		/* 6.11 */
#define KLP_SETS_PATCHED	KLP_TRANSITION_PATCHED
#else
#define KLP_SETS_PATCHED	KLP_PATCHED
#endif

/* Exported since 2023, also in stable releases; before, its address is NULL. */
void __weak ftrace_free_filter(struct ftrace_ops *ops);

/*
 * How far behind a function's address its ftrace location may be. x86: past the
 * ENDBR; a kprobe's address is past it already.
 */
#define KLP_SETS_ENTRY_LEN	4

#endif /* _KLP_SETS_COMPAT_H */
