#!/bin/bash
# What README and the examples promise to a newcomer.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# make demo, without the machine around it.
demo() {
	/klp-sets/examples/demo.sh > "$scratch/demo" 2>&1 || fail "$(< "$scratch/demo")"
}
it "the demonstration goes as told" demo

need_core

# The twenty lines of README.
readme_client() {
	insmod $modules/readme_client.ko || fail "it does not load"
	wait_until "its transition is complete" holds $livepatch/readme_client/transition 0
	same "/proc/cmdline" "this has been livepatched" "$(< /proc/cmdline)"
	same "the set in its file" 7 "$(modinfo -F replace_set $modules/readme_client.ko)"
	same "its set" 7 "$(< $livepatch/readme_client/replace_set)"
	echo 0 > $livepatch/readme_client/enabled
	wait_until "it is gone" missing $livepatch/readme_client
	rmmod readme_client
}
it "the client in README loads, works and goes" readme_client

# A livepatch waits for its module.
late_module() {
	needs_module dummy
	insmod $modules/vendor_c_module.ko
	wait_until "its transition is complete" holds $livepatch/vendor_c_module/transition 0
	modprobe dummy || fail "the kernel has no dummy module"
	[[ -e /sys/class/net/dummy0 ]] || fail "it has no dummy0"
	same "rx_packets" 42 "$(< /sys/class/net/dummy0/statistics/rx_packets)"
	echo 0 > $livepatch/vendor_c_module/enabled
	wait_until "it is gone" missing $livepatch/vendor_c_module
	same "rx_packets" 0 "$(< /sys/class/net/dummy0/statistics/rx_packets)"
	rmmod vendor_c_module dummy
}
it "the example for a module patches it when it arrives" late_module

finish
