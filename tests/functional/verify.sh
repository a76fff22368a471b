#!/bin/bash
# A kernel that does not do what the core relies on: a hook that is not called, a
# transition that takes away what it should not. Nothing can be repaired then, but
# nobody must believe that all is well.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"

# And an operator who asks is told.
anomalies() {
	local said
	wait_until "$1 anomalies are counted" holds /sys/kernel/klp_sets/anomalies "$1"
	said=$(klp-sets status)
	case $1:$? in
	0:0) ;;
	0:*) fail "all is well, and klp-sets status says: $said" ;;
	*:1) [[ $said == *"did not do what klp_sets relies on, $1 time"* ]] ||
		fail "klp-sets status does not tell of $1 anomalies: $said" ;;
	*) fail "klp-sets status ends as if all was well: $said" ;;
	esac
}

# unhook FUNCTION: the hook is in place for ftrace, and is not called
unhook() {
	local said
	said=$(insmod $modules/klp_breaker.ko function="$1" 2>&1) ||
		fail "insmod klp_breaker.ko function=$1: $said"
}

all_is_well() {
	load_core
	anomalies 0
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	load a1 set=1 funcs=cmdline_proc_show
	load a2 set=1 obsoletes=2 funcs=cmdline_proc_show,klp_target:park
	gone a1 b1
	park a2
	set_attribute a2 enabled 0
	set_attribute a2 enabled 1
	complete a2
	unpark a2
	disable a2
	load s1 funcs=version_proc_show
	assign "client_s1 3"
	load s2 replace=1 funcs=uptime_proc_show
	gone s1
	disable s2
	anomalies 0
}
it "nothing is counted when all is well" all_is_well

check_is_not_asked() {
	load_core
	assign "client_s1 7"
	unhook klp_is_patch_compatible
	mark
	load s1 funcs=cmdline_proc_show
	in_no_set s1
	remove klp_breaker
	anomalies 1
	logged "'client_s1'" "klp_is_patch_compatible"
	pending "client_s1 7"
	disable s1
}
it "an assigned patch that was not checked" check_is_not_asked

# It is admitted, and its scope never takes effect.
commit_is_not_called() {
	load_core
	load b1 set=7 funcs=version_proc_show
	assign "client_s1 7"
	unhook klp_init_transition
	mark
	load s1 funcs=cmdline_proc_show
	in_no_set s1
	enabled b1
	remove klp_breaker
	anomalies 1
	logged "'client_s1'" "klp_init_transition"
	disable s1 b1
}
it "an assigned patch whose scope did not take effect" commit_is_not_called

client_without_commit() {
	load_core
	load b1 set=7 funcs=version_proc_show
	unhook klp_init_transition
	mark
	load a1 set=7 funcs=cmdline_proc_show
	remove klp_breaker
	anomalies 1
	logged "'client_a1'" "klp_init_transition"
	enabled b1
}
it "a client whose scope did not take effect" client_without_commit

too_many_leave() {
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	insmod $modules/klp_shuffler.ko || fail "insmod klp_shuffler.ko"
	mark
	load a2 set=1 funcs=cmdline_proc_show
	gone a1 b1
	anomalies 1
	logged "1 livepatches are gone"
	free_set 2
	in_set a2 1
	# Once is once.
	load c1 set=3 funcs=uptime_proc_show
	disable c1 a2
	anomalies 1
	remove klp_shuffler
}
it "a transition that takes a patch of another set away" too_many_leave

echo "1..$test_count"
exit $test_status
