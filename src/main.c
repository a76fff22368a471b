// SPDX-License-Identifier: GPL-2.0
/*
 * klp-sets - replace sets for kernel livepatches
 *
 * A patch of a set replaces the enabled patch of the same set and no other,
 * on kernels whose livepatching knows only "all" and "none". What each file
 * does, and why it is safe, is in Documentation/internals.md.
 */
#include "core.h"

static int __init klp_sets_init(void)
{
	int ret;

	ret = klp_sets_check_kernel();
	if (ret)
		return ret;
	ret = klp_sets_find_symbols();
	if (ret)
		return ret;
	ret = klp_sets_init_hooks();
	if (ret)
		return ret;
	ret = klp_sets_init_sysfs();
	if (ret && !klp_sets_is_dead())
		klp_sets_exit_hooks();
	return klp_sets_is_dead() ? 0 : ret;
}

/* No patch has a live record here: each holds a reference on this module. */
static void __exit klp_sets_exit(void)
{
	klp_sets_exit_sysfs();

	/* Whoever is in admit holds klp_mutex, and finds no assignment afterwards. */
	mutex_lock(klp.mutex);
	klp_sets_drop_assignments();
	mutex_unlock(klp.mutex);

	klp_sets_flush_records();
	klp_sets_exit_hooks();
	klp_sets_exit_states();
	klp_sets_free_force();
	klp_sets_free_verify();
}

module_init(klp_sets_init);
module_exit(klp_sets_exit);
MODULE_DESCRIPTION("Replace sets for kernel livepatches");
MODULE_VERSION(KLP_SETS_VERSION);
MODULE_LICENSE("GPL");
