#!/bin/bash
# Shadow variables live as long as their state: not freed too early, nor too late.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/state-lib.sh"
need_core

# The patch that goes takes them along, when nobody runs its code any more.
disable_frees() {
	load_target klp_target
	load p1 set=1 funcs=klp_target:park states=5:five:shadow+dtor,6:six
	attach 5 6
	mark
	park p1
	set_attribute p1 enabled 0
	in_transition p1
	attached 5 6
	unpark p1
	gone p1
	story p1:6:pre_unpatch p1:5:pre_unpatch p1:unpatching p1:6:post_unpatch \
		p1:5:post_unpatch p1:5:shadow_dtor p1:5:shadow_dtor p1:unpatched
	attached 6
}
it "disabling frees the variables of a shadow state, in the end" disable_frees

# A destructor is not needed.
without_dtor() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow+bare
	attach 5 6
	mark
	disable p1
	story p1:unpatching p1:unpatched
	attached 6
}
it "variables are freed without a destructor, too" without_dtor

# Version 2 still needs them, version 3 does not.
replace_keeps_or_frees() {
	load_target klp_target
	load p1 set=1 funcs=klp_target:park states=5:five:shadow+dtor,6:six:shadow+dtor
	attach 5 6
	load p2 set=1 funcs=klp_target:park states=5:five:shadow+dtor,6:six:shadow+dtor
	gone p1
	unload p1
	attached 5 6
	mark
	park p2
	start p3 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor
	in_transition p3
	attached 5 6
	unpark p2
	complete p3
	gone p2
	story p2:6:pre_unpatch p3:patching p2:6:post_unpatch \
		p2:6:shadow_dtor p2:6:shadow_dtor p3:patched
	attached 5
	disable p3
	attached
	story p3:5:pre_unpatch p3:unpatching p3:5:post_unpatch \
		p3:5:shadow_dtor p3:5:shadow_dtor p3:unpatched
}
it "a replace keeps the variables of its states and frees the others" replace_keeps_or_frees

# New code has attached some already.
reversal_frees_the_new() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor,6:six:shadow+dtor
	start p2 set=1 funcs=klp_target:park states=6:six:shadow+dtor,7:seven:shadow+dtor
	attach 5 6 7
	mark
	reverse_enabling p2
	attached 5 6
	story p2:unpatching p1:5:post_patch \
		p2:7:post_unpatch p2:7:shadow_dtor p2:7:shadow_dtor p2:unpatched
	disable p1
	attached
}
it "a reversed replace frees the new variables and keeps the old ones" reversal_frees_the_new

# And a reversed disable keeps them.
reversed_disable_keeps() {
	load_target klp_target
	load p1 set=1 funcs=klp_target:park states=5:five:shadow+dtor
	attach 5
	reverse_disable p1
	attached 5
	disable p1
	attached
}
it "a reversed disable keeps the variables" reversed_disable_keeps

# What the earlier states have attached goes with them.
failure_frees() {
	attach 5 6 7 8
	refuse ENOSPC p1 set=1 funcs=cmdline_proc_show \
		states=5:five:shadow+dtor,6:six,7:seven:shadow+fail,8:eight:shadow
	story p1:5:pre_patch p1:6:pre_patch p1:7:pre_patch p1:6:post_unpatch \
		p1:5:post_unpatch p1:5:shadow_dtor p1:5:shadow_dtor p1:unpatched
	attached 6 7 8
}
it "a pre_patch that fails frees the variables of the earlier states" failure_frees

# All sets' states end at once.
stock_replace_frees() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor
	load q1 set=2 funcs=version_proc_show states=6:six:shadow+dtor
	attach 5 6 7
	start s1 replace=1 funcs=klp_target:park
	in_transition s1
	reverse_enabling s1
	attached 5 6 7
	mark
	load s2 replace=1 funcs=cmdline_proc_show
	gone p1 q1
	story q1:6:pre_unpatch p1:5:pre_unpatch s2:patching \
		q1:6:post_unpatch q1:6:shadow_dtor q1:6:shadow_dtor \
		p1:5:post_unpatch p1:5:shadow_dtor p1:5:shadow_dtor s2:patched
	attached 7
}
it "a stock replace patch has the variables freed" stock_replace_frees

# The same by a managed patch.
replace_all_frees() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow
	load p2 set=2 funcs=version_proc_show states=6:six:shadow
	attach 5 6 7
	load p3 set=3 replace_all=1 funcs=cmdline_proc_show states=6:six:shadow
	gone p1 p2
	attached 6 7
	disable p3
	attached 7
}
it "replace_all frees the variables of the states that it lacks" replace_all_frees

# Nobody's module is needed for the variables of an absent module's patch.
absent_module_frees() {
	load p1 set=1 funcs=klp_target:fn1 states=5:five:shadow+dtor
	attach 5
	mark
	disable p1
	attached
	story p1:5:pre_unpatch p1:unpatching p1:5:post_unpatch \
		p1:5:shadow_dtor p1:5:shadow_dtor p1:unpatched
}
it "variables of a patch for an absent module are freed" absent_module_frees

# --- force -------------------------------------------------------------------
# What was left alone stays so for ever: each test takes ids of its own.

# A task may stay in the old code for ever, with a variable in its hands.
forced_replace() {
	load_target klp_target
	load pf1 set=1 funcs=klp_target:park \
		states=11:one:shadow+dtor,12:two:shadow+dtor,13:three
	attach 11 12
	mark
	park pf1
	start p2 set=1 funcs=cmdline_proc_show states=12:two:shadow+dtor,14:four:shadow+dtor
	set_attribute p2 force 1
	complete p2
	pinned pf1
	left_alone 11 pf1
	story p2:14:pre_patch pf1:13:pre_unpatch pf1:11:pre_unpatch p2:patching \
		pf1:13:post_unpatch pf1:11:post_unpatch p2:14:post_patch p2:patched
	attached 11 12
	unpark pf1

	# Nobody knows where that task is in the set's later life.
	load p3 set=1 funcs=cmdline_proc_show states=14:four:shadow+dtor
	gone p2
	left_alone 12 p2
	story p2:12:pre_unpatch p3:patching p2:12:post_unpatch p3:patched
	attached 11 12
	disable p3
	left_alone 14 p3
	story p3:14:pre_unpatch p3:unpatching p3:14:post_unpatch p3:unpatched
}
it "after a forced replace the variables are left alone" forced_replace

# The patch itself goes by force.
forced_disable() {
	load_target klp_target
	load pf2 set=1 funcs=klp_target:park states=21:one:shadow+dtor
	load q1 set=2 funcs=cmdline_proc_show states=22:two:shadow+dtor
	attach 21 22
	mark
	park pf2
	set_attribute pf2 enabled 0
	set_attribute pf2 force 1
	pinned pf2
	left_alone 21 pf2
	story pf2:21:pre_unpatch pf2:unpatching pf2:21:post_unpatch pf2:unpatched
	attached 21 22
	unpark pf2

	# Set 2 had no part in it.
	disable q1
	story q1:22:pre_unpatch q1:unpatching q1:22:post_unpatch \
		q1:22:shadow_dtor q1:22:shadow_dtor q1:unpatched
	attached 21
}
it "after a forced disable the variables are left alone" forced_disable

# Tasks were forced to the new patch and back.
forced_reversal() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=31:one:shadow+dtor
	start pf3 set=1 funcs=klp_target:park hold=1 states=32:two:shadow+dtor
	attach 31 32
	mark
	park pf3
	set_attribute pf3 enabled 0
	in_transition pf3
	set_attribute pf3 force 1
	pinned pf3
	left_alone 32 pf3
	story pf3:unpatching p1:31:post_patch pf3:32:post_unpatch pf3:unpatched
	attached 31 32
	unpark pf3 klp_target
	disable p1
	left_alone 31 p1
	story p1:31:pre_unpatch p1:unpatching p1:31:post_unpatch p1:unpatched
	attached 31 32
}
it "after a forced reversal the variables are left alone" forced_reversal

# A stock patch comes by force.
forced_stock_replace() {
	load_target klp_target
	load pf4 set=1 funcs=klp_target:park states=41:one:shadow+dtor
	attach 41
	mark
	park pf4
	start s1 replace=1 funcs=cmdline_proc_show
	set_attribute s1 force 1
	complete s1
	pinned pf4
	left_alone 41 pf4
	story pf4:41:pre_unpatch s1:patching pf4:41:post_unpatch s1:patched
	attached 41
	unpark pf4
}
it "after a forced stock replace the variables are left alone" forced_stock_replace

# The first patch of a set is forced in; what it attaches is as doubtful.
forced_enabling() {
	stall
	start p1 set=1 funcs=klp_target:park states=45:one:shadow+dtor
	set_attribute p1 force 1
	complete p1
	unpark klp_target
	attach 45
	disable p1
	left_alone 45 p1
	attached 45
}
it "after a forced enabling the variables are left alone" forced_enabling

# A stock patch has the state for a while, which knows nothing of variables.
handed_to_stock() {
	stall
	start p1 set=1 funcs=klp_target:park states=46:one:shadow+dtor
	set_attribute p1 force 1
	complete p1
	unpark klp_target
	attach 46
	load s1 replace=1 funcs=cmdline_proc_show states=46 versions=1
	gone p1
	load p2 set=1 replace_all=1 funcs=cmdline_proc_show states=46:one:shadow+dtor
	gone s1
	disable p2
	left_alone 46 p2
	attached 46
}
it "what was forced is not forgotten when a stock patch takes the state over" handed_to_stock

# The set starts anew, and the task is still there.
for_ever() {
	load_target klp_target
	load pf5 set=1 funcs=klp_target:park states=51:one:shadow+dtor
	attach 51 52
	park pf5
	set_attribute pf5 enabled 0
	set_attribute pf5 force 1
	pinned pf5
	load p1 set=1 funcs=cmdline_proc_show states=51:one:shadow+dtor,52:two:shadow+dtor
	mark
	disable p1
	left_alone 51 p1
	story p1:52:pre_unpatch p1:51:pre_unpatch p1:unpatching p1:52:post_unpatch \
		p1:52:shadow_dtor p1:52:shadow_dtor p1:51:post_unpatch p1:unpatched
	attached 51
}
it "variables that were left alone are so for ever" for_ever

finish
