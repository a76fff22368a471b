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
		pr_err("'%s' is not where it should be in this kernel (%s)\n", name, found);
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
		pr_err("this kernel has no '%s'\n", name);
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
	pr_err("a livepatch has no 'enabled' file in this kernel\n");
	return -ENOENT;
}

struct klp_sets_symbol {
	const char *name;
	unsigned long max_offset;
	void *addr;
};

static int klp_sets_find_all(const struct klp_sets_symbol *symbols, unsigned int nr)
{
	unsigned int i;
	int ret;

	for (i = 0; i < nr; i++) {
		ret = klp_sets_find_symbol(symbols[i].name, symbols[i].max_offset,
					   symbols[i].addr);
		if (ret)
			return ret;
	}
	return 0;
}

/* What makes transitions faster can be done without. */
static void klp_sets_find_for_speed(void)
{
	static const struct klp_sets_symbol retry[] = {
		{ "klp_signals_cnt", 0, &klp.signals_cnt },
		{ "klp_transition_work", 0, &klp.transition_work },
	}, search[] = {
		{ "klp_ftrace_handler", KLP_SETS_ENTRY_LEN, &klp.ftrace_handler },
		{ "klp_ops", 0, &klp.ops },
	};

	if (klp_sets_find_all(retry, ARRAY_SIZE(retry))) {
		pr_warn("transitions wait as long as without klp_sets\n");
		klp.transition_work = NULL;
	}
	if (klp_sets_find_all(search, ARRAY_SIZE(search))) {
		pr_warn("transitions search as long as without klp_sets\n");
		klp.ops = NULL;
	}
}

/**
 * klp_sets_find_symbols() - fill in &klp
 *
 * Context: process context, from module init.
 * Return: 0, or -ENOENT when something is missing (said in the log).
 */
int klp_sets_find_symbols(void)
{
	static const struct klp_sets_symbol symbols[] = {
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
		{ "klp_reverse_transition", KLP_SETS_ENTRY_LEN, &klp.reverse_transition },
	};
	int ret;

	ret = klp_sets_find_all(symbols, ARRAY_SIZE(symbols));
	if (!ret) {
		klp.release_patch = (unsigned long)klp.ktype_patch->release;
		ret = klp_sets_check_symbol("klp_kobj_release_patch", klp.release_patch, 0);
	}
	if (!ret)
		ret = klp_sets_find_enabled_store();
	if (ret)
		pr_err("cannot work with this kernel\n");
	else
		klp_sets_find_for_speed();
	return ret;
}
