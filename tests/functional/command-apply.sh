#!/bin/bash
# apply on a machine: the order of loading, what goes, and a run that was interrupted.
# shellcheck source-path=SCRIPTDIR
# On the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"

store=/var/lib/klp-sets/$(uname -r)
wanted=$scratch/wanted
install_core

# Each test begins with an empty store.
eval "clean_up_machine() $(declare -f clean_up | tail -n +2)"
clean_up() {
	disable_all
	[[ ! -e /sys/module/state_v1 ]] || remove state_v1
	rm -rf /var/lib/klp-sets /run/klp-sets /etc/klp-sets "$wanted"
	clean_up_machine
}

# wants NAME...: these are in the folder, and nothing else
wants() {
	local name
	rm -rf "$wanted"
	mkdir "$wanted"
	for name; do
		cp "$name.ko" "$wanted"
	done
}

# What is in force in the store.
holds_store() {
	same "the store" "$(printf '%s\n' "$@")" \
		"$(cd "$store/content" && find . -path '*/current/*.ko' -printf '%f\n' | sort)"
}

nothing_to_do() {
	does 0 apply --prune "$wanted"
	printed "nothing is to be done for kernel $(uname -r)"
	does 0 status
}

# state_v1 comes first in the folder, and changes what vendor_a_v1 has until then.
order() {
	does 0 install --load vendor_a_v1.ko
	does 0 load vendor_b_v1.ko
	wants vendor_a_v2 state_v1
	json_is apply apply --dry-run "$wanted"
	does 0 apply --dry-run "$wanted"
	printed "'vendor_a_v2' of set 1 would be upgraded, from 'vendor_a_v1'" \
		"'state_v1' of set 4 would be installed"
	in_effect vendor_a_v1
	does 0 apply --wait "$wanted"
	told "'vendor_a_v2' of set 1 is upgraded, from 'vendor_a_v1'"
	in_effect vendor_a_v2 state_v1 vendor_b_v1
	no_module vendor_a_v1
	holds_store state_v1.ko vendor_a_v2.ko
	# What nobody has stored, and the folder has not, goes as well.
	does 0 apply --prune --wait "$wanted"
	told "'vendor_b_v1' of set 2 is unloaded"
	no_module vendor_b_v1
	in_effect vendor_a_v2 state_v1
	nothing_to_do
}
it "what makes room is loaded first" order

# The one that is to go has what the new one changes.
makes_room() {
	does 0 install --load vendor_a_v1.ko
	wants state_v1
	does 1 apply "$wanted"
	told "nothing is changed"
	in_effect vendor_a_v1
	no_module state_v1
	does 0 apply --prune --wait "$wanted"
	in_effect state_v1
	no_module vendor_a_v1
	holds_store state_v1.ko
	nothing_to_do
}
it "what is to go makes room" makes_room

# By hand, stored and not loaded, and a step that was not reached.
completes() {
	does 0 load vendor_a_v1.ko
	does 0 install vendor_c_module.ko
	wants vendor_a_v1 vendor_b_v1 vendor_c_module
	does 0 apply --wait --json "$wanted"
	[[ $(tr -d ' \n' <<< "$said") == '{"version":1,'*'"changed":true,'*'"action":"load","set":3,'*'"done":true}]'* ]] ||
		fail "it says: $said"
	in_effect vendor_a_v1 vendor_b_v1 vendor_c_module
	nothing_to_do
	does 0 unload --wait 2
	does 0 uninstall 1
	in_effect vendor_a_v1
	does 0 apply --wait "$wanted"
	told "'vendor_b_v1' of set 2 is loaded"
	told "'vendor_a_v1' of set 1 is installed"
	in_effect vendor_a_v1 vendor_b_v1 vendor_c_module
	nothing_to_do
}
it "whatever is there already, the rest follows" completes

# Killed where it unloads, where it loads, and where it switches the store over. Between the two
# that it does then, the module of what was replaced may be left.
killed() {
	local call
	for call in delete_module:1 init_module,finit_module:1 rename:1; do
		wants vendor_a_v1 vendor_c_module
		does 0 apply --prune --wait "$wanted"
		wants vendor_a_v2 state_v1
		strace -f -o "$scratch/trace" -e trace="${call%:*}" \
			-e "inject=${call%:*}:signal=KILL:when=${call#*:}" \
			klp-sets apply --prune --wait "$wanted" > /dev/null 2>&1
		grep -q SIGKILL "$scratch/trace" || fail "it was not killed at $call"
		does 0 apply --prune --wait "$wanted"
		in_effect vendor_a_v2 state_v1
		missing $livepatch/vendor_a_v1 || fail "vendor_a_v1 is there"
		missing $livepatch/vendor_c_module || fail "vendor_c_module is there"
		holds_store state_v1.ko vendor_a_v2.ko
		nothing_to_do
	done
}
it "a run that was killed is completed by the next" killed

need_core
finish
