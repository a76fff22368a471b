# shellcheck shell=bash
# fatal-lib.sh - for tests after which livepatching does not work any more
#
# ftrace stops itself when it meets code that it does not know, and only a boot
# brings it back. So each of these files has a machine of its own.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../functional/lib.sh"
. "$(dirname "$0")/../functional/assign-lib.sh"
errors[ENODEV]="No such device"
write_errors[ENODEV]="No such device"

# What a test leaves stays: nothing can be taken away any more.
clean_up() {
	:
}

# meant_to_warn COMMAND...: what the kernel complains of is left out of what is trouble
meant_to_warn() {
	local status
	echo "klp_test: this is meant to go wrong {" > /dev/kmsg
	"$@"
	status=$?
	echo "klp_test: } this was meant to go wrong" > /dev/kmsg
	return $status
}

stop_ftrace() {
	meant_to_warn insmod $modules/klp_breaker.ko tail=1 || fail "klp_breaker.ko does not load"
	! echo cmdline_proc_show 2> /dev/null > $tracing/set_ftrace_filter ||
		fail "ftrace has not stopped"
}

is_dead() {
	holds /sys/kernel/klp_sets/dead 1
}

# Nothing that it has hooked may lead into nothing.
stays_for_ever() {
	local said
	logged "ftrace has stopped itself" "stays loaded"
	rmmod klp_sets 2> /dev/null && fail "a dead core was removed"
	is_dead || fail "it says that it is alive"
	said=$(klp-sets status) && fail "klp-sets status ends as if all was well: $said"
	[[ $said == *"ftrace has stopped itself, and klp_sets with it"* ]] ||
		fail "klp-sets status says: $said"
}

refuses_all() {
	refuse ENODEV s2 set=1 funcs=klp_target:fn1
	logged "'client_s2'" "ftrace has stopped itself"
	mark
	fail_to_assign ENODEV "client_s2 3"
	logged "'client_s2'" "ftrace has stopped itself"
	pending ""
}

# All of stock livepatch goes through the places that are hooked.
stock_livepatch_lives() {
	load s3 funcs=klp_target:fn1
	in_no_set s3
	disable s3
	unload s3
	insmod $modules/client_s3.ko funcs=cmdline_proc_show 2> /dev/null &&
		fail "ftrace works"
	load s3 replace=1 funcs=klp_target:fn1
	disable s3
}
