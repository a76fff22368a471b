#!/bin/bash
# Rule 3: the ids of stock states belong to one set.
. "$(dirname "$0")/lib.sh"
need_core

# refuse_state ID OWNER OWNER_SET CLIENT SET PARAMETERS...
refuse_state() {
	local id=$1 owner=$2 owner_set=$3 client=$4 set=$5
	shift 5
	refuse EINVAL "$client" "set=$set" "$@"
	logged "'client_$client'" "set $set" "state $id" "'client_$owner'" "set $owner_set"
}

# Two vendors took the same number.
state_of_another_set() {
	load a1 set=1 funcs=cmdline_proc_show states=5,6 versions=1,1
	refuse_state 6 a1 1 b1 2 funcs=version_proc_show states=7,6 versions=1,9
	untouched version_proc_show
	load b2 set=2 funcs=version_proc_show states=7,8
	refuse_state 7 b2 2 a2 1 funcs=cmdline_proc_show states=5,6,7 versions=1,1,1
	runs cmdline_proc_show a1
}
it "a state id of another set's patch is refused" state_of_another_set

# Ids that differ are nobody's business.
states_of_their_own() {
	load a1 set=1 funcs=cmdline_proc_show states=5 versions=3
	load b1 set=2 funcs=version_proc_show states=6 versions=1
	load c1 set=3 funcs=uptime_proc_show
	load b2 set=2 funcs=version_proc_show states=6 versions=2
	gone b1
	enabled a1 c1
}
it "sets with ids of their own do not need each other's states" states_of_their_own

# A set's states grow up.
version_rule() {
	load a1 set=1 funcs=cmdline_proc_show states=5,6 versions=2,2
	load a2 set=1 funcs=cmdline_proc_show states=6,5 versions=2,3
	gone a1
	load a3 set=1 funcs=cmdline_proc_show states=5,6,7 versions=3,2,1
	gone a2
	runs cmdline_proc_show a3
}
it "inside a set, the same or a newer version of every state is accepted" version_rule

# An older version cannot cope with what a newer one left.
older_version() {
	load a1 set=1 funcs=cmdline_proc_show states=5,6 versions=2,2
	refuse EINVAL a2 set=1 funcs=cmdline_proc_show states=5,6 versions=2,1
	logged "'client_a2'" "set 1" "state 6" "'client_a1'"
	runs cmdline_proc_show a1
}
it "inside a set, an older version of a state is refused" older_version

# Nobody would clean up.
missing_state() {
	load a1 set=1 funcs=cmdline_proc_show states=5,6 versions=1,1
	refuse EINVAL a2 set=1 funcs=cmdline_proc_show states=6 versions=1
	logged "'client_a2'" "set 1" "state 5" "'client_a1'"
	refuse EINVAL a3 set=1 funcs=cmdline_proc_show
	runs cmdline_proc_show a1
}
it "inside a set, a patch that lacks a state is refused" missing_state

# A table with a copy-and-paste mistake.
state_twice() {
	refuse EINVAL a1 set=1 funcs=cmdline_proc_show states=5,6,5 versions=1,1,2
	logged "'client_a1'" "state 5"
	untouched cmdline_proc_show
	load a2 set=1 funcs=cmdline_proc_show states=5,6 versions=1,1
}
it "the same state id twice in a patch is refused" state_twice

# Stock patches have states, too.
state_of_a_stock_patch() {
	load s1 funcs=cmdline_proc_show states=5 versions=1
	refuse EINVAL a1 set=1 funcs=version_proc_show states=5 versions=1
	logged "'client_a1'" "set 1" "state 5" "'client_s1'" "stock patch"
	load a2 set=1 funcs=version_proc_show states=6 versions=1
	refuse EINVAL s2 funcs=uptime_proc_show states=6 versions=1
	logged "'client_s2'" "stock patch" "state 6" "'client_a2'" "set 1"
	untouched uptime_proc_show
}
it "a state id is shared with no stock patch either" state_of_a_stock_patch

# States go with their patch.
owner_is_gone() {
	load a1 set=1 funcs=cmdline_proc_show states=5 versions=4
	disable a1
	load b1 set=2 funcs=version_proc_show states=5 versions=1
	refuse_state 5 b1 2 a2 1 funcs=cmdline_proc_show states=5 versions=4
}
it "a state id is free once its patch is disabled" owner_is_gone

finish
