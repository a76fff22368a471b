# shellcheck shell=bash disable=SC2034
# lib.sh - what the tests of packages share, in the suite's root and in the machine
#
# A test is a function, and `it SENTENCE FUNCTION` runs it and prints its line of TAP. The
# first command in it that fails ends it. What it printed is shown when it has failed.

export LC_ALL=C.UTF-8
export DEBIAN_FRONTEND=noninteractive
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
release=$(cat "$top/../release")
version=$(make -s -C "$top" version)
test_count=0
test_status=0

it() {
	local output status began=$SECONDS
	output=$(mktemp)
	# Not in an "if", where -e does not count.
	(set -eE -o pipefail; trap 'echo "failed: $BASH_COMMAND" >&2' ERR; "$2") > "$output" 2>&1
	status=$?
	test_count=$((test_count + 1))
	if [ $status = 0 ]; then
		echo "ok $test_count - $1 ($((SECONDS - began)) s)"
	else
		sed 's/^/# /' "$output"
		echo "not ok $test_count - $1"
		test_status=1
	fi
	rm -f "$output"
	return $status
}

# The last thing, or, when a test has failed without which no other makes sense, not.
finish() {
	echo "1..$test_count"
	[ $test_status = 0 ] || exit $test_status
}

fail() {
	echo "failed: $*"
	exit 1
}

# contains TEXT WORD...
contains() {
	local text=$1 word
	shift
	for word; do
		[[ $text == *"$word"* ]] || fail "expected '$word' in: $text"
	done
}

wait_until() {
	local deadline=$((SECONDS + 300))
	until "$@"; do
		((SECONDS < deadline)) || fail "waited in vain for: $*"
		sleep 0.2
	done
}

# As an ordinary user, who has no sbin in his PATH.
as_user() {
	runuser -u user -- env -i HOME=/home/user USER=user LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin "$@"
}

# --- README -------------------------------------------------------------------

newcomers="Install it|First steps|Livepatches that know nothing of sets"

# readme_blocks LANGUAGE [CHAPTERS]: what README prints in it, by default in all chapters.
readme_blocks() {
	awk -v language="$1" -v chapters="${2:-.*}" '
		/^## / { wanted = $0 ~ "^## (" chapters ")$" }
		/^```/ { block = $0 == "```" language; next }
		wanted && block' "$top/README.md"
}

# readme_commands CHAPTERS: the commands that README prints in them, a line each.
readme_commands() {
	readme_blocks sh "$1"
}

# readme COMMAND [STATUS]: runs the command of README that is this, or the only one that has
# it as a part, as an ordinary user, in the folder where it is called. Its output is
# in $said.
readme() {
	local command status=0
	command=$(readme_commands "$newcomers" | grep -x -F -e "$1" ||
		readme_commands "$newcomers" | grep -F -e "$1") ||
		fail "README has no command '$1'"
	[ "$(wc -l <<< "$command")" = 1 ] || fail "README has more than one command '$1': $command"
	echo "$command" >> "$top/../commands"
	echo "\$ $command"
	# apt asks, and somebody says yes.
	said=$(as_user bash -c "$command" < <(yes) 2>&1) || status=$?
	echo "$said"
	[ $status = "${2:-0}" ] || fail "'$command' ended with status $status"
}

# way_out WAY-IN: runs the commands that README's table has against it
way_out() {
	local line command count=0
	line=$(grep -F "| \`$1\` | " "$top/README.md") || fail "README has no way out of '$1'"
	while read -r command; do
		[[ $command == sudo\ * ]] || continue
		echo "\$ $command"
		as_user bash -c "$command" < <(yes)
		count=$((count + 1))
	done < <(grep -o '[^|]*|$' <<< "$line" | grep -o '`[^`]*`' | tr -d '`')
	((count)) || fail "README has no command that leads out of '$1'"
}

readme_is_complete() {
	local missing
	missing=$(readme_commands "$newcomers" | grep -v -x -F -f "$top/../commands" || true)
	[ -z "$missing" ] || fail "README has commands that were not run: $missing"
}
