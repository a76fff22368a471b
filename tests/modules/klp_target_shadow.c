// SPDX-License-Identifier: GPL-2.0
/*
 * klp_target_shadow.c - two objects that can have shadow variables
 *
 * Writing an id to the parameter "variables" attaches a variable of this id,
 * which holds the id, to both objects. Reading it lists the ids of all that are
 * there: "5 5 6 6".
 */
#include <linux/kernel.h>
#include <linux/livepatch.h>
#include <linux/module.h>

#define MAX_ID	64

static int objects[2];

static int attach(const char *val, const struct kernel_param *kp)
{
	unsigned long id, *var;
	int i, ret;

	ret = kstrtoul(val, 10, &id);
	if (ret)
		return ret;
	if (id >= MAX_ID)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(objects); i++) {
		var = klp_shadow_alloc(&objects[i], id, sizeof(*var), GFP_KERNEL, NULL, NULL);
		if (!var)
			return -EEXIST;
		*var = id;
	}
	return 0;
}

static int list(char *buf, const struct kernel_param *kp)
{
	unsigned long id;
	int i, len = 0;

	for (id = 0; id < MAX_ID; id++)
		for (i = 0; i < ARRAY_SIZE(objects); i++)
			if (klp_shadow_get(&objects[i], id))
				len += sprintf(buf + len, "%s%lu", len ? " " : "", id);
	return len + sprintf(buf + len, "\n");
}

static const struct kernel_param_ops variables_ops = {
	.set = attach,
	.get = list,
};
module_param_cb(variables, &variables_ops, NULL, 0644);
MODULE_PARM_DESC(variables, "ids of the shadow variables; write one to attach its variables");

static int __init klp_target_shadow_init(void)
{
	return 0;
}

/* Some tests are about variables that nobody else frees. */
static void __exit klp_target_shadow_exit(void)
{
	unsigned long id;
	int i;

	for (id = 0; id < MAX_ID; id++)
		for (i = 0; i < ARRAY_SIZE(objects); i++)
			klp_shadow_free(&objects[i], id, NULL);
}

module_init(klp_target_shadow_init);
module_exit(klp_target_shadow_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Objects with shadow variables for the tests of klp-sets");
