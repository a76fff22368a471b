#!/bin/bash
# Rule 5: disable, reverse and force through stock's files, while a task sleeps
# in the old code. And rule 4: a transition in progress gives -EBUSY.
. "$(dirname "$0")/lib.sh"
need_core

# What set 2 looks like, with its function.
other_set() {
	picture b1 version_proc_show
}

# can_go CLIENT...: their modules are held by nobody
can_go() {
	disable "$@"
	unload "$@"
}

# One at a time.
second_patch_is_busy() {
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	in_transition a1
	refuse EBUSY b1 set=2 funcs=version_proc_show
	refuse EBUSY a2 set=1 funcs=cmdline_proc_show
	refuse EBUSY s1 funcs=uptime_proc_show
	in_transition a1
	unpark klp_target
	complete a1
	load b1 set=2 funcs=version_proc_show
	load s1 funcs=uptime_proc_show
}
it "a transition in progress gives EBUSY to every other patch" second_patch_is_busy

# The same for a stock patch's transition.
busy_with_a_stock_patch() {
	load_target klp_target
	park klp_target
	start s1 funcs=klp_target:park
	in_transition s1
	refuse EBUSY b1 set=2 funcs=version_proc_show
	unpark klp_target
	complete s1
	load b1 set=2 funcs=version_proc_show
}
it "a stock patch's transition gives EBUSY to a managed patch" busy_with_a_stock_patch

# During a replace, each task has the old patch or the new one.
each_task_has_its_version() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park,cmdline_proc_show,uptime_proc_show
	load b1 set=2 funcs=version_proc_show
	park a1
	start a2 set=1 funcs=cmdline_proc_show
	in_transition a2
	runs cmdline_proc_show a2
	runs uptime_proc_show original
	runs version_proc_show b1
	unpark a1
	complete a2
	gone a1
	untouched uptime_proc_show klp_target:park
}
it "a task that has moved on runs the new patch, or the original" each_task_has_its_version

# The operator changes his mind about version 2.
reverse_enabling() {
	local before
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,uptime_proc_show
	load b1 set=2 funcs=version_proc_show
	before=$(other_set; picture a1 cmdline_proc_show uptime_proc_show)
	park klp_target
	start a2 set=1 funcs=cmdline_proc_show,klp_target:park
	in_transition a2
	set_attribute a2 enabled 0
	gone a2
	unpark klp_target
	same "client_a1 or client_b1" "$before" \
		"$(other_set; picture a1 cmdline_proc_show uptime_proc_show)"
	runs cmdline_proc_show a1
	runs uptime_proc_show a1
	untouched klp_target:park
	in_set a1 1
	unload a2
	load a3 set=1 funcs=uptime_proc_show
	gone a1
	untouched cmdline_proc_show
	runs uptime_proc_show a3
	same client_b1 "$(other_set)" "$(head -n "$(other_set | wc -l)" <<< "$before")"
}
it "a reversed replace leaves the world as before" reverse_enabling

# One task sleeps in version 1, another one in the original that version 2 went
# back to. Going back to version 1 has to wait for that one.
reverse_waits_for_the_original() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:park
	park a1
	start a2 set=1 funcs=cmdline_proc_show
	park klp_target
	set_attribute a2 enabled 0
	wait_until "one task is left" alone_in_state 1
	in_transition a2
	unpark klp_target
	gone a2
	unpark a1
	in_set a1 1
	runs cmdline_proc_show a1
	runs klp_target:park a1
}
it "a reversal waits for tasks in the original code" reverse_waits_for_the_original

# The first patch of a set.
reverse_first() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a1 set=1 funcs=cmdline_proc_show,klp_target:park
	set_attribute a1 enabled 0
	gone a1
	free_set 1
	unpark klp_target
	untouched cmdline_proc_show klp_target:park
	enabled b1
	unload a1
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
}
it "reversing the first patch of a set frees the set" reverse_first

# And changes it again. Tasks in old and new code stop both directions.
reverse_twice() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,uptime_proc_show
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a2 set=1 funcs=cmdline_proc_show,klp_target:park hold=1
	park a2
	set_attribute a2 enabled 0
	in_transition a2
	set_attribute a2 enabled 1
	in_transition a2
	unpark klp_target a2
	complete a2
	gone a1
	enabled a2 b1
	in_set a2 1
	runs cmdline_proc_show a2
	untouched uptime_proc_show
	runs version_proc_show b1
	unload a1
}
it "a replace reversed twice completes" reverse_twice

# reverse_disable CLIENT PARAMETERS...: disabling the client is stopped by a task
# in its code, and reversed, with sets 2 and 3 enabled after it
reverse_disable() {
	local client=$1 before
	load_target klp_target
	load "$@" funcs=klp_target:park,cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load c1 set=3 funcs=uptime_proc_show
	before=$(other_set; picture c1 uptime_proc_show; picture "$client" cmdline_proc_show)
	park "$client"
	set_attribute "$client" enabled 0
	in_transition "$client"
	set_attribute "$client" enabled 1
	complete "$client"
	unpark "$client"
	enabled "$client"
	runs cmdline_proc_show "$client"
	runs version_proc_show b1
	runs uptime_proc_show c1
	same "a livepatch" "$before" \
		"$(other_set; picture c1 uptime_proc_show; picture "$client" cmdline_proc_show)"
}

# Stock would replace everything that stands before it now.
reversed_disable_wipes_nothing() {
	reverse_disable a1 set=1
	in_set a1 1
	in_set b1 2
	in_set c1 3
	can_go c1 b1 a1
}
it "a reversed disable does not wipe other sets" reversed_disable_wipes_nothing

# The same when the patch has replaced another before.
reversed_disable_after_replace() {
	load a1 set=1 funcs=meminfo_proc_show
	reverse_disable a2 set=1
	missing "$livepatch/client_a1" || fail "client_a1 is back"
	untouched meminfo_proc_show
	load b2 set=2 funcs=version_proc_show
	gone b1
	enabled a2 c1
}
it "a reversed disable after a replace does not wipe other sets" reversed_disable_after_replace

# A stock patch keeps its replace flag for ever.
reversed_disable_of_stock() {
	reverse_disable s1 replace=1
	in_set b1 2
	in_set c1 3
	can_go s1 c1 b1
}
it "a reversed disable of a stock replace patch does not wipe sets" reversed_disable_of_stock

# Disabled, reversed, and disabled for good.
disable_in_the_end() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park,cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	park a1
	set_attribute a1 enabled 0
	park klp_target
	set_attribute a1 enabled 1
	in_transition a1
	set_attribute a1 enabled 0
	in_transition a1
	unpark a1 klp_target
	gone a1
	free_set 1
	untouched cmdline_proc_show klp_target:park
	enabled b1
	runs version_proc_show b1
	can_go b1
	unload a1
}
it "a disable reversed twice completes" disable_in_the_end

# stall_replace CLIENT: a task in the client's code keeps a2 from replacing it
stall_replace() {
	load "$1" set=1 funcs=klp_target:park,cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	load s1 funcs=uptime_proc_show
	park "$1"
	start a2 set=1 funcs=cmdline_proc_show
	in_transition a2
}

# A task never leaves the old code: the operator forces the transition.
force_marks_replaced_only() {
	load_target klp_target
	stall_replace f1
	set_attribute a2 force 1
	complete a2
	pinned f1
	runs cmdline_proc_show a2
	runs version_proc_show b1
	unpark f1
	can_go b1 s1 a2
	untouched cmdline_proc_show version_proc_show uptime_proc_show klp_target:park
}
it "force marks the replaced patch only" force_marks_replaced_only

# An impatient operator.
force_twice() {
	load_target klp_target
	stall_replace f2
	for _ in 1 2 3; do
		echo 1 > "$livepatch/client_a2/force"
	done 2> /dev/null
	complete a2
	pinned f2
	unpark f2
	can_go s1 a2 b1
}
it "force written again marks the replaced patch only" force_twice

# Nothing is replaced, the patch itself goes.
force_a_disable() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	load f3 set=1 funcs=klp_target:park
	load s1 funcs=uptime_proc_show
	park f3
	set_attribute f3 enabled 0
	in_transition f3
	set_attribute f3 force 1
	pinned f3
	free_set 1
	unpark f3
	load a1 set=1 funcs=klp_target:park
	in_set a1 1
	can_go b1 s1 a1
}
it "a forced disable marks the disabled patch only" force_a_disable

# A task sleeps in the code of the new patch, which was reversed.
force_a_reversed_replace() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start f4 set=1 funcs=cmdline_proc_show,klp_target:park hold=1
	park f4
	set_attribute f4 enabled 0
	in_transition f4
	set_attribute f4 force 1
	pinned f4
	unpark f4 klp_target
	enabled a1
	in_set a1 1
	runs cmdline_proc_show a1
	runs version_proc_show b1
	can_go a1 b1
}
it "force of a reversed replace marks the new patch only" force_a_reversed_replace

# Force is for one transition: the next one is not forced.
force_is_forgotten() {
	load_target klp_target
	stall_replace f5
	set_attribute a2 force 1
	complete a2
	pinned f5
	unpark f5
	load a3 set=1 funcs=cmdline_proc_show,meminfo_proc_show
	gone a2
	unload a2
	can_go a3 b1 s1
}
it "a patch that replaces after a forced transition is not marked" force_is_forgotten

# The operator forces version 2, then wants version 1 back, then version 2 again. A task
# in version 1's code was forced. By way of version 2's, it still is in there at the end.
force_and_reverse_twice() {
	load_target klp_target klp_target2
	load f8 set=1 funcs=klp_target:park,cmdline_proc_show visit=1
	load b1 set=2 funcs=version_proc_show
	load s1 funcs=uptime_proc_show
	park f8
	start a2 set=1 funcs=cmdline_proc_show,klp_target2:park hold=1
	in_transition a2
	echo 1 > "$livepatch/client_a2/force"
	wait_until "the forced task is in the new code, too" holds \
		/sys/module/client_a2/parameters/parked 1
	echo 0 > "$livepatch/client_a2/enabled"
	wait_until "one task is left" alone_in_state 1
	in_transition a2
	set_attribute a2 enabled 1
	complete a2
	pinned f8
	unpark a2 f8
	can_go s1 b1 a2
}
it "a patch that was forced away stays so when that is reversed twice" force_and_reverse_twice

# A stock patch is disabled by force beside managed ones.
force_a_stock_disable() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show
	load f6 funcs=klp_target:park
	load b1 set=2 funcs=version_proc_show
	park f6
	set_attribute f6 enabled 0
	in_transition f6
	set_attribute f6 force 1
	pinned f6
	unpark f6
	can_go a1 b1
}
it "a forced disable of a stock patch marks no managed patch" force_a_stock_disable

finish
