# shellcheck shell=bash
# lib.sh - what the functional tests share
#
# A test is a function, and `it SENTENCE FUNCTION` runs it and prints its line
# of TAP. The first expectation that fails ends a test. What a test leaves on the
# machine is removed after it; a machine that does not come clean is a failure.
#
# Clients go by their short names: a1 is client_a1.ko. A function is named as
# on the command line of a client: cmdline_proc_show, or klp_target:fn1.

export LC_ALL=C
modules=/klp-sets/modules
livepatch=/sys/kernel/livepatch
sets=/sys/kernel/klp_sets/sets
tracing=/sys/kernel/tracing
# Seconds, for what should take one or two.
patience=${KLP_TEST_PATIENCE:-60}
scratch=$(mktemp -d)
# Seconds between two looks at what changes by itself. On the debug kernel looking is slow,
# waiting costs nothing, and what is freed is freed seconds later.
pause=0.05
[[ ! -e /sys/kernel/debug/kmemleak ]] || pause=4
# A process is what costs most on an emulated machine, so what is done often does without one:
# this stays open and silent, for nap().
exec {silence}<> <(:)
# Modules that are stuck until the machine ends; all files know them.
pinned=/tmp/klp_test_pinned
trap 'second_cpu 1; rm -rf "$scratch"' EXIT
test_count=0
test_status=0

second_cpu() {
	local file=/sys/devices/system/cpu/cpu1/online
	[[ ! -w $file ]] || echo "$1" 2> /dev/null > $file
}

# From 6.4 to 6.12, a transition patches every call of cond_resched(). Each waits for the
# other processor, which takes a second on an emulated machine, and minutes on one that is
# busy. There, tests have the second processor when they ask for it.
slow_pair=/tmp/klp_test_slow_pair
[[ -e $slow_pair ]] || grep ' klp_cond_resched$' /proc/kallsyms > $slow_pair

two_busy_cpus_are_slow() {
	[[ -s $slow_pair ]]
}

usual_cpus() {
	! two_busy_cpus_are_slow || second_cpu 0
}
usual_cpus

# --- reporting ---------------------------------------------------------------

it() {
	local status began=${EPOCHREALTIME/./}
	test_count=$((test_count + 1))
	echo "klp_test: $1" > /dev/kmsg
	mark
	("$2")
	status=$?
	(clean_up) || status=1
	[[ -z ${KLP_TEST_TIMES:-} ]] ||
		echo "# $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
	case $status in
	0) echo "ok $test_count - $1" ;;
	4) echo "ok $test_count - $1 # SKIP $(< "$scratch/skipped")" ;;
	*)
		echo "not ok $test_count - $1"
		test_status=1
		;;
	esac
}

# Ends the file. Every file gives the core back.
finish() {
	it "the core unloads at the end" unload_core
	echo "1..$test_count"
	exit $test_status
}

diag() {
	echo "# ${*//$'\n'/$'\n'# }"
}

# Ends the test, with what may help to understand it.
fail() {
	diag "$*"
	diag "livepatches: $(cd $livepatch && grep -s . ./*/{enabled,transition,replace_set})"
	diag "log: $(kernel_log | grep -E 'klp_sets|livepatch|client_' | tail -n 12)"
	exit 1
}

skip() {
	echo "$*" > "$scratch/skipped"
	exit 4
}

# For a test that needs what not every kernel has.
needs_file() {
	[[ -e $1 ]] || skip "this kernel has no $2"
}

needs_kprobe_events() {
	needs_file $tracing/kprobe_events CONFIG_KPROBE_EVENTS
}

# A target that comes and goes cannot be built in.
needs_module() {
	[[ ! -e /sys/module/$1 ]] || skip "$1 is built into this kernel"
	modprobe --dry-run --quiet "$1" || skip "this kernel has no module $1"
	! modprobe --dry-run --show-depends "$1" | grep -q '^builtin' ||
		skip "$1 is built into this kernel"
}

# same WHAT BEFORE AFTER
same() {
	[[ $2 == "$3" ]] || fail "$1 changed:
$(diff <(echo "$2") <(echo "$3"))"
}

# --- waiting -----------------------------------------------------------------

# wait_until WHAT COMMAND...
wait_until() {
	local what=$1 deadline=$((SECONDS + patience))
	shift
	until "$@"; do
		((SECONDS < deadline)) || fail "in vain waited until $what"
		nap
	done
}

# Up to bash 5.1, a signal ends the reading, and when it comes before that has begun, on a busy
# machine, nothing does.
nap() {
	if ((BASH_VERSINFO[0] * 100 + BASH_VERSINFO[1] < 502)); then
		sleep $pause
	else
		read -r -t $pause -u "$silence"
	fi
	true
}

# What a file holds, in REPLY; fails without the file.
peek() {
	[[ -e $1 ]] && read -r REPLY 2> /dev/null < "$1"
}

holds() {
	peek "$1" && [[ $REPLY == "$2" ]]
}

missing() {
	[[ ! -e $1 ]]
}

# --- the kernel's log --------------------------------------------------------

# What follows is what kernel_log shows. The console keeps everything.
mark() {
	dmesg --clear
}

kernel_log() {
	dmesg --notime
}

# Exactly one line of the core has all these words.
logged() {
	local line word count=0
	while IFS= read -r line; do
		[[ $line == "klp_sets: "* ]] || continue
		for word; do
			[[ $line == *"$word"* ]] || continue 2
		done
		count=$((count + 1))
	done < <(kernel_log)
	[[ $count -eq 1 ]] || fail "expected one line in the log with ($*), found $count"
}

# --- modules -----------------------------------------------------------------

# insmod has words of its own for some of them.
declare -A errors=(
	[EBUSY]="Device or resource busy"
	[EINVAL]="Invalid parameters"
	[ENODEV]="No such device"
)

load_core() {
	local said
	said=$(insmod $modules/klp-sets.ko "$@" 2>&1) || fail "insmod klp-sets.ko: $said"
}

unload_core() {
	remove klp_sets
	missing /sys/kernel/klp_sets || fail "/sys/kernel/klp_sets is still there"
}

# refuse_core WORD...: EBUSY, a line in the log with the words, and no trace
refuse_core() {
	local before said
	before=$(snapshot)
	mark
	said=$(insmod $modules/klp-sets.ko 2>&1) && fail "the core was loaded"
	[[ $said == *": ${errors[EBUSY]}" ]] || fail "expected EBUSY, insmod says: $said"
	logged "$@"
	unchanged "$before"
}

# For the head of a file whose tests share one loaded core.
need_core() {
	core_stays=1
	(load_core "$@") || {
		echo "Bail out! The core does not load"
		exit 1
	}
}

load_target() {
	local name said
	for name; do
		said=$(insmod "$modules/$name.ko" 2>&1) || fail "insmod $name.ko: $said"
	done
}

# take FUNCTION: somebody else may redirect it, and nobody but him
take() {
	local said
	said=$(insmod $modules/klp_taker.ko function="$1" 2>&1) ||
		fail "insmod klp_taker.ko function=$1: $said"
}

# The client's transition may still be going on afterwards.
start() {
	local name=client_$1 said
	shift
	said=$(insmod "$modules/$name.ko" "$@" 2>&1) || fail "insmod $name.ko $*: $said"
}

load() {
	start "$@"
	complete "$1"
	[[ $(< "$livepatch/client_$1/enabled") == 1 ]] || fail "client_$1 is not enabled"
}

# refuse ERRNO CLIENT PARAMETERS...: and nothing on the machine changes
refuse() {
	local errno=$1 name=client_$2 before said
	shift 2
	before=$(snapshot)
	mark
	if said=$(insmod "$modules/$name.ko" "$@" 2>&1); then
		fail "$name was loaded ($*), expected $errno"
	fi
	[[ $said == *": ${errors[$errno]}" ]] ||
		fail "insmod $name.ko $*: expected $errno, it says: $said"
	unchanged "$before"
}

# Waits for the last reference to a module and removes it.
remove() {
	local name said
	for name; do
		wait_until "nobody uses $name" holds "/sys/module/$name/refcnt" 0
		said=$(rmmod "$name" 2>&1) || fail "rmmod $name: $said"
	done
}

unload() {
	remove "${@/#/client_}"
}

# --- livepatches -------------------------------------------------------------

# set_attribute CLIENT FILE VALUE
set_attribute() {
	local said
	said=$( (echo "$3" > "$livepatch/client_$1/$2") 2>&1) ||
		fail "echo $3 > client_$1/$2: $said"
}

# refuse_attribute ERRNO CLIENT FILE VALUE
refuse_attribute() {
	local said
	said=$( (echo "$4" > "$livepatch/client_$2/$3") 2>&1) &&
		fail "echo $4 > client_$2/$3 succeeded, expected $1"
	case $1:$said in
	EBUSY:*"Device or resource busy" | EINVAL:*"Invalid argument") ;;
	*) fail "echo $4 > client_$2/$3: expected $1, it says: $said" ;;
	esac
}

# Disables one patch after the other.
disable() {
	local name
	for name; do
		set_attribute "$name" enabled 0
		gone "$name"
	done
}

transition_is_over() {
	! peek "$livepatch/client_$1/transition" || [[ $REPLY == 0 ]]
}

complete() {
	wait_until "the transition of client_$1 is complete" transition_is_over "$1"
}

in_transition() {
	holds "$livepatch/client_$1/transition" 1 || fail "client_$1 is not in transition"
}

gone() {
	local name
	for name; do
		wait_until "client_$name is gone from sysfs" missing "$livepatch/client_$name"
	done
}

enabled() {
	local name
	for name; do
		holds "$livepatch/client_$name/enabled" 1 || fail "client_$name is not enabled"
	done
}

# in_set CLIENT SET: as an operator sees it
in_set() {
	holds "$livepatch/client_$1/replace_set" "$2" ||
		fail "replace_set of client_$1: expected $2, found ${REPLY:-no file}"
	[[ $(readlink -f "$sets/$2/patch") == "$livepatch/client_$1" ]] ||
		fail "the patch of set $2: expected client_$1, found $(readlink "$sets/$2/patch")"
}

free_set() {
	local set
	for set; do
		wait_until "set $set is free" missing "$sets/$set"
	done
}

# Tasks in old code may live for ever, so its module must stay.
pinned() {
	gone "$1"
	echo "client_$1" >> $pinned
	holds "/sys/module/client_$1/refcnt" 0 && fail "client_$1 could be removed after force"
	rmmod "client_$1" 2> /dev/null && fail "client_$1 was removed after force"
	return 0
}

# --- hooks -------------------------------------------------------------------

# Where the core stands. Nobody else may redirect the first one.
hooks=(klp_is_patch_compatible klp_init_transition klp_force_transition klp_reverse_transition
	klp_try_complete_transition klp_kobj_release_patch)

hooks_in_place() {
	local line
	read_redirected
	for line in "${redirected[@]}"; do
		[[ $line != klp_* && $line != "enabled_store "* ]] || return 0
	done
	return 1
}

no_hooks() {
	! hooks_in_place
}

# Some seconds after nothing needs them any more.
hooks_are_gone() {
	wait_until "no hook is in place" no_hooks
}

# --- functions ---------------------------------------------------------------

# runs FUNCTION CLIENT|original
runs() {
	local file seen
	case $1 in
	*:*) file=/proc/${1%:*}/${1#*:} ;;
	*) file=/proc/${1%_proc_show} ;;
	esac
	read -r seen < "$file"
	case $seen in
	client_*) seen=${seen#client_} ;;
	*) seen=original ;;
	esac
	[[ $seen == "$2" ]] || fail "$1: expected $2, it runs $seen"
}

# ftrace's list, in the array `redirected`. At once: after a line that it reads alone, the
# shell goes back to where that line ends, for which the kernel begins anew.
read_redirected() {
	mapfile -t redirected < $tracing/enabled_functions
}

# The function's line in ftrace's list, in REPLY, without the trampoline: it may be
# shown under the name of a module that was loaded there once.
find_handler() {
	local line start="$1 ("
	[[ $1 != *:* ]] || start="${1#*:} [${1%:*}] ("
	read_redirected
	for line in "${redirected[@]}"; do
		if [[ $line == "$start"* ]]; then
			REPLY=${line%%tramp:*}
			return 0
		fi
	done
	REPLY=
	return 1
}

# Back to the original code, and ftrace has forgotten it.
untouched() {
	local function
	for function; do
		runs "$function" original
		! find_handler "$function" || fail "$function still carries a handler: $REPLY"
	done
}

# picture CLIENT FUNCTION...: all that must not change while others change
picture() {
	local name=client_$1 function
	shift
	for function; do
		find_handler "$function"
		echo "$REPLY"
	done
	echo "references: $(< "/sys/module/$name/refcnt")"
	find "$livepatch/$name" | sort
	grep -s . "$livepatch/$name"/{enabled,transition,replace_set,obsoletes}
}

# All that a refusal must leave alone. Not stack_order: it says nothing about sets.
snapshot() {
	find $livepatch /sys/kernel/klp_sets -printf '%p %l\n' 2> /dev/null
	# The counters count just what is to leave no other trace.
	grep -rs --exclude=stack_order --exclude=refusals --exclude=transitions . \
		$livepatch /sys/kernel/klp_sets \
		/sys/module/{klp_,client_}*/refcnt
	find_handlers
	echo "$REPLY"
}

is_snapshot() {
	[[ $(snapshot) == "$1" ]]
}

# References are dropped, and folders removed, by work items.
unchanged() {
	local deadline=$((SECONDS + 20))
	until is_snapshot "$1"; do
		((SECONDS < deadline)) || same "the machine" "$1" "$(snapshot)"
		nap
	done
}

# probe CLIENT FUNCTION: a kprobe on the client's replacement
probe() {
	needs_kprobe_events
	{
		echo "p:klp_test/replacement client_$1:new_${2#*:}" > $tracing/kprobe_events &&
			echo 1 > $tracing/events/klp_test/enable
	} || fail "cannot place a kprobe on the replacement of $2 in client_$1"
}

hits() {
	local name count
	while read -r name count _; do
		[[ $name != replacement ]] || echo "$count"
	done < $tracing/kprobe_profile
}

# --- tasks in patched functions ----------------------------------------------

# The parameters of whose park() it is, in REPLY: a target's or a client's.
parking() {
	case $1 in
	klp_target*) REPLY=/sys/module/$1/parameters ;;
	*) REPLY=/sys/module/client_$1/parameters ;;
	esac
}

# park WHOSE [TARGET]: a task calls park() of the target and stays in it, in this
# module's code. The transition of a patch that changes it cannot complete.
park() {
	local whose
	parking "$1"
	whose=$REPLY
	echo 1 > "$whose/hold"
	cat "/proc/${2:-klp_target}/park" > /dev/null &
	parked_task=$!
	wait_until "a task is in park() of $1" holds "$whose/parked" 1
}

unpark() {
	local whose
	for whose; do
		parking "$whose"
		echo 0 > "$REPLY/hold"
		wait_until "no task is in park() of $whose" holds "$REPLY/parked" 0
	done
}

# alone_in_state STATE: the task that was parked last is the only one that the
# transition has left there: 0 is without the patch, 1 with it
alone_in_state() {
	[[ $(grep -lsx "$1" /proc/[0-9]*/patch_state) == "/proc/$parked_task/patch_state" ]]
}

# --- cleaning up -------------------------------------------------------------

loaded() {
	local folder
	for folder in /sys/module/"$1"*; do
		[[ ! -e $folder ]] || echo "${folder##*/}"
	done
}

unpark_all() {
	local file
	for file in /sys/module/{client_,klp_target,klp_late_}*/parameters/hold; do
		[[ ! -e $file ]] || echo 0 > "$file"
	done
}

remove_probes() {
	[[ -e $tracing/kprobe_events && -n $(< $tracing/kprobe_events) ]] || return 0
	[[ ! -e $tracing/events/klp_test ]] || echo 0 > $tracing/events/klp_test/enable
	echo > $tracing/kprobe_events
}

nothing_in_transition() {
	local file
	for file in $livepatch/*/transition; do
		! holds "$file" 1 || return 1
	done
}

disable_all() {
	local folder
	wait_until "every transition is complete" nothing_in_transition
	for folder in "$livepatch"/*; do
		if holds "$folder/enabled" 1; then
			echo 0 > "$folder/enabled"
			wait_until "${folder##*/} is gone from sysfs" missing "$folder"
		fi
	done
	wait_until "all disabled patches are gone from sysfs" no_livepatch
}

no_livepatch() {
	local folder
	for folder in $livepatch/*; do
		missing "$folder" || return 1
	done
}

# Handlers on functions, without their trampolines, but for the hooks of the core, which stay
# for a while when nothing needs them any more. In REPLY.
find_handlers() {
	local line
	REPLY=
	read_redirected
	for line in "${redirected[@]}"; do
		[[ " ${hooks[*]} enabled_store " == *" ${line%% *} "* ]] ||
			REPLY+=${line%%tramp:*}$'\n'
	done
}

no_handler() {
	if [[ -e /sys/module/klp_sets ]]; then
		find_handlers
		[[ -z $REPLY ]]
	else
		read_redirected
		[[ ${#redirected[@]} -eq 0 ]]
	fi
}

is_pinned() {
	[[ -e $pinned ]] && grep -qx "$1" $pinned
}

# All modules of livepatches that can be removed before the machine ends.
remove_livepatches() {
	local folder
	for folder in /sys/module/{client_,klp_late_,vendor_}*; do
		[[ ! -e $folder ]] || is_pinned "${folder##*/}" || remove "${folder##*/}"
	done
}

clean_up() {
	local folder
	usual_cpus
	holds /proc/sys/kernel/ftrace_enabled 1 || echo 1 > /proc/sys/kernel/ftrace_enabled
	unpark_all
	remove_probes
	disable_all
	remove_livepatches
	for folder in /sys/module/klp_{target,taker,order}*; do
		[[ ! -e $folder ]] || remove "${folder##*/}"
	done
	if [[ -z ${core_stays:-} && -e /sys/module/klp_sets ]]; then
		remove klp_sets
	fi
	wait_until "no function carries a handler" no_handler
}
