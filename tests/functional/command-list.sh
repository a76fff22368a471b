#!/bin/bash
# klp-sets list: every livepatch on the machine, whatever it is.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
. "$(dirname "$0")/command-lib.sh"

# lists LINE...: this is what it prints
lists() {
	does 0 list
	listed "$@"
}

# listed LINE...: this is what it printed, with one blank between the columns. Modules
# that tests of force have left for ever are in every list.
listed() {
	said=$(tr -s ' ' <<< "$said" | grep -vE "^- client_p?f[0-9]+ .* leftover held, 1 reference$")
	grep -q ' client_' <<< "$said" ||
		said=${said/"$head"/No livepatch is loaded.}
	printed "$@"
}

# lists_json TEXT: blanks make no difference
lists_json() {
	json_is list list
	same "klp-sets list --json" "$(tr -d ' \t\n' <<< "$1")" \
		"$(klp-sets list --json | tr -d ' \n' |
			sed -E 's/\{"name":"client_p?f[0-9]+",[^}]*"references":1\},?//g; s/,\]/]/')"
}

head="SET PATCH VERSION FUNCTIONS STATES KIND STATUS"

# With the core and without.
nothing_there() {
	lists "No livepatch is loaded." \
		"klp_sets is not loaded, so there are no sets; 'modprobe klp_sets' loads it."
	lists_json '{"version": 1, "core": false, "patches": [], "leftovers": [], "assignments": []}'
	load s1 funcs=uptime_proc_show
	lists "$head" "- client_s1 1.2 1 ? stock enabled" \
		"klp_sets is not loaded, so there are no sets; 'modprobe klp_sets' loads it."
	disable s1
	unload s1
	load_core
	lists "No livepatch is loaded."
}
it "an empty machine, and one without the core" nothing_there

need_core

# What a reader sees, and no program.
on_a_terminal() {
	local bold=$'\e[1mPATCH'
	load a1 set=1 funcs=cmdline_proc_show
	said=$(TERM=linux script -qec "klp-sets list" /dev/null < /dev/null)
	[[ $said == *"$bold"* ]] || fail "the headings are as the rest: $said"
	for command in "TERM=linux klp-sets list" "TERM=dumb script -qec 'klp-sets list' /dev/null" \
		"TERM=linux NO_COLOR=1 script -qec 'klp-sets list' /dev/null" \
		"TERM=linux script -qec 'klp-sets list --no-headings' /dev/null"; do
		said=$(eval "$command" < /dev/null)
		[[ $said == *client_a1* ]] || fail "$command lists $said"
		[[ $said != *$'\e'* ]] || fail "$command has colours: $said"
	done
}
it "headings are bold on a terminal" on_a_terminal

# By what the kernel shows of each: sets first, in their order.
everything() {
	load s1 funcs=uptime_proc_show
	load s2 funcs=meminfo_proc_show
	load a1 set=10 funcs=cmdline_proc_show,klp_target:fn1,klp_target:twin/2
	load b1 set=9 funcs=version_proc_show obsoletes=8,4294967295
	assign "client_s2 4000000000"
	assign "client_s3 7 5 6"
	assign "client_s4 0"
	lists "$head" \
		"9 client_b1 1.2 1 0 native enabled, obsoletes 8 4294967295" \
		"10 client_a1 1.2 3 0 native enabled" \
		"4000000000 client_s2 1.2 1 0 adopted enabled" \
		"- client_s1 1.2 1 ? stock enabled" \
		"client_s3 joins set 7 when it is loaded, obsoletes 5 6" \
		"client_s4 joins set 0 when it is loaded"
}
it "native, adopted and stock livepatches, and what is assigned" everything

# The p clients hold no symbol of the core, like one that was adopted.
functions_and_states() {
	local table details
	load p1 set=2 funcs=version_proc_show,klp_target:fn1 states=5:lock,7::block,6:cache:shadow
	load a1 set=10 funcs=cmdline_proc_show,klp_target:twin/2
	load s1 funcs=uptime_proc_show
	does 0 list -v
	table=$(grep -v '^ ' <<< "$said")
	details=$(sed -n 's/^  *//p' <<< "$said")
	# The blocked one goes with one that replaces it.
	load p2 set=2 funcs=version_proc_show states=7
	said=$table
	listed "$head" \
		"2 client_p1 - 2 3 adopted enabled" \
		"10 client_a1 1.2 2 0 native enabled" \
		"- client_s1 1.2 1 ? stock enabled"
	said=$details
	printed "function 'version_proc_show'" "function 'fn1' of klp_target" \
		"state 5 'lock'" "state 7, cannot be disabled" "state 6 'cache'" \
		"function 'cmdline_proc_show'" "function 'twin,2' of klp_target" \
		"function 'uptime_proc_show'" "states cannot be seen"
}
it "functions and states of each livepatch" functions_and_states

# A task keeps version 2 from taking over, and goes in the end.
replaced() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	start a2 set=1 funcs=klp_target:park
	lists "$head" "1 client_a1 1.2 1 0 native enabled" \
		"1 client_a2 1.2 1 ? native patching"
	set_attribute a2 enabled 0
	wait_until "the reversal is complete" missing "$livepatch/client_a2"
	set_attribute a1 enabled 0
	in_transition a1
	lists "$head" "1 client_a1 1.2 1 0 native unpatching" \
		"- client_a2 1.2 - - leftover unused"
	unpark a1
	gone a1
	wait_until "nobody uses client_a1" holds /sys/module/client_a1/refcnt 0
	lists "$head" "- client_a1 1.2 - - leftover unused" \
		"- client_a2 1.2 - - leftover unused"
	unload a1 a2
	lists "No livepatch is loaded."
}
it "transitions, and modules that are left over" replaced

# For ever: nothing in sysfs says that it was by force.
held() {
	load_target klp_target
	load f13 set=1 funcs=klp_target:park
	park f13
	set_attribute f13 enabled 0
	set_attribute f13 force 1
	pinned f13
	unpark f13
	klp-sets list | grep -q '^-  *client_f13 .* leftover  *held, 1 reference$' ||
		fail "client_f13 is not shown as held: $(klp-sets list)"
}

for_programs() {
	load a1 set=4294967295 funcs=klp_target:twin/2 obsoletes=8
	load s1 funcs=uptime_proc_show
	assign "client_s3 7 5 6"
	lists_json '{
		"version": 1, "core": true,
		"patches": [ {
			"name": "client_a1", "version": "1.2", "kind": "native",
			"set": 4294967295, "set_name": null, "obsoletes": [8],
			"status": "enabled", "enabled": true, "transition": false,
			"functions": [{"object": "klp_target", "name": "twin", "sympos": 2}],
			"states": []
		}, {
			"name": "client_s1", "version": "1.2", "kind": "stock",
			"set": null, "set_name": null, "obsoletes": [],
			"status": "enabled", "enabled": true, "transition": false,
			"functions": [{"object": "vmlinux", "name": "uptime_proc_show", "sympos": 1}],
			"states": null
		} ],
		"leftovers": [],
		"assignments": [{"name": "client_s3", "set": 7, "set_name": null, "obsoletes": [5, 6]}]
	}'
	drop_assignments
	disable s1
	lists_json '{
		"version": 1, "core": true,
		"patches": [ {
			"name": "client_a1", "version": "1.2", "kind": "native",
			"set": 4294967295, "set_name": null, "obsoletes": [8],
			"status": "enabled", "enabled": true, "transition": false,
			"functions": [{"object": "klp_target", "name": "twin", "sympos": 2}],
			"states": []
		} ],
		"leftovers": [{"name": "client_s1", "version": "1.2", "references": 0}],
		"assignments": []
	}'
}
it "the same as JSON" for_programs

# Who is not root sees all but the assignments.
nobody() {
	load a1 set=1 funcs=cmdline_proc_show
	assign "client_s3 7"
	same "klp-sets list of nobody" \
		"$(klp-sets list | grep -v client_s3)" \
		"$(setpriv --reuid=65534 --regid=65534 --clear-groups klp-sets list)"
}
it "a user who is not root sees the livepatches" nobody

wrong_usage() {
	local arguments status
	for arguments in "list --now" "list 7" "list -x"; do
		# shellcheck disable=SC2086 # words
		klp-sets $arguments > /dev/null 2>&1
		status=$?
		[[ $status -eq 2 ]] || fail "klp-sets $arguments: exit status $status"
	done
}
it "wrong usage is told" wrong_usage

# A kernel without livepatching has no such folder.
without_livepatching() {
	local said
	said=$(unshare --mount sh -c \
		"mount -t tmpfs none /sys/kernel && klp-sets list" 2>&1) &&
		fail "klp-sets list succeeds: $said"
	[[ $said == "klp-sets: this kernel has no livepatching"* ]] || fail "it says: $said"
}
it "a kernel without livepatching is told" without_livepatching

# Last, since it stays.
it "a module that is held after force" held

finish
