#!/bin/bash
# What is in effect, by the words of ftrace on arm64, which the machines of the tests do not
# have. They were written down on one: no trampoline is named, and a kprobe at the entry of a
# function is not ftrace's.
. "$(dirname "$0")/lib.sh"

mkdir -p /sys/kernel/livepatch/patch_arm64/vmlinux/{cmdline,loadavg,uptime,version}_proc_show,1 \
	/sys/kernel/tracing /sys/kernel/debug/kprobes
echo 1 > /sys/kernel/livepatch/patch_arm64/enabled
echo 0 > /sys/kernel/livepatch/patch_arm64/transition

ftrace=/sys/kernel/tracing/enabled_functions
handler=$'\tops: 0xffff000003a5c018 (klp_ftrace_handler+0x0/0x2c0)'

# shown: what is shown of these functions, in $said
shown() {
	printf '%s\n' "$@" > $ftrace
	said=$(klp-sets status 2>&1)
	[[ $said == *patch_arm64* ]] || fail "it says: $said"
}

named() {
	shown "cmdline_proc_show (1) R I     $handler" \
		"loadavg_proc_show (2) R I     " \
		$'uptime_proc_show (1) R I     \tops: 0xffff000003a5c018 (other_handler+0x0/0x40)' \
		$'version_proc_show (1) R       \tops: 0xffff000003a5c018 (function_trace_call+0x0/0x40)'
	says_not "cmdline_proc_show"
	says_not "'loadavg_proc_show' not in effect"
	says "'uptime_proc_show': not in effect, somebody else redirects it"
	says "'version_proc_show': not in effect, livepatch is not called when it is entered"
}
it "whose handler is called is told by its name, without a trampoline" named

probed() {
	printf '%s\n' "ffff800080012340  k  cmdline_proc_show+0x0    " \
		"ffff800080012440  k  loadavg_proc_show+0x4    " \
		"ffff800080012540  k  uptime_proc_show+0x20    " > /sys/kernel/debug/kprobes/list
	shown {cmdline,loadavg,uptime,version}_proc_show" (1) R I     $handler"
	says "'cmdline_proc_show': in effect; also there: kprobe"
	says "'loadavg_proc_show': in effect; also there: kprobe"
	says "'uptime_proc_show': in effect; also there: kprobe at +0x20 in the original, which does not run"
	says_not "+0x4"
	says_not "+0x0"
	says_not "'version_proc_show'"
}
it "a kprobe before the place of ftrace runs" probed
finish
