// SPDX-License-Identifier: GPL-2.0
/*
 * klp_breaker.c - spoils the place where ftrace enters a function
 *
 *   insmod klp_breaker.ko function=NAME tail=0
 *
 * The place becomes the nop that ftrace knows, so that what was hooked is not called
 * any more; with tail=1 a nop that it does not know, for its last byte is another: on
 * that, ftrace stops itself as soon as it is to change it. Without a function it is one of this module, and ftrace
 * is asked to change it at once. All of it is undone when the module is removed.
 *
 * Kernel text is read-only, so the page is mapped once more.
 */
#include <linux/ftrace.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/version.h>
#include <linux/vmalloc.h>

static char *function;
module_param(function, charp, 0444);
MODULE_PARM_DESC(function, "name of the function; default is one of this module");

static unsigned char tail;
module_param(tail, byte, 0444);
MODULE_PARM_DESC(tail, "last byte of a nop that ftrace does not know; 0 for the one that it does");

#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 11, 0)
#define ftrace_regs pt_regs
#endif

#define SITE_LEN	5
#define ENDBR_LEN	4

static unsigned char saved[SITE_LEN];
static unsigned long site;

static noinline void victim(void)
{
	barrier();
}

static void notrace look_on(unsigned long ip, unsigned long parent_ip,
			    struct ftrace_ops *ops, struct ftrace_regs *regs)
{
}

static struct ftrace_ops onlooker = {
	.func = look_on,
};

static unsigned long find_function(void)
{
	struct kprobe kp = {
		.symbol_name = function,
		.flags = KPROBE_FLAG_DISABLED,
	};

	if (!function)
		return (unsigned long)victim;
	if (register_kprobe(&kp))
		return 0;
	unregister_kprobe(&kp);
	return (unsigned long)kp.addr;
}

/* Every processor knows this nop. The kernel uses it too, except 5.10 on an old AMD's. */
static const unsigned char p6_nop[SITE_LEN] = { 0x0f, 0x1f, 0x44, 0x00, 0x00 };
static const unsigned char k8_nop[SITE_LEN] = { 0x66, 0x66, 0x66, 0x66, 0x90 };

static bool is_nop(unsigned long addr)
{
	return !memcmp((void *)addr, p6_nop, SITE_LEN) || !memcmp((void *)addr, k8_nop, SITE_LEN);
}

/* A nop, or the call that ftrace has put there. */
static bool is_site(unsigned long addr)
{
	return is_nop(addr) || *(unsigned char *)addr == 0xe8;
}

static unsigned long site_of(unsigned long function)
{
	if (function && !is_site(function))
		function += ENDBR_LEN;
	return function && is_site(function) ? function : 0;
}

static int write_site(const unsigned char *code)
{
	struct page *pages[2];
	unsigned int i;
	char *map;

	for (i = 0; i < 2; i++) {
		unsigned long addr = (site & PAGE_MASK) + i * PAGE_SIZE;

		/* A function of the kernel itself, or of this module. */
		pages[i] = function ? virt_to_page((void *)addr) :
				      vmalloc_to_page((void *)addr);
		if (!pages[i])
			pages[i] = pages[0];
	}
	map = vmap(pages, 2, VM_MAP, PAGE_KERNEL);
	if (!map)
		return -ENOMEM;
	memcpy(map + offset_in_page(site), code, SITE_LEN);
	vunmap(map);
	return 0;
}

static int __init klp_breaker_init(void)
{
	unsigned long own = site_of((unsigned long)victim);
	unsigned char nop[SITE_LEN];
	int ret;

	site = site_of(find_function());
	if (!site || !own || !is_nop(own))
		return -ENXIO;
	/* Nobody traces this module yet, so ftrace has just put its nop there. */
	memcpy(nop, tail ? p6_nop : (unsigned char *)own, SITE_LEN);
	if (tail)
		nop[SITE_LEN - 1] = tail;
	memcpy(saved, (void *)site, SITE_LEN);
	ret = write_site(nop);
	if (ret || function)
		return ret;

	ret = ftrace_set_filter_ip(&onlooker, site, 0, 1);
	if (!ret)
		ret = register_ftrace_function(&onlooker);
	/* ftrace may look at the onlooker for ever, so this module stays. */
	__module_get(THIS_MODULE);
	pr_info("klp_breaker: ftrace said %d\n", ret);
	return 0;
}

static void __exit klp_breaker_exit(void)
{
	write_site(saved);
}

module_init(klp_breaker_init);
module_exit(klp_breaker_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Spoils a place that ftrace knows");
