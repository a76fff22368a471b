// SPDX-License-Identifier: GPL-2.0
/*
 * target.c - a module to be patched
 *
 * twin() exists in two files, fn4() has a second name, and fn5() cannot be traced.
 */
#include "target.h"

const char *call_second_twin(void);

static target const char *fn1(void)
{
	return "original";
}

static target const char *fn2(void)
{
	return "original";
}

static target const char *fn3(void)
{
	return "original";
}

static target const char *fn4(void)
{
	return "original";
}

static const char *fn4_alias(void) __attribute__((alias("fn4"), copy(fn4)));

static notrace target const char *fn5(void)
{
	return "original";
}

static target const char *twin(void)
{
	return "original";
}

static const struct target_func functions[] = {
	{ "fn1", fn1 },
	{ "fn2", fn2 },
	{ "fn3", fn3 },
	{ "fn4", fn4 },
	{ "fn4_alias", fn4_alias },
	{ "fn5", fn5 },
	{ "twin", twin },
	{ "twin2", call_second_twin },
	{ "park", park },
	{ }
};

static int __init klp_target_init(void)
{
	return target_create(functions);
}

static void __exit klp_target_exit(void)
{
	target_remove();
}

module_init(klp_target_init);
module_exit(klp_target_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Functions to be patched by the tests of klp-sets");
