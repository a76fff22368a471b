#!/bin/bash
# klp-sets load: what an operator sees, and what is on the machine then.
# On the oldest and the newest kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../tool/journal-lib.sh"
. "$(dirname "$0")/command-lib.sh"

# Every livepatch of the examples needs klp_sets.
core_not_installed() {
	does 1 load vendor_a_v1.ko
	told "klp_sets is not installed" "klp-sets-dkms"
	no_module vendor_a_v1 klp_sets
}
it "without klp_sets, it says what to install" core_not_installed

# Installed, and with an option for modprobe.
core_installed() {
	local status
	install_core
	echo "options klp_sets taint=1" > "$options"
	(
		does 0 load vendor_a_v1.ko
		in_effect vendor_a_v1
		holds /sys/module/klp_sets/parameters/taint Y || fail "klp_sets was loaded without its options"
	)
	status=$?
	leave
	return "$status"
}
it "klp_sets is loaded when it is needed, as modprobe does" core_installed

need_core

# What is noted before a livepatch is loaded, in case that the machine dies of it.
guards=/var/lib/klp-sets/$(uname -r)/guards

first() {
	does 0 load vendor_a_v1.ko
	printed "'vendor_a_v1' of set 1 is in effect"
	in_effect vendor_a_v1
	[[ -L $sets/1/patch ]] || fail "set 1 has no patch"
	[[ -e $guards/vendor_a_v1 ]] || fail "there is no guard"
}
it "a livepatch takes effect in the set that it asks for" first

replaces() {
	local before
	does 0 load --wait vendor_a_v1.ko
	does 0 load --wait vendor_b_v1.ko
	before=$(< /proc/loadavg)
	does 0 load --wait vendor_a_v2.ko
	printed "'vendor_a_v2' of set 1 is in effect; it replaced 'vendor_a_v1' of set 1"
	in_effect vendor_a_v2
	no_module vendor_a_v1
	in_effect vendor_b_v1
	[[ $before == *"vendor B"* ]] || fail "vendor_b_v1 was not in effect: $before"
	same /proc/loadavg "$before" "$(< /proc/loadavg)"
}
it "it replaces the one of its set, whose module is removed" replaces

keeps() {
	does 0 load vendor_a_v1.ko
	does 0 load --keep vendor_a_v2.ko
	in_effect vendor_a_v2
	[[ -e /sys/module/vendor_a_v1 ]] || fail "the module vendor_a_v1 is gone"
	missing "$livepatch/vendor_a_v1" || fail "vendor_a_v1 is still a livepatch"
	# The module that is left is not in the way of its own file.
	does 0 load --keep vendor_a_v1.ko
	told "it replaced 'vendor_a_v2'"
	in_effect vendor_a_v1
}
it "with --keep the module stays, until its file is loaded again" keeps

# One of them has to wait for the other, whoever comes first.
together() {
	local first second
	klp-sets load vendor_a_v1.ko > "$scratch/said" 2>&1 &
	first=$!
	klp-sets load vendor_b_v1.ko >> "$scratch/said" 2>&1 &
	second=$!
	wait $first || fail "vendor_a_v1: $(< "$scratch/said")"
	wait $second || fail "vendor_b_v1: $(< "$scratch/said")"
	in_effect vendor_a_v1
	in_effect vendor_b_v1
}
it "two that are loaded at once both take effect" together

again() {
	does 0 load vendor_a_v1.ko
	does 0 load vendor_a_v1.ko
	printed "'vendor_a_v1' of set 1 is in effect already"
	does 0 load --wait vendor_a_v1.ko
	in_effect vendor_a_v1
	# Another one under its name, and the same one for another set.
	{ cat vendor_a_v1.ko; echo; } > "$scratch/vendor_a_v1.ko"
	does 1 load "$scratch/vendor_a_v1.ko"
	told "'vendor_a_v1'" "enabled already"
	does 0 load --set 7 client_s1.ko
	does 0 load --set 7 client_s1.ko
	does 1 load --set 8 client_s1.ko
	told "'client_s1' is enabled already"
	in_effect vendor_a_v1
}
it "a livepatch that is enabled is not loaded again, and that is no failure" again

# Beside those of modprobe's configuration.
with_parameters() {
	contents s1 funcs=cmdline_proc_show
	does 0 load --set 7 client_s1.ko funcs=uptime_proc_show
	holds /sys/module/client_s1/parameters/funcs uptime_proc_show ||
		fail "it changes $(< /sys/module/client_s1/parameters/funcs)"
	does 0 load --set 7 client_s1.ko funcs=uptime_proc_show
	printed "'client_s1' of set 7 is in effect already"
	does 1 load --set 7 client_s1.ko funcs=version_proc_show
	told "'client_s1' is enabled already"
	does 0 unload 7
	contents s1 funcs=cmdline_proc_show
	does 0 install --load --set 7 client_s1.ko funcs=uptime_proc_show
	does 0 install --load --set 7 client_s2.ko funcs=version_proc_show
	holds /sys/module/client_s2/parameters/funcs version_proc_show || fail "client_s2 has others"
	does 0 rollback 7
	holds /sys/module/client_s1/parameters/funcs uptime_proc_show ||
		fail "it is rolled back to $(< /sys/module/client_s1/parameters/funcs)"
	does 0 unload 7
	does 0 boot
	holds /sys/module/client_s1/parameters/funcs uptime_proc_show ||
		fail "boot loads it with $(< /sys/module/client_s1/parameters/funcs)"
	does 0 uninstall 7
}
it "a livepatch gets its parameters, whoever loads it again" with_parameters

# Its build id tells which one it is.
by_hand() {
	[[ -e /sys/module/klp_sets ]] || load_core
	insmod vendor_a_v1.ko
	wait_until "it is in effect" holds "$livepatch/vendor_a_v1/transition" 0
	does 0 load vendor_a_v1.ko
	printed "'vendor_a_v1' of set 1 is in effect already"
	does 0 install --load vendor_a_v1.ko
	told "'vendor_a_v1' of set 1 is in effect already"
	told "'vendor_a_v1' of set 1 is stored"
	[[ -e /var/lib/klp-sets/$(uname -r)/content/01-set-1/current/vendor_a_v1.ko ]] ||
		fail "it is not stored"
	does 0 uninstall 1
}
it "nor is one that somebody has loaded with insmod" by_hand

number_alone() {
	does 0 load vendor_a_v1.ko
	does 1 unload --wait 30
	told "set 30 has no livepatch" "The seconds of --wait follow a '=': --wait=30"
	does 1 reverse --wait 30
	told "no transition is in progress" "--wait=30"
	does 2 unload --wait 30 1
	told "the seconds of --wait follow a '=': --wait=30"
	does 0 unload --wait 1
}
it "seconds without a = are told of" number_alone

conflict() {
	local before
	does 0 load vendor_a_v1.ko
	before=$(snapshot)
	mark
	does 1 load vendor_b_conflict.ko
	told "'vendor_b_conflict.ko' is not loaded" "'cmdline_proc_show'" "'vendor_a_v1' of set 1"
	told "Unload 'vendor_a_v1'"
	unchanged "$before"
	! kernel_log | grep -q vendor_b_conflict || fail "the kernel was asked: $(kernel_log)"
}
it "a conflict is told before anything is loaded" conflict

# By their addresses, which are looked up.
alias_conflict() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn4
	mark
	does 1 load --set 9 client_klp_build.ko
	told "'client_klp_build.ko' is not loaded" "'fn4_alias' of klp_target" \
		"the same as 'fn4' of klp_target" "'client_a1' of set 1"
	! kernel_log | grep -q client_klp_build || fail "the kernel was asked: $(kernel_log)"
}
it "so is one between two names of a function" alias_conflict

# libkmod does not read all of these everywhere.
compressed() {
	gzip < vendor_a_v1.ko > "$scratch/vendor_a_v1.ko.gz"
	does 0 load "$scratch/vendor_a_v1.ko.gz"
	printed "'vendor_a_v1' of set 1 is in effect"
}
it "a compressed module is loaded like any other" compressed

# Only the kernel knows what a client contains.
kernel_refuses() {
	local before
	does 0 load vendor_a_v1.ko
	before=$(snapshot)
	contents b1 set=2 funcs=cmdline_proc_show
	does 1 load client_b1.ko
	told "'client_b1.ko' is not loaded" "'cmdline_proc_show' of vmlinux" "'vendor_a_v1' of set 1"
	unchanged "$before"
	no_module client_b1
}
it "what only the kernel finds is told in its words" kernel_refuses

# It is not held against a livepatch what its file does not tell: it has the state of the
# one that it replaces.
decides_when_loaded() {
	load p1 set=1 funcs=klp_target:fn4 states=5:five:block
	load b1 set=2 funcs=klp_target:fn4_alias
	load_target klp_target
	contents s1 funcs=version_proc_show states=5 versions=1
	does 1 load --set 1 client_s1.ko
	told "'client_s1.ko' is not loaded" "is refused: dropped function 'fn4'"
	disable b1
	does 0 load --set 1 client_s1.ko
	printed "'client_s1' of set 1 is in effect; it replaced 'client_p1' of set 1"
}
it "what only the kernel can know is not refused" decides_when_loaded

# Documentation/kernels.md: a 6.1 finds the place of this function in dead code behind it.
not_redirected() {
	local status
	[[ $(uname -r) == 6.1.* ]] || skip "only a 6.1 is known to do this"
	contents s1 funcs=bpf_dispatcher_nop_func/1
	said=$(klp-sets load client_s1.ko 2>&1)
	status=$?
	[[ -e $livepatch/client_s1 ]] || skip "this kernel has no such function: $said"
	! klp-sets status > /dev/null || skip "this kernel has no dead code behind it"
	[[ $status == 1 ]] || fail "load ended with $status and said: $said"
	told "'client_s1' is enabled, but the kernel has not redirected all of its functions"
	told "'bpf_dispatcher_nop_func': not in effect"
	told "stock patch 'client_s1' is enabled"
}
it "what the kernel enables and does not redirect is not in effect" not_redirected

other_set() {
	does 1 load --set 5 vendor_a_v1.ko
	told "'vendor_a_v1' asks for set 1 itself"
	no_module vendor_a_v1
}
it "no other set for one that asks for a set by itself" other_set

assigned() {
	contents s1 funcs=version_proc_show replace=1
	does 0 load vendor_a_v2.ko
	does 0 load --set 3 client_s1.ko
	printed "'client_s1' of set 3 is in effect"
	in_set s1 3
	in_effect vendor_a_v2
	same "the assignments" "" "$(< /sys/kernel/klp_sets/assign)"
}
it "--set gives a set to one that knows nothing of sets" assigned

from_modinfo() {
	contents b1 set=8 funcs=version_proc_show
	contents m1 funcs=version_proc_show,cmdline_proc_show
	does 0 load client_b1.ko
	does 0 load --keep client_m1.ko
	printed "'client_m1' of set 7 is in effect; it replaced 'client_b1' of set 8"
	in_set m1 7
	free_set 8
	same "what it obsoletes" "8 9" "$(< "$livepatch/client_m1/obsoletes")"
}
it "so does the file, and with it what it obsoletes" from_modinfo

failed_assignment() {
	contents s1 funcs=version_proc_show callbacks=1 pre_patch_ret=-12
	does 1 load --set 3 client_s1.ko
	told "'client_s1.ko' is not loaded"
	same "the assignments" "" "$(< /sys/kernel/klp_sets/assign)"
	missing "$guards/client_s1" || fail "there is a guard for what was not loaded"
	echo "client_s1 4 5" > /sys/kernel/klp_sets/assign
	does 1 load --set 3 client_s1.ko
	same "the assignments" "client_s1 4 5" "$(< /sys/kernel/klp_sets/assign)"
	no_module client_s1
	contents s1 funcs=version_proc_show
	does 0 load client_s1.ko
	in_set s1 4
}
it "an assignment does not outlive a load that failed" failed_assignment

stock() {
	contents s1 funcs=version_proc_show
	does 0 load client_s1.ko
	told "'client_s1' has no set" "--set"
	told "stock patch 'client_s1' is in effect"
	enabled s1
	missing "$livepatch/client_s1/replace_set" || fail "client_s1 has a set"
}
it "without a set it is loaded as a stock livepatch" stock

# What tools make replaces everything, when they are not told otherwise.
takes_sets_away() {
	does 0 load vendor_b_v1.ko
	does 1 load client_kpatch.ko
	told "'client_kpatch.ko' is not loaded: stock patch 'client_kpatch' replaces every livepatch, and would take away 'vendor_b_v1' of set 2"
	told "klp-sets load --set N client_kpatch.ko" "klp-sets stamp --set N" \
		"stock_replace=scoped" "--replace-all"
	no_module client_kpatch
	does 1 install --load client_kpatch.ko
	told "would take away 'vendor_b_v1' of set 2"
	told "the store is as it was"
	does 0 stamp --set 7 --obsoletes 8 client_kpatch.ko "$scratch/client_kpatch.ko"
	does 0 load "$scratch/client_kpatch.ko"
	told "'client_kpatch' of set 7 is in effect"
	same "what it obsoletes" 8 "$(< "$livepatch/client_kpatch/obsoletes")"
	in_effect vendor_b_v1
	does 0 unload 7
	does 0 load --replace-all client_kpatch.ko
	told "stock patch 'client_kpatch' is in effect; it replaced 'vendor_b_v1' of set 2"
	does 0 unload client_kpatch
}
it "no stock livepatch takes sets away, unless it is told to" takes_sets_away

scoped() {
	does 0 load vendor_b_v1.ko
	echo scoped > /sys/module/klp_sets/parameters/stock_replace
	does 0 load client_kpatch.ko
	told "'client_kpatch' has no set: it counts as of set 0 by the policies of this machine"
	told "'client_kpatch' of set 0 is in effect"
	[[ $said != *stock* ]] || fail "it is called a stock livepatch: $said"
	in_effect vendor_b_v1
	does 0 load client_kpatch.ko
	printed "'client_kpatch' of set 0 is in effect already"
	does 0 unload client_kpatch
	echo all > /sys/module/klp_sets/parameters/stock_replace
}
it "which set it has by the policies is told" scoped

# A transition that goes on is no failure, unless it was to be waited for.
stuck() {
	local began=$SECONDS
	load_target klp_target
	park klp_target
	contents a1 set=3 funcs=klp_target:park
	klp-sets load client_a1.ko > "$scratch/said" 2>&1 &
	wait_until "its transition has started" holds "$livepatch/client_a1/transition" 1

	does 1 load --wait=1 vendor_a_v1.ko
	told "'client_a1'" "not complete"
	told "cat, task $parked_task" "park"
	told "'vendor_a_v1.ko' is not loaded" "another livepatch is in transition"
	does 1 load --wait=0 vendor_a_v1.ko
	no_module vendor_a_v1

	wait $! || fail "load without --wait has failed: $(< "$scratch/said")"
	((SECONDS - began >= 14)) || fail "it was patient for $((SECONDS - began)) s only"
	said=$(< "$scratch/said")
	told "cat, task $parked_task" "park"
	told "'client_a1' is loaded" "klp-sets status" "klp-sets reverse"
	in_transition a1

	klp-sets load --wait vendor_a_v1.ko > "$scratch/said" 2>&1 &
	unpark klp_target
	wait $! || fail "$(< "$scratch/said")"
	in_effect vendor_a_v1
}
it "a transition that takes long is told of, and waited for by others" stuck

stuck_replace() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	does 1 load --wait=1 vendor_a_v1.ko
	told "cat, task $parked_task" "park"
	told "'vendor_a_v1' is loaded" "klp-sets status"
	holds "$livepatch/vendor_a_v1/transition" 1 || fail "vendor_a_v1 is not in transition"
	unpark a1
	wait_until "the transition is over" nothing_in_transition
	does 0 unload client_a1
	printed "the module 'client_a1' is removed"
	no_module client_a1
}
it "with --wait it is a failure, and what is left is for unload" stuck_replace

# The hazard that stock livepatch leaves to whoever removes the module.
exiting_task() {
	local late
	[[ $(uname -v) == *PREEMPT* ]] || skip "this kernel has no Tasks RCU to wait for"
	does 0 load klp_late_v1.ko
	echo 1 > /sys/module/klp_late_v1/parameters/hold
	cp "$(type -P true)" "$scratch/klp_late"
	"$scratch/klp_late" &
	late=$!
	wait_until "a task has come to its end" holds /sys/module/klp_late_v1/parameters/held 1
	wait_until "nobody sees it any more" missing "/proc/$late"
	does 0 load --keep klp_late_v2.ko
	printed "'klp_late_v2' of set 1 is in effect; it replaced 'klp_late_v1' of set 1"
	does 1 unload --wait=2 klp_late_v1
	told "the module 'klp_late_v1' is kept" "a task that is exiting" "klp-sets unload klp_late_v1"
	holds /sys/module/klp_late_v1/refcnt 0 || fail "klp_late_v1 could not have been removed"
	holds /sys/module/klp_late_v1/parameters/held 1 || fail "the task has left"
	echo 0 > /sys/module/klp_late_v1/parameters/hold
	does 0 unload klp_late_v1
	no_module klp_late_v1
	[[ -z $(ls "$tracing/instances") ]] || fail "a tracer is left: $(ls "$tracing/instances")"
}
it "a module stays while a task on no list may run its code" exiting_task

not_a_livepatch() {
	does 1 load klp_target.ko
	told "'klp_target.ko' is not loaded" "livepatch"
	does 1 load nothing.ko
	told "'nothing.ko' is not loaded" "No such file"
	head -c 3000 vendor_a_v1.ko > "$scratch/damaged.ko"
	does 1 load "$scratch/damaged.ko"
	told "damaged.ko' is not loaded"
	no_module klp_target
}
it "what is no livepatch is not loaded" not_a_livepatch

# In the words of Documentation/fleet.md.
in_the_journal() {
	load_target klp_target
	park klp_target
	does 0 load vendor_a_v1.ko
	contents s1 funcs=klp_target:park
	listen
	does 0 load vendor_a_v2.ko
	does 0 unload vendor_a_v2
	does 1 load --set 9 --wait=1 client_s1.ko
	does 0 reverse client_s1
	heard
	unpark klp_target
	event loaded KLP_SETS_VERB=load KLP_SETS_LIVEPATCH=vendor_a_v2 KLP_SETS_SET=1
	event replaced KLP_SETS_LIVEPATCH=vendor_a_v1 KLP_SETS_SET=1 KLP_SETS_BY=vendor_a_v2
	event unloaded KLP_SETS_VERB=unload KLP_SETS_LIVEPATCH=vendor_a_v2
	event "transition stuck" KLP_SETS_LIVEPATCH=client_s1 KLP_SETS_SET=9 PRIORITY=4
	event "turned back" KLP_SETS_VERB=reverse KLP_SETS_LIVEPATCH=client_s1
}
it "the journal is told what has become of it" in_the_journal

usage() {
	does 2 load
	does 2 load vendor_a_v1.ko vendor_b_v1.ko
	does 2 load --set x vendor_a_v1.ko
	does 2 load --set 4294967296 vendor_a_v1.ko
	does 2 load --wait=long vendor_a_v1.ko
	does 2 load --nonsense vendor_a_v1.ko
	no_module vendor_a_v1
}
it "wrong usage ends with 2" usage

finish
