# shellcheck shell=bash disable=SC2154
# journal-lib.sh - a socket that stands where that of systemd's journal would, for tests of the
# command, here and in a machine

socket=${KLP_SETS_ROOT:-}/run/systemd/journal/socket
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Each datagram that arrives, on a line of its own.
listen() {
	mkdir -p "${socket%/*}"
	perl -MSocket -e '
		my ($path, $file) = @ARGV;
		socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, sockaddr_un($path)) or die "$path: $!";
		open(F, ">", $file) or die;
		F->autoflush(1);
		while (defined recv(S, $_, 65536, 0)) {
			exit if /^end/;
			tr/\n/|/;
			print F "|$_\n";
		}' "$socket" "$scratch/arrived" &
	listener=$!
	until [[ -S $socket ]]; do
		kill -0 $listener || fail "the socket cannot be made"
	done
}

# All that was sent, in $arrived; the socket is closed.
heard() {
	perl -MSocket -e '
		socket(S, AF_UNIX, SOCK_DGRAM, 0) && send(S, "end", 0, sockaddr_un($ARGV[0])) or
			die "$!"' "$socket"
	wait $listener
	rm "$socket"
	arrived=$(< "$scratch/arrived")
}

# What the documentation says of an event.
id() {
	sed -n "s/^| $1 | \`\([0-9a-f]*\)\` | .*/\1/p" "$top/Documentation/fleet.md"
}

# event NAME FIELD...: there is one of these, and it has these fields
event() {
	local name=$1 id lines word
	shift
	id=$(id "$name")
	[[ ${#id} == 32 ]] || fail "fleet.md has no event '$name'"
	lines=$(grep "|MESSAGE_ID=$id|" <<< "$arrived")
	[[ -n $lines && $(wc -l <<< "$lines") == 1 ]] || fail "expected one '$name' among: $arrived"
	for word in SYSLOG_IDENTIFIER=klp-sets "$@"; do
		[[ $lines == *"|$word|"* ]] || fail "expected $word in: $lines"
	done
	[[ $lines == *"|MESSAGE="?*"|" ]] || fail "it has no sentence: $lines"
}
