# shellcheck shell=bash disable=SC2154
# lib.sh - what the tests of the command share that need no kernel
#
# A test is a function, and `it SENTENCE FUNCTION` runs it in a shell of its own, with an
# empty root, and prints its line of TAP. The first expectation that fails ends a test.

export LC_ALL=C.UTF-8
modules=/klp-sets/modules
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export KLP_SETS_ROOT=$scratch/root
store=$KLP_SETS_ROOT/var/lib/klp-sets/$KLP_SETS_KERNEL
test_count=0
test_status=0

it() {
	test_count=$((test_count + 1))
	[[ -z ${KLP_SETS_ROOT:-} ]] || { rm -rf "$KLP_SETS_ROOT" && mkdir "$KLP_SETS_ROOT"; }
	if ("$2"); then
		echo "ok $test_count - $1"
	else
		echo "not ok $test_count - $1"
		test_status=1
	fi
}

finish() {
	echo "1..$test_count"
	exit $test_status
}

diag() {
	echo "# ${*//$'\n'/$'\n'# }"
}

fail() {
	diag "$*"
	exit 1
}

# What the command says, in $said.
accept() {
	said=$(klp-sets "$@" 2>&1) || fail "klp-sets $*: status $?, and it says: $said"
}

# reject STATUS WORDS VERB...: it fails with this status, and says these words
reject() {
	local expected=$1 words=$2 status=0
	shift 2
	said=$(klp-sets "$@" 2>&1) || status=$?
	[[ $status == "$expected" ]] ||
		fail "klp-sets $*: expected status $expected, found $status: $said"
	says "$words"
}

# The command's last output holds these words.
says() {
	[[ $said == *"$1"* ]] || fail "expected '$1', it says: $said"
}

says_not() {
	[[ $said != *"$1"* ]] || fail "did not expect '$1', it says: $said"
}

# What is in force in the store, a line a file, in the order of boot.
content() {
	(cd "$store/content" 2> /dev/null && find . -type f | sort)
}

# stored FILE...: exactly these, by their paths below content
stored() {
	local expected=
	[[ $# == 0 ]] || expected=$(printf './%s\n' "$@")
	[[ $(content) == "$expected" ]] || fail "the store holds:
$(content)
and not:
$expected"
}

install() {
	local name
	for name; do
		accept install "$modules/$name.ko"
	done
}
