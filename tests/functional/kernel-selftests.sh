#!/bin/bash
# The kernel's own livepatch selftests pass unchanged while the core is loaded:
# with no managed patch and no assignment it must be invisible.
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
echo "1..${#tests[@]}"

[ -n "${KLP_TEST_BARE:-}" ] || insmod /klp-sets/modules/klp-sets.ko || exit 1

n=0
failed=0
for t in "${tests[@]}"; do
	n=$((n + 1))
	start=$SECONDS
	output=$(bash "./$t" 2>&1)
	status=$?
	case $status in
	0) echo "ok $n - $t" ;;
	4)
		reason=$(sed -n 's/^SKIP: //p' <<< "$output" | head -n 1)
		if [ -n "$reason" ]; then
			echo "ok $n - $t # SKIP $reason"
		else
			# "skip all tests": the machine is not what they need.
			echo "not ok $n - $t"
			failed=1
		fi
		;;
	*)
		echo "not ok $n - $t"
		failed=1
		;;
	esac
	echo "# ${output//$'\n'/$'\n'# }"
	echo "# $t took $((SECONDS - start)) s"
done

[ -n "${KLP_TEST_BARE:-}" ] || rmmod klp_sets || failed=1
exit $failed
