#!/bin/bash
# A transition takes milliseconds, and sees its own set first. Each of the two can be
# switched off, and then it is as slow as stock livepatch's.
. "$(dirname "$0")/lib.sh"

parameters=/sys/module/klp_sets/parameters

# --- when the next attempt comes ----------------------------------------------

# Seconds on the kernel's clock from the last line with the first words to the last one
# with the second, in REPLY as microseconds.
between() {
	local stamp line start end
	while IFS='[] ' read -r _ stamp line; do
		case $line in
		*"$1"*) start=${stamp/./} ;;
		*"$2"*) end=${stamp/./} ;;
		esac
	done < <(dmesg | sed 's/^\[ */[/')
	[[ -n ${start:-} && -n ${end:-} ]] || fail "the log lacks '$1' or '$2'"
	REPLY=$((10#$end - 10#$start))
}

# What patches every call of cond_resched() is no measure, on an emulated machine.
need_quick_pair() {
	! two_busy_cpus_are_slow ||
		skip "on this kernel, what a transition patches takes seconds under emulation"
}

# Five upgrades, in REPLY, microseconds. Now and then an attempt without help is lucky, as
# the other processor happens to be awake; not five times.
upgrades() {
	local names=(a1 a2 a1 a2 a1 a2) times=() i
	for i in 0 1 2 3 4; do
		mark
		load "${names[i + 1]}" set=1 funcs=cmdline_proc_show
		between starting "patching complete"
		times+=("$REPLY")
		gone "${names[i]}"
		unload "${names[i]}"
	done
	diag "fast_retry=$(< $parameters/fast_retry), $(nproc) processors: ${times[*]} us"
	# shellcheck disable=SC1102,SC2048 # one sum: "1 + 2 + 3 + 0"
	REPLY=$((${times[*]/%/ +} 0))
}

upgrades_are_fast() {
	local fast
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	upgrades
	fast=$REPLY
	disable a2
	unload a2
	echo 0 > $parameters/fast_retry
	load a1 set=1 funcs=cmdline_proc_show
	upgrades
	((fast * 3 <= REPLY)) || fail "it takes $fast us, and without klp_sets' help $REPLY us"
}

two_processors() {
	need_quick_pair
	[[ $(nproc) == 2 ]] || skip "this machine has $(nproc) processors"
	upgrades_are_fast
}
it "with two processors, an upgrade takes a third of stock's time at most" two_processors

# More than the tests have otherwise.
four_processors() {
	local cpu
	need_quick_pair
	for cpu in 2 3; do
		echo 1 > /sys/devices/system/cpu/cpu$cpu/online || skip "there is no processor $cpu"
	done 2> /dev/null
	trap 'for cpu in 2 3; do echo 0 > /sys/devices/system/cpu/cpu$cpu/online; done' EXIT
	upgrades_are_fast
}
it "the same with four processors" four_processors

# Disabling and its reversal, while a task holds the transition up.
reversal_is_fast() {
	need_quick_pair
	load_core
	load_target klp_target
	load a1 set=1 funcs=klp_target:park
	park a1
	set_attribute a1 enabled 0
	# Far into the times in which an attempt is made once a second only.
	wait_until "three seconds are over" seconds_later 3
	in_transition a1
	mark
	set_attribute a1 enabled 1
	complete a1
	# The notice that it starts is printed by the reversal itself.
	between starting "patching complete"
	diag "$REPLY us"
	((REPLY < 500000)) || fail "the first attempt after a reversal came after $REPLY us"
	unpark a1
}

seconds_later() {
	since=${since:-$SECONDS}
	((SECONDS >= since + $1))
}
it "after a reversal, the next attempt comes at once" reversal_is_fast

# Stock counts attempts: fifteen, one a second. The early ones must not be among them.
patience_is_the_same() {
	load_core
	load_target klp_target
	park klp_target
	mark
	start a1 set=1 funcs=klp_target:park
	wait_until "the task that holds the transition up is signalled" signalled
	between starting signaling
	diag "$REPLY us"
	((REPLY > 13000000)) || fail "signals were sent after $REPLY us"
	unpark klp_target
	complete a1
}

signalled() {
	kernel_log | grep -q "livepatch: signaling remaining tasks"
}
it "who holds a transition up is signalled after fifteen seconds, as before" patience_is_the_same

# --- where a pass finds its functions --------------------------------------------

# first FUNCTION...: these are found first, in whatever order
first() {
	local count=$#
	diag "$(< /sys/module/klp_order/parameters/order)"
	same "what is found first" "$(printf '%s\n' "$@" | sort)" \
		"$(tr ' ' '\n' < /sys/module/klp_order/parameters/order | head -n "$count" | sort)"
}

with_others() {
	load_core "$@"
	load_target klp_target klp_order
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show
	load b1 set=2 funcs=version_proc_show,klp_target:fn2
	load s1 funcs=uptime_proc_show
}

new_patch_first() {
	with_others
	first uptime_proc_show
	# One that it has dropped by then, and two that both versions have.
	load a2 set=1 funcs=cmdline_proc_show,loadavg_proc_show
	first cmdline_proc_show loadavg_proc_show
	load b2 set=2 funcs=version_proc_show,klp_target:fn2
	first version_proc_show fn2
}
it "a patch's own functions are found first" new_patch_first

# The nops are searched for, too, as long as there are any.
nops_first() {
	with_others
	park klp_target
	start a2 set=1 funcs=klp_target:park
	in_transition a2
	first park fn1 cmdline_proc_show
	unpark klp_target
	complete a2
}
it "what a patch drops is found first as well" nops_first

# One of a set, a stock patch, which the engine forgets after its first transition, and
# one that was adopted.
disabled_first() {
	local name
	with_others
	for name in c1 s2 s3; do
		case $name in
		c1) load c1 set=3 funcs=klp_target:park ;;
		*) load "$name" funcs=klp_target:park ;;
		esac
		[[ $name != s3 ]] || echo "client_s3 5" > /sys/kernel/klp_sets/assign
		load a2 set=1 funcs=klp_target:fn1
		first fn1
		gone a1
		unload a1
		park "$name"
		set_attribute "$name" enabled 0
		in_transition "$name"
		first park
		unpark "$name"
		gone "$name"
		load a1 set=1 funcs=klp_target:fn1
		gone a2
		unload a2
	done
}
it "so are those of a patch that is being disabled" disabled_first

switched_off() {
	with_others fast_search=0
	first uptime_proc_show
	load a2 set=1 funcs=klp_target:fn1,cmdline_proc_show
	first uptime_proc_show
}
it "with fast_search=0 the list stays as it is" switched_off

echo "1..$test_count"
exit $test_status
