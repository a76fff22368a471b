# shellcheck shell=bash disable=SC2154
# command-lib.sh - what the tests of the command share

. "$(dirname "${BASH_SOURCE[0]}")/../schema/lib.sh"

cd "$modules" || exit 1
trap 'leave; second_cpu 1; rm -rf "$scratch"' EXIT
options=/etc/modprobe.d/klp_test.conf
mkdir -p "${options%/*}"
updates=/lib/modules/$(uname -r)/updates

# The core, where DKMS puts it.
install_core() {
	mkdir -p "$updates"
	cp klp-sets.ko "$updates"
	depmod
}

# The next file finds a machine without it.
leave() {
	rm -f "$options"
	[[ ! -d $updates ]] || rm -r "$updates"
	depmod
}

# does STATUS ARGUMENT...: klp-sets ends with it; what it prints is in $said
does() {
	local expected=$1 status
	shift
	said=$(klp-sets "$@" 2>&1 < /dev/null)
	status=$?
	[[ $status -eq $expected ]] ||
		fail "klp-sets $* ended with $status and not with $expected. It says:
$said"
}

# told WORD...: one of the lines that it printed has all of them
told() {
	local line word
	while IFS= read -r line; do
		for word; do
			[[ $line == *"$word"* ]] || continue 2
		done
		return 0
	done <<< "$said"
	fail "expected to be told ($*). It says:
$said"
}

# printed LINE...: these, and nothing else
printed() {
	same "what it prints" "$(printf '%s\n' "$@")" "$said"
}

# A client that is loaded by the command gets its contents as modprobe gives them.
contents() {
	local name=client_$1
	shift
	sed -i "/^options $name /d" "$options" 2> /dev/null
	echo "options $name $*" >> "$options"
}

# Both by the full names of their modules.
in_effect() {
	local name
	for name; do
		holds "$livepatch/$name/enabled" 1 || fail "$name is not in effect"
	done
}

no_module() {
	local name
	for name; do
		missing "/sys/module/$name" || fail "the module $name is there"
	done
}
