#!/bin/bash
# Livepatches that know nothing of sets become members of one: before they load,
# or while they are enabled.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
need_core

# --- before it loads ---------------------------------------------------------

# kpatch-build's module, the way of the command line tool.
before_it_loads() {
	assign "client_s1 5"
	pending "client_s1 5"
	hooks_in_place || fail "no hook is in place"
	core_references 0
	load s1 funcs=cmdline_proc_show
	in_set s1 5
	pending ""
	core_references 1
	runs cmdline_proc_show s1
	load a1 set=5 funcs=version_proc_show
	gone s1
	in_set a1 5
	untouched cmdline_proc_show
	assign "client_s1 5"
	unload s1
	load s1 replace=1 funcs=cmdline_proc_show
	gone a1
	in_set s1 5
	untouched version_proc_show
}
it "an assigned livepatch joins its set when it loads" before_it_loads

# Two vendors, neither of whom has heard of sets, and one says "replace all".
keeps_other_sets() {
	local before
	load b1 set=2 funcs=version_proc_show
	load s4 funcs=loadavg_proc_show
	before=$(picture b1 version_proc_show; picture s4 loadavg_proc_show)
	assign "client_s1 5"
	assign "client_s2 5"
	load s1 replace=1 funcs=cmdline_proc_show
	load s2 replace=1 funcs=uptime_proc_show
	gone s1
	in_set s2 5
	pending ""
	untouched cmdline_proc_show
	same "another livepatch" "$before" \
		"$(picture b1 version_proc_show; picture s4 loadavg_proc_show)"
	refuse EINVAL s3 funcs=uptime_proc_show
	logged "stock patch 'client_s3'" "'uptime_proc_show'" "'client_s2'" "set 5"
}
it "an assigned livepatch replaces its set alone, whatever its replace flag" keeps_other_sets

with_obsoletes() {
	load b1 set=2 funcs=version_proc_show
	load c1 set=3 funcs=uptime_proc_show
	load d1 set=4 funcs=loadavg_proc_show
	assign "client_s1 5 3 2"
	pending "client_s1 5 3 2"
	load s1 funcs=cmdline_proc_show,uptime_proc_show
	gone b1 c1
	in_set s1 5
	holds "$livepatch/client_s1/obsoletes" "3 2" || fail "obsoletes: $REPLY"
	free_set 2 3
	in_set d1 4
	untouched version_proc_show
	runs uptime_proc_show s1
}
it "an assignment may name sets that the livepatch obsoletes" with_obsoletes

# Its own word counts, and the operator's waits on.
native_client() {
	assign "client_a1 9"
	load a1 set=5 funcs=cmdline_proc_show
	in_set a1 5
	free_set 9
	pending "client_a1 9"
	assign "client_a1 -"
	pending ""
}
it "the set that a client asks for itself wins over an assignment" native_client

# Vendors put the version into the name, so that a name comes only once.
patterns() {
	assign "client_* 8 9"
	assign "client-s* 5"
	assign "client_s2 6"
	assign "client_s3* 7"
	load s1 funcs=cmdline_proc_show
	in_set s1 5
	load s2 funcs=version_proc_show
	in_set s2 6
	load s3 funcs=loadavg_proc_show
	in_set s3 7
	load s4 funcs=uptime_proc_show
	gone s1
	in_set s4 5
	pending "client_* 8 9
client_s* 5
client_s3* 7"
	assign "client_s* 10"
	assign "client_s3* -"
	refuse_assign ENOENT "client_s3* -"
	refuse_assign ENOENT "client_s3 -"
	disable s3
	unload s3
	load s3 funcs=loadavg_proc_show
	in_set s3 10
	assign "client_s* -"
	pending "client_* 8 9"
	load s5 funcs=meminfo_proc_show
	in_set s5 8
	same "what it obsoletes" 9 "$(< $livepatch/client_s5/obsoletes)"
	refuse EINVAL s6 funcs=version_proc_show
	logged "'client_s6' of set 8" "'version_proc_show'" "'client_s2' of set 6"
	# What asks for a set itself, or is enabled, is none of it.
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
	assign "client_* -"
	pending ""
	disable a1 s2 s3 s4 s5
	hooks_are_gone
	unload s1
	load s1 funcs=cmdline_proc_show
	assign "client_* 5"
	in_no_set s1
	pending "client_* 5"
}
it "a pattern waits for all of its modules, and the longest one wins" patterns

wrong_patterns() {
	local name
	for name in "*client" "cl*ent" "client_**" "client_?" "client_[ab]*" "**" "?" "*"; do
		refuse_assign EINVAL "$name 5"
		logged "'$name' is not assigned" "a pattern is the start of a name and one *"
	done
	pending ""
}
it "a pattern of another kind is refused, as nobody would come" wrong_patterns

# --- while it is enabled -----------------------------------------------------

at_once() {
	local before
	load s1 funcs=cmdline_proc_show
	load s2 funcs=version_proc_show
	before=$(picture s2 version_proc_show)
	mark
	assign "client-s1 5"
	in_set s1 5
	pending ""
	core_references 1
	hooks_in_place || fail "no hook is in place"
	same "what livepatch logs" "" "$(kernel_log | grep '^livepatch')"
	same "client_s2" "$before" "$(picture s2 version_proc_show)"
	refuse_assign EEXIST "client_s1 5"
	logged "'client_s1'" "set 5"
	refuse_assign EEXIST "client_s1 6"
	refuse_assign ENOENT "client_s1 -"
	load a1 set=5 funcs=uptime_proc_show
	gone s1
	untouched cmdline_proc_show
	enabled s2
	core_references 2	# the set's patch, and the module that calls the core
}
it "an enabled livepatch joins at once, without a transition" at_once

at_once_with_replace_flag() {
	load s1 replace=1 funcs=cmdline_proc_show
	assign "client_s1 5 6 7"
	in_set s1 5
	holds "$livepatch/client_s1/obsoletes" "6 7" || fail "obsoletes: $REPLY"
	load b1 set=6 funcs=version_proc_show
	load_target klp_target
	load s2 funcs=klp_target:fn1
	enabled s1 b1 s2
	disable s1
	free_set 5
	enabled b1 s2
	runs version_proc_show b1
}
it "an enabled livepatch with the replace flag joins its set and no more" at_once_with_replace_flag

before_the_core() {
	unload_core
	load_target klp_target
	load s1 funcs=klp_target:fn1,cmdline_proc_show
	load s2 replace=1 funcs=klp_target:fn2,version_proc_show
	gone s1
	unload s1
	load s1 funcs=klp_target:fn1,cmdline_proc_show
	load_core
	core_references 0
	assign "client_s1 5"
	assign "client_s2 6"
	core_references 2
	in_set s1 5
	in_set s2 6
	load s3 set=6 funcs=version_proc_show
	gone s2
	in_set s3 6
	in_set s1 5
	untouched klp_target:fn2
	runs klp_target:fn1 s1
	remove klp_target
	load_target klp_target
	runs klp_target:fn1 s1
	disable s1
	disable s3
	untouched klp_target:fn1
	core_references 0
}
it "livepatches that are older than the core join" before_the_core

# refuse_adoption WORD...: s1 cannot join set 5 [6], the log has the words
refuse_adoption() {
	refuse_assign EINVAL "client_s1 5 6"
	logged "'client_s1'" "set 5" "$@"
	in_no_set s1
	pending ""
}

breaks_a_rule() {
	load_target klp_target
	load s1 funcs=cmdline_proc_show,klp_target:fn4 states=5 versions=1
	load s5 set=5 funcs=version_proc_show
	refuse_adoption "replace" "'client_s5'"
	disable s5
	load s6 set=6 funcs=version_proc_show
	refuse_adoption "replace" "'client_s6'" "set 6"
	disable s6
	hooks_are_gone
	load s2 funcs=cmdline_proc_show
	refuse_adoption "'cmdline_proc_show'" "stock patch 'client_s2'"
	disable s2
	load s3 funcs=version_proc_show states=5 versions=1
	refuse_adoption "state 5" "stock patch 'client_s3'"
	disable s3
	load s4 funcs=klp_target:fn4_alias
	refuse_adoption "'fn4_alias'" "'fn4'" "stock patch 'client_s4'"
	disable s4
	hooks_are_gone
	core_references 0
	assign "client_s1 5 6"
	in_set s1 5
}
it "an enabled livepatch that breaks a rule does not join" breaks_a_rule

in_a_transition() {
	load_target klp_target
	load s1 funcs=cmdline_proc_show
	park klp_target
	start s2 funcs=klp_target:park
	in_transition s2
	refuse_assign EBUSY "client_s1 5"
	refuse_assign EBUSY "client_s2 5"
	assign "client_s3 5"
	pending "client_s3 5"
	unpark klp_target
	complete s2
	assign "client_s1 6"
	assign "client_s2 7"
	in_set s1 6
	in_set s2 7
	assign "client_s3 -"
}
it "nothing joins in the middle of a transition, and assignments wait" in_a_transition

# --- the file ----------------------------------------------------------------

reads_back() {
	assign "client_s1 5"
	assign "client-s2 0 1 4294967295"
	assign "	other-module	4294967295 	"
	assign "kpatch_7.1+x 07"
	pending "client_s1 5
client_s2 0 1 4294967295
other_module 4294967295
kpatch_7.1+x 7"
	assign "client_s1 6 8"
	pending "client_s2 0 1 4294967295
other_module 4294967295
kpatch_7.1+x 7
client_s1 6 8"
	assign "client-s2 -"
	assign "other_module  - "
	refuse_assign ENOENT "other_module -"
	refuse_assign ENOENT "client_s3 -"
	refuse_assign ENOENT "client_s3 - "
	assign "kpatch_7.1+x -"
	pending "client_s1 6 8"
	load s1 funcs=cmdline_proc_show
	in_set s1 6
	pending ""
	disable s1
	hooks_are_gone
}
it "assignments are read back, replaced by later ones, and removed" reads_back

numbers() {
	local number before
	before=$(snapshot)
	for number in 4294967296 99999999999999999999 18446744073709551616; do
		fail_to_assign ERANGE "client_s1 $number"
		fail_to_assign ERANGE "client_s1 5 $number"
	done
	for number in -1 x 0x10 5x 1.0 +- "5,6" "5;6" "5 x" "5 -1" "5 -" "- 5" "- -" "--"; do
		fail_to_assign EINVAL "client_s1 $number"
	done
	unchanged "$before"
}
it "numbers that are none, or out of range, are refused" numbers

garbage() {
	local name before
	before=$(snapshot)
	for name in "" " " "	" "client_s1" "client_s1 " "../s1 5" "a/b 5" $'\001 5'; do
		fail_to_assign EINVAL "$name"
	done
	pending ""
	unchanged "$before"
}
it "garbage is refused" garbage

name_length() {
	local name
	printf -v name '%*s' 55 ""
	name=${name// /n}
	assign "$name 5"
	pending "$name 5"
	assign "$name -"
	refuse_assign ENAMETOOLONG "${name}n 5"
	refuse_assign ENAMETOOLONG "${name}n -"
	refuse_assign ENAMETOOLONG "$name$name$name$name$name 5"
}
it "a name that no module can have is refused" name_length

# obsoletes COUNT: in REPLY
count_up() {
	local i
	REPLY=
	for ((i = 1; i <= $1; i++)); do
		REPLY+=" $i"
	done
}

too_many() {
	local i
	count_up 256
	assign "client_s1 5$REPLY"
	pending "client_s1 5$REPLY"
	assign "client_s1 -"
	count_up 257
	refuse_assign E2BIG "client_s1 5$REPLY"
	# A page of them.
	for ((i = 0; i < 200; i++)); do
		echo "client_with_a_long_name_$i 4294967295" 2> /dev/null > "$assign_file" || break
	done
	((i > 40 && i < 150)) || fail "$i assignments fit into a page"
	refuse_assign ENOSPC "client_with_a_long_name_$i 4294967295"
	logged "'client_with_a_long_name_$i'"
	[[ $(wc -l < "$assign_file") -eq $i ]] || fail "not all of $i assignments are shown"
	# One that takes the place of another needs none of its own.
	assign "client_with_a_long_name_0 4294967295"
	while ((i-- > 0)); do
		assign "client_with_a_long_name_$i -"
	done
	pending ""
}
it "more than the file can show is refused" too_many

# What runs in the background does so while the file is there.
watch() {
	touch "$scratch/watch"
	trap 'rm -f "$scratch/watch"; wait' EXIT
}

# Two writers and a reader: no line is ever torn, and none is lost.
at_the_same_time() {
	local writer line reads=0
	second_cpu 1
	assign "middle 5"
	watch
	for writer in left right; do
		while [[ -e $scratch/watch ]]; do
			echo "$writer 111111111 222222222 333333333" > "$assign_file"
			echo "$writer -" > "$assign_file"
		done &
	done
	while ((reads < 40)); do
		while IFS= read -r line; do
			case $line in
			"left 111111111 222222222 333333333") ;;
			"right 111111111 222222222 333333333") ;;
			"middle 5") ;;
			*) touch "$scratch/torn"; echo "# torn: '$line'" ;;
			esac
		done < <(cat "$assign_file")	# in one read
		reads=$((reads + 1))
	done
	rm "$scratch/watch"
	wait
	[[ ! -e $scratch/torn ]] || fail "a line was torn"
	pending "middle 5"
	assign "middle -"
	hooks_are_gone
}
it "writers and readers at once see whole lines" at_the_same_time

as_nobody() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2> /dev/null
}

root_alone() {
	assign "client_s1 5"
	[[ $(stat -c '%a %u' "$assign_file") == "600 0" ]] || fail "mode $(stat -c '%a %u' "$assign_file")"
	as_nobody true || fail "setpriv does not work"
	as_nobody cat "$assign_file" && fail "somebody could read it"
	as_nobody sh -c "echo 'client_s1 -' > $assign_file" && fail "somebody could write it"
	pending "client_s1 5"
	assign "client_s1 -"
}
it "assignments belong to root alone" root_alone

# --- a load that fails -------------------------------------------------------

kept_after_failure() {
	load b1 set=2 funcs=version_proc_show
	assign "client_s1 5"
	# By its own callback, when the core has done its part.
	refuse ENODEV s1 funcs=cmdline_proc_show callbacks=1 pre_patch_ret=-19
	pending "client_s1 5"
	core_references 2
	untouched cmdline_proc_show
	free_set 5
	# By a rule.
	refuse EINVAL s1 funcs=version_proc_show
	logged "'client_s1'" "set 5" "'version_proc_show'" "'client_b1'" "set 2"
	pending "client_s1 5"
	# By livepatch: there is no such function.
	refuse EINVAL s1 funcs=no_such_function
	pending "client_s1 5"
	# Somebody else has the function.
	take uptime_proc_show
	refuse EBUSY s1 funcs=cmdline_proc_show,uptime_proc_show
	pending "client_s1 5"
	untouched cmdline_proc_show
	remove klp_taker
	# In the end it loads.
	load s1 funcs=cmdline_proc_show
	in_set s1 5
	pending ""
	core_references 3
}
it "an assignment is kept when the load is refused or fails" kept_after_failure

kept_after_busy() {
	load_target klp_target
	assign "client_s1 5"
	park klp_target
	start s2 funcs=klp_target:park
	refuse EBUSY s1 funcs=cmdline_proc_show
	pending "client_s1 5"
	unpark klp_target
	complete s2
	load s1 funcs=cmdline_proc_show
	in_set s1 5
	pending ""
}
it "an assignment is kept when another transition is in progress" kept_after_busy

# --- how it ends -------------------------------------------------------------

disabled() {
	assign "client_s1 5"
	load s1 funcs=cmdline_proc_show
	load s2 funcs=version_proc_show
	assign "client_s2 6"
	core_references 2
	disable s1
	core_references 1
	untouched cmdline_proc_show
	free_set 5
	disable s2
	core_references 0
	unload s1 s2
	hooks_are_gone
	# It was for that one time.
	load s1 funcs=cmdline_proc_show
	in_no_set s1
}
it "a disabled adopted livepatch frees its set and the core" disabled

reversed() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	assign "client_s1 5"
	park klp_target
	start s1 funcs=klp_target:park,cmdline_proc_show
	in_transition s1
	set_attribute s1 enabled 0
	gone s1
	unpark klp_target
	free_set 5
	core_references 2
	untouched cmdline_proc_show klp_target:park
	unload s1
	# Disabling is reversed, and other sets stay.
	assign "client_s1 5"
	load s1 replace=1 funcs=klp_target:park,cmdline_proc_show
	load c1 set=3 funcs=uptime_proc_show
	park s1
	set_attribute s1 enabled 0
	in_transition s1
	set_attribute s1 enabled 1
	unpark s1
	complete s1
	in_set s1 5
	in_set b1 2
	in_set c1 3
	core_references 5
}
it "a reversed adopted livepatch frees the core, or keeps its set" reversed

# The same for one that joined while it was enabled, with the replace flag.
reversed_after_joining() {
	load_target klp_target
	load s1 replace=1 funcs=klp_target:park,cmdline_proc_show
	assign "client_s1 5"
	load b1 set=2 funcs=version_proc_show
	load s2 funcs=uptime_proc_show
	park s1
	set_attribute s1 enabled 0
	in_transition s1
	set_attribute s1 enabled 1
	unpark s1
	complete s1
	in_set s1 5
	in_set b1 2
	enabled s2
	runs uptime_proc_show s2
	disable s1
	enabled b1 s2
}
it "reversing the disable of one that joined later wipes nothing" reversed_after_joining

replaced() {
	assign "client_s1 5"
	load s1 funcs=cmdline_proc_show
	load s2 set=5 funcs=version_proc_show
	gone s1
	core_references 1
	load s3 replace=1 funcs=uptime_proc_show
	gone s2
	core_references 0
	hooks_are_gone
	in_no_set s3
	unload s1 s2
}
it "a replaced adopted livepatch frees the core" replaced

forced() {
	load_target klp_target
	load s1 set=2 funcs=version_proc_show
	assign "client_f10 5"
	load f10 funcs=klp_target:park,cmdline_proc_show hold=1
	park f10
	start s2 set=5 funcs=cmdline_proc_show
	in_transition s2
	set_attribute s2 force 1
	complete s2
	unpark f10
	pinned f10
	in_set s2 5
	core_references 2
	# Forced as the new one: it is not the one that goes.
	assign "client_s3 6"
	park klp_target
	start s3 funcs=klp_target:park
	set_attribute s3 force 1
	complete s3
	unpark klp_target
	in_set s3 6
	disable s3
	unload s3
	disable s2
	unload s2
	core_references 1
	disable s1
	core_references 0
	unload_core
	load_core
}
it "a forced adopted livepatch stays loaded, and the core does not" forced

# --- the core comes and goes -------------------------------------------------

core_unloads() {
	assign "client_s1 5"
	assign "client_s2 6 7"
	unload_core
	no_hooks || fail "a hook is in place"
	load s1 funcs=cmdline_proc_show
	load_core
	pending ""
	in_no_set s1
	assign "client_s1 5"
	rmmod klp_sets 2> /dev/null && fail "the core was removed under an adopted livepatch"
	assign "client_s2 6"
	disable s1
	unload_core
	load_core
	pending ""
}
it "the core unloads with assignments, and not with adopted livepatches" core_unloads

# unload is refused until the very last moment, and then works
core_unloads_at_once() {
	local i
	for i in 1 2; do
		load s1 funcs=cmdline_proc_show
		assign "client_s1 5"
		echo 0 > "$livepatch/client_s1/enabled"
		wait_until "the core can be removed" eval "rmmod klp_sets 2> /dev/null"
		gone s1
		unload s1
		load_core
	done
	untouched cmdline_proc_show
}
it "the core unloads as soon as an adopted livepatch is gone" core_unloads_at_once

# It may have been replaced already, or be waiting for another transition.
try_to_end() {
	[[ ! -e $livepatch/client_$1 ]] || {
		echo 0 > "$livepatch/client_$1/enabled"
		return 1
	} 2> /dev/null
}

# An impatient script, on the other processor.
core_comes_and_goes() {
	local i
	unload_core
	second_cpu 1
	watch
	while [[ -e $scratch/watch ]]; do
		insmod "$modules/klp-sets.ko"
		echo "client_s1 5" > "$assign_file"
		echo "client_s2 5" > "$assign_file"
		rmmod klp_sets
	done > /dev/null 2>&1 &
	for i in 1 2; do
		load s1 funcs=cmdline_proc_show
		load s2 funcs=version_proc_show
		wait_until "client_s1 is gone" try_to_end s1
		wait_until "client_s2 is gone" try_to_end s2
		unload s1 s2
	done
	rm "$scratch/watch"
	wait
	[[ ! -e /sys/module/klp_sets ]] || unload_core
	untouched cmdline_proc_show version_proc_show
	load_core
}
it "the core comes and goes beside livepatches that it might adopt" core_comes_and_goes

# --- two at once -------------------------------------------------------------

two_at_once() {
	local i loaded
	second_cpu 1
	for i in 1 2; do
		assign "client_s1 5"
		assign "client_s2 5"
		insmod "$modules/client_s1.ko" funcs=cmdline_proc_show 2> "$scratch/said1" &
		insmod "$modules/client_s2.ko" funcs=cmdline_proc_show 2> "$scratch/said2"
		wait
		wait_until "every transition is complete" nothing_in_transition
		loaded=
		for name in s1 s2; do
			if [[ -e $livepatch/client_$name ]]; then
				loaded+=$name
				in_set "$name" 5
				runs cmdline_proc_show "$name"
				disable "$name"
			fi
		done
		case $loaded in
		s1 | s2) ;;
		*) fail "enabled are: $loaded" ;;
		esac
		for name in s1 s2; do
			[[ ! -e /sys/module/client_$name ]] || unload "$name"
			grep -q "^client_$name " "$assign_file" && assign "client_$name -"
		done
		core_references 0
	done
	untouched cmdline_proc_show
}
it "two livepatches of a set at once leave one of them" two_at_once

# Which comes first does not matter: it is in set 5, and nothing waits.
assigned_while_loading() {
	local i
	second_cpu 1
	for i in 1 2; do
		insmod "$modules/client_s1.ko" funcs=cmdline_proc_show &
		until echo "client_s1 5" 2> /dev/null > "$assign_file"; do
			:	# in transition, it cannot join
		done
		wait
		complete s1
		in_set s1 5
		pending ""
		disable s1
		unload s1
		core_references 0
	done
}
it "a livepatch that is assigned while it loads joins" assigned_while_loading

targets_come_and_go() {
	load_target klp_target
	load s2 set=6 funcs=cmdline_proc_show
	assign "client_s1 5"
	park klp_target
	start s1 funcs=klp_target:park,klp_target2:fn1,klp_target2:park
	load_target klp_target2
	runs klp_target2:fn1 s1
	remove klp_target2
	load_target klp_target2
	in_transition s1
	unpark klp_target
	complete s1
	runs klp_target2:fn1 s1
	in_set s1 5
	load s3 set=5 funcs=klp_target:fn1
	gone s1
	untouched klp_target2:fn1 klp_target2:park
	in_set s2 6
}
it "target modules come and go while an adopted livepatch is in transition" targets_come_and_go

# --- others on the same functions --------------------------------------------

klp_functions="klp_is_patch_compatible klp_init_transition klp_force_transition klp_reverse_transition
	klp_try_complete_transition klp_kobj_release_patch"

# An upgrade of set 5, with set 6 and a stock patch beside it.
upgrade() {
	load s1 funcs=cmdline_proc_show,version_proc_show
	assign "client_s1 5"
	load b1 set=6 funcs=uptime_proc_show
	load a1 set=5 funcs=cmdline_proc_show
	gone s1
	in_set a1 5
	in_set b1 6
	runs cmdline_proc_show a1
	runs uptime_proc_show b1
	runs version_proc_show original
}

stop_tracing() {
	echo nop > "$tracing/current_tracer"
	echo > "$tracing/set_ftrace_filter"
	echo > "$tracing/trace"
}

# trace_with TRACER
trace_with() {
	# shellcheck disable=SC2086 # one name a line
	printf '%s\n' $klp_functions cmdline_proc_show version_proc_show uptime_proc_show \
		> $tracing/set_ftrace_filter || fail "the filter was refused"
	echo "$1" > "$tracing/current_tracer" || fail "no tracer $1"
}

under_a_tracer() {
	local function
	grep -qw "$tracer" "$tracing/available_tracers" || skip "no tracer $tracer"
	trace_with "$tracer"
	(upgrade) || { stop_tracing; exit 1; }
	for function in klp_init_transition klp_try_complete_transition cmdline_proc_show; do
		grep -q "$function" "$tracing/trace" || {
			stop_tracing
			fail "the tracer has not seen $function()"
		}
	done
	disable a1
	runs cmdline_proc_show original
	disable b1
	stop_tracing
}
tracer=function
it "the function tracer sits on everything while a set is upgraded" under_a_tracer
tracer=function_graph
it "the function graph tracer sits on everything while a set is upgraded" under_a_tracer

# A tracer that is in the way of the first hook, and not of the last.
tracer_comes_later() {
	load s1 set=5 funcs=cmdline_proc_show
	trace_with function
	load s2 set=5 funcs=cmdline_proc_show
	gone s1
	stop_tracing
	load s3 set=5 funcs=version_proc_show
	gone s2
	in_set s3 5
	untouched cmdline_proc_show
	disable s3
	hooks_are_gone
}
it "a tracer comes and goes while a set is managed" tracer_comes_later

# place_probes FUNCTION...: a kprobe and a kretprobe on each
place_probes() {
	local function
	needs_kprobe_events
	for function; do
		printf '%s\n' "p:klp_test/p_$function $function" \
			"r:klp_test/r_$function $function" >> "$tracing/kprobe_events" ||
			fail "cannot place a kprobe on $function"
	done
	echo 1 > "$tracing/events/klp_test/enable"
}

under_kprobes() {
	# shellcheck disable=SC2086 # one name a word
	place_probes $klp_functions cmdline_proc_show version_proc_show
	upgrade
	[[ -n $(awk '$1 == "p_klp_init_transition" && $2 > 0' "$tracing/kprobe_profile") ]] ||
		fail "the kprobe on klp_init_transition() was never hit"
	remove_probes
	disable a1
	untouched cmdline_proc_show
}
it "kprobes sit on everything while a set is upgraded" under_kprobes

# One who redirects the function himself is in the way, and nothing else happens.
taken_function() {
	load s1 funcs=cmdline_proc_show
	assign "client_s1 5"
	load b1 set=6 funcs=uptime_proc_show
	take version_proc_show
	refuse EBUSY a1 set=5 funcs=cmdline_proc_show,version_proc_show
	in_set s1 5
	runs cmdline_proc_show s1
	remove klp_taker
	load a1 set=5 funcs=cmdline_proc_show,version_proc_show
	gone s1
	in_set b1 6
	runs version_proc_show a1
}
it "a function that somebody has redirected makes an upgrade fail as a whole" taken_function

taken_hook() {
	load s1 funcs=cmdline_proc_show
	hooks_are_gone
	take klp_is_patch_compatible
	refuse_assign EBUSY "client_s1 5"
	logged "klp_is_patch_compatible"
	refuse_assign EBUSY "client_s2 5"
	in_no_set s1
	pending ""
	core_references 0
	remove klp_taker
	assign "client_s1 5"
	in_set s1 5
	insmod "$modules/klp_taker.ko" function=klp_is_patch_compatible 2> /dev/null &&
		fail "a hook was taken under an adopted livepatch"
	disable s1
	hooks_are_gone
	assign "client_s1 5"
	insmod "$modules/klp_taker.ko" function=klp_is_patch_compatible 2> /dev/null &&
		fail "a hook was taken with an assignment"
	assign "client_s1 -"
	hooks_are_gone
	take klp_is_patch_compatible
}
it "no assignment is taken while a hook is, and no hook while there is an assignment" taken_hook

# Its disabling was forced, and then reversed. Tasks may be in its code for ever.
forced_past() {
	load_target klp_target
	load f14 funcs=klp_target:park,cmdline_proc_show
	park f14
	set_attribute f14 enabled 0
	set_attribute f14 force 1
	{ echo 1 > $livepatch/client_f14/enabled; } 2> /dev/null ||
		skip "the machine was too slow: it is disabled already"
	complete f14
	unpark f14
	assign "client_f14 1"
	load p1 set=1 funcs=cmdline_proc_show states=5:five:shadow
	pinned f14
	mark
	disable p1
	logged "state 5 " "'client_p1'" "left alone"
}
it "an adopted livepatch brings its forced past along" forced_past

# Stock livepatch says nothing, and an API caller gets a line, too.
busy_is_said() {
	load_target klp_target
	park klp_target
	start s1 funcs=klp_target:park
	assign "client_s2 7"
	refuse EBUSY s2 funcs=cmdline_proc_show
	logged "'client_s2' is not enabled" "'client_s1' is in transition"
	refuse EBUSY a1 set=8 funcs=cmdline_proc_show
	logged "'client_a1' is not enabled" "'client_s1' is in transition"
	refuse_assign EBUSY "client_s1 8"
	logged "'client_s1' is not assigned" "'client_s1' is in transition"
	refuse EBUSY s3 funcs=cmdline_proc_show
	[[ $(kernel_log) != *"klp_sets: "* ]] || fail "it speaks of a stock patch"
	unpark klp_target
	complete s1
	pending "client_s2 7"
}
it "whoever must wait for a transition is told whose" busy_is_said

finish
