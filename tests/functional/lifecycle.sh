#!/bin/bash
# Many rounds, and several things at once, on two processors.
. "$(dirname "$0")/lib.sh"
need_core

# Somebody watches all files of all livepatches, all the time.
watch_sysfs() {
	while [[ -e $scratch/watch ]]; do
		grep -rs . "$livepatch" /sys/kernel/klp_sets > /dev/null
	done
}

# A fleet's year in a minute: everything is as at the start.
many_rounds() {
	local before
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	before=$(snapshot)
	touch "$scratch/watch"
	watch_sysfs &
	for _ in 1 2 3 4 5 6; do
		load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
		load a2 set=1 funcs=klp_target:fn2,cmdline_proc_show
		gone a1
		unload a1
		load c1 set=3 funcs=klp_target:fn1
		load a1 set=1 obsoletes=3 funcs=uptime_proc_show
		gone a2 c1
		unload a2 c1
		disable a1
		unload a1
	done
	rm "$scratch/watch"
	wait
	unchanged "$before"
	untouched cmdline_proc_show klp_target:fn1 klp_target:fn2
	runs version_proc_show b1
}
it "rounds of enable, replace and disable leave nothing behind" many_rounds

# A module is loaded where another one was: the same size, the same place.
address_is_used_again() {
	local _
	for _ in 1 2 3; do
		load s1 set=1 funcs=cmdline_proc_show
		disable s1
		unload s1
		load s1 funcs=cmdline_proc_show
		missing "$livepatch/client_s1/replace_set" || fail "the stock patch has a set"
		load a1 set=1 funcs=version_proc_show
		enabled s1
		disable s1 a1
		unload s1 a1
	done
}
it "a patch at the address of an older one is not mistaken for it" address_is_used_again

# together CLIENT PARAMETERS... -- CLIENT PARAMETERS...: loads two at once; each is
# enabled, or refused for a reason that fits. Who was loaded is in "came".
together() {
	local first=()
	second_cpu 1
	while [[ $1 != -- ]]; do
		first+=("$1")
		shift
	done
	shift
	insmod "$modules/client_${first[0]}.ko" "${first[@]:1}" 2> "$scratch/said.${first[0]}" &
	insmod "$modules/client_$1.ko" "${@:2}" 2> "$scratch/said.$1"
	wait
	came=
	for name in "${first[0]}" "$1"; do
		if [[ -e /sys/module/client_$name ]]; then
			came+=" $name"
		else
			fits "$(< "$scratch/said.$name")"
		fi
	done
	wait_until "every transition is complete" nothing_in_transition
}

fits() {
	case $1 in
	*": ${errors[EBUSY]}" | *": ${errors[EINVAL]}") ;;
	*) fail "a client was refused: $1" ;;
	esac
}

# the one of set 1 that is in force
owner_of_set_1() {
	local link
	link=$(readlink "$sets/1/patch") || fail "set 1 has no patch"
	echo "${link##*client_}"
}

# Two versions of one set.
same_set_at_once() {
	local owner
	for _ in 1 2; do
		together a1 set=1 funcs=cmdline_proc_show -- a2 set=1 funcs=cmdline_proc_show
		[[ -n $came ]] || fail "neither was loaded"
		owner=$(owner_of_set_1)
		enabled "$owner"
		runs cmdline_proc_show "$owner"
		disable "$owner"
		free_set 1
		untouched cmdline_proc_show
		for name in $came; do
			unload "$name"
		done
	done
}
it "of two patches of a set at once, one is in force afterwards" same_set_at_once

# Two sets that have nothing to do with each other.
two_sets_at_once() {
	local name
	for _ in 1 2; do
		together a1 set=1 funcs=cmdline_proc_show -- b1 set=2 funcs=version_proc_show
		[[ -n $came ]] || fail "neither was loaded"
		for name in $came; do
			enabled "$name"
			disable "$name"
			unload "$name"
		done
		untouched cmdline_proc_show version_proc_show
	done
}
it "two sets at once are enabled, or one is told to try again" two_sets_at_once

# Two vendors fight for a function.
conflict_at_once() {
	for _ in 1 2 3; do
		together a1 set=1 funcs=cmdline_proc_show -- b1 set=2 funcs=cmdline_proc_show
		case $came in
		" a1" | " b1") ;;
		*) fail "expected one of a1 and b1, loaded are:$came" ;;
		esac
		runs cmdline_proc_show "${came# }"
		disable "${came# }"
		unload "${came# }"
	done
}
it "of two conflicting patches at once, one is enabled" conflict_at_once

# The old version is disabled while the new one comes.
replace_and_disable_at_once() {
	load a1 set=1 funcs=cmdline_proc_show,uptime_proc_show
	load b1 set=2 funcs=version_proc_show
	insmod "$modules/client_a2.ko" set=1 funcs=cmdline_proc_show 2> "$scratch/said.a2" &
	(echo 0 > "$livepatch/client_a1/enabled") 2> /dev/null
	wait
	wait_until "every transition is complete" nothing_in_transition
	gone a1
	untouched uptime_proc_show
	if [[ -e /sys/module/client_a2 ]]; then
		enabled a2
		in_set a2 1
	else
		fits "$(< "$scratch/said.a2")"
		untouched cmdline_proc_show
	fi
	enabled b1
	runs version_proc_show b1
}
it "a replace and a disable at once end in one order or the other" replace_and_disable_at_once

# The core comes and goes, while somebody loads stock patches.
core_and_stock_patches() {
	unload_core
	touch "$scratch/watch"
	while [[ -e $scratch/watch ]]; do
		insmod "$modules/klp-sets.ko" 2> /dev/null
		rmmod klp_sets 2> /dev/null
	done &
	for _ in 1 2 3; do
		load s1 funcs=cmdline_proc_show
		load s2 replace=1 funcs=version_proc_show
		gone s1
		untouched cmdline_proc_show
		disable s2
		unload s1 s2
	done
	rm "$scratch/watch"
	wait
	[[ ! -e /sys/module/klp_sets ]] || remove klp_sets
	load_core
	load a1 set=1 funcs=cmdline_proc_show
}
it "the core comes and goes beside stock patches" core_and_stock_patches

finish
