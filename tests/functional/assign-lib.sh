# shellcheck shell=bash disable=SC2154
# assign-lib.sh - assignments and policies, for tests that have sourced lib.sh

assign_file=/sys/kernel/klp_sets/assign
parameters=/sys/module/klp_sets/parameters

# --- assignments -------------------------------------------------------------

# What the shell says of a write that fails.
declare -A write_errors=(
	[E2BIG]="Argument list too long"
	[EBUSY]="Device or resource busy"
	[EEXIST]="File exists"
	[EINVAL]="Invalid argument"
	[ENAMETOOLONG]="File name too long"
	[ENOENT]="No such file or directory"
	[ENOSPC]="No space left on device"
	[ERANGE]="Numerical result out of range"
)

# assign LINE: what an operator writes
assign() {
	local said
	said=$( (echo "$1" > $assign_file) 2>&1) || fail "echo '$1' > assign: $said"
}

# fail_to_assign ERRNO LINE
fail_to_assign() {
	local said
	said=$( (echo "$2" > $assign_file) 2>&1) &&
		fail "echo '${2:0:80}' > assign succeeded, expected $1"
	[[ $said == *"${write_errors[$1]}" ]] ||
		fail "echo '${2:0:80}' > assign: expected $1, it says: $said"
}

# refuse_assign ERRNO LINE: and nothing on the machine changes
refuse_assign() {
	local before
	before=$(snapshot)
	mark
	fail_to_assign "$@"
	unchanged "$before"
}

# All that waits, one line an assignment.
pending() {
	local waiting
	waiting=$(< $assign_file)
	[[ $waiting == "$1" ]] || fail "assigned is: $waiting
expected: $1"
}

drop_assignments() {
	local line assigned
	[[ -e $assign_file ]] || return 0
	mapfile -t assigned < $assign_file
	for line in "${assigned[@]}"; do
		echo "${line%% *} -" > $assign_file
	done
}

# After each test, before anything else: hooks stay for an assignment.
eval "clean_up_the_rest() $(declare -f clean_up | tail -n +2)"
clean_up() {
	drop_assignments
	clean_up_the_rest
}

# --- the core as an operator sees it -----------------------------------------

# The s and f clients hold no reference by themselves: it is one for each managed
# patch.
core_references() {
	wait_until "the core has $1 references" holds /sys/module/klp_sets/refcnt "$1"
}

in_no_set() {
	local name
	for name; do
		missing "$livepatch/client_$name/replace_set" || fail "client_$name is in a set"
	done
}

# --- policies ----------------------------------------------------------------

# policy PARAMETER=VALUE...: all others as they are by default
policy() {
	local word
	for word in stock_replace=all set0_replaces_all=0 allow_replace_all=1 taint=0 "$@"; do
		echo "${word#*=}" > "$parameters/${word%%=*}" || fail "cannot set $word"
	done
}
