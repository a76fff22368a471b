#!/bin/bash
# Who replaces whom: every cell of the table in Documentation/policies.md, and
# what a policy must not leave behind. What it decides is the engine's own affair.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
need_core

# --- the parameters ----------------------------------------------------------

is_default() {
	local what
	for what in stock_replace=all set0_replaces_all=N allow_replace_all=Y taint=N; do
		holds "$parameters/${what%=*}" "${what#*=}" ||
			fail "${what%=*}: expected ${what#*=}, found $REPLY"
		[[ $(stat -c %a "$parameters/${what%=*}") == 644 ]] ||
			fail "${what%=*} has mode $(stat -c %a "$parameters/${what%=*}")"
	done
}
it "without parameters everything is as the kernel does it" is_default

# What /etc/modprobe.d holds.
parameters_at_load() {
	local value
	unload_core
	for value in all scoped refuse; do
		load_core stock_replace="$value" set0_replaces_all=1 allow_replace_all=0 taint=1
		holds "$parameters/stock_replace" "$value" || fail "stock_replace is $REPLY"
		holds "$parameters/set0_replaces_all" Y || fail "set0_replaces_all is $REPLY"
		holds "$parameters/allow_replace_all" N || fail "allow_replace_all is $REPLY"
		holds "$parameters/taint" Y || fail "taint is $REPLY"
		unload_core
	done
	load_core
}
it "parameters can be given when the core is loaded" parameters_at_load

bad_parameters_at_load() {
	local before said word
	unload_core
	before=$(snapshot)
	for word in stock_replace=none stock_replace=ALL stock_replace= stock_replace \
		    stock_replace=all,scoped stock_replace=0 set0_replaces_all=maybe \
		    allow_replace_all=2 taint=X; do
		if said=$(insmod "$modules/klp-sets.ko" "$word" 2>&1); then
			fail "the core was loaded with $word"
		fi
		[[ $said == *": ${errors[EINVAL]}" ]] || fail "$word: expected EINVAL, insmod says: $said"
	done
	unchanged "$before"
	load_core
}
it "a value that is not known keeps the core from loading" bad_parameters_at_load

parameters_at_run_time() {
	local value
	for value in refuse scoped all; do
		echo "$value" > "$parameters/stock_replace"
		holds "$parameters/stock_replace" "$value" || fail "stock_replace is $REPLY"
	done
	for value in set0_replaces_all allow_replace_all taint; do
		echo 1 > "$parameters/""$value"
		holds "$parameters/""$value" Y || fail "$value is $REPLY"
		echo 0 > "$parameters/""$value"
		holds "$parameters/""$value" N || fail "$value is $REPLY"
	done
	policy
	is_default
}
it "parameters can be changed at run time" parameters_at_run_time

# refuse_parameter NAME VALUE
refuse_parameter() {
	local said
	said=$( (echo "$2" > "$parameters/$1") 2>&1) && fail "$1 became '$2'"
	[[ $said == *"Invalid argument" ]] || fail "$1='$2': expected EINVAL, it says: $said"
}

bad_parameters_at_run_time() {
	local value
	policy stock_replace=scoped
	for value in none "" " all" "all scoped" SCOPED 1 scope refused; do
		refuse_parameter stock_replace "$value"
	done
	holds "$parameters/stock_replace" scoped || fail "stock_replace is $REPLY"
	for value in set0_replaces_all allow_replace_all taint; do
		refuse_parameter "$value" maybe
		refuse_parameter "$value" 2
		refuse_parameter "$value" ""
	done
	policy
	is_default
}
it "a value that is not known is refused at run time, and changes nothing" bad_parameters_at_run_time

# --- the table ---------------------------------------------------------------

# Four patches are enabled: a stock one, and those of sets 0, 5 and 7. The new one
# is client_s5. A row says what becomes of each of the four.
olds=(s1 s2 s3 s4)
old_names=("a stock patch" "the patch of set 0" "the patch of set 5" "the patch of set 7")
old_functions=(uptime_proc_show cmdline_proc_show version_proc_show loadavg_proc_show)
old_sets=("" 0 5 7)
new_function=meminfo_proc_show

scene() {
	load s2 set=0 funcs=cmdline_proc_show
	load s1 funcs=uptime_proc_show
	load s4 set=7 funcs=loadavg_proc_show
	load s3 set=5 funcs=version_proc_show
}

old_picture() {
	picture "${olds[$1]}" "${old_functions[$1]}"
}

# Whoever stays keeps its function, also from the new patch.
refuse_conflicts() {
	local i said before
	before=$(snapshot)
	mark
	for i in 0 1 2 3; do
		[[ ${row_outcome[i]} == stays ]] || continue
		# Stock patches have always piled up.
		[[ -n $row_set || $i -gt 0 ]] || continue
		said=$(insmod "$modules/client_s5.ko" "$@" \
			"funcs=$new_function,${old_functions[i]}" 2>&1) &&
			fail "client_s5 was loaded with ${old_functions[i]}"
		[[ $said == *": ${errors[EINVAL]}" ]] || fail "expected EINVAL, it says: $said"
		logged "'client_s5'" "'${old_functions[i]}'" "'client_${olds[i]}'"
	done
	unchanged "$before"
}

# What became of the old patch number $1: nothing when it is as it should be.
judge() {
	local i=$1 name=${olds[$1]} set=${old_sets[$1]}
	case ${row_outcome[i]} in
	stays)
		enabled "$name"
		runs "${old_functions[i]}" "$name"
		[[ -z $set ]] || in_set "$name" "$set"
		same "client_$name" "$(< "$scratch/picture$i")" "$(old_picture "$i")"
		;;
	replaced)
		gone "$name"
		untouched "${old_functions[i]}"
		wait_until "client_$name is free" holds "/sys/module/client_$name/refcnt" 0
		[[ -z $set || $set == "$row_set" ]] || free_set "$set"
		;;
	esac
}

# A refused one must leave the whole machine as it was. The core has a reference
# for each managed patch.
play_row() {
	local i managed=0
	policy "${row_policy[@]}"
	scene
	for i in 0 1 2 3; do
		old_picture "$i" > "$scratch/picture$i"
	done
	if [[ ${row_outcome[0]} == refused ]]; then
		refuse EINVAL s5 "${row_new[@]}" funcs="$new_function"
		logged "stock patch 'client_s5'" "stock_replace"
		row_outcome=(stays stays stays stays)
		row_set=
	else
		refuse_conflicts "${row_new[@]}"
		load s5 "${row_new[@]}" funcs="$new_function"
		enabled s5
		runs "$new_function" s5
		if [[ -n $row_set ]]; then
			in_set s5 "$row_set"
			managed=1
		else
			in_no_set s5
		fi
	fi
	for i in 0 1 2 3; do
		(judge "$i" > "$scratch/verdict$i") || true
		[[ ${row_outcome[i]} == replaced || $i -eq 0 ]] || managed=$((managed + 1))
	done
	[[ $managed -gt 0 ]] || hooks_are_gone
	core_references "$managed"
	touch "$scratch/played"
}

cell() {
	[[ -e $scratch/played ]] || fail "the row was not played to its end"
	[[ ! -s $scratch/verdict$row_cell ]] || {
		cat "$scratch/verdict$row_cell"
		exit 1
	}
}

# row WHAT POLICY NEW OUTCOME*4: the new patch's parameters, and what becomes of a
# stock patch, and of those of sets 0, 5 and 7
row() {
	local what=$1 when=${2:-default} i
	read -r -a row_policy <<< "$2"
	read -r -a row_new <<< "$3"
	row_outcome=("${@:4:4}")
	rm -f "$scratch"/{played,verdict*}
	it "$what, $when: ${row_outcome[0]/stays/is enabled}" play_row
	for i in 0 1 2 3; do
		row_cell=$i
		it "$what, $when: ${old_names[i]} ${row_outcome[i]/refused/stays}" cell
	done
}

# The set that the new patch is in; none for a stock patch.
row_set=
row "stock patch" "" "" stays stays stays stays
row "stock patch with replace" "stock_replace=all" replace=1 replaced replaced replaced replaced
row "stock patch with replace" "stock_replace=all set0_replaces_all=1" replace=1 \
	replaced replaced replaced replaced
row "stock patch with replace" "stock_replace=refuse" replace=1 refused refused refused refused
row "stock patch with replace" "stock_replace=refuse allow_replace_all=0" replace=1 \
	refused refused refused refused
row_set=0
row "stock patch with replace" "stock_replace=all allow_replace_all=0" replace=1 \
	replaced replaced stays stays
row "stock patch with replace" "stock_replace=scoped" replace=1 \
	replaced replaced stays stays
row "stock patch with replace" "stock_replace=scoped set0_replaces_all=1" replace=1 \
	replaced replaced replaced replaced
row "patch of set 0" "" set=0 stays replaced stays stays
row "patch of set 0" "set0_replaces_all=1" set=0 replaced replaced replaced replaced
row "patch of set 0" "set0_replaces_all=1 allow_replace_all=0" set=0 \
	stays replaced stays stays
row_set=5
row "patch of set 5" "" "set=5 replace=1" stays stays replaced stays
row "patch of set 5" "set0_replaces_all=1 stock_replace=refuse" set=5 \
	stays stays replaced stays
row "patch of set 5 with .replace_all" "" "set=5 replace_all=1" \
	replaced replaced replaced replaced
row "patch of set 5 with .replace_all" "allow_replace_all=0" "set=5 replace_all=1" \
	stays stays replaced stays

# A patch with an assignment is one of its set, whatever flag it has.
play_assigned_row() {
	assign "client-s5 $row_set"
	play_row
	pending ""
}

assigned_row() {
	local what=$1 when=${2:-default} i
	read -r -a row_policy <<< "$2"
	row_new=(replace=1)
	row_outcome=("${@:3:4}")
	rm -f "$scratch"/{played,verdict*}
	it "$what, $when: is enabled" play_assigned_row
	for i in 0 1 2 3; do
		row_cell=$i
		it "$what, $when: ${old_names[i]} ${row_outcome[i]}" cell
	done
}

assigned_row "stock patch assigned to set 5" "stock_replace=refuse" stays stays replaced stays
row_set=0
assigned_row "stock patch assigned to set 0" "stock_replace=scoped" stays replaced stays stays
assigned_row "stock patch assigned to set 0" "set0_replaces_all=1" \
	replaced replaced replaced replaced

# Without a managed patch there is nothing to protect, and no hook.
nothing_managed() {
	local before
	before=$(snapshot)
	policy "${row_policy[@]}"
	load s1 funcs=uptime_proc_show
	hooks_are_gone
	load s2 funcs=cmdline_proc_show,uptime_proc_show
	runs uptime_proc_show s2
	load s5 replace=1 funcs="$new_function"
	gone s1 s2
	in_no_set s5
	untouched uptime_proc_show cmdline_proc_show
	no_hooks || fail "a hook is in place"
	holds /sys/module/klp_sets/refcnt 0 || fail "the core has $REPLY references"
	disable s5
	unload s1 s2 s5
	unchanged "$before"
}
for when in stock_replace=all stock_replace=scoped stock_replace=refuse allow_replace_all=0 \
	    set0_replaces_all=1; do
	row_policy=("$when")
	it "stock patch with replace, $when, nothing managed: it replaces all" nothing_managed
done

# An assignment for somebody else has hooks in place, and no patch to protect.
refuse_needs_a_managed_patch() {
	policy stock_replace=refuse
	assign "client_s4 7"
	load s1 funcs=uptime_proc_show
	load s5 replace=1 funcs="$new_function"
	gone s1
	in_no_set s5
	pending "client_s4 7"
	assign "client_s4 -"
	hooks_are_gone
}
it "stock_replace=refuse is about managed patches, not about assignments" refuse_needs_a_managed_patch

scoped_with_assignment() {
	policy stock_replace=scoped
	assign "client_s4 7"
	load s1 funcs=uptime_proc_show
	load s5 replace=1 funcs="$new_function"
	gone s1
	in_set s5 0
	assign "client_s4 -"
	core_references 1
}
it "stock_replace=scoped holds as soon as the hooks are in place" scoped_with_assignment

# --- a decision holds --------------------------------------------------------

# The operator changes his mind while the transition goes on.
decided_at_admit() {
	policy
	load_target klp_target
	load s2 set=5 funcs=cmdline_proc_show
	park klp_target
	start s5 replace=1 funcs=klp_target:park
	in_transition s5
	policy stock_replace=refuse allow_replace_all=0
	unpark klp_target
	complete s5
	gone s2
	enabled s5
	in_no_set s5
	runs klp_target:park s5
}
it "a policy that changes during a transition is for the next patch" decided_at_admit

scoped_decided_at_admit() {
	policy stock_replace=scoped
	load_target klp_target
	load s2 set=5 funcs=cmdline_proc_show
	load s3 set=0 funcs=version_proc_show
	park klp_target
	start s5 replace=1 funcs=klp_target:park
	policy set0_replaces_all=1
	unpark klp_target
	complete s5
	gone s3
	enabled s2 s5
	in_set s5 0
	in_set s2 5
	# A reversed disable is not a new decision either.
	park s5
	set_attribute s5 enabled 0
	in_transition s5
	set_attribute s5 enabled 1
	unpark s5
	complete s5
	enabled s2 s5
	in_set s2 5
	in_set s5 0
}
it "a scoped patch stays scoped when the policy changes" scoped_decided_at_admit

# --- stock patches stay safe -------------------------------------------------

states_of_sets() {
	policy
	load s1 set=5 funcs=cmdline_proc_show states=77 versions=1
	refuse EINVAL s2 funcs=version_proc_show states=77 versions=1
	logged "stock patch 'client_s2'" "state 77" "'client_s1'" "set 5"
	load s3 funcs=uptime_proc_show states=78 versions=1
	refuse EINVAL s4 set=7 funcs=version_proc_show states=78 versions=1
	logged "'client_s4'" "set 7" "state 78" "stock patch 'client_s3'"
	policy stock_replace=scoped
	refuse EINVAL s2 replace=1 funcs=version_proc_show states=77,78 versions=1,1
	logged "'client_s2'" "set 0" "state 77" "'client_s1'" "set 5"
	load s2 replace=1 funcs=version_proc_show states=78 versions=1
	gone s3
	enabled s1
	in_set s2 0
}
it "a state of a managed patch is refused to a stock patch, and the other way round" states_of_sets

# Stock's own rule: who replaces must know the states.
wipe_needs_states() {
	policy
	load s1 set=5 funcs=cmdline_proc_show states=77 versions=2
	refuse EINVAL s2 replace=1 funcs=version_proc_show
	logged "stock patch 'client_s2'" "state 77" "'client_s1'"
	refuse EINVAL s2 replace=1 funcs=version_proc_show states=77 versions=1
	refuse EINVAL s3 set=7 replace_all=1 funcs=version_proc_show
	logged "'client_s3'" "set 7" "state 77" "'client_s1'"
	load s2 replace=1 funcs=version_proc_show states=77 versions=2
	gone s1
	free_set 5
}
it "a patch that replaces all must have all states" wipe_needs_states

# Everything that was managed is gone, and nothing of it may be left.
wiped_without_a_trace() {
	policy
	load s5 replace=1 funcs="$new_function"
	load s1 set=5 funcs=cmdline_proc_show,version_proc_show
	load s2 set=7 obsoletes=8,9 funcs=uptime_proc_show
	start s6 replace=1 funcs="$new_function"
	wait_until "the core can be unloaded" eval "rmmod klp_sets 2> /dev/null"
	complete s6
	gone s1 s2 s5
	untouched cmdline_proc_show version_proc_show uptime_proc_show
	no_hooks || fail "a hook is in place"
	unload s1 s2 s5
	load_core
	load s5 replace=1 funcs="$new_function"
	gone s6
	in_no_set s5
	no_hooks || fail "a hook is in place"
	[[ -z $(ls "$sets") ]] || fail "there are sets: $(ls "$sets")"
	unload s6
	load s1 set=7 funcs=uptime_proc_show
	in_set s1 7
	core_references 1
}
it "the core unloads right behind a stock patch that wiped the sets" wiped_without_a_trace

address() {
	echo "$(< "/sys/module/client_$1/sections/.data")"
}

# All clients have one size, so the next one often lands where the last one was.
same_address() {
	local client last="" hits=0
	policy
	load s6 set=9 funcs=loadavg_proc_show
	for client in s1 s2 s3 s4 s1 s2; do
		case $client in
		s1 | s3) load "$client" set=5 funcs=cmdline_proc_show ;;
		*)
			load "$client" funcs=cmdline_proc_show
			in_no_set "$client"
			missing "$sets/5" || fail "set 5 has a patch"
			;;
		esac
		[[ $(address "$client") != "$last" ]] || hits=$((hits + 1))
		last=$(address "$client")
		case $client in
		s1) disable s1 ;;
		s2) disable s2 ;;
		*) load s5 set=9 replace_all=1 funcs=loadavg_proc_show
		   gone "$client" s6
		   disable s5
		   unload s5 s6
		   load s6 set=9 funcs=loadavg_proc_show ;;
		esac
		unload "$client"
		core_references 1
	done
	[[ -n $last ]] || fail "no address of a patch is known"
	diag "$hits of 5 modules came to the address of the one before"
	enabled s6
	in_set s6 9
}
it "a patch at the address of an old one is not taken for it" same_address

# Somebody outside the set takes its patch away: whoever looks for the reason finds it.
replaced_is_said() {
	policy
	load s1 set=5 funcs=cmdline_proc_show
	load s2 set=6 funcs=version_proc_show
	mark
	load s3 set=5 funcs=cmdline_proc_show
	gone s1
	[[ $(kernel_log) != *"is replaced by"* ]] || fail "an upgrade is said to be a loss"
	load s5 replace=1 funcs=uptime_proc_show
	gone s3 s2
	logged "'client_s3' of set 5 is replaced by stock patch 'client_s5'"
	logged "'client_s2' of set 6 is replaced by stock patch 'client_s5'"
	unload s1 s2 s3
	load s1 set=5 funcs=cmdline_proc_show
	mark
	load s2 set=6 obsoletes=5 funcs=version_proc_show
	gone s1
	logged "'client_s1' of set 5 is replaced by 'client_s2' of set 6"
}
it "the log says who of another set replaced a managed patch" replaced_is_said

# --- hooks -------------------------------------------------------------------

# Nothing of ours may be on a function that runs outside livepatch operations.
hooks_are_livepatch_only() {
	local name
	policy
	load s1 set=5 funcs=cmdline_proc_show
	load s2 funcs=version_proc_show
	while read -r name _; do
		case $name in
		cmdline_proc_show | version_proc_show) ;;
		klp_is_patch_compatible | klp_init_transition | klp_force_transition | klp_reverse_transition) ;;
		klp_try_complete_transition | klp_kobj_release_patch | enabled_store) ;;
		*) fail "a hook is on $name" ;;
		esac
	done < "$tracing/enabled_functions"
	hooks_in_place || fail "no hook is in place"
	disable s1
	hooks_are_gone
	runs version_proc_show s2
}
it "hooks are on functions of livepatch alone" hooks_are_livepatch_only

# --- taint -------------------------------------------------------------------

# The flag cannot be taken back, so this comes last.
flag_x() {
	local flags
	read -r flags < /proc/sys/kernel/tainted
	(((flags >> 16) & 1))
}

need_no_flag() {
	! flag_x || skip "the kernel carries the flag already"
}

who_does_not_taint() {
	need_no_flag
	policy
	load_target klp_target
	load s1 set=7 funcs=cmdline_proc_show,klp_target:park
	policy taint=1
	# It was enabled before, and a reversed disable is not a new decision.
	park s1
	set_attribute s1 enabled 0
	in_transition s1
	set_attribute s1 enabled 1
	unpark s1
	complete s1
	! flag_x || fail "the kernel is tainted by a patch older than the policy"
	load s2 funcs=version_proc_show
	load s3 set=0 funcs=uptime_proc_show
	refuse_assign EINVAL "client_s2 0"
	! flag_x || fail "the kernel is tainted"
	policy taint=1 stock_replace=scoped
	load s4 replace=1 funcs=loadavg_proc_show
	gone s2 s3
	! flag_x || fail "a scoped patch has tainted the kernel"
	refuse EINVAL s5 set=5 funcs=cmdline_proc_show
	! flag_x || fail "a refused patch has tainted the kernel"
	assign "client_s2 6"
	! flag_x || fail "an assignment has tainted the kernel"
	assign "client_s2 -"
	policy
	load s5 set=5 funcs=version_proc_show
	! flag_x || fail "the kernel is tainted although taint=0"
}
it "taint=1: stock patches, set 0 and refused patches leave no flag" who_does_not_taint

who_taints() {
	need_no_flag
	policy taint=1
	load s1 set=7 funcs=cmdline_proc_show
	flag_x || fail "the flag is not set"
	policy
}
it "taint=1: a patch of another set leaves the flag" who_taints

policy
finish
