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

/*
 * What differs between architectures.
 *
 * KLP_SETS_ENTRY_LEN: how far behind a function's address its ftrace location may be.
 *
 * KLP_SETS_NO_WEAK: the loader cannot resolve a symbol that a kernel may not have. The kernels
 * with livepatching have there what is asked for.
 *
 * On ppc64le a redirected call gets its TOC and its way back from the code that stock livepatch
 * has for its own, as soon as the instruction pointer is another one.
 */
#if defined(CONFIG_X86_64)
/* Past the ENDBR; a kprobe's address is past it already. */
#define KLP_SETS_ENTRY_LEN	4
#elif defined(CONFIG_ARM64)
/* Past the BTI, and the instruction that saves the return address. */
#define KLP_SETS_ENTRY_LEN	8
#define KLP_SETS_NO_WEAK
#elif defined(CONFIG_S390)
#define KLP_SETS_ENTRY_LEN	0
#elif defined(CONFIG_PPC64) && defined(CONFIG_CPU_LITTLE_ENDIAN)
/* Past what sets up the TOC; a kprobe's address is that location. */
#define KLP_SETS_ENTRY_LEN	16
#else
#error "klp-sets works on x86-64, arm64, s390x and ppc64le only"
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

/* 6.2; on arm64 these are functions. */
#if defined(ftrace_regs_get_argument) || \
	(defined(CONFIG_ARM64) && defined(CONFIG_DYNAMIC_FTRACE_WITH_ARGS))
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
#ifdef KLP_SETS_NO_WEAK
#define klp_sets_has_free_filter	true
#else
void __weak ftrace_free_filter(struct ftrace_ops *ops);
#define klp_sets_has_free_filter	(!!ftrace_free_filter)
#endif

#endif /* _KLP_SETS_COMPAT_H */
