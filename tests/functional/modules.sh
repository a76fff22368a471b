#!/bin/bash
# Functions in modules: not loaded yet, arriving, leaving, coming back.
. "$(dirname "$0")/lib.sh"
need_core

# The module is not there, its functions are taken all the same.
conflict_in_absent_module() {
	load a1 set=1 funcs=klp_target:fn1
	refuse EINVAL b1 set=2 funcs=klp_target:fn2,klp_target:fn1/1
	logged "'client_b1'" "set 2" "'fn1'" "'client_a1'" "set 1"
	load b2 set=2 funcs=klp_target:fn2,klp_target2:fn1
	load_target klp_target klp_target2
	runs klp_target:fn1 a1
	runs klp_target:fn2 b2
	runs klp_target2:fn1 b2
}
it "a function of a module that is not loaded is owned, too" conflict_in_absent_module

# A patch for a module that few machines load.
patch_for_absent_module() {
	load a1 set=1 funcs=klp_target:fn1
	in_set a1 1
	load a2 set=1 funcs=klp_target:fn1,klp_target:fn2
	gone a1
	load_target klp_target
	runs klp_target:fn1 a2
	runs klp_target:fn2 a2
	disable a2
	untouched klp_target:fn1 klp_target:fn2
	free_set 1
	unload a1 a2
}
it "a patch may change nothing but a module that is not loaded" patch_for_absent_module

# Version 2 dropped the module; it is loaded later.
dropped_module_arrives_after() {
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	missing "$livepatch/client_a2/klp_target" || fail "client_a2 shows klp_target"
	load_target klp_target
	untouched klp_target:fn1
	runs cmdline_proc_show a2
	remove klp_target
}
it "a dropped function in a module that arrives later is the original" dropped_module_arrives_after

# stall: a task in a1's code keeps a1 from being replaced, klp_target is absent
stall() {
	load_target klp_target2
	load a1 set=1 funcs=klp_target2:park,klp_target:fn1,klp_target:fn2
	load b1 set=2 funcs=klp_target:fn3
	park a1 klp_target2
	start a2 set=1 funcs=klp_target:fn2
	in_transition a2
}

# In the middle of a transition, a1's and a2's functions are all needed.
module_arrives_during() {
	stall
	load_target klp_target
	runs klp_target:fn1 original
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
	in_transition a2
	unpark a1
	complete a2
	gone a1
	untouched klp_target:fn1
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
	unload a1
}
it "a module that arrives during a transition gets the new patch" module_arrives_during

# Version 2 uses another name for the function than version 1.
alias_arrives_during() {
	load_target klp_target2
	load a1 set=1 funcs=klp_target2:park,klp_target:fn4
	park a1 klp_target2
	start a2 set=1 funcs=klp_target:fn4_alias
	in_transition a2
	load_target klp_target
	runs klp_target:fn4 a2
	in_transition a2
	unpark a1
	complete a2
	gone a1
	runs klp_target:fn4 a2
	disable a2
	untouched klp_target:fn4
	unload a1 a2
}
it "a function that arrives under its other name gets the new patch" alias_arrives_during

# The operator goes back.
module_arrives_and_reversal() {
	stall
	load_target klp_target
	runs klp_target:fn2 a2
	set_attribute a2 enabled 0
	gone a2
	unpark a1
	runs klp_target:fn1 a1
	runs klp_target:fn2 a1
	runs klp_target:fn3 b1
	in_set a1 1
	unload a2
}
it "a module that arrives before a reversal gets the old patch" module_arrives_and_reversal

# It arrives in the middle and does not stay for the end.
module_arrives_and_leaves_during() {
	stall
	load_target klp_target
	runs klp_target:fn1 original
	remove klp_target
	in_transition a2
	unpark a1
	complete a2
	gone a1
	load_target klp_target
	untouched klp_target:fn1
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
}
it "a module may come and go during a transition" module_arrives_and_leaves_during

# The patched module is removed before the last task has moved on.
module_leaves_during() {
	load_target klp_target klp_target2
	load a1 set=1 funcs=klp_target2:park,klp_target:fn1,klp_target:fn2
	load b1 set=2 funcs=klp_target:fn3
	park a1 klp_target2
	start a2 set=1 funcs=klp_target:fn2
	in_transition a2
	remove klp_target
	in_transition a2
	unpark a1
	complete a2
	gone a1
	load_target klp_target
	untouched klp_target:fn1
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
	unload a1
}
it "a patched module may leave during a transition" module_leaves_during

# modprobe -r and modprobe.
module_comes_back() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show
	load b1 set=2 funcs=klp_target:fn2
	remove klp_target
	enabled a1 b1
	load_target klp_target
	runs klp_target:fn1 a1
	runs klp_target:fn2 b1
	load a2 set=1 funcs=klp_target:fn1
	gone a1
	runs klp_target:fn1 a2
	runs klp_target:fn2 b1
	untouched cmdline_proc_show
}
it "a module that comes back is patched by every set" module_comes_back

# The upgrade happens while it is away.
replaced_while_module_is_away() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,klp_target:fn2
	load b1 set=2 funcs=klp_target:fn3
	remove klp_target
	load a2 set=1 funcs=klp_target:fn2
	gone a1
	unload a1
	load_target klp_target
	untouched klp_target:fn1
	runs klp_target:fn2 a2
	runs klp_target:fn3 b1
}
it "a module that comes back after a replace gets the new patch" replaced_while_module_is_away

# The module leaves with a transition behind it, and the next replace follows.
module_leaves_after() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show
	load a2 set=1 funcs=klp_target:fn2,cmdline_proc_show
	gone a1
	remove klp_target
	unload a1
	load a1 set=1 funcs=version_proc_show
	gone a2
	load_target klp_target
	untouched klp_target:fn1 klp_target:fn2 cmdline_proc_show
	runs version_proc_show a1
}
it "a set can move on from a module that has left" module_leaves_after

finish
