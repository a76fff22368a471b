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

# A task may stay in the old code for ever, with a variable in its hands.
forced_replace() {
	load_target klp_target
	load pf1 set=1 funcs=klp_target:park states=5:five:shadow+dtor,6:six:shadow+dtor,7:seven
	attach 5 6
	mark
	park pf1
	start p2 set=1 funcs=cmdline_proc_show states=6:six:shadow+dtor,8:eight:shadow+dtor
	set_attribute p2 force 1
	complete p2
	pinned pf1
	left_alone 5 pf1
	story p2:8:pre_patch pf1:7:pre_unpatch pf1:5:pre_unpatch p2:patching \
		pf1:7:post_unpatch pf1:5:post_unpatch p2:8:post_patch p2:patched
	attached 5 6
	unpark pf1

	# That task is still unknown to everybody in the set's later life.
	load p3 set=1 funcs=cmdline_proc_show states=8:eight:shadow+dtor
	gone p2
	left_alone 6 p2
	story p2:6:pre_unpatch p3:patching p2:6:post_unpatch p3:patched
	attached 5 6
	disable p3
	left_alone 8 p3
	story p3:8:pre_unpatch p3:unpatching p3:8:post_unpatch p3:unpatched
}
it "after a forced replace the variables are left alone" forced_replace

# The patch itself goes by force.
forced_disable() {
	load_target klp_target
	load pf2 set=1 funcs=klp_target:park states=5:five:shadow+dtor
	load q1 set=2 funcs=cmdline_proc_show states=6:six:shadow+dtor
	attach 5 6
	mark
	park pf2
	set_attribute pf2 enabled 0
	set_attribute pf2 force 1
	pinned pf2
	left_alone 5 pf2
	story pf2:5:pre_unpatch pf2:unpatching pf2:5:post_unpatch pf2:unpatched
	attached 5 6
	unpark pf2

	# Set 2 had no part in it.
	disable q1
	story q1:6:pre_unpatch q1:unpatching q1:6:post_unpatch \
		q1:6:shadow_dtor q1:6:shadow_dtor q1:unpatched
	attached 5
}
it "after a forced disable the variables are left alone" forced_disable

# Tasks were forced to the new patch and back.
forced_reversal() {
	stall
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor
	start pf3 set=1 funcs=klp_target:park hold=1 states=6:six:shadow+dtor
	attach 5 6
	mark
	park pf3
	set_attribute pf3 enabled 0
	in_transition pf3
	set_attribute pf3 force 1
	pinned pf3
	left_alone 6 pf3
	story pf3:unpatching p1:5:post_patch pf3:6:post_unpatch pf3:unpatched
	attached 5 6
	unpark pf3 klp_target
	disable p1
	left_alone 5 p1
	story p1:5:pre_unpatch p1:unpatching p1:5:post_unpatch p1:unpatched
	attached 5 6
}
it "after a forced reversal the variables are left alone" forced_reversal

# A stock patch comes by force.
forced_stock_replace() {
	load_target klp_target
	load pf4 set=1 funcs=klp_target:park states=5:five:shadow+dtor
	attach 5
	mark
	park pf4
	start s1 replace=1 funcs=cmdline_proc_show
	set_attribute s1 force 1
	complete s1
	pinned pf4
	left_alone 5 pf4
	story pf4:5:pre_unpatch s1:patching pf4:5:post_unpatch s1:patched
	attached 5
	unpark pf4
}
it "after a forced stock replace the variables are left alone" forced_stock_replace

# The first patch of a set is forced in; what it attaches is as doubtful.
forced_enabling() {
	stall
	start p1 set=1 funcs=klp_target:park states=5:five:shadow+dtor
	set_attribute p1 force 1
	complete p1
	unpark klp_target
	attach 5
	disable p1
	left_alone 5 p1
	attached 5
}
it "after a forced enabling the variables are left alone" forced_enabling

# Force is forgotten with the last patch of the set.
force_is_forgotten() {
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow+dtor
	attach 5
	disable p1
	attached
}
it "a set that starts anew frees its variables" force_is_forgotten

finish
