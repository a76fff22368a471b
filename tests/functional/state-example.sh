#!/bin/bash
# The story of examples/state_v1.c and state_v2.c.
# On the oldest and the newest kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/state-lib.sh"
need_core

timeout=/proc/sys/kernel/panic

# insert EXAMPLE [OLD]: which replaces the other one
insert() {
	local said
	said=$(insmod "$modules/$1.ko" 2>&1) || fail "insmod $1.ko: $said"
	wait_until "the transition of $1 is complete" holds "$livepatch/$1/transition" 0
	[[ $# -eq 1 ]] || remove "$2"
}

take_away() {
	echo 0 > "$livepatch/$1/enabled"
	wait_until "$1 is gone from sysfs" missing "$livepatch/$1"
	remove "$1"
}

# shows FILE TEXT
shows() {
	local seen
	seen=$(< "$1")
	[[ $seen == "$2" ]] || fail "$1: expected '$2', found '$seen'"
}

to_and_fro() {
	local old version
	version=$(< /proc/version)
	old=$(< "$timeout")
	[[ $old != 30 ]] || fail "the machine has the example's timeout already"

	insert state_v1
	shows /proc/version "state_v1, read 1 times"
	shows /proc/version "state_v1, read 2 times"
	shows "$timeout" 30
	show_states 4 "262145 reads state_v1 -" "262146 panic_timeout state_v1 -"

	insert state_v2 state_v1
	shows /proc/version "state_v2, read 3 times"
	shows "$timeout" "$old"
	show_states 4 "262145 reads state_v2 -"

	insert state_v1 state_v2
	shows /proc/version "state_v1, read 4 times"
	shows "$timeout" 30

	take_away state_v1
	shows /proc/version "$version"
	shows "$timeout" "$old"

	# The counters are really gone.
	insert state_v2
	shows /proc/version "state_v2, read 1 times"
	take_away state_v2
}
it "version 1, version 2 without one of its states, and back" to_and_fro

finish
