# shellcheck shell=bash
# state-lib.sh - what the tests of states share, on top of lib.sh
#
# Clients p1, p2, p3 and q1 tell in the kernel's log what happens to their
# states, and the kernel tells about its transitions. A test compares all of it,
# in the words
#
#   p1:5:pre_patch                  a callback of p1's state 5, or shadow_dtor
#   p1:patching p1:patched          p1's transition starts, is complete
#   p1:unpatching p1:unpatched      the same for the other direction
#
# Where one transition is reversed, it starts twice.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

errors[ENOSPC]="No space left on device"

# What has happened since the mark, a word a line.
told() {
	kernel_log | sed -nE \
		-e 's/^client_(\w+): state ([0-9]+) (.*)/\1:\2:\3/p' \
		-e 's/^client_(\w+): object (\w+)/\1:object:\2/p' \
		-e "s/^livepatch: 'client_(\w+)': starting (un)?patching transition/\1:\2patching/p" \
		-e "s/^livepatch: 'client_(\w+)': (un)?patching complete/\1:\2patched/p"
}

# story WORD...: this has happened, in this order, and nothing else. What happens
# from here on is for the next story.
story() {
	local expected seen
	expected=$(printf '%s\n' "$@")
	[[ $# -gt 0 ]] || expected=
	seen=$(told)
	[[ $seen == "$expected" ]] || fail "not as it should be told:
$(diff <(echo "$expected") <(echo "$seen"))"
	mark
}

# said_nothing: no state was touched, whatever the transitions did
said_nothing() {
	local calls
	calls=$(told | grep ":.*:") && fail "a callback was called: $calls"
	mark
}

# show_states SET LINE...: what an operator sees of the set's states
show_states() {
	local file=$sets/$1/states seen
	shift
	seen=$(< "$file")
	[[ $seen == "$(printf '%s\n' "$@")" ]] || fail "$file shows: $seen"
}

# --- transitions that stall --------------------------------------------------

# A task in the original park() keeps every patch that changes it from coming.
stall() {
	load_target klp_target
	park klp_target
}

# reverse_enabling CLIENT: whose transition is stalled
reverse_enabling() {
	in_transition "$1"
	set_attribute "$1" enabled 0
	gone "$1"
	unpark klp_target
}

# reverse_disable CLIENT: whose park() is changed and on hold
reverse_disable() {
	park "$1"
	set_attribute "$1" enabled 0
	in_transition "$1"
	set_attribute "$1" enabled 1
	complete "$1"
	unpark "$1"
	enabled "$1"
}

# --- shadow variables --------------------------------------------------------

variables=/sys/module/klp_target_shadow/parameters/variables

# attach ID...: variables of these ids to two objects
attach() {
	local id
	[[ -e $variables ]] || load_target klp_target_shadow
	for id; do
		echo "$id" > $variables || fail "cannot attach variables of id $id"
	done
}

# attached ID...: those of these ids are there, and no others
attached() {
	local id seen expected=
	for id; do
		expected+=" $id $id"
	done
	seen=$(< $variables)
	[[ $seen == "${expected# }" ]] ||
		fail "shadow variables: expected ($expected ), found ( $seen )"
}

# left_alone ID CLIENT: the log says so
left_alone() {
	logged "state $1 " "'client_$2'" "left alone"
}
