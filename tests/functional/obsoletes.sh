#!/bin/bash
# A patch names further sets that it replaces, and those are free afterwards.
. "$(dirname "$0")/lib.sh"
need_core

# obsoletes_file CLIENT SETS
obsoletes_file() {
	holds "$livepatch/client_$1/obsoletes" "$2" ||
		fail "obsoletes of client_$1: expected $2, found ${REPLY:-no file}"
}

# The full form of the call, without anything special in it.
obsoletes_none() {
	load a1 set=1 full=1 funcs=cmdline_proc_show
	load b1 set=2 full=1 funcs=version_proc_show
	load a2 set=1 full=1 funcs=uptime_proc_show
	gone a1
	in_set a2 1
	in_set b1 2
	missing "$livepatch/client_a2/obsoletes" || fail "client_a2 has a file obsoletes"
	untouched cmdline_proc_show
	refuse EINVAL c1 set=3 full=1 funcs=version_proc_show
	logged "'client_c1'" "set 3" "'version_proc_show'" "'client_b1'" "set 2"
}
it "klp_sets_enable() without obsoletes is klp_sets_enable_patch()" obsoletes_none

# The vendor's cumulative patch absorbs the hotfix of set 2.
obsoletes_one() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load c1 set=3 funcs=uptime_proc_show
	load a2 set=1 obsoletes=2 funcs=cmdline_proc_show,version_proc_show
	gone a1 b1
	in_set a2 1
	free_set 2
	obsoletes_file a2 2
	runs cmdline_proc_show a2
	runs version_proc_show a2
	enabled c1
	in_set c1 3
	unload a1 b1
}
it "a patch replaces the patch of a set that it obsoletes" obsoletes_one

# One transition, also for three patches.
obsoletes_in_one_transition() {
	local before
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show,klp_target:fn1
	load c1 set=3 funcs=uptime_proc_show
	load d1 set=4 funcs=loadavg_proc_show
	before=$(picture d1 loadavg_proc_show)
	mark
	load a2 set=1 obsoletes=3,2 funcs=cmdline_proc_show
	gone a1 b1 c1
	same "what livepatch logs" "livepatch: enabling patch 'client_a2'
livepatch: 'client_a2': starting patching transition
livepatch: 'client_a2': patching complete" "$(kernel_log | grep '^livepatch')"
	same client_d1 "$before" "$(picture d1 loadavg_proc_show)"
	untouched version_proc_show klp_target:fn1 uptime_proc_show
	free_set 2 3
	obsoletes_file a2 "3 2"
	unload a1 b1 c1
}
it "several sets are obsoleted in one transition" obsoletes_in_one_transition

# Naming oneself is superfluous.
obsoletes_its_own() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load a2 set=1 obsoletes=1 funcs=cmdline_proc_show
	gone a1
	in_set a2 1
	load a3 set=1 obsoletes=2,1,2 funcs=uptime_proc_show
	gone a2 b1
	in_set a3 1
	free_set 2
	untouched cmdline_proc_show version_proc_show
}
it "a set may name itself, and a set twice" obsoletes_its_own

# The hotfix was never installed here.
obsoletes_absent_sets() {
	load a1 set=1 obsoletes=8,9 funcs=cmdline_proc_show
	in_set a1 1
	free_set 8 9
	load b1 set=2 obsoletes=8 funcs=version_proc_show
	enabled a1 b1
}
it "a set that has no patch can be obsoleted" obsoletes_absent_sets

# The vendor moves on to a set with another number.
moves_to_another_set() {
	load b1 set=2 funcs=version_proc_show
	load a1 set=1 obsoletes=2 funcs=version_proc_show
	gone b1
	in_set a1 1
	free_set 2
	runs version_proc_show a1
	unload b1
}
it "a patch of a new set can take over an old one" moves_to_another_set

# Set 2 starts anew, with what is not taken.
obsoleted_set_is_free() {
	load b1 set=2 funcs=version_proc_show
	load a1 set=1 obsoletes=2 funcs=version_proc_show
	gone b1
	unload b1
	refuse EINVAL b1 set=2 funcs=version_proc_show
	logged "'client_b1'" "set 2" "'version_proc_show'" "'client_a1'" "set 1"
	load b2 set=2 funcs=uptime_proc_show
	in_set b2 2
	load a2 set=1 funcs=version_proc_show
	gone a1
	enabled b2
	missing "$livepatch/client_a2/obsoletes" || fail "client_a2 has inherited obsoletes"
}
it "an obsoleted set is free for the next patch" obsoleted_set_is_free

# Obsoleting set 2 gives no right to set 3.
conflict_outside() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load c1 set=3 funcs=uptime_proc_show
	refuse EINVAL a2 set=1 obsoletes=2 funcs=version_proc_show,uptime_proc_show
	logged "'client_a2'" "set 1" "'uptime_proc_show'" "'client_c1'" "set 3"
	runs cmdline_proc_show a1
	runs version_proc_show b1
	in_set b1 2
}
it "a conflict outside the obsoleted sets refuses the patch" conflict_outside

# Set 2's side effects become set 1's.
states_of_obsoleted_sets() {
	load a1 set=1 funcs=cmdline_proc_show states=5 versions=1
	load b1 set=2 funcs=version_proc_show states=6 versions=2
	refuse EINVAL a2 set=1 obsoletes=2 funcs=cmdline_proc_show states=5 versions=1
	logged "'client_a2'" "set 1" "state 6" "'client_b1'"
	refuse EINVAL a2 set=1 obsoletes=2 funcs=cmdline_proc_show states=5,6 versions=1,1
	load a3 set=1 obsoletes=2 funcs=cmdline_proc_show states=5,6 versions=1,2
	gone a1 b1
}
it "the rule for stock states covers the obsoleted sets" states_of_obsoleted_sets

# The cumulative patch is taken back in the middle.
reversal_brings_all_back() {
	local before
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:park
	load b1 set=2 funcs=version_proc_show
	load c1 set=3 funcs=uptime_proc_show
	before=$(picture a1 cmdline_proc_show; picture b1 version_proc_show; picture c1)
	park a1
	start a2 set=1 obsoletes=2 funcs=cmdline_proc_show
	in_transition a2
	runs version_proc_show original
	set_attribute a2 enabled 0
	gone a2
	unpark a1
	runs version_proc_show b1
	runs cmdline_proc_show a1
	in_set a1 1
	in_set b1 2
	same "a livepatch" "$before" \
		"$(picture a1 cmdline_proc_show; picture b1 version_proc_show; picture c1)"
	load b2 set=2 funcs=version_proc_show
	gone b1
	disable a1 b2
	unload a1 b1 b2
}
it "a reversal brings the obsoleted sets back" reversal_brings_all_back

# A task sleeps in the obsoleted patch's code.
force_marks_obsoleted() {
	load_target klp_target
	load f7 set=2 funcs=klp_target:park
	load c1 set=3 funcs=uptime_proc_show
	park f7
	start a1 set=1 obsoletes=2 funcs=version_proc_show
	in_transition a1
	set_attribute a1 force 1
	complete a1
	pinned f7
	unpark f7
	disable c1 a1
	unload c1 a1
}
it "force marks the obsoleted patch, and no other" force_marks_obsoleted

# As many as the sysfs file can show, and no more.
too_many() {
	load a1 set=1 obsoletes="$(seq -s , 2 257)" funcs=cmdline_proc_show
	obsoletes_file a1 "$(seq -s ' ' 2 257)"
	refuse EINVAL a2 set=1 obsoletes="$(seq -s , 2 258)" funcs=cmdline_proc_show
	logged "'client_a2'" "257"
}
it "256 sets can be obsoleted, 257 are refused" too_many

finish
