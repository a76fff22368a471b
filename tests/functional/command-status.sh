#!/bin/bash
# klp-sets status: who holds up a transition, and whether livepatches are in effect.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"

# After each test, before anything else.
eval "clean_up_the_rest() $(declare -f clean_up | tail -n +2)"
clean_up() {
	echo nop > "$tracing/current_tracer"
	echo > "$tracing/set_ftrace_filter"
	clean_up_the_rest
}

# not_told WORD: none of the lines has it
not_told() {
	[[ $said != *"$1"* ]] || fail "expected not to be told ($1). It says:
$said"
}

calm="No transition is in progress."

nothing_there() {
	does 0 status
	printed "$calm" "No livepatch is enabled."
	load_core
	does 0 status -v
	printed "$calm" "No livepatch is enabled."
	json_is status status
	does 0 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"well":true,"condition":"well","transition":null,'*'"stored":[],"other_kernels":[],"lost":[],"functions":[]}' ]] ||
		fail "it says: $said"
}
it "an empty machine is well, with the core and without" nothing_there

# After an upgrade of the package, until the next boot.
other_version() {
	local loaded
	load_core
	mkdir -p "$updates"
	cp next/klp-sets.ko "$updates"
	depmod
	loaded=$(< /sys/module/klp_sets/version)
	does 0 status
	printed "$calm" "No livepatch is enabled." \
		"Version $loaded of the module klp_sets is loaded, and version 99.0 installed, for the next boot."
	json_is status status
	does 0 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"core":{"version":"'"$loaded"'","installed":"99.0","other_build":true,"untested":false,"dead":false,"anomalies":0}'* ]] ||
		fail "it says: $said"
	cp klp-sets.ko "$updates"
	depmod
	does 0 status
	printed "$calm" "No livepatch is enabled."
	leave
}
it "status tells when the module that is installed is not the one that is loaded" other_version

untested_kernel() {
	insmod next/klp-sets.ko untested=1
	load a1 set=1 funcs=cmdline_proc_show
	does 0 status
	printed "$calm" "'client_a1' of set 1: 1 of 1 functions in effect" \
		"The module klp_sets was loaded with untested=1: this kernel is newer than those that it was tested on."
	json_is status status
	does 0 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"untested":true,"dead":false,"anomalies":0}'* ]] || fail "it says: $said"
}
it "and when it was loaded on a kernel that nobody has tested it on" untested_kernel

need_core

# In the kernel, in a module that is loaded, and in one that is not.
every_place() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1,klp_target2:park
	load b1 set=2 funcs=klp_target2:fn1
	load s1 funcs=uptime_proc_show
	does 0 status
	printed "$calm" \
		"'client_a1' of set 1: 2 of 3 functions in effect, 1 waiting for module" \
		"'client_b1' of set 2: 0 of 1 functions in effect, 1 waiting for module" \
		"stock patch 'client_s1': 1 of 1 functions in effect"
	load_target klp_target2
	does 0 status -v
	printed "$calm" \
		"'client_a1' of set 1: 3 of 3 functions in effect" \
		"  'cmdline_proc_show': in effect" \
		"  'fn1' of klp_target: in effect" \
		"  'park' of klp_target2: in effect" \
		"'client_b1' of set 2: 1 of 1 functions in effect" \
		"  'fn1' of klp_target2: in effect" \
		"stock patch 'client_s1': 1 of 1 functions in effect" \
		"  'uptime_proc_show': in effect"
}
it "each function is in effect, or waits for its module" every_place

# ftrace has one name for an address, and no positions.
hard_names() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn4_alias,klp_target:twin/2
	load b1 set=2 funcs=klp_target:twin/1
	runs klp_target:fn4 a1
	runs klp_target:twin2 a1
	does 0 status
	printed "$calm" \
		"'client_a1' of set 1: 2 of 2 functions in effect" \
		"'client_b1' of set 2: 1 of 1 functions in effect"
}
it "functions with two names, and names with two functions" hard_names

# The last one that was loaded is in effect. Old kernels do not tell which it is.
on_each_other() {
	load s1 funcs=cmdline_proc_show,uptime_proc_show
	load s2 funcs=cmdline_proc_show
	does 0 status
	if [[ -e $livepatch/client_s1/stack_order ]]; then
		told "stock patch 'client_s1': 1 of 2 functions in effect, 1 superseded"
		told "  'cmdline_proc_show': superseded, 'client_s2' was loaded later"
		told "stock patch 'client_s2': 1 of 1 functions in effect"
		not_told "also there"
	else
		told "  'cmdline_proc_show': in effect; also there: 'client_s2', if loaded later"
		told "  'cmdline_proc_show': in effect; also there: 'client_s1', if loaded later"
	fi
	disable s2 s1
}
it "stock livepatches that lie on each other" on_each_other

# The first instruction of the original behind its entry that takes a kprobe.
probe_inside() {
	local offset
	for offset in {8..40}; do
		echo "p:klp_test/inside $1+$offset" >> "$tracing/kprobe_events" && return
	done 2> /dev/null
	fail "no kprobe can be placed inside $1"
}

others() {
	needs_kprobe_events
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show,uptime_proc_show
	echo "p:klp_test/entry cmdline_proc_show" >> "$tracing/kprobe_events"
	echo "r:klp_test/return version_proc_show" >> "$tracing/kprobe_events"
	probe_inside uptime_proc_show
	does 0 status
	not_told "also there"
	echo 1 > "$tracing/events/klp_test/enable"
	does 0 status
	told "'cmdline_proc_show': in effect; also there: kprobe"
	told "'version_proc_show': in effect; also there: kretprobe"
	told "'uptime_proc_show': in effect; also there: kprobe at +0x" "does not run"
	not_told tracer
	printf '%s\n' cmdline_proc_show uptime_proc_show > "$tracing/set_ftrace_filter"
	echo function > "$tracing/current_tracer"
	json_is status status
	does 0 status --json
	said=$(tr -d '\n' <<< "$said" | tr -s ' ')
	told '"name":"cmdline_proc_show"' '"also":[ "kprobe", "1 tracer" ]'
	told '"also":[ "kretprobe" ]'
	runs cmdline_proc_show a1
	runs uptime_proc_show a1
}
it "others on the functions are named" others

json_has_the_kprobe() {
	does 0 status --json
	said=$(tr -d ' \n' <<< "$said")
	told '{"module":"client_a1","function":"new_cmdline_proc_show","who":"kprobe"}'
}

# What is left of a1 when a2 replaces it, and who is still there.
the_old_code_stays() {
	load a2 set=1 funcs=cmdline_proc_show
	does 0 status
	told "The module 'client_a1' is left of a livepatch, and somebody is on its code"
	told "  'new_cmdline_proc_show', its own code: kprobe"
}

# Somebody who looks at what really runs.
on_the_new_code() {
	needs_kprobe_events
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show,uptime_proc_show
	echo "p:klp_test/new client_a1:new_cmdline_proc_show" >> "$tracing/kprobe_events"
	echo "r:klp_test/new_return client_a1:new_version_proc_show" >> "$tracing/kprobe_events"
	echo 1 > "$tracing/events/klp_test/enable"
	does 0 status
	told "  'new_cmdline_proc_show', its own code: kprobe"
	told "  'new_version_proc_show', its own code: kretprobe"
	not_told tracer
	echo new_uptime_proc_show > "$tracing/set_ftrace_filter"
	echo function > "$tracing/current_tracer"
	does 0 status
	told "  'new_uptime_proc_show', its own code: 1 tracer"
	json_has_the_kprobe
	the_old_code_stays
	does 0 status --json
	said=$(tr -d ' \n' <<< "$said")
	told '{"module":"client_a1","function":"new_uptime_proc_show","who":"1tracer"}'
	not_told '"module":"client_a2"'
}
it "others on the livepatch's own code are named" on_the_new_code

# As a tracing tool places it: kprobe_events has nothing of it.
nobody_is_on_it() {
	does 0 status
	[[ $said != *"its own code"* ]]
}

bpf_program() {
	local answer
	load a1 set=1 funcs=cmdline_proc_show
	coproc perl /klp-sets/tests/functional/bpf-kprobe client_a1:new_cmdline_proc_show 2>&1
	read -r -t "$patience" -u "${COPROC[0]}" answer
	[[ $answer != "this kernel has no"* ]] || skip "$answer"
	[[ $answer == attached ]] || fail "the program is not attached: $answer"
	does 0 status
	told "  'new_cmdline_proc_show', its own code: kprobe"
	json_has_the_kprobe
	the_old_code_stays
	kill "$COPROC_PID"
	wait_until "the program is gone" nobody_is_on_it
}
it "so is a BPF program on it" bpf_program

# What the kernel's list looks like when a handler is gone, or is somebody else's.
gone_behind_our_back() {
	local list=$tracing/enabled_functions
	local only_one="livepatch redirects only 1 of the functions of this name"
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,uptime_proc_show,version_proc_show
	load b1 set=2 funcs=klp_target:twin/1,klp_target:fn1
	load c1 set=3 funcs=klp_target:twin/2
	sed -e '/^uptime_proc_show /d' -e '/^version_proc_show /s/klp_ftrace_handler/other/g' \
		-e '0,/^twin /{/^twin /d}' "$list" > "$scratch/list"
	said=$(unshare --mount sh -c "mount --bind $scratch/list $list && klp-sets status") &&
		fail "it is content: $said"
	printed "$calm" \
		"'client_a1' of set 1: 1 of 3 functions in effect, 2 not in effect" \
		"  'uptime_proc_show': not in effect, nothing is called when it is entered" \
		"  'version_proc_show': not in effect, somebody else redirects it" \
		"'client_b1' of set 2: 1 of 2 functions in effect, 1 unknown" \
		"  'twin' of klp_target: unknown, $only_one" \
		"'client_c1' of set 3: 0 of 1 functions in effect, 1 unknown" \
		"  'twin,2' of klp_target: unknown, $only_one"
	does 0 status
}
it "a function that is not redirected is not in effect" gone_behind_our_back

not_known() {
	needs_file /sys/kernel/debug/tracing CONFIG_DEBUG_FS
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
	json_is status status
	said=$(setpriv --reuid=65534 --regid=65534 --clear-groups klp-sets status 2>&1)
	[[ $? == 4 ]] || fail "it ends as if it knew: $said"
	told "What is in effect is not known: only root may read"
	told "'client_a1' of set 1: 0 of 2 functions in effect, 1 waiting for module, 1 unknown"
	said=$(unshare --mount sh -c "umount $tracing && klp-sets status" 2>&1) ||
		fail "it does not look below debugfs: $said"
	said=$(unshare --mount sh -c \
		"umount $tracing && umount -l /sys/kernel/debug && klp-sets status" 2>&1) &&
		fail "it is content: $said"
	told "What is in effect is not known: tracefs is not mounted"
}
it "it says when it cannot know" not_known

# Where that is possible: no function of the livepatch is redirected yet.
switched_off() {
	load s1 funcs=klp_target:fn1
	does 0 status
	echo 0 2> /dev/null > /proc/sys/kernel/ftrace_enabled || skip "this kernel refuses it"
	does 1 status
	told "kernel.ftrace_enabled is 0"
	json_is status status
	does 1 status --json
	told '"ftrace_enabled":false'
}
it "ftrace is switched off" switched_off

# The process that counts is one of them.
tasks() {
	sed -n 's/.* of \([0-9]*\) tasks .*/\1/p' <<< "$said"
}

# It looks for the end of its sleep now and then.
asleep() {
	does 3 status
	[[ $said == *"task $parked_task (cat) sleeps"* ]]
}

# blocked FUNCTION MODULE STATE: one task is left in this state, and this is what it
# must leave
blocked() {
	wait_until "one task is left" alone_in_state "$3"
	wait_until "it sleeps" asleep
	told "; $(($(tasks) - 1)) of $(tasks) tasks are switched"
	told "task $parked_task (cat) sleeps" " in $1+0x" "[$2]"
	does 3 status -v
	told "     command: cat /proc/klp_target/park"
	told "     --> $1+0x" "[$2]"
	told "         seq_read_iter+0x"
	[[ $(grep -c -e '-->' <<< "$said") -eq 1 ]] || fail "it marks several: $said"
}

stuck() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a1 set=1 funcs=cmdline_proc_show,klp_target:park
	blocked park klp_target 0
	told "'client_a1' of set 1 is being enabled, for"
	told "'client_b1' of set 2: 1 of 1 functions in effect"
	not_told "'client_a1' of set 1: "
	unpark klp_target
	complete a1
	does 0 status

	park a1
	start a2 set=1 funcs=cmdline_proc_show
	blocked new_park client_a1 0
	told "'client_a2' of set 1 is being enabled, for"
	not_told "'client_a1' of set 1: "

	# Back, with a task in the original that a2 went back to.
	park klp_target
	set_attribute a2 enabled 0
	blocked park klp_target 1
	told "'client_a2' of set 1 is being disabled, for"
	unpark klp_target a1
	gone a2

	park a1
	set_attribute a1 enabled 0
	blocked new_park client_a1 1
	told "'client_a1' of set 1 is being disabled, for"
	unpark a1
	gone a1
	does 0 status
}
it "the task and the function that hold up a transition" stuck

# takes_seconds N: the task in park() has waited that long
takes_seconds() {
	local json
	json_is status status
	json=$(klp-sets status --json | tr -d ' \n')
	[[ $json =~ \"to\":\"enabled\",\"seconds\":([0-9]+), ]] || fail "no seconds: $json"
	[[ $json =~ \"command\":\"cat/proc/klp_target/park\",.*\"seconds\":([0-9]+),\"blocked_in\":\"park\+0x ]] ||
		fail "no task: $json"
	REPLY=${BASH_REMATCH[1]}
	((REPLY >= $1))
}

# Since it was started, not since an earlier one was. Two clocks may differ by one.
since_when() {
	local began
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	wait_until "it has gone on for three seconds" takes_seconds 3
	set_attribute a1 enabled 0
	gone a1
	unload a1
	began=$SECONDS
	start a1 set=1 funcs=klp_target:park
	takes_seconds 0
	((REPLY <= SECONDS - began + 1)) ||
		fail "after $((SECONDS - began)) s it has gone on for $REPLY s"
	unpark klp_target
	complete a1
}
it "how long it has been going on" since_when

# waits SECONDS OPTION...: disabling a1 is waited for in vain, on a terminal
waits() {
	local seconds=$1
	shift
	said=$(script -qec "klp-sets $* unload --wait=$seconds client_a1" /dev/null < /dev/null) &&
		fail "the task in park() was not waited for: $said"
	told "'client_a1' is not complete" "; 1 of"
	told "cat, task $parked_task: in new_park+0x"
}

progress() {
	local line=$'\rclient_a1: unpatching, ([0-9]+) of ([0-9]+) tasks done'
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:park
	park a1
	waits 2
	[[ $said =~ $line ]] || fail "no progress: $said"
	((BASH_REMATCH[1] < BASH_REMATCH[2])) || fail "all tasks are done: $said"
	does 0 reverse --wait=60 client_a1
	waits 2 --quiet
	not_told "tasks done"
	unpark a1
}
it "a progress line on a terminal, while somebody waits" progress

wrong_usage() {
	does 2 status 7
	does 2 status -x
}
it "wrong usage ends with 2" wrong_usage

finish
