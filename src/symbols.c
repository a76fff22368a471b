// SPDX-License-Identifier: GPL-2.0
/*
 * symbols.c - finds the private parts of stock livepatch
 *
 * Nothing found here is called: on kernels with CONFIG_X86_KERNEL_IBT a
 * function whose address is never taken has lost its ENDBR, and an indirect
 * call to it is fatal. That rules out kallsyms_lookup_name() as well. Hooking
 * a function and reading data are safe.
 */
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/string.h>

#include "compat.h"
#include "core.h"

struct klp_sets_stock klp;

static int klp_sets_check_symbol(const char *name, unsigned long addr,
				 unsigned long max_offset)
{
	char found[KSYM_SYMBOL_LEN];
	unsigned long offset;
	size_t len = strlen(name);

	sprint_symbol(found, addr);
	if (strncmp(found, name, len) || strchr(found, '[') ||
	    sscanf(found + len, "+0x%lx/", &offset) != 1 || offset > max_offset) {
		pr_err("cannot work with this kernel: '%s' is not where it should be (%s)\n",
		       name, found);
		return -ENOENT;
	}
	return 0;
}

/*
 * A kprobe finds the address of any symbol. It is registered disabled, so that
 * no code is touched; for data the registration fails, after the address was
 * filled in.
 */
static int klp_sets_find_symbol(const char *name, unsigned long max_offset,
				unsigned long *addr)
{
	struct kprobe kp = {
		.symbol_name = name,
		.flags = KPROBE_FLAG_DISABLED,
	};

	if (!register_kprobe(&kp))
		unregister_kprobe(&kp);
	if (!kp.addr) {
		pr_err("cannot work with this kernel: it has no '%s'\n", name);
		return -ENOENT;
	}

	*addr = (unsigned long)kp.addr;
	return klp_sets_check_symbol(name, *addr, max_offset);
}

/* The store of the "enabled" file, found through the type of the patches' kobject. */
static int klp_sets_find_enabled_store(void)
{
	const struct attribute_group **group;
	struct attribute **attr;

	for (group = klp.ktype_patch->default_groups; group && *group; group++) {
		for (attr = (*group)->attrs; attr && *attr; attr++) {
			if (strcmp((*attr)->name, "enabled"))
				continue;
			klp.enabled_store = (unsigned long)
				container_of(*attr, struct kobj_attribute, attr)->store;
			return klp_sets_check_symbol("enabled_store", klp.enabled_store, 0);
		}
	}
	pr_err("cannot work with this kernel: a livepatch has no 'enabled' file\n");
	return -ENOENT;
}

/**
 * klp_sets_find_symbols() - fill in &klp
 *
 * Context: process context, from module init.
 * Return: 0, or -ENOENT when something is missing (said in the log).
 */
int klp_sets_find_symbols(void)
{
	const struct {
		const char *name;
		unsigned long max_offset;
		void *addr;
	} symbols[] = {
		{ "klp_mutex", 0, &klp.mutex },
		{ "klp_patches", 0, &klp.patches },
		{ "klp_transition_patch", 0, &klp.transition_patch },
		{ "klp_ktype_patch", 0, &klp.ktype_patch },
		{ "klp_ktype_object", 0, &klp.ktype_object },
		{ "klp_ktype_func", 0, &klp.ktype_func },
		{ "klp_is_patch_compatible", KLP_SETS_ENTRY_LEN, &klp.is_patch_compatible },
		{ "klp_init_transition", KLP_SETS_ENTRY_LEN, &klp.init_transition },
		{ "klp_force_transition", KLP_SETS_ENTRY_LEN, &klp.force_transition },
		{ "klp_try_complete_transition", KLP_SETS_ENTRY_LEN,
		  &klp.try_complete_transition },
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(symbols); i++) {
		ret = klp_sets_find_symbol(symbols[i].name, symbols[i].max_offset,
					   symbols[i].addr);
		if (ret)
			return ret;
	}

	klp.release_patch = (unsigned long)klp.ktype_patch->release;
	ret = klp_sets_check_symbol("klp_kobj_release_patch", klp.release_patch, 0);
	if (ret)
		return ret;
	return klp_sets_find_enabled_store();
}
