// SPDX-License-Identifier: GPL-2.0
/* target2.c - another module to be patched, with functions of the same names */
#include "target.h"

const char *klp_target2_park(void);

static target const char *fn1(void)
{
	return "original";
}

/* For a client whose own code goes on into this module. */
const char *klp_target2_park(void)
{
	return park();
}
EXPORT_SYMBOL_GPL(klp_target2_park);

static const struct target_func functions[] = {
	{ "fn1", fn1 },
	{ "park", park },
	{ }
};

static int __init klp_target2_init(void)
{
	return target_create(functions);
}

static void __exit klp_target2_exit(void)
{
	target_remove();
}

module_init(klp_target2_init);
module_exit(klp_target2_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("More functions to be patched by the tests of klp-sets");
