#!/bin/bash
# Rules 7 and 8: the core comes and goes without a trace, stays while it is
# needed, and loads only where it can do its whole job.
. "$(dirname "$0")/lib.sh"

hooks="klp_is_patch_compatible klp_init_transition klp_force_transition
	klp_try_complete_transition klp_kobj_release_patch"

hooks_in_place() {
	grep -q '^klp_' "$tracing/enabled_functions"
}

# A core with nothing to do.
loads_and_unloads() {
	local before
	before=$(snapshot)
	load_core
	[[ -d $sets && -z $(ls "$sets") ]] || fail "$sets is not an empty folder"
	no_handler || fail "functions carry handlers: $(< "$tracing/enabled_functions")"
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
	wait_until "no function carries a handler" no_handler
	load a2 set=1 funcs=cmdline_proc_show 2> /dev/null
	hooks_in_place || fail "no hook is in place"
}
it "hooks are in place only while a managed patch exists" hooks_while_managed

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
	local hook
	for hook in $hooks; do
		take "$hook"
		refuse_core "$hook"
		missing /sys/kernel/klp_sets || fail "/sys/kernel/klp_sets is there"
		remove klp_taker
	done
	load_core
	load a1 set=1 funcs=cmdline_proc_show
}
it "the core does not load when a hook is taken, and says which" needs_its_hooks

# He comes after the core has been loaded.
hook_taken_later() {
	local hook
	load_core
	for hook in $hooks; do
		take "$hook"
		refuse EBUSY a1 set=1 funcs=cmdline_proc_show
		logged "$hook"
		remove klp_taker
	done
	untouched cmdline_proc_show
	take klp_is_patch_compatible
	load s1 funcs=version_proc_show
	runs version_proc_show s1
	remove klp_taker
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
}
it "no managed patch is enabled while a hook is taken" hook_taken_later

# And while patches are managed, he is refused.
hooks_cannot_be_taken() {
	local hook
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	for hook in $hooks; do
		insmod "$modules/klp_taker.ko" function="$hook" 2> /dev/null &&
			fail "$hook was taken"
	done
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

echo "1..$test_count"
exit $test_status
