#!/bin/bash
# Arrays of states that make no sense, ids that belong to somebody else, and
# states that cannot be removed.
# On the oldest and the newest kernel.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/state-lib.sh"
need_core

# refuse_state ID OWNER OWNER_SET CLIENT SET PARAMETERS...
refuse_state() {
	local id=$1 owner=$2 owner_set=$3 client=$4 set=$5
	shift 5
	refuse EINVAL "$client" "set=$set" "$@"
	logged "'client_$client'" "set $set" "state $id," "'client_$owner'" "set $owner_set"
	story
}

# --- whose state it is -------------------------------------------------------

# Both have it in the new array.
state_of_another_set() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	refuse_state 6 p1 1 q1 2 funcs=version_proc_show states=7:seven,6:six
	free_set 2
	load q1 set=2 funcs=version_proc_show states=7:seven
	refuse_state 7 q1 2 p2 1 funcs=cmdline_proc_show states=5:five,6:six,7:seven
	in_set p1 1
}
it "a state id of another set is refused" state_of_another_set

# One has it in the new array, the other in the stock one.
other_kind_of_array() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five stock=6 versions=1
	refuse_state 5 p1 1 q1 2 funcs=version_proc_show stock=5 versions=9
	refuse_state 6 p1 1 q1 2 funcs=version_proc_show states=6:six
	refuse_state 5 p1 1 b1 2 funcs=version_proc_show states=5 versions=1
	load b1 set=2 funcs=version_proc_show states=7 versions=1
	refuse_state 7 b1 2 p2 1 funcs=cmdline_proc_show states=5:five,7:seven stock=6 versions=1
}
it "a state id of another set is refused through either array" other_kind_of_array

# A shadow id is an id like any other: no two sets share one by accident.
shadow_of_another_set() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow
	refuse_state 5 p1 1 q1 2 funcs=version_proc_show states=5:five:shadow
}
it "a shadow id of another set is refused" shadow_of_another_set

# Stock patches have ids, too.
state_of_a_stock_patch() {
	load s1 funcs=cmdline_proc_show states=5 versions=1
	refuse EINVAL p1 set=1 funcs=version_proc_show states=5:five
	logged "'client_p1'" "set 1" "state 5," "stock patch 'client_s1'"
	load p2 set=1 funcs=version_proc_show states=6:six
	refuse EINVAL s2 funcs=uptime_proc_show states=6 versions=1
	logged "stock patch 'client_s2'" "state 6," "'client_p2'" "set 1"
}
it "a state id of a stock patch is refused, and the other way round" state_of_a_stock_patch

# The owner leaves.
owner_is_gone() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	refuse_state 5 p1 1 q1 2 funcs=version_proc_show states=5:mine
	load p2 set=1 funcs=cmdline_proc_show
	load q1 set=2 funcs=version_proc_show states=5:mine
	refuse_state 5 q1 2 p3 1 funcs=cmdline_proc_show states=5:five
	disable q1
	load p3 set=1 funcs=cmdline_proc_show states=5:five
}
it "a state id is free once nobody has it" owner_is_gone

# --- arrays with mistakes ----------------------------------------------------

# Copied and pasted.
state_twice() {
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=5:five,6:six,5:again
	logged "'client_p1'" "state 5 twice"
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=6:six,5:five stock=5 versions=1
	logged "'client_p1'" "state 5 twice"
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=6:six stock=5,7,5 versions=1,1,1
	logged "'client_p1'" "state 5 twice"
	story
	untouched cmdline_proc_show
}
it "the same id twice is refused, also across both arrays" state_twice

# What is behind an entry without an id would be lost.
no_id() {
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=5:five,0:lost,6:six
	logged "'client_p1'" "'lost'" "no id"
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=5:five,0::bare+block,6:six
	logged "'client_p1'" "no id"
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show states=0::bare+shadow
	logged "'client_p1'" "no id"
	load p1 set=1 funcs=cmdline_proc_show states=5:five,0::bare
	show_states 1 "5 five client_p1 -"
}
it "a state without an id is refused" no_id

# The states file has columns.
odd_name() {
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show 'states="5:two words"'
	logged "'client_p1'" "state 5" "one word"
	refuse EINVAL p1 set=1 funcs=cmdline_proc_show $'states="6:six,5:t\tab"'
	logged "'client_p1'" "state 5" "one word"
	story
	load p1 set=1 funcs=cmdline_proc_show states=5:two-words
}
it "a name that is not one word is refused" odd_name

# A file of sysfs has one page. Whole lines are shown, and the log says what is not.
states_do_not_fit() {
	local long file=$sets/1/states
	printf -v long '%0900d' 0
	load p1 set=1 funcs=cmdline_proc_show \
		"states=1:a$long,2:b$long,3:c$long,4:d$long,5:e$long,6:six"
	logged "'client_p1'" "last 2 of the 6 states"
	[[ $(cut -d ' ' -f 1,3,4 "$file") == "1 client_p1 -
2 client_p1 -
3 client_p1 -
4 client_p1 -" ]] || fail "it shows: $(cut -c 1-20 "$file")"
	[[ $(tail -c 4 "$file") == "1 -" ]] || fail "the last line is cut: $(tail -c 40 "$file")"
	mark
	load p2 set=1 funcs=cmdline_proc_show states=1:a$long,2:b$long
	[[ $(kernel_log) != *"sysfs does not show"* ]] || fail "it says that states are not shown"
	show_states 1 "1 a$long client_p2 -" "2 b$long client_p2 -"
}
it "of more states than a page holds, whole lines are shown" states_do_not_fit

# By mistake, two different things have one id.
name_does_not_match() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6
	refuse_state 5 p1 1 p2 1 funcs=cmdline_proc_show states=5:fife,6
	refuse_state 5 p1 1 p2 1 funcs=cmdline_proc_show states=5,6
	refuse_state 6 p1 1 p2 1 funcs=cmdline_proc_show states=5:five,6:six
	load p2 set=1 funcs=cmdline_proc_show states=5:five,6
	gone p1
}
it "another name for a state of the set is refused" name_does_not_match

# The variables would be freed by one, and needed by the other.
is_shadow_does_not_match() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow,6:six
	refuse_state 5 p1 1 p2 1 funcs=cmdline_proc_show states=5:five,6:six
	refuse_state 6 p1 1 p2 1 funcs=cmdline_proc_show states=5:five:shadow,6:six:shadow
	load p2 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor,6:six
	gone p1
}
it "another is_shadow for a state of the set is refused" is_shadow_does_not_match

# What is obsoleted is taken over like the set's own.
obsoleted_does_not_match() {
	load q1 set=2 funcs=version_proc_show states=5:five
	refuse_state 5 q1 2 p1 1 obsoletes=2 funcs=cmdline_proc_show states=5:fife
	refuse_state 5 q1 2 p1 3 replace_all=1 funcs=cmdline_proc_show states=5:five:shadow
	load p1 set=1 obsoletes=2 funcs=cmdline_proc_show states=5:five
	gone q1
}
it "states of obsoleted sets must match, too" obsoleted_does_not_match

# --- states that cannot be removed -------------------------------------------

# A state that blocks can be handed to one that does not, and then removed.
free_blocked() {
	load p3 set=1 obsoletes=1 funcs=cmdline_proc_show states=5:five
	disable p3
}

# blocked CLIENT: cannot be disabled, and the log says why
blocked() {
	mark
	refuse_attribute EBUSY "$1" enabled 0
	logged "'client_$1'" "state 5 'five'"
	enabled "$1"
	story
}

# The operator tries.
block_disable() {
	local value
	load p1 set=1 funcs=cmdline_proc_show states=6:six,5:five:block,7:seven:block
	show_states 1 "6 six client_p1 -" "5 five client_p1 block_disable" \
		"7 seven client_p1 block_disable"
	blocked p1
	for value in n N off; do
		refuse_attribute EBUSY p1 enabled "$value"
	done
	refuse_attribute EINVAL p1 enabled 1
	refuse_attribute EINVAL p1 enabled maybe
	refuse_attribute EINVAL p1 force 1
	in_set p1 1
	runs cmdline_proc_show p1
	story
	load p3 set=1 funcs=cmdline_proc_show states=5:five,7:seven
	disable p3
}
it "a patch with a state that blocks cannot be disabled" block_disable

# Other patches can.
others_are_not_blocked() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block
	load q1 set=2 funcs=version_proc_show states=6:six
	load s1 funcs=uptime_proc_show
	disable s1 q1
	blocked p1
	free_blocked
}
it "patches of other sets can be disabled" others_are_not_blocked

# refuse_busy CLIENT PARAMETERS...: for p1's state 5
refuse_busy() {
	refuse EBUSY "$@"
	logged "'client_$1'" "state 5," "'client_p1'" "set 1"
	story
}

# Nobody who lacks the state gets in.
replace_is_refused() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block,6:six
	refuse_busy p2 set=1 funcs=cmdline_proc_show
	refuse_busy p2 set=1 funcs=cmdline_proc_show states=6:six
	refuse_busy p2 set=2 obsoletes=1 funcs=cmdline_proc_show states=7:seven
	refuse_busy p2 set=2 replace_all=1 funcs=cmdline_proc_show
	refuse EINVAL s1 replace=1 funcs=version_proc_show
	logged "stock patch 'client_s1'" "state 5," "'client_p1'" "set 1"
	story
	in_set p1 1
	free_blocked
}
it "a replacement without a state that blocks is refused" replace_is_refused

# Who has it gets in, by every way.
replace_with_the_state() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block
	load p2 set=1 funcs=version_proc_show states=5:five:block
	gone p1
	blocked p2
	unload p1
	load q1 set=2 obsoletes=1 funcs=cmdline_proc_show states=5:five:block
	gone p2
	blocked q1
	load p1 set=1 replace_all=1 funcs=cmdline_proc_show states=5:five:block
	gone q1
	blocked p1
	free_blocked
}
it "a replacement with the state that blocks is let in" replace_with_the_state

# A stock patch says that it knows how to go on.
stock_replace_with_the_state() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block
	load s1 replace=1 funcs=version_proc_show states=5 versions=1
	gone p1
	disable s1
}
it "a stock replace patch with the state that blocks is let in" stock_replace_with_the_state

# The new patch may also bring the block, for a state that was there.
block_comes_later() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	load p2 set=1 funcs=cmdline_proc_show states=5:five:block
	gone p1
	blocked p2
	free_blocked
}
it "a replacement can make a state block" block_comes_later

# What is not in use everywhere yet can be given up: a failing object does the same.
enabling_is_reversed() {
	stall
	start p1 set=1 funcs=klp_target:park states=5:five:block
	mark
	reverse_enabling p1
	story p1:unpatching p1:5:post_unpatch p1:unpatched
	free_set 1
	unload p1
	refuse ENODEV p1 set=1 funcs=klp_target:park states=5:five:block object_ret=-19
	story p1:5:pre_patch p1:object:pre_patch p1:5:post_unpatch p1:unpatched
	park klp_target
	start p1 set=1 funcs=klp_target:park states=5:five:block
	in_transition p1
	mark
	unpark klp_target
	complete p1
	story p1:5:post_patch p1:patched
	blocked p1
	free_blocked
}
it "the transition that introduces a state that blocks can be reversed" enabling_is_reversed

# Two versions have it: with the first one it is in use already.
takeover_is_reversed() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block
	mark
	start p2 set=1 funcs=klp_target:park states=5:five:block
	refuse_attribute EBUSY p1 enabled 0
	reverse_enabling p2
	story p2:patching p2:unpatching p2:unpatched
	blocked p1
	free_blocked
}
it "the takeover of a state that blocks can be reversed" takeover_is_reversed

# The file is there a moment before the patch is enabled. With two processors, one of them
# enables it while the other writes. Either that comes in time, and the patch goes as any
# other does, or it stays.
impatience() {
	for _ in 1 2 3; do
		mark
		while :; do
			echo 0 > $livepatch/client_p1/enabled
		done 2> /dev/null &
		# shellcheck disable=SC2064
		trap "kill $! 2> /dev/null" EXIT
		start p1 set=1 funcs=klp_target:fn1,cmdline_proc_show,version_proc_show \
			states=5:five:block
		kill $!
		wait_until "every transition is complete" nothing_in_transition
		if [[ -e $livepatch/client_p1 ]]; then
			enabled p1
			story p1:5:pre_patch p1:patching p1:5:post_patch p1:patched
			blocked p1
			free_blocked
			unload p3
		else
			[[ $(told | tail -n 2) == p1:5:post_unpatch$'\n'p1:unpatched ]] ||
				fail "not as it should be told: $(told)"
		fi
		unload p1
	done
}
it "whoever writes all the time disables it in time, or not at all" impatience

# Nobody has been let in by force.
force_is_no_way_round() {
	stall
	start p1 set=1 funcs=klp_target:park states=5:five:block
	in_transition p1
	set_attribute p1 force 1
	complete p1
	unpark klp_target
	blocked p1
	refuse_attribute EINVAL p1 force 1
	refuse_busy p2 set=1 funcs=cmdline_proc_show
	blocked p1
	free_blocked
}
it "force does not get around a state that blocks" force_is_no_way_round

# The transition of one who has the state can be forced and reversed as ever.
replacement_is_reversed() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five:block
	mark
	start p2 set=1 funcs=klp_target:park states=5:five,6:six
	refuse_attribute EBUSY p1 enabled 0
	reverse_enabling p2
	story p2:6:pre_patch p2:patching p2:unpatching p2:6:post_unpatch p2:unpatched
	blocked p1
	free_blocked
}
it "a replacement that does not block can be reversed" replacement_is_reversed

finish
