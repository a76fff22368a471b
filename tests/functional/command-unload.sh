#!/bin/bash
# klp-sets unload, reverse and force: the ways out.
# On the oldest and the newest kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"
need_core

unloads() {
	start a1 set=1 funcs=cmdline_proc_show
	start b1 set=2 funcs=version_proc_show
	does 0 unload --wait 1
	printed "'client_a1' of set 1 is not in effect any more" "the module 'client_a1' is removed"
	untouched cmdline_proc_show
	no_module client_a1
	free_set 1
	in_set b1 2
	does 0 unload --keep client-b1
	start s1 funcs=cmdline_proc_show
	does 0 unload --keep client_s1
	printed "stock patch 'client_s1' is not in effect any more"
	gone b1 s1
}
it "unload takes a set, or the name of any livepatch" unloads

keeps() {
	load a1 set=1 funcs=cmdline_proc_show
	does 0 unload --keep 1
	printed "'client_a1' of set 1 is not in effect any more"
	gone a1
	[[ -e /sys/module/client_a1 ]] || fail "the module is gone"
	does 0 unload client_a1
	printed "the module 'client_a1' is removed"
	no_module client_a1
	does 1 unload client_a1
	told "no livepatch 'client_a1'"
	does 1 unload 1
	told "set 1 has no livepatch"
}
it "with --keep the module stays, until it is unloaded by name" keeps

blocked() {
	start p1 set=1 funcs=cmdline_proc_show states=5:plain,6:cache:block
	complete p1
	does 1 unload 1
	told "'client_p1' of set 1 cannot be disabled" "state 6 'cache'" "block_disable"
	told "only a livepatch of set 1 that has state 6"
	enabled p1
	start p2 set=1 funcs=cmdline_proc_show states=6:cache
	complete p2
	does 0 unload --keep 1
}
it "a state that must stay is named" blocked

stuck() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	does 1 unload --wait=1 1
	told "cat, task $parked_task" "park"
	told "'client_a1' of set 1 is being disabled" "klp-sets reverse" "klp-sets unload client_a1"
	in_transition a1
	# Once more, it is waited for.
	klp-sets unload --wait client_a1 > "$scratch/said" 2>&1 &
	unpark a1
	wait $! || fail "$(< "$scratch/said")"
	no_module client_a1
}
it "a task in the code of the livepatch holds unload up, and is named" stuck

reverses_unload() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	set_attribute a1 enabled 0
	in_transition a1
	does 0 reverse
	printed "'client_a1' of set 1 is in effect"
	complete a1
	enabled a1
	unpark a1
	does 1 reverse
	told "no transition is in progress"
}
it "reverse brings back what was being unloaded" reverses_unload

reverses_load() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a2 set=1 funcs=klp_target:park
	in_transition a2
	does 1 reverse 2
	told "'client_a2' of set 1 is in transition" "not a livepatch of set 2"
	does 1 reverse client_b1
	told "'client_a2' of set 1 is in transition" "not client_b1"
	does 1 unload client_a2
	told "'client_a2' of set 1 is not unloaded" "klp-sets reverse client_a2"
	in_transition a2
	does 0 reverse --wait 1
	printed "'client_a1' of set 1 is in effect"
	runs cmdline_proc_show a1
	in_set a1 1
	no_module client_a2
	unpark klp_target
}
it "reverse goes back to what was in effect, and removes the new module" reverses_load

reverses_first() {
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	does 0 reverse 1
	printed "set 1 has no livepatch"
	no_module client_a1
	unpark klp_target
}
it "reverse of the first livepatch of a set leaves the set free" reverses_first

waits_for_others() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a1 set=1 funcs=klp_target:park
	does 1 unload --wait=0 2
	told "'client_a1'" "not complete"
	told "'client_b1' of set 2 is not unloaded" "another livepatch is in transition"
	enabled b1
	unpark klp_target
	does 0 unload --keep 2
	in_set a1 1
}
it "unload waits for somebody else's transition" waits_for_others

waits_for_its_own() {
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	does 1 unload --wait=0 1
	told "'client_a1' of set 1 is not unloaded: its own transition is not complete" \
		"klp-sets reverse client_a1"
	klp-sets unload --keep --wait 1 > "$scratch/said" 2>&1 &
	unpark klp_target
	wait $! || fail "$(< "$scratch/said")"
	gone a1
}
it "unload waits for the livepatch's own transition" waits_for_its_own

# Who says the set means the livepatch that the set has then.
being_replaced() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	start a2 set=1 funcs=cmdline_proc_show
	klp-sets unload --keep --wait 1 > "$scratch/said" 2>&1 &
	unpark a1
	wait $! || fail "$(< "$scratch/said")"
	said=$(< "$scratch/said")
	told "'client_a2' of set 1 is not in effect any more"
	gone a1 a2
}
it "unload of a set waits for the livepatch that it is about to have" being_replaced

root_only() {
	load a1 set=1 funcs=cmdline_proc_show
	said=$(setpriv --reuid 65534 klp-sets unload 1 2>&1) && fail "anybody can unload"
	told "'client_a1' of set 1 cannot be disabled" "only root"
	said=$(setpriv --reuid 65534 klp-sets load vendor_b_v1.ko 2>&1) && fail "anybody can load"
	told "'vendor_b_v1.ko' is not loaded" "only root"
	enabled a1
}
it "only root can load and unload" root_only

# A task sleeps in f12 for as long as it likes.
stall() {
	load_target klp_target
	load f12 set=1 funcs=klp_target:park,cmdline_proc_show
	park f12
	start a2 set=1 funcs=cmdline_proc_show
	in_transition a2
}

# answer WORD ARGUMENT...: klp-sets, on a terminal where WORD is typed
answer() {
	local word=$1
	shift
	said=$(echo "$word" | script -qec "klp-sets $*" /dev/null 2>&1 | tr -d '\r')
}

asks() {
	stall
	does 2 force
	told "--yes"
	answer no force 1
	told "this is what it costs" "'client_a2' of set 1"
	told "1 of " "tasks are not switched"
	told "cat, task $parked_task"
	told "cannot be removed before the next boot" "'client_f12' of set 1"
	told "nothing is forced"
	in_transition a2
	answer yes force 1
	told "'client_a2' of set 1 is in effect"
	told "the module 'client_f12' stays until the next boot"
	complete a2
	pinned f12
	unpark f12
	contents f12 set=1 funcs=cmdline_proc_show
	does 1 load --wait=1 client_f12.ko
	told "the module 'client_f12' is kept" "after a forced transition"
	told "'client_f12.ko' is not loaded" "in the way"
	in_set a2 1
}
it "force says what it costs, and asks" asks

nothing_to_force() {
	does 1 force --yes
	told "no transition is in progress"
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	does 0 force --yes client_a1
	told "'client_a1' of set 1 is in effect"
	! grep "stays until" <<< "$said" || fail "nothing was replaced: $said"
	unpark klp_target
	does 0 unload 1
	no_module client_a1
}
it "with --yes force does not ask, and without cost it tells of none" nothing_to_force

usage() {
	does 2 unload
	does 2 unload 1 2
	does 2 unload --yes 1
	does 2 reverse --keep
	does 2 reverse --wait=-1
	does 2 force 1 2
}
it "wrong usage ends with 2" usage

finish
