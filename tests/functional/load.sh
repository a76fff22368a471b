#!/bin/bash
# Rules 7 and 8: the core comes and goes without a trace, stays while it is
# needed, and loads only where it can do its whole job.
. "$(dirname "$0")/lib.sh"

# A core with nothing to do.
loads_and_unloads() {
	local before
	before=$(snapshot)
	load_core
	[[ -d $sets && -z $(ls "$sets") ]] || fail "$sets is not an empty folder"
	[[ -z $(< "$tracing/enabled_functions") ]] ||
		fail "functions carry handlers: $(< "$tracing/enabled_functions")"
	unload_core
	unchanged "$before"
	load_core
	unload_core
}
it "the core loads and unloads, and has no hook in place" loads_and_unloads

# The vendor's patch was there first.
loading_changes_nothing() {
	local before
	load s1 funcs=cmdline_proc_show
	load s2 replace=1 funcs=version_proc_show
	gone s1
	before=$(picture s2 version_proc_show)
	load_core
	same "the stock patch" "$before" "$(picture s2 version_proc_show)"
	! hooks_in_place || fail "a hook is in place"
	unload s1
	load s1 funcs=cmdline_proc_show
	runs cmdline_proc_show s1
	! hooks_in_place || fail "a hook is in place"
	disable s2
	unload_core
	runs cmdline_proc_show s1
}

it "loading the core changes nothing for stock patches" loading_changes_nothing

# But the core sees them.
older_stock_patch_counts() {
	load s1 funcs=cmdline_proc_show
	load_core
	refuse EINVAL a1 set=1 funcs=cmdline_proc_show
	logged "'client_a1'" "set 1" "'cmdline_proc_show'" "'client_s1'" "stock patch"
	load a1 set=1 funcs=version_proc_show
	disable s1
	load a2 set=1 funcs=cmdline_proc_show
	runs cmdline_proc_show a2
}
it "a stock patch older than the core owns its functions" older_stock_patch_counts

# Hooks come with the first managed patch and go with the last.
hooks_while_managed() {
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	hooks_in_place || fail "no hook is in place"
	load b1 set=2 funcs=version_proc_show
	disable a1
	hooks_in_place || fail "no hook is in place"
	disable b1
	hooks_are_gone
	load a2 set=1 funcs=cmdline_proc_show 2> /dev/null
	hooks_in_place || fail "no hook is in place"
}
it "hooks are in place only while a managed patch exists" hooks_while_managed

# Taking them away takes time, so neither a refusal nor the next load waits for that.
hooks_linger() {
	local try
	load_core
	for try in 1 2 3 4 5; do
		refuse EINVAL a1 set=1 funcs=no_such_function
		# The machine may have slept in between, but not always.
		! hooks_in_place || break
	done
	hooks_in_place || fail "no hook is in place after a refusal ($try times)"
	hooks_are_gone
	for try in 1 2 3 4 5; do
		load a1 set=1 funcs=cmdline_proc_show
		disable a1
		! hooks_in_place || break
		unload a1
	done
	hooks_in_place || fail "no hook is in place after the last patch ($try times)"
	hooks_are_gone
}
it "hooks stay for a while when nothing needs them any more" hooks_linger

# They are of no effect then.
hooks_linger_unnoticed() {
	load_core stock_replace=refuse
	load a1 set=1 funcs=cmdline_proc_show
	disable a1
	wait_until "the core has no reference but the client's" holds /sys/module/klp_sets/refcnt 1
	load s1 funcs=version_proc_show
	load s2 replace=1 funcs=uptime_proc_show
	missing "$livepatch/client_s2/replace_set" || fail "a stock patch has a set"
	gone s1
	hooks_are_gone
	unload s1
	load s1 funcs=version_proc_show
	disable s1 s2
}
it "hooks that nothing needs change nothing for stock patches" hooks_linger_unnoticed

# This client holds no reference by itself.
stays_while_needed() {
	load_core
	load s1 set=1 funcs=cmdline_proc_show
	rmmod klp_sets 2> /dev/null && fail "the core was removed under a managed patch"
	load s2 set=1 funcs=cmdline_proc_show
	gone s1
	rmmod klp_sets 2> /dev/null && fail "the core was removed after a replace"
	in_set s2 1
	disable s2
	unload_core
}
it "the core cannot be unloaded while a managed patch exists" stays_while_needed

# In the very moment that the last patch is gone.
unloads_at_once() {
	for _ in 1 2 3 4; do
		load_core
		load s1 set=1 funcs=cmdline_proc_show,version_proc_show
		echo 0 > "$livepatch/client_s1/enabled"
		wait_until "the core can be removed" eval "rmmod klp_sets 2> /dev/null"
		gone s1
		unload s1
	done
	wait_until "no function carries a handler" no_handler
	runs cmdline_proc_show original
}
it "the core unloads as soon as the last patch is gone" unloads_at_once

# ftrace_enabled VALUE
ftrace_enabled() {
	echo "$1" 2> /dev/null > /proc/sys/kernel/ftrace_enabled
}

need_ftrace_switch() {
	ftrace_enabled 0 || skip "this kernel never switches ftrace off"
	ftrace_enabled 1
}

# Somebody has switched ftrace off: livepatches would not work.
needs_ftrace() {
	need_ftrace_switch
	ftrace_enabled 0
	refuse_core "ftrace_enabled"
	ftrace_enabled 1
	load_core
	load a1 set=1 funcs=cmdline_proc_show
}
it "the core does not load with kernel.ftrace_enabled=0" needs_ftrace

# It would switch the rules off silently.
keeps_ftrace() {
	need_ftrace_switch
	load_core
	load a1 set=1 funcs=klp_target:fn1
	ftrace_enabled 0 && fail "ftrace was switched off under a managed patch"
	holds /proc/sys/kernel/ftrace_enabled 1 || fail "ftrace is switched off"
	load_target klp_target
	runs klp_target:fn1 a1
	remove klp_target
	disable a1
	wait_until "ftrace can be switched off" ftrace_enabled 0
	refuse EBUSY a2 set=1 funcs=klp_target:fn1
	logged "ftrace_enabled"
	ftrace_enabled 1
	load a2 set=1 funcs=klp_target:fn1
}
it "kernel.ftrace_enabled=0 is refused while a managed patch exists" keeps_ftrace

# Somebody else redirects one of the functions.
needs_its_hooks() {
	take klp_is_patch_compatible
	refuse_core klp_is_patch_compatible
	missing /sys/kernel/klp_sets || fail "/sys/kernel/klp_sets is there"
	remove klp_taker
	load_core
	load a1 set=1 funcs=cmdline_proc_show
}
it "the core does not load when a hook is taken, and says which" needs_its_hooks

# He comes after the core has been loaded.
hook_taken_later() {
	load_core
	take klp_is_patch_compatible
	refuse EBUSY a1 set=1 funcs=cmdline_proc_show
	logged klp_is_patch_compatible
	untouched cmdline_proc_show
	load s1 funcs=version_proc_show
	runs version_proc_show s1
	remove klp_taker
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
}
it "no managed patch is enabled while a hook is taken" hook_taken_later

# And while patches are managed, he is refused.
hooks_cannot_be_taken() {
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	insmod "$modules/klp_taker.ko" function=klp_is_patch_compatible 2> /dev/null &&
		fail "klp_is_patch_compatible() was taken"
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
}
it "no hook can be taken while a managed patch exists" hooks_cannot_be_taken

# As a core of today will be on a kernel of next year.
untested_kernel() {
	local before said next=$modules/next/klp-sets.ko
	before=$(snapshot)
	mark
	said=$(insmod "$next" 2>&1) && fail "the core was loaded on a kernel that it does not know"
	[[ $said == *": Operation not supported" ]] || fail "expected EOPNOTSUPP, insmod says: $said"
	logged "not tested on kernels newer than 5.9" "untested=1"
	unchanged "$before"
	mark
	said=$(insmod "$next" untested=1 2>&1) || fail "insmod with untested=1: $said"
	logged "untested=1" "newer than 5.9"
	holds /sys/module/klp_sets/parameters/untested Y || fail "it does not show untested"
	load a1 set=1 funcs=cmdline_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	in_set a2 1
}
it "on a kernel that is too new the core loads only with untested=1, and says so" untested_kernel

known_kernel() {
	load_core untested=1
	holds /sys/module/klp_sets/parameters/untested N || fail "it takes a known kernel for untested"
}
it "on a known kernel untested=1 changes nothing" known_kernel

# managed_life: everything that goes through a hook
managed_life() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
	load b1 set=2 funcs=version_proc_show
	refuse EINVAL b2 set=3 funcs=cmdline_proc_show
	load a2 set=1 funcs=klp_target:fn1
	gone a1
	untouched cmdline_proc_show
	in_set b1 2
	disable a2 b1
	free_set 1 2
	unload a1 a2 b1
	remove klp_target
}

# Of the others the core is a guest like any other.
others_may_share() {
	local hook
	load_core
	for hook in "${hooks[@]:1}"; do
		take "$hook"
		load a1 set=1 funcs=cmdline_proc_show
		load a2 set=1 funcs=version_proc_show
		gone a1
		remove klp_taker
		take "$hook"
		disable a2
		free_set 1
		unload a1 a2
		remove klp_taker
	done
	take klp_init_transition
	unload_core
	load_core
	managed_life
}
it "whoever redirects another hooked function keeps nothing out" others_may_share

# A vendor's patch for livepatch itself; this one makes force do nothing.
livepatch_of_livepatch() {
	load s1 funcs=klp_force_transition
	load_core
	managed_life
	disable s1
	load a1 set=1 funcs=cmdline_proc_show
	mark
	load s2 funcs=klp_force_transition
	logged "stock patch 'client_s2'" "klp_force_transition" "hook"
	find_handler klp_force_transition
	mark
	load b1 set=2 funcs=version_proc_show
	load b2 set=2 funcs=version_proc_show
	gone b1
	disable b2 s2
	refuse EBUSY s3 funcs=version_proc_show,klp_is_patch_compatible
	logged "stock patch 'client_s3'" "klp_sets" "klp_is_patch_compatible"
	refuse EBUSY c1 set=3 funcs=klp_is_patch_compatible
	logged "'client_c1' of set 3" "klp_sets" "klp_is_patch_compatible"
	untouched version_proc_show
}
it "a livepatch of livepatch is let in where the core only looks on" livepatch_of_livepatch

# It cannot be let in, and the core not beside it. Whoever reads the log knows whom to ask.
livepatch_of_the_check() {
	load_core
	load s1 funcs=klp_is_patch_compatible
	refuse EBUSY a1 set=1 funcs=cmdline_proc_show
	logged "klp_is_patch_compatible" "livepatch 'client_s1'"
	disable s1
	load a1 set=1 funcs=cmdline_proc_show
}
it "a livepatch of what the core redirects is named" livepatch_of_the_check

echo "1..$test_count"
exit $test_status
