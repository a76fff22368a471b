#!/bin/bash
# Rule 1: a patch of a set replaces the patch of that set, and nothing else.
. "$(dirname "$0")/lib.sh"
need_core

# What the kernel itself says about transitions since the mark.
transitions() {
	kernel_log | sed -n 's/^livepatch: //p'
}

# The storage team ships the second version of its patch.
replaces_its_set() {
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
	[[ $(stat -c %A "$livepatch/client_a1/replace_set") == -r--r--r-- ]] ||
		fail "replace_set can be written"
	runs cmdline_proc_show a1
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	in_set a2 1
	runs cmdline_proc_show a2
	unload a1
}
it "a patch replaces the enabled patch of its set" replaces_its_set

# Nobody sees a moment without a patch: one transition does it all.
replaces_in_one_transition() {
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show
	mark
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	same "what livepatch logs" "enabling patch 'client_a2'
'client_a2': starting patching transition
'client_a2': patching complete" "$(transitions)"
}
it "one transition replaces, and the old patch has none of its own" replaces_in_one_transition

# Set 1 moves, before and after set 2 in the order of loading.
leaves_other_sets() {
	local before
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show,uptime_proc_show
	before=$(picture b1 version_proc_show uptime_proc_show)
	load a2 set=1 funcs=cmdline_proc_show,loadavg_proc_show
	gone a1
	same "client_b1" "$before" "$(picture b1 version_proc_show uptime_proc_show)"
	unload a1
	load a1 set=1 funcs=loadavg_proc_show
	gone a2
	same "client_b1" "$before" "$(picture b1 version_proc_show uptime_proc_show)"
	runs version_proc_show b1
	in_set b1 2
}
it "the patch of another set stays exactly as it was" leaves_other_sets

# Somebody traces the network team's function while storage is upgraded.
keeps_kprobe_of_other_set() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	probe b1 version_proc_show
	runs version_proc_show b1
	[[ $(hits) == 1 ]] || fail "the kprobe counted $(hits) calls, expected 1"
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	runs version_proc_show b1
	[[ $(hits) == 2 ]] || fail "the kprobe counted $(hits) calls, expected 2"
}
it "a kprobe on another set's function stays attached" keeps_kprobe_of_other_set

# Other sets are not forced or otherwise stuck after a replace.
other_sets_can_go() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	disable b1
	unload b1
	untouched version_proc_show
	free_set 2
	enabled a2
	runs cmdline_proc_show a2
}
it "another set's patch can be disabled and removed after a replace" other_sets_can_go

# A stock patch without replace is not in any set.
leaves_stock_patches() {
	local before
	load s1 funcs=uptime_proc_show
	load a1 set=1 funcs=cmdline_proc_show
	load s2 funcs=loadavg_proc_show
	before=$(picture s1 uptime_proc_show; picture s2 loadavg_proc_show)
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	same "a stock patch" "$before" \
		"$(picture s1 uptime_proc_show; picture s2 loadavg_proc_show)"
	missing "$livepatch/client_s1/replace_set" || fail "a stock patch shows a set"
	disable s1
	unload s1
}
it "stock patches stay as they were" leaves_stock_patches

# Version 2 changes less than version 1.
drops_functions() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show,klp_target:fn1,klp_target:fn2
	load a2 set=1 funcs=cmdline_proc_show,klp_target:fn2
	gone a1
	untouched version_proc_show klp_target:fn1
	runs cmdline_proc_show a2
	runs klp_target:fn2 a2
	missing "$livepatch/client_a2/vmlinux/version_proc_show,1" ||
		fail "a folder of a dropped function is left"
}
it "functions that the new patch lacks go back to the original" drops_functions

# Version 2 has nothing in common with version 1.
replaces_with_nothing_in_common() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
	load a2 set=1 funcs=version_proc_show
	gone a1
	untouched cmdline_proc_show klp_target:fn1
	runs version_proc_show a2
	disable a2
	untouched version_proc_show
	unload a1 a2
}
it "a patch with no function in common replaces as well" replaces_with_nothing_in_common

# Two teams work in one module and in the kernel proper.
shares_a_module() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,klp_target:fn2,cmdline_proc_show
	load b1 set=2 funcs=klp_target:fn3,version_proc_show
	load a2 set=1 funcs=klp_target:fn2
	gone a1
	untouched klp_target:fn1 cmdline_proc_show
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
	runs version_proc_show b1
	disable a2
	untouched klp_target:fn2
	runs klp_target:fn3 b1
}
it "sets that change the same module do not disturb each other" shares_a_module

# The upgrade was bad, the operator goes back.
goes_back() {
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show
	load a2 set=1 funcs=cmdline_proc_show,uptime_proc_show
	gone a1
	unload a1
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show
	gone a2
	runs cmdline_proc_show a1
	runs version_proc_show a1
	untouched uptime_proc_show
	in_set a1 1
}
it "a set can be downgraded like it was upgraded" goes_back

# A host with eight vendors, whose patches come in any order.
many_sets() {
	load_target klp_target klp_target2
	load a1 set=1 funcs=cmdline_proc_show
	load h1 set=8 funcs=klp_target2:fn1
	load b1 set=2 funcs=version_proc_show
	load g1 set=7 funcs=klp_target:fn2,klp_target:twin/2
	load c1 set=3 funcs=uptime_proc_show
	load e1 set=5 funcs=klp_target:fn1
	load s1 set=6 funcs=meminfo_proc_show
	load d1 set=4 funcs=loadavg_proc_show
	load c2 set=3 funcs=uptime_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	load b2 set=2 funcs=klp_target:fn3
	gone a1 b1 c1
	disable g1 d1
	enabled a2 b2 c2 e1 h1 s1
	runs cmdline_proc_show a2
	runs klp_target:fn3 b2
	runs uptime_proc_show c2
	runs klp_target:fn1 e1
	runs klp_target2:fn1 h1
	runs meminfo_proc_show s1
	untouched version_proc_show klp_target:fn2 klp_target:twin loadavg_proc_show
	in_set a2 1
	in_set b2 2
	in_set c2 3
	in_set e1 5
	in_set s1 6
	in_set h1 8
	free_set 4 7
	unload a1 b1 c1 g1 d1
}
it "eight sets are upgraded and disabled in mixed order" many_sets

# A set whose patch was disabled starts anew.
set_is_free_after_disable() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	disable a1
	free_set 1
	untouched cmdline_proc_show
	runs version_proc_show b1
	load a2 set=1 funcs=uptime_proc_show
	in_set a2 1
	enabled b1
}
it "disabling the patch of a set frees the set" set_is_free_after_disable

# Any u32 is a set.
all_numbers_are_sets() {
	load a1 set=0 funcs=cmdline_proc_show
	load b1 set=4294967295 funcs=version_proc_show
	in_set a1 0
	in_set b1 4294967295
	load a2 set=0 funcs=uptime_proc_show
	gone a1
	enabled b1
	in_set a2 0
}
it "0 and 4294967295 are sets like the others" all_numbers_are_sets

# An author left the stock flag in.
ignores_replace_flag() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 replace=1 funcs=version_proc_show
	enabled a1
	runs cmdline_proc_show a1
	load b2 set=2 replace=1 funcs=version_proc_show
	gone b1
	enabled a1
	runs version_proc_show b2
}
it "the replace flag of a managed patch is not looked at" ignores_replace_flag

# As in stock atomic replace, the new patch alone is called.
calls_stock_callbacks() {
	load a1 set=1 callbacks=1 funcs=cmdline_proc_show
	mark
	load a2 set=1 callbacks=1 funcs=version_proc_show
	gone a1
	disable a2
	same "the order of callbacks" "client_a2: pre_patch vmlinux
client_a2: post_patch vmlinux
client_a2: pre_unpatch vmlinux
client_a2: post_unpatch vmlinux" "$(kernel_log | grep '^client_')"
}
it "the stock callbacks run as in stock atomic replace" calls_stock_callbacks

finish
