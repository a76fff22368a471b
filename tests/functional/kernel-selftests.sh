#!/bin/bash
# The kernel's own livepatch selftests pass unchanged while the core is loaded:
# with no managed patch and no assignment it must be invisible. Some are run once
# more after a managed patch has come and gone.
#
# With KLP_TEST_BARE=1 the core is not loaded. That is the baseline: what fails
# then is not ours.
#
# Time limit: 2400 s
set -u

here=/klp-sets/kselftests
if ! [ -d "$here/livepatch" ]; then
	echo "1..0 # SKIP the kernel's selftests were not built"
	exit 4
fi
if ! [ -e /sys/kernel/debug/dynamic_debug/control ]; then
	echo "1..0 # SKIP this kernel has no CONFIG_DYNAMIC_DEBUG, or no debugfs, which they want"
	exit 4
fi

# Some of them load their modules with modprobe, some from test_modules.
dir=/lib/modules/$(uname -r)/kselftests
mkdir -p "$dir" "$here/livepatch/test_modules"
cp "$here"/modules/*.ko "$dir/"
cp "$here"/modules/*.ko "$here/livepatch/test_modules/"
depmod
# Newer ones want to see a folder in which they could have built them.
export KDIR=$dir

cd "$here/livepatch" || exit 1
tests=(test-*.sh)
# The quick ones, one of which is about hooks that are left behind.
again=()
for t in test-livepatch.sh test-ftrace.sh; do
	[ -n "${KLP_TEST_BARE:-}" ] || [ ! -e "$t" ] || again+=("$t")
done
count=$((${#tests[@]} + ${#again[@]}))
[ ${#again[@]} -eq 0 ] || count=$((count + 1))
echo "1..$count"

[ -n "${KLP_TEST_BARE:-}" ] || insmod /klp-sets/modules/klp-sets.ko || exit 1

n=0
failed=0

# run WHEN TEST...
run() {
	local when=$1 t start output status reason
	shift
	for t; do
		n=$((n + 1))
		start=$SECONDS
		output=$(bash "./$t" 2>&1)
		status=$?
		case $status in
		0) echo "ok $n - $t$when" ;;
		4)
			reason=$(sed -n 's/^SKIP: //p' <<< "$output" | head -n 1)
			if [ -n "$reason" ]; then
				echo "ok $n - $t$when # SKIP $reason"
			else
				# "skip all tests": the machine is not what they need.
				echo "not ok $n - $t$when"
				failed=1
			fi
			;;
		*)
			echo "not ok $n - $t$when"
			failed=1
			;;
		esac
		echo "# ${output//$'\n'/$'\n'# }"
		echo "# $t took $((SECONDS - start)) s"
	done
}

wait_for() {
	local deadline=$((SECONDS + 60))
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}

holds() {
	[ "$(cat "$1" 2> /dev/null)" = "$2" ]
}

come_and_go() {
	local patch=/sys/kernel/livepatch/client_a1
	insmod /klp-sets/modules/client_a1.ko set=1 funcs=cmdline_proc_show &&
		wait_for holds $patch/transition 0 &&
		holds $patch/replace_set 1 &&
		echo 0 > $patch/enabled &&
		wait_for holds /sys/module/client_a1/refcnt 0 &&
		rmmod client_a1 &&
		wait_for no_handler
}

# The hooks stay for a while.
no_handler() {
	[ -z "$(cat /sys/kernel/tracing/enabled_functions)" ]
}

run "" "${tests[@]}"
if [ ${#again[@]} -gt 0 ]; then
	n=$((n + 1))
	if come_and_go; then
		echo "ok $n - a managed patch comes and goes"
	else
		echo "not ok $n - a managed patch comes and goes"
		failed=1
	fi
	run ", after a managed patch" "${again[@]}"
fi

[ -n "${KLP_TEST_BARE:-}" ] || rmmod klp_sets || failed=1
exit $failed
