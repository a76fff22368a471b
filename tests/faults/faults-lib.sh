# shellcheck shell=bash
# faults-lib.sh - lets one allocation fail after the other, on top of lib.sh
#
# An operation is tried with its first allocation failing, then with the second, until
# it has no more. Each time it must tell, and leave the machine as it was; or it must not
# have needed the memory, which is only right for what is named in `optional`.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../functional/lib.sh"
. "$(dirname "$0")/../functional/assign-lib.sh"

failslab=/sys/kernel/debug/failslab
inject=$(dirname "$0")/inject
step=${KLP_TEST_FAULT_STEP:-1}

if [[ ! -e $failslab/require-start ]]; then
	echo "1..0 # SKIP this kernel cannot make allocations fail"
	exit 4
fi

# Functions that do as well as they can without the memory that they, or what they call,
# ask for, as words:
#   a uevent is a notice, sysfs is the truth
#   a kprobe finds a symbol before it needs memory
#   ftrace can do without a trampoline for each user
#   the link from a set to its new patch is made when the old one is gone
#   whether ftrace has stopped is asked with a filter; no memory for that is no sign of it
# The slab allocator asks for memory of its own, and does not even say when it gets none.
optional=(kobject_uevent_env register_kprobe arch_ftrace_update_trampoline
	  klp_sets_show_replaced klp_sets_ftrace_has_stopped)

# Memory for the watchers of this kernel, who can do without as well.
watchers="kmemleak_object debug_objects_cache"

# Sleeping allocations fail too, with a stack of each in the log.
arm() {
	local file cache
	echo 0 > $failslab/ignore-gfp-wait
	echo 2 > $failslab/verbose
	echo 1 > $failslab/cache-filter
	# Whole pages are for the watchers, and do not count.
	echo 100 > /sys/kernel/debug/fail_page_alloc/min-order
	for file in /sys/kernel/slab/*/failslab; do
		cache=${file%/failslab}
		[[ " $watchers " == *" ${cache##*/} "* ]] || echo 1 > "$file"
	done
}

# filter require|reject FUNCTION: of the kernel; what it does, and what is called by it
filter() {
	local start end
	read -r start end < <(perl -e '
		open(my $in, "<", "/proc/kallsyms") or die;
		my (@text, $start);
		while (<$in>) {
			my ($addr, $type, $name, $mod) = split;
			next if $mod || $type !~ /^[tT]$/;
			push @text, $addr;
			$start = $addr if $name eq $ARGV[0];
		}
		my ($end) = sort grep { $_ gt $start } @text;
		print "0x$start 0x$end\n"' "$2")
	[[ -n $end ]] || fail "where is $2()?"
	echo "$start" > "$failslab/$1-start"
	echo "$end" > "$failslab/$1-end"
}

only_below() {
	filter require "$1"
}

is_optional() {
	local name
	for name in "${optional[@]}"; do
		[[ " $1 " != *" $name "* ]] || return 0
	done
	return 1
}

# each_fault UNDO insmod|write|rmmod NAME...: UNDO checks that it was done and takes it back
each_fault() {
	local undo=$1 before first=$((1 + RANDOM % step)) n left said where changed needed good=0
	shift
	n=$first
	before=$(snapshot)
	while :; do
		needed=
		IFS='|' read -r n left said where changed < <("$inject" $n "$@")
		[[ -n ${said:-} ]] || fail "inject $* failed"
		[[ -z $where ]] || is_optional "$where" || needed=1
		where="allocation $n failed in $where"
		[[ -z $changed ]] || fail "$where, and this is not as before: $changed"
		[[ $said == "done" ]] || fail "$where, and it says: $said"
		if [[ $left != 0 ]]; then
			$undo
			unchanged "$before"
			break
		fi
		[[ -z $needed ]] || fail "$where, and nobody minds"
		($undo) || fail "$where"
		(unchanged "$before") || fail "$where"
		good=$((good + 1))
		n=$((n + step))
	done
	diag "$((n - 1)) allocations, every $step from $first on, $good of them optional"
}

arm
# Stock livepatch's own: it cannot fail here, warns, and loses the filter.
filter reject __klp_unpatch_object
