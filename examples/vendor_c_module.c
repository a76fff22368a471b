// SPDX-License-Identifier: GPL-2.0
/*
 * vendor_c_module.c - a livepatch of set 3, for a module
 *
 * It changes a function of the network driver "dummy", whose module may be
 * loaded before this livepatch, after it, or never: a function is patched as
 * soon as it is there. To see it, load both and read
 * /sys/class/net/dummy0/statistics/rx_packets. A dummy device never receives
 * anything; this livepatch says that it got 42 packets.
 */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <klp_sets.h>

static void vendor_c_dummy_get_stats64(struct net_device *dev,
				       struct rtnl_link_stats64 *stats)
{
	/* Everything the driver's own function does, ... */
	dev_lstats_read(dev, &stats->tx_packets, &stats->tx_bytes);
	/* ... and more: a livepatch replaces a function, it does not wrap it. */
	stats->rx_packets = 42;
}

static struct klp_func funcs[] = {
	{
		.old_name = "dummy_get_stats64",
		.new_func = vendor_c_dummy_get_stats64,
	}, { }
};

static struct klp_object objs[] = {
	{
		.name = "dummy",
		.funcs = funcs,
	}, { }
};

static struct klp_patch patch = {
	.mod = THIS_MODULE,
	.objs = objs,
};

static int __init vendor_c_module_init(void)
{
	return klp_sets_enable_patch(&patch, 3);
}

static void __exit vendor_c_module_exit(void)
{
}

module_init(vendor_c_module_init);
module_exit(vendor_c_module_exit);
MODULE_DESCRIPTION("klp-sets example: a livepatch for a loadable module");
MODULE_LICENSE("GPL");
MODULE_INFO(livepatch, "Y");
