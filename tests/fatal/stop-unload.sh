#!/bin/bash
# ftrace stops itself, and rmmod comes before anybody has noticed. Module exit cannot
# fail, so it does not end.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/fatal-lib.sh"

rmmod_is_idle() {
	[[ $(cut -d ' ' -f 3 "/proc/$1/stat" 2> /dev/null) == I ]] &&
		kernel_log | grep -q "stays loaded"
}

unload_in_time() {
	local pid
	load_core
	load s1 set=1 funcs=klp_target:fn1
	stop_ftrace
	mark
	set_attribute s1 enabled 0
	# Refused while the patch is there; from then on the hooks stay for some seconds.
	until rmmod_is_idle "${pid:-none}"; do
		if ! kill -0 "${pid:-0}" 2> /dev/null || [[ -z ${pid:-} ]]; then
			[[ -e /sys/module/klp_sets ]] || fail "the core was removed"
			! is_dead || skip "the machine was too slow: the core is dead before rmmod"
			rmmod klp_sets 2> /dev/null &
			pid=$!
		fi
		sleep 0.05
	done
	[[ -e /sys/module/klp_sets ]] || fail "the core is gone"
}
it "rmmod does not come back" unload_in_time
it "the kernel's own livepatching goes on" stock_livepatch_lives

echo "1..$test_count"
exit $test_status
