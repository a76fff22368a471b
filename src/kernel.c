// SPDX-License-Identifier: GPL-2.0
/*
 * kernel.c - whether this is a kernel that the engine knows
 *
 * Compiled before all other files, with nothing after the first error, so that a
 * kernel which is not one is told by a sentence. What its configuration tells, the
 * script "unsupported" has asked before. Of the functions that are hooked and in no
 * header, klp_is_patch_compatible(), klp_init_transition() and the other two of
 * transition.c, no type can be asked for: symbols.c finds that they are there, and
 * that they are what they were is known of the kernels that were tested.
 */
#include <linux/compiler.h>
#include <linux/moduleparam.h>
#include <linux/version.h>

#include "compat.h"
#include "core.h"

#define KLP_SETS_EXPECT_TYPE(what, type, said)	\
	_Static_assert(__same_type(what, type),	\
		       "klp-sets cannot work on this kernel: " said)

KLP_SETS_EXPECT_TYPE(((struct klp_patch *)0)->replace, bool,
		     "the replace of its struct klp_patch is not a bool");
KLP_SETS_EXPECT_TYPE(&klp_enable_patch, int (*)(struct klp_patch *),
		     "its klp_enable_patch() is of another type");
KLP_SETS_EXPECT_TYPE(ftrace_func_t, void (*)(unsigned long, unsigned long,
					     struct ftrace_ops *, struct klp_sets_fregs *),
		     "its ftrace_func_t, the callback of ftrace, is of another type");
KLP_SETS_EXPECT_TYPE(((struct kobj_type *)0)->release, void (*)(struct kobject *),
		     "the release of its struct kobj_type is of another type");
KLP_SETS_EXPECT_TYPE(((struct kobj_attribute *)0)->store,
		     ssize_t (*)(struct kobject *, struct kobj_attribute *, const char *, size_t),
		     "the store of its struct kobj_attribute is of another type");
KLP_SETS_EXPECT_TYPE(((struct klp_object *)0)->callbacks.pre_patch,
		     int (*)(struct klp_object *),
		     "the pre_patch of its livepatches is of another type");
KLP_SETS_EXPECT_TYPE(((struct klp_object *)0)->callbacks.post_unpatch,
		     void (*)(struct klp_object *),
		     "the post_unpatch of its livepatches is of another type");

/* The newest that all tests have passed on. The tests of a newer one set another. */
#ifndef KLP_SETS_NEWEST_KERNEL
#define KLP_SETS_NEWEST_KERNEL	KERNEL_VERSION(7, 3, 0)
#endif

#define KLP_SETS_SERIES(code)	((code) >> 8)

static bool klp_sets_untested;
module_param_named(untested, klp_sets_untested, bool, 0444);
MODULE_PARM_DESC(untested,
		 "load on a kernel newer than those that klp-sets was tested on (default: off)");

/**
 * klp_sets_check_kernel() - refuse a kernel that nobody has tested
 *
 * What is private to stock livepatch may change with any version, and keep its names.
 *
 * Context: from module init.
 * Return: 0 or -EOPNOTSUPP (said in the log).
 */
int __init klp_sets_check_kernel(void)
{
	if (KLP_SETS_SERIES(LINUX_VERSION_CODE) <= KLP_SETS_SERIES(KLP_SETS_NEWEST_KERNEL)) {
		/* What the parameter shows is what is the case. */
		klp_sets_untested = false;
		return 0;
	}
	if (!klp_sets_untested) {
		pr_err("not tested on kernels newer than %u.%u: load it with untested=1 if you have tested it on this one\n",
		       KLP_SETS_NEWEST_KERNEL >> 16, KLP_SETS_NEWEST_KERNEL >> 8 & 0xff);
		return -EOPNOTSUPP;
	}
	pr_warn("loaded with untested=1 on a kernel newer than %u.%u, the newest that it was tested on\n",
		KLP_SETS_NEWEST_KERNEL >> 16, KLP_SETS_NEWEST_KERNEL >> 8 & 0xff);
	return 0;
}
