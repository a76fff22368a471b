#!/bin/bash
# Another version of klp-sets without a reboot, as Documentation/upgrading.md has it: one
# cumulative stock patch carries all fixes while there is no core.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"

next_core() {
	local said
	said=$(insmod "$modules/next/klp-sets.ko" untested=1 2>&1) || fail "insmod the next core: $said"
	holds /sys/module/klp_sets/version 99.0 || fail "it is version ${REPLY:-unknown}"
}

# watch FUNCTION: until `watched`, somebody calls it, and sees when it is not patched
watch() {
	: > "$calls"
	while [[ -e $calls ]]; do
		read -r seen < "/proc/${1%_proc_show}"
		echo "${seen%% *}" >> "$calls"
		sleep 0.05
	done 2> /dev/null &
	watcher=$!
}

watched() {
	local seen
	mv "$calls" "$calls.all"
	wait $watcher
	seen=$(sort "$calls.all" | uniq -c)
	[[ -n $seen && $(grep -cv ' client_' <<< "$seen") == 0 ]] ||
		fail "what was called all the time: $seen"
}
calls=$(mktemp)

# All fixes stay in force, one after the other in whose hands.
walk() {
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	watch cmdline_proc_show
	rmmod klp_sets 2> /dev/null && fail "the core was removed under managed patches"
	load s1 replace=1 funcs=cmdline_proc_show,version_proc_show
	gone a1 b1
	unload a1 b1
	unload_core
	runs version_proc_show s1

	next_core
	assign "client_s1 1"
	in_set s1 1
	runs cmdline_proc_show s1
	refuse EINVAL b2 set=2 funcs=version_proc_show
	logged "'client_b2'" "'client_s1'" "set 1"
	load a2 set=1 funcs=cmdline_proc_show
	gone s1
	load b2 set=2 funcs=version_proc_show
	watched
	in_set a2 1
	in_set b2 2
	runs cmdline_proc_show a2
	runs version_proc_show b2
}
it "a cumulative stock patch takes over, and the next version of the core adopts it" walk

# With stock_replace=scoped or refuse, for that one patch.
policy_in_the_way() {
	load_core stock_replace=refuse
	load a1 set=1 funcs=cmdline_proc_show
	refuse EINVAL s1 replace=1 funcs=cmdline_proc_show
	echo all > "$parameters/stock_replace"
	load s1 replace=1 funcs=cmdline_proc_show
	gone a1
	unload a1
	unload_core
	next_core
	holds "$parameters/stock_replace" all || fail "stock_replace is $REPLY"
	assign "client_s1 1"
	in_set s1 1
}
it "a policy that is in the way is put aside for it" policy_in_the_way

# A livepatch that was built against this core, whichever it meets.
old_client() {
	next_core
	load a1 set=1 full=1 funcs=cmdline_proc_show
	in_set a1 1
	disable a1
	unload a1
	unload_core
	load_core
	load a1 set=1 full=1 funcs=cmdline_proc_show
	in_set a1 1
}
it "a livepatch with the same structures loads with both versions" old_client

echo "1..$test_count"
exit $test_status
