#!/bin/bash
# What tracers and udev are told.
. "$(dirname "$0")/lib.sh"

events=$tracing/events/klp_sets
set1=(set=1 "funcs=cmdline_proc_show,version_proc_show")

start_tracing() {
	[[ -e $events/klp_sets_admit ]] || fail "there are no events in $events"
	echo > $tracing/trace
	echo 1 > $events/enable
}

stop_tracing() {
	[[ ! -e $events/enable ]] || echo 0 > $events/enable
}

# The events since start_tracing, one a line: name and fields.
traced() {
	sed -n 's/.*: klp_sets_\([a-z]*\): /\1 /p' $tracing/trace
}

event() {
	[[ $(traced | grep -cxF -- "$1") -eq 1 ]] || fail "expected once: $1
seen: $(traced)"
}

no_event() {
	! traced | grep -q "^$1 " || fail "unexpected event $1: $(traced)"
}

life() {
	start_tracing
	load a1 "${set1[@]}"
	event "admit patch=client_a1 set=1 funcs=2 nops=0 replaced=0"
	event "commit patch=client_a1 set=1 funcs=2 nops=0 replaced=0"
	event "complete patch=client_a1 set=1 enabled=1 forced=0 replaced=0"
	no_event release
	disable a1
	event "complete patch=client_a1 set=1 enabled=0 forced=0 replaced=0"
	unload a1
	event "release patch=client_a1 set=1"
	stop_tracing
}

replacing() {
	load a1 "${set1[@]}"
	start_tracing
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	event "admit patch=client_a2 set=1 funcs=1 nops=1 replaced=1"
	event "commit patch=client_a2 set=1 funcs=1 nops=1 replaced=1"
	event "complete patch=client_a2 set=1 enabled=1 forced=0 replaced=1"
	wait_until "the release of a1 is traced" grep -q "klp_sets_release: patch=client_a1 set=1" \
		$tracing/trace
	stop_tracing
}

# counted REFUSALS TRANSITIONS: since *before*
counted() {
	local file=/sys/kernel/klp_sets
	same "the counters" "$((before_refusals + $1)) $((before_transitions + $2))" \
		"$(< $file/refusals) $(< $file/transitions)"
}

counting() {
	local before_refusals before_transitions
	before_refusals=$(< /sys/kernel/klp_sets/refusals)
	before_transitions=$(< /sys/kernel/klp_sets/transitions)
	load a1 "${set1[@]}"
	counted 0 1
	load a2 set=1 funcs=cmdline_proc_show
	counted 0 2
	refuse EINVAL b1 set=2 funcs=cmdline_proc_show
	counted 1 2
	disable a2
	counted 1 3
	[[ $(stat -c %a /sys/kernel/klp_sets/{refusals,transitions}) == 444$'\n'444 ]] ||
		fail "the counters can be written"
}
refusing() {
	load a1 "${set1[@]}"
	start_tracing
	refuse EINVAL b1 set=2 funcs=cmdline_proc_show
	event "refuse patch=client_b1 set=2 reason=function 'cmdline_proc_show' of vmlinux is changed by 'client_a1' of set 1"
	no_event admit
	no_event commit
	stop_tracing
}

# A stock patch has no set. It is still there when its transition is complete.
stock_patches() {
	load a1 "${set1[@]}"
	start_tracing
	load s1 funcs=uptime_proc_show
	event "admit patch=client_s1 set=-1 funcs=1 nops=0 replaced=0"
	event "commit patch=client_s1 set=-1 funcs=1 nops=0 replaced=0"
	event "complete patch=client_s1 set=-1 enabled=1 forced=0 replaced=0"
	refuse EINVAL s2 funcs=cmdline_proc_show
	event "refuse patch=client_s2 set=-1 reason=function 'cmdline_proc_show' of vmlinux is changed by 'client_a1' of set 1"
	disable a1
	unload a1
	event "release patch=client_a1 set=1"
	[[ $(traced | grep -c '^release') -eq 1 ]] || fail "a stock patch is released: $(traced)"
	enabled s1
	stop_tracing
}

# Perl is in every Debian. It prints what belongs to us of each uevent.
listen() {
	perl -e '
		$| = 1;
		socket(my $s, 16, 3, 15) or die "netlink: $!";
		bind($s, pack("SSLL", 16, 0, 0, 1)) or die "bind: $!";
		print "listening\n";
		while (defined recv($s, my $buf, 8192, 0)) {
			my ($head, @env) = split /\0/, $buf;
			my @ours = grep /^(KLP_SETS_.*|SUBSYSTEM=.*)$/, @env;
			print "$head @ours\n" if grep /^KLP_SETS/, @ours;
		}' > "$scratch/uevents" 2>&1 &
	listener=$!
	trap 'kill $listener' EXIT
	wait_until "somebody listens" grep -q listening "$scratch/uevents"
}

heard() {
	wait_until "there is a uevent '$*' (heard: $(< "$scratch/uevents"))" \
		grep -qxF -- "$*" "$scratch/uevents"
}

changing_hands() {
	listen
	load a1 "${set1[@]}"
	heard "change@/module/client_a1 SUBSYSTEM=module KLP_SETS_SET=1 KLP_SETS_EVENT=enabled"
	load a2 "${set1[@]}"
	heard "change@/module/client_a1 SUBSYSTEM=module KLP_SETS_SET=1 KLP_SETS_EVENT=replaced"
	heard "change@/module/client_a2 SUBSYSTEM=module KLP_SETS_SET=1 KLP_SETS_EVENT=enabled"
	refuse EINVAL b1 set=2 funcs=cmdline_proc_show
	disable a2
	heard "change@/module/client_a2 SUBSYSTEM=module KLP_SETS_SET=1 KLP_SETS_EVENT=disabled"
	[[ $(wc -l < "$scratch/uevents") -eq 5 ]] ||
		fail "expected four uevents, heard: $(< "$scratch/uevents")"
}

adopting() {
	listen
	load s1 funcs=cmdline_proc_show
	echo "client_s1 5" > /sys/kernel/klp_sets/assign || fail "client_s1 is not adopted"
	heard "change@/module/client_s1 SUBSYSTEM=module KLP_SETS_SET=5 KLP_SETS_EVENT=enabled"
}

reversing() {
	load_target klp_target
	listen
	park klp_target
	start a1 set=1 funcs=klp_target:park
	in_transition a1
	set_attribute a1 enabled 0
	gone a1
	unpark klp_target
	load b1 set=2 funcs=cmdline_proc_show
	heard "change@/module/client_b1 SUBSYSTEM=module KLP_SETS_SET=2 KLP_SETS_EVENT=enabled"
	! grep -q client_a1 "$scratch/uevents" || fail "heard: $(< "$scratch/uevents")"
}

# perf and bpftrace read what an event looks like: lengths in numbers, and one format in
# quotes that has none in it.
formats() {
	local file wrong
	for file in "$events"/*/format; do
		wrong=$(sed -n -e '/^\tfield:/{/\[[0-9]*\]/d; /\[/p}' \
			-e '/^print fmt: /{/^print fmt: "[^"]*", [^"]*$/d; p}' "$file")
		[[ -z $wrong ]] || fail "$file: $wrong"
		grep -q "^print fmt" "$file" || fail "$file has no format"
	done
}

need_core
it "the events can be read by programs" formats
it "refusals and transitions are counted" counting
it "tracepoints follow a patch from admit to release" life
it "a replace is traced with what it replaces" replacing
it "a refusal is traced with its reason" refusing
it "a stock patch is traced without a set, until it is enabled" stock_patches
it "a uevent says when a set changes hands" changing_hands
it "a uevent says when an enabled patch joins a set" adopting
it "no set changes hands when enabling is reversed" reversing
finish
