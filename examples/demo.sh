#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What replace sets do, told with the example modules on the machine it runs
# on. `make demo` runs it in a virtual machine. Every step is checked: the exit
# status says whether all went as told.
#
#   KLP_SETS_MODULES  where klp-sets.ko and the examples are
#   KLP_SETS_COLOR=1  colours, also when stdout is not a terminal
set -u

modules=${KLP_SETS_MODULES:-/klp-sets/modules}
livepatch=/sys/kernel/livepatch

if [ "${KLP_SETS_COLOR:-}" = 1 ] || { [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; }; then
	bold=$'\e[1m' blue=$'\e[34m' red=$'\e[31m' plain=$'\e[0m'
else
	bold='' blue='' red='' plain=''
fi

give_up() {
	echo "demo.sh: $*" >&2
	exit 1
}

die() {
	printf '\n%sNot as told: %s%s\n' "$red" "$*" "$plain"
	exit 1
}

title() {
	printf '\n%s%s%s\n' "$bold" "$*" "$plain"
}

say() {
	printf '\n'
	printf '%s\n' "$@"
}

# run COMMAND: the command as one would type it, then what it prints. The
# output stays in $shown.
run() {
	local status
	printf '%s+ %s%s\n' "$blue" "$*" "$plain"
	shown=$(eval "$*" 2>&1)
	status=$?
	[ -z "$shown" ] || printf '%s\n' "$shown"
	return $status
}

must() {
	run "$@" || die "'$*' failed"
}

refused() {
	! run "$@" || die "'$*' should have been refused"
}

# look FILE TEXT: what the file shows, and that it is what it should be.
look() {
	must "cat $1"
	[ "$shown" = "$2" ] || die "$1 should show: $2"
}

# The load changes while we look: "0.27 0.08 0.03 1/79 213".
look_loadavg() {
	must "cat /proc/loadavg"
	[[ $shown =~ ^([0-9]+\.[0-9]+\ ){3}[0-9]+/[0-9]+\ [0-9]+$ ]] ||
		die "/proc/loadavg should show the load"
}

# until_true COMMAND: the limit is there for a machine that hangs, and nothing
# else.
until_true() {
	local start=$SECONDS
	until eval "$1"; do
		[ $((SECONDS - start)) -lt 120 ] || die "waited in vain for: $1"
		sleep 0.1
	done
}

# A transition goes on in the background: it ends when no task is left that
# may still be in the old code.
transition() {
	local start=${EPOCHREALTIME/[.,]/} ms
	until_true "$1"
	ms=$(((${EPOCHREALTIME/[.,]/} - start) / 1000))
	printf '  (transition complete after %d.%d s)\n' \
		$((ms / 1000)) $((ms % 1000 / 100))
}

load_patch() {
	must "insmod $1.ko"
	transition "[ \"\$(cat $livepatch/$1/transition)\" = 0 ]"
}

disable_patch() {
	must "echo 0 > $livepatch/$1/enabled"
	transition "! [ -e $livepatch/$1 ]"
	remove_patch "$1"
}

# The kernel lets go of the module a moment after the transition.
remove_patch() {
	until_true "[ \"\$(cat /sys/module/$1/refcnt)\" = 0 ]"
	must "rmmod $1"
}

[ "$(id -u)" = 0 ] || give_up "livepatches are loaded by root"
[ -e "$modules/klp-sets.ko" ] || give_up "no klp-sets.ko in $modules"
[ -d $livepatch ] || give_up "this kernel has no livepatch support"
[ -z "$(ls -A $livepatch)" ] || give_up "this machine has livepatches already, this story starts without"
[ ! -e /sys/module/klp_sets ] || give_up "klp-sets is loaded already, this story starts without"
cd "$modules" || exit 1

cmdline=$(cat /proc/cmdline)
version=$(cat /proc/version)

title "A machine without livepatches"
say "Linux $(uname -r), as the distribution built it. Three of its files:"
look /proc/cmdline "$cmdline"
look /proc/version "$version"
look_loadavg
say "klp-sets is a module like any other."
must "cd $modules"
must "insmod klp-sets.ko"

title "1. Two vendors, two sets"
say "Vendor A brings its livepatch, in set 1. It changes the functions behind" \
	"/proc/cmdline and /proc/version."
load_patch vendor_a_v1
say "Vendor B brings its own, in set 2, for /proc/loadavg."
load_patch vendor_b_v1
say "Both are there, and each function prints what its vendor wants:"
must "grep . $livepatch/*/replace_set"
look /proc/cmdline "cmdline, patched by vendor A, version 1"
look /proc/version "version, patched by vendor A, version 1"
look /proc/loadavg "loadavg, patched by vendor B, version 1"

title "2. A livepatch that does not fit is refused"
say "Vendor B's next livepatch also changes cmdline_proc_show(). That function is" \
	"vendor A's. With two versions of it around, the one that runs would depend on" \
	"who comes and goes, and in which order."
refused "insmod vendor_b_conflict.ko"
say "The kernel log says why:"
must "dmesg | grep 'klp_sets: .*vendor_b_conflict'"
[[ $shown == *cmdline_proc_show*vendor_a_v1* ]] ||
	die "the line should name cmdline_proc_show and its owner vendor_a_v1"
say "Nothing has changed, vendor B's first livepatch is still at work:"
must "grep . $livepatch/*/replace_set"
look /proc/cmdline "cmdline, patched by vendor A, version 1"
look /proc/loadavg "loadavg, patched by vendor B, version 1"

title "3. Version 2 replaces version 1, and nothing else"
say "Vendor A's version 2 changes cmdline_proc_show() again, and leaves" \
	"version_proc_show() alone. Before:"
must "grep -o '^[a-z]*_proc_show' /sys/kernel/tracing/enabled_functions | sort"
[ "$shown" = $'cmdline_proc_show\nloadavg_proc_show\nversion_proc_show' ] ||
	die "the three functions should be patched"
look /proc/cmdline "cmdline, patched by vendor A, version 1"
look /proc/version "version, patched by vendor A, version 1"
look /proc/loadavg "loadavg, patched by vendor B, version 1"
say "One insmod, one transition:"
load_patch vendor_a_v2
until_true "! [ -e $livepatch/vendor_a_v1 ]"
say "After. /proc/cmdline is at version 2, /proc/version is the kernel's own code" \
	"again, and vendor B has noticed nothing:"
look /proc/cmdline "cmdline, patched by vendor A, version 2"
look /proc/version "$version"
look /proc/loadavg "loadavg, patched by vendor B, version 1"
must "grep -o '^[a-z]*_proc_show' /sys/kernel/tracing/enabled_functions | sort"
[ "$shown" = $'cmdline_proc_show\nloadavg_proc_show' ] ||
	die "only version_proc_show should have gone"
must "grep . $livepatch/*/replace_set"
[ "$shown" = "$livepatch/vendor_a_v2/replace_set:1
$livepatch/vendor_b_v1/replace_set:2" ] || die "vendor_a_v2 and vendor_b_v1 should be there"
say "Version 1 is of no more use, its module can go."
remove_patch vendor_a_v1

title "4. Vendor B leaves"
say "A livepatch is disabled the way the kernel has always done it."
disable_patch vendor_b_v1
say "Vendor B's function is the kernel's own again, vendor A's stays patched:"
look_loadavg
look /proc/cmdline "cmdline, patched by vendor A, version 2"

title "5. The end"
say "klp-sets cannot be unloaded while it has a livepatch to look after."
refused "rmmod klp_sets"
disable_patch vendor_a_v2
must "rmmod klp_sets"
say "The machine is as it was:"
look /proc/cmdline "$cmdline"
look /proc/version "$version"
look_loadavg
must "ls -A $livepatch"
[ -z "$shown" ] || die "no livepatch should be left"

printf '\n%sAll as told, in %d seconds.%s\n' "$bold" "$SECONDS" "$plain"
