#!/bin/bash
# Many at once, who know nothing of each other: vendors load patches, an operator disables
# and assigns, modules come and go, tools read, tracers trace, and the machine is busy.
# Afterwards it must be as it was. KLP_TEST_RACE says how many steps each vendor takes.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
hogs=(busy_in_user_mode busy_in_the_kernel)
if two_busy_cpus_are_slow; then
	hogs=()
fi
need_core

steps=${KLP_TEST_RACE:-20}
# What vendors might quarrel about.
functions=(cmdline_proc_show klp_target:fn{1,2} klp_target2:fn1)

# One of the words, in REPLY.
pick() {
	REPLY=${*:RANDOM % $# + 1:1}
}

# attempt WHAT COMMAND...: succeeds and is counted, or fails as one fails who comes too
# early or too late, or whom the rules refuse.
attempt() {
	local what=$1 said
	shift
	if said=$("$@" 2>&1); then
		echo "$what" >> "$scratch/done"
		return 0
	fi
	case $said in
	*"${errors[EBUSY]}" | *"${errors[EINVAL]}" | *"${errors[ENODEV]}" | *"Invalid argument") ;;
	*"File exists" | *"No such file or directory" | *"not currently loaded") ;;
	*"is in use"* | *"Resource temporarily unavailable") ;;
	# A file of sysfs that has gone since one looked would have to be made.
	"./race.sh: line "*"$livepatch/"*"Permission denied") ;;
	*) echo "$*: $said" >> "$scratch/strange" ;;
	esac
	return 1
}

write() {
	echo "$2" > "$1"
}

# vendor SET|stock FUNCTION CLIENT...: one patch after the other, of his own function, and
# of another one now and then
vendor() {
	local set=$1 own=$2 i other parameters=()
	shift 2
	[[ $set == stock ]] || parameters=("set=$set")
	for ((i = 0; i < steps; i++)); do
		pick "" "" "" ",${functions[RANDOM % ${#functions[@]}]}"
		other=$REPLY
		pick "$@"
		attempt "load $set" insmod "$modules/client_$REPLY.ko" \
			"${parameters[@]}" "funcs=$own$other"
		pick "$@"
		attempt remove rmmod "client_$REPLY"
	done
}

# All others go on until the vendors are done.
racing() {
	[[ -e $scratch/racing ]]
}

# Disables, and changes his mind.
operator() {
	local file
	while racing; do
		sleep 0.3
		pick a1 a2 a3 b1 b2 s1 s2
		file=$livepatch/client_$REPLY/enabled
		[[ -e $file ]] || continue
		attempt disable write "$file" 0 || continue
		pick keep change
		[[ $REPLY == keep ]] || attempt reverse write "$file" 1
	done
}

assigner() {
	while racing; do
		sleep 0.3
		pick 5 6 - - -
		attempt assign write "$assign_file" "client_s1 $REPLY"
	done
	attempt assign write "$assign_file" "client_s1 -"
}

# target MODULE
target() {
	while racing; do
		attempt target insmod "$modules/$1.ko"
		attempt remove rmmod "$1"
	done
}

# What runs is the original or somebody's replacement, and never nothing.
reader() {
	local name seen
	while racing; do
		grep -rs . "$livepatch" /sys/kernel/klp_sets "$tracing/enabled_functions" > /dev/null
		for name in cmdline loadavg version; do
			read -r seen < "/proc/$name"
			[[ -n $seen ]] || echo "/proc/$name is empty" >> "$scratch/strange"
		done
		for name in /proc/klp_target{,2}/fn{1,2}; do
			if read -r seen 2> /dev/null < "$name"; then
				[[ $seen == original || $seen == client_* ]] ||
					echo "$name: $seen" >> "$scratch/strange"
			fi
		done
	done
}

tracer() {
	while racing; do
		pick cmdline loadavg version
		attempt filter write "$tracing/set_ftrace_filter" "${REPLY}_proc_show"
		attempt trace write "$tracing/current_tracer" function
		attempt probe write "$tracing/kprobe_events" "p:klp_test/race ${REPLY}_proc_show"
		attempt probe write "$tracing/events/klp_test/race/enable" 1
		read -r REPLY < "/proc/$REPLY"
		attempt probe write "$tracing/events/klp_test/race/enable" 0
		attempt probe write "$tracing/kprobe_events" ""
		attempt trace write "$tracing/current_tracer" nop
		attempt filter write "$tracing/set_ftrace_filter" ""
	done
}

forker() {
	while racing; do
		(:)
	done
}

busy_in_user_mode() {
	while :; do :; done
}

busy_in_the_kernel() {
	exec dd if=/dev/zero of=/dev/null bs=1M status=none
}

# enough WHAT: a race in which this never worked says little
enough() {
	grep -qsx "$1" "$scratch/done" || fail "nobody ever managed to $1:
$(sort "$scratch/done" | uniq -c)"
}

race() {
	local before vendors=() others=() busy=() actor
	before=$(snapshot)
	touch "$scratch/racing" "$scratch/done"
	for actor in "${hogs[@]}"; do
		$actor &
		busy+=($!)
	done
	for actor in operator assigner "target klp_target" "target klp_target2" reader tracer forker; do
		$actor &
		others+=($!)
	done
	vendor 1 loadavg_proc_show a1 a2 a3 &
	vendors=($!)
	vendor 2 version_proc_show b1 b2 &
	vendors+=($!)
	vendor stock klp_target:fn3 s1 s2 &
	vendors+=($!)
	wait "${vendors[@]}"
	rm "$scratch/racing"
	wait "${others[@]}"
	[[ ${#busy[@]} -eq 0 ]] || kill "${busy[@]}"
	wait "${busy[@]}" 2> /dev/null
	diag "$(sort "$scratch/done" | uniq -c)"
	[[ ! -e $scratch/strange ]] || fail "$(sort "$scratch/strange" | uniq -c)"
	for actor in "load 1" "load 2" "load stock" disable remove target assign trace probe; do
		enough "$actor"
	done
	clean_up
	unchanged "$before"
}
it "everybody at once, and afterwards the machine is as before" race

finish
