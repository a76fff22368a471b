#!/bin/bash
# Section "states": who is told what, when and in which order, in both directions
# of a transition.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/state-lib.sh"
need_core

# --- one patch ---------------------------------------------------------------

# The whole life of two states.
enable_and_disable() {
	load p1 set=1 funcs=cmdline_proc_show states=6:six,5:five
	story p1:6:pre_patch p1:5:pre_patch p1:patching \
		p1:6:post_patch p1:5:post_patch p1:patched
	disable p1
	story p1:5:pre_unpatch p1:6:pre_unpatch p1:unpatching \
		p1:5:post_unpatch p1:6:post_unpatch p1:unpatched
	unload p1
	load p1 set=1 funcs=cmdline_proc_show states=6:six
	story p1:6:pre_patch p1:patching p1:6:post_patch p1:patched
}
it "states are set up in order and removed in reverse" enable_and_disable

# All callbacks are optional, and so are states.
without_callbacks() {
	load p1 set=1 funcs=cmdline_proc_show states=5::bare,6:six,7::bare
	disable p1
	story p1:6:pre_patch p1:patching p1:6:post_patch p1:patched \
		p1:6:pre_unpatch p1:unpatching p1:6:post_unpatch p1:unpatched
	load p2 set=1 funcs=cmdline_proc_show
	disable p2
	story p2:patching p2:patched p2:unpatching p2:unpatched
}
it "callbacks can be left out" without_callbacks

# They are in process context.
callbacks_sleep() {
	load p1 set=1 funcs=cmdline_proc_show states=5::sleep,6::sleep
	load p2 set=1 funcs=cmdline_proc_show states=6::sleep
	disable p2
	story p1:5:pre_patch p1:6:pre_patch p1:patching \
		p1:5:post_patch p1:6:post_patch p1:patched \
		p1:5:pre_unpatch p2:patching p1:5:post_unpatch p2:patched \
		p2:6:pre_unpatch p2:unpatching p2:6:post_unpatch p2:unpatched
}
it "callbacks may sleep" callbacks_sleep

# The operator does not want it after all.
reverse_first() {
	stall
	start p1 set=1 funcs=klp_target:park states=5:five,6:six
	story p1:5:pre_patch p1:6:pre_patch p1:patching
	reverse_enabling p1
	story p1:unpatching p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
	free_set 1
	unload p1
	load p1 set=1 funcs=klp_target:park states=5:five
	story p1:5:pre_patch p1:patching p1:5:post_patch p1:patched
}
it "a reversed enabling undoes the states, in reverse" reverse_first

# He wants it after all.
reverse_first_twice() {
	stall
	start p1 set=1 funcs=klp_target:park hold=1 states=5:five,6:six
	park p1
	set_attribute p1 enabled 0
	in_transition p1
	set_attribute p1 enabled 1
	in_transition p1
	unpark klp_target p1
	complete p1
	story p1:5:pre_patch p1:6:pre_patch p1:patching p1:unpatching p1:patching \
		p1:5:post_patch p1:6:post_patch p1:patched
}
it "an enabling reversed twice sets the states up once" reverse_first_twice

# The opposite of pre_unpatch is post_patch.
reversed_disable() {
	load_target klp_target
	load p1 set=1 funcs=klp_target:park states=5:five,6:six
	mark
	reverse_disable p1
	story p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching p1:patching \
		p1:5:post_patch p1:6:post_patch p1:patched
	show_states 1 "5 five client_p1 -" "6 six client_p1 -"
	disable p1
	story p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching \
		p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
}
it "a reversed disable brings the states back" reversed_disable

# To and fro, and gone in the end.
disable_reversed_twice() {
	load_target klp_target
	load p1 set=1 funcs=klp_target:park states=5:five,6:six
	mark
	park p1
	set_attribute p1 enabled 0
	park klp_target
	set_attribute p1 enabled 1
	in_transition p1
	set_attribute p1 enabled 0
	in_transition p1
	unpark p1 klp_target
	gone p1
	story p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching p1:patching p1:unpatching \
		p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
}
it "a disable reversed twice removes the states once" disable_reversed_twice

# --- a set moves on ----------------------------------------------------------

# Version 2 has what version 1 had.
replace_with_the_states() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	mark
	load p2 set=1 funcs=version_proc_show states=6:six,5:five
	gone p1
	story p2:patching p2:patched
	unload p1
	load p3 set=1 funcs=cmdline_proc_show states=5:five,6:six
	gone p2
	story p3:patching p3:patched
	disable p3
	story p3:6:pre_unpatch p3:5:pre_unpatch p3:unpatching \
		p3:6:post_unpatch p3:5:post_unpatch p3:unpatched
}
it "a state that both patches have is handed over silently" replace_with_the_states

# Version 2 has other states. The old ones are version 1's own business.
replace_without_the_states() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six,7:seven
	mark
	load p2 set=1 funcs=cmdline_proc_show states=9:nine,6:six,8:eight
	gone p1
	story p2:9:pre_patch p2:8:pre_patch p1:7:pre_unpatch p1:5:pre_unpatch p2:patching \
		p1:7:post_unpatch p1:5:post_unpatch p2:9:post_patch p2:8:post_patch p2:patched
	load p3 set=1 funcs=cmdline_proc_show
	gone p2
	story p2:8:pre_unpatch p2:6:pre_unpatch p2:9:pre_unpatch p3:patching \
		p2:8:post_unpatch p2:6:post_unpatch p2:9:post_unpatch p3:patched
	disable p3
	story p3:unpatching p3:unpatched
}
it "the patch that goes away cleans up what the new one lacks" replace_without_the_states

# The old version knows nothing of what the new one has set up.
downgrade() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	load p2 set=1 funcs=cmdline_proc_show states=5:five,6:six
	gone p1
	unload p1
	mark
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	gone p2
	story p2:6:pre_unpatch p1:patching p2:6:post_unpatch p1:patched
	unload p2
	load p2 set=1 funcs=cmdline_proc_show states=5:five,6:six
	gone p1
	story p2:6:pre_patch p2:patching p2:6:post_patch p2:patched
}
it "a downgrade is as safe as an upgrade" downgrade

# A state that was there and is gone is a new one.
state_comes_back() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	load p2 set=1 funcs=cmdline_proc_show
	gone p1
	mark
	load p3 set=1 funcs=cmdline_proc_show states=5:other:shadow
	gone p2
	story p3:5:pre_patch p3:patching p3:5:post_patch p3:patched
}
it "a state that was dropped can be introduced again" state_comes_back

# Version 2 is taken back in the middle.
reversed_replace() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six,7:seven
	mark
	start p2 set=1 funcs=klp_target:park states=9:nine,6:six,8:eight
	story p2:9:pre_patch p2:8:pre_patch p1:7:pre_unpatch p1:5:pre_unpatch p2:patching
	reverse_enabling p2
	story p2:unpatching p1:5:post_patch p1:7:post_patch \
		p2:8:post_unpatch p2:9:post_unpatch p2:unpatched
	in_set p1 1
	disable p1
	story p1:7:pre_unpatch p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching \
		p1:7:post_unpatch p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
}
it "a reversed replace leaves the states as before" reversed_replace

# And it comes in the end.
replace_reversed_twice() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	mark
	start p2 set=1 funcs=klp_target:park hold=1 states=6:six,7:seven
	park p2
	set_attribute p2 enabled 0
	in_transition p2
	set_attribute p2 enabled 1
	unpark klp_target p2
	complete p2
	gone p1
	story p2:7:pre_patch p1:5:pre_unpatch p2:patching p2:unpatching p2:patching \
		p1:5:post_unpatch p2:7:post_patch p2:patched
}
it "a replace reversed twice calls each callback once" replace_reversed_twice

# Reversing a reversed downgrade, for good measure.
reversed_downgrade() {
	stall
	load p2 set=1 funcs=cmdline_proc_show states=5:five,6:six
	mark
	start p1 set=1 funcs=klp_target:park states=5:five
	story p2:6:pre_unpatch p1:patching
	reverse_enabling p1
	story p1:unpatching p2:6:post_patch p1:unpatched
	unload p1
	load p1 set=1 funcs=version_proc_show states=5:five
	gone p2
	story p2:6:pre_unpatch p1:patching p2:6:post_unpatch p1:patched
}
it "a reversed downgrade leaves the newer states" reversed_downgrade

# The patch that took over, not the one that set it up, is disabled and comes back.
reversed_disable_of_an_heir() {
	load_target klp_target
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load p2 set=1 funcs=klp_target:park states=5:five,7:seven
	gone p1
	load q1 set=2 funcs=cmdline_proc_show states=6:six
	mark
	reverse_disable p2
	story p2:7:pre_unpatch p2:5:pre_unpatch p2:unpatching p2:patching \
		p2:5:post_patch p2:7:post_patch p2:patched
	disable p2
	story p2:7:pre_unpatch p2:5:pre_unpatch p2:unpatching \
		p2:7:post_unpatch p2:5:post_unpatch p2:unpatched
	enabled q1
}
it "a reversed disable touches the states of its own patch only" reversed_disable_of_an_heir

# What an operator sees while it happens.
states_file() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6
	show_states 1 "5 five client_p1 -" "6 - client_p1 -"
	stall
	start p2 set=1 funcs=klp_target:park states=6,7:seven:block
	in_transition p2
	show_states 1 "5 five client_p1 -" "6 - client_p1 -"
	unpark klp_target
	complete p2
	gone p1
	show_states 1 "6 - client_p2 -" "7 seven client_p2 block_disable"
	load p3 set=1 funcs=cmdline_proc_show states=7:seven
	gone p2
	show_states 1 "7 seven client_p3 -"
	load q1 set=2 funcs=version_proc_show
	show_states 2 ""
	disable p3
	free_set 1
}
it "the states file follows a replace" states_file

# --- when something fails ----------------------------------------------------

# The third of four states.
pre_patch_fails() {
	refuse ENOSPC p1 set=1 funcs=cmdline_proc_show \
		states=5:five,6:six,7:seven:fail,8:eight
	story p1:5:pre_patch p1:6:pre_patch p1:7:pre_patch \
		p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
	untouched cmdline_proc_show
	free_set 1
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	story p1:5:pre_patch p1:patching p1:5:post_patch p1:patched
}
it "a pre_patch that fails undoes the earlier ones and refuses the patch" pre_patch_fails

# The first one: nothing to undo.
first_pre_patch_fails() {
	refuse ENOSPC p1 set=1 funcs=cmdline_proc_show states=5:five:fail,6:six
	logged "'client_p1'" "set 1" "state 5 'five'" "-28"
	story p1:5:pre_patch p1:unpatched
}
it "the log names the state that could not be set up" first_pre_patch_fails

# The states of the old patch do not even hear of it.
pre_patch_fails_in_replace() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	refuse ENOSPC p2 set=1 funcs=version_proc_show states=6:six:fail,7:seven,8:eight:fail
	logged "'client_p2'" "state 8 'eight'"
	story p2:7:pre_patch p2:8:pre_patch p2:7:post_unpatch p2:unpatched
	runs cmdline_proc_show p1
	in_set p1 1
	load p3 set=1 funcs=cmdline_proc_show
	gone p1
	story p1:6:pre_unpatch p1:5:pre_unpatch p3:patching \
		p1:6:post_unpatch p1:5:post_unpatch p3:patched
}
it "a pre_patch that fails in a replace leaves the old states alone" pre_patch_fails_in_replace

# A stock callback fails later than the states' own.
object_fails() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	refuse ENOSPC p2 set=1 funcs=version_proc_show states=6:six,7:seven object_ret=-28
	story p2:7:pre_patch p1:5:pre_unpatch p2:object:pre_patch \
		p1:5:post_patch p2:7:post_unpatch p2:unpatched
	in_set p1 1
}
it "a stock callback that fails has the states undone" object_fails

# A refusal comes before any state is touched.
refused_for_a_function() {
	load q1 set=2 funcs=version_proc_show
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	refuse EINVAL p2 set=1 funcs=version_proc_show states=6:six
	story
}
it "a patch that breaks a rule has no callback called" refused_for_a_function

# --- patches without functions in vmlinux ------------------------------------

# through_life: the life of states, where the function is klp_target:fn1
through_life() {
	load p1 set=1 funcs=klp_target:fn1 states=5:five,6:six
	story p1:5:pre_patch p1:6:pre_patch p1:patching \
		p1:5:post_patch p1:6:post_patch p1:patched
	load p2 set=1 funcs=klp_target:fn1 states=6:six
	gone p1
	story p1:5:pre_unpatch p2:patching p1:5:post_unpatch p2:patched
	show_states 1 "6 six client_p2 -"
}

# A patch for a loaded module.
module_only() {
	load_target klp_target
	through_life
	runs klp_target:fn1 p2
	remove klp_target
	said_nothing
	disable p2
	story p2:6:pre_unpatch p2:unpatching p2:6:post_unpatch p2:unpatched
}
it "states do not need a function in vmlinux" module_only

# A patch for a module that most machines never load.
absent_module_only() {
	through_life
	load_target klp_target
	said_nothing
	runs klp_target:fn1 p2
	remove klp_target
	disable p2
	story p2:6:pre_unpatch p2:unpatching p2:6:post_unpatch p2:unpatched
	unload p1 p2
	refuse ENOSPC p1 set=1 funcs=klp_target:fn1 states=5:five,6:six:fail
	story p1:5:pre_patch p1:6:pre_patch p1:5:post_unpatch p1:unpatched
}
it "states live while the only patched module is not loaded" absent_module_only

# --- several patches go in one transition ------------------------------------
# Those of the newest patch come first.

# The cumulative patch takes one state over from each, and drops the others.
obsoletes() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load p2 set=2 funcs=version_proc_show states=7:seven,8:eight
	load q1 set=3 funcs=uptime_proc_show states=10:ten
	mark
	load p3 set=1 obsoletes=2 funcs=cmdline_proc_show states=9:nine,8:eight,6:six
	gone p1 p2
	story p3:9:pre_patch p2:7:pre_unpatch p1:5:pre_unpatch p3:patching \
		p2:7:post_unpatch p1:5:post_unpatch p3:9:post_patch p3:patched
	show_states 1 "9 nine client_p3 -" "8 eight client_p3 -" "6 six client_p3 -"
	free_set 2
	disable p3
	story p3:6:pre_unpatch p3:8:pre_unpatch p3:9:pre_unpatch p3:unpatching \
		p3:6:post_unpatch p3:8:post_unpatch p3:9:post_unpatch p3:unpatched
	enabled q1
}
it "states of obsoleted sets are handed over or cleaned up" obsoletes

# The vendor's patch takes all of the machine.
replace_all() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load p2 set=2 funcs=version_proc_show states=7:seven
	load s1 funcs=uptime_proc_show states=8 versions=3
	mark
	load p3 set=3 replace_all=1 funcs=cmdline_proc_show states=6:six,8:eight,9:nine
	gone p1 p2 s1
	story p3:9:pre_patch p2:7:pre_unpatch p1:5:pre_unpatch p3:patching \
		p2:7:post_unpatch p1:5:post_unpatch p3:9:post_patch p3:patched
	free_set 1 2
	untouched version_proc_show uptime_proc_show
	load q1 set=4 funcs=version_proc_show
	said_nothing
	enabled p3
}
it "replace_all hands over or cleans up the states of all sets" replace_all

# The same, taken back.
reversed_replace_all() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load p2 set=2 funcs=version_proc_show states=7:seven
	mark
	start p3 set=3 replace_all=1 funcs=klp_target:park states=6:six,9:nine
	story p3:9:pre_patch p2:7:pre_unpatch p1:5:pre_unpatch p3:patching
	reverse_enabling p3
	story p3:unpatching p2:7:post_patch p1:5:post_patch p3:9:post_unpatch p3:unpatched
	in_set p1 1
	in_set p2 2
	disable p2 p1
	story p2:7:pre_unpatch p2:unpatching p2:7:post_unpatch p2:unpatched \
		p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching \
		p1:6:post_unpatch p1:5:post_unpatch p1:unpatched
}
it "a reversed replace_all leaves the states of all sets" reversed_replace_all

# --- stock patches -----------------------------------------------------------

# A stock cumulative patch wipes everything, as it always did.
stock_replace() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load q1 set=2 funcs=version_proc_show states=7:seven
	mark
	load s1 replace=1 funcs=cmdline_proc_show
	gone p1 q1
	story q1:7:pre_unpatch p1:6:pre_unpatch p1:5:pre_unpatch s1:patching \
		q1:7:post_unpatch p1:6:post_unpatch p1:5:post_unpatch s1:patched
	free_set 1 2
	unload p1 q1
	load s2 replace=1 funcs=cmdline_proc_show
	gone s1
	disable s2
	said_nothing
}
it "a stock replace patch has the states cleaned up once" stock_replace

# It is taken back, and everything is as before.
reversed_stock_replace() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	load q1 set=2 funcs=version_proc_show states=7:seven
	mark
	start s1 replace=1 funcs=klp_target:park
	story q1:7:pre_unpatch p1:6:pre_unpatch p1:5:pre_unpatch s1:patching
	reverse_enabling s1
	story s1:unpatching q1:7:post_patch p1:5:post_patch p1:6:post_patch s1:unpatched
	in_set p1 1
	in_set q1 2
	load p2 set=1 funcs=version_proc_show,cmdline_proc_show states=5:five obsoletes=2
	gone p1 q1
	story q1:7:pre_unpatch p1:6:pre_unpatch p2:patching \
		q1:7:post_unpatch p1:6:post_unpatch p2:patched
}
it "a reversed stock replace patch leaves the states as before" reversed_stock_replace

# Its own state of the same id says that it knows how to go on.
stock_replace_with_the_state() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	mark
	load s1 replace=1 funcs=cmdline_proc_show states=6 versions=1
	gone p1
	story p1:5:pre_unpatch s1:patching p1:5:post_unpatch s1:patched
}
it "a stock replace patch takes over the states that it has" stock_replace_with_the_state

# Where a stock replace patch is a patch of set 0, it cleans up set 0 alone.
scoped_stock_replace() {
	local policy=/sys/module/klp_sets/parameters/stock_replace
	load p1 set=0 funcs=cmdline_proc_show states=5:five
	load q1 set=1 funcs=version_proc_show states=7:seven
	mark
	echo scoped > "$policy"
	start s1 replace=1 funcs=cmdline_proc_show
	echo all > "$policy"
	complete s1
	gone p1
	story p1:5:pre_unpatch s1:patching p1:5:post_unpatch s1:patched
	enabled q1
}
it "a scoped stock replace patch has the states of set 0 cleaned up" scoped_stock_replace

# An unmodified livepatch is the next one of the set.
assigned_patch() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six
	mark
	echo client_s1 1 > /sys/kernel/klp_sets/assign
	load s1 funcs=cmdline_proc_show states=6 versions=1
	gone p1
	story p1:5:pre_unpatch s1:patching p1:5:post_unpatch s1:patched
	show_states 1 ""
	load p2 set=1 funcs=cmdline_proc_show states=6:six
	gone s1
	story p2:patching p2:patched
}
it "an assigned patch has the states cleaned up that it lacks" assigned_patch

# A stock patch without the flag is nobody's successor.
stock_without_replace() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five
	mark
	load s1 funcs=version_proc_show
	disable s1
	said_nothing
	enabled p1
}
it "a stock patch without replace touches no state" stock_without_replace

# From the kernel's own states with a version, and back.
move_from_stock_states() {
	load a1 set=1 funcs=cmdline_proc_show states=5,6 versions=2,3
	mark
	load p1 set=1 funcs=cmdline_proc_show states=5:five,6:six,7:seven
	gone a1
	story p1:7:pre_patch p1:patching p1:7:post_patch p1:patched
	load p2 set=1 funcs=cmdline_proc_show states=6:six stock=5 versions=1
	gone p1
	story p1:7:pre_unpatch p2:patching p1:7:post_unpatch p2:patched
	show_states 1 "6 six client_p2 -"
	refuse EINVAL p3 set=1 funcs=cmdline_proc_show states=6:six
	logged "'client_p3'" "state 5" "'client_p2'"
	load p3 set=1 funcs=cmdline_proc_show states=5:five
	gone p2
	story p2:6:pre_unpatch p3:patching p2:6:post_unpatch p3:patched
	disable p3
	story p3:5:pre_unpatch p3:unpatching p3:5:post_unpatch p3:unpatched
}
it "stock states and states of the set are handed over to each other" move_from_stock_states

finish
