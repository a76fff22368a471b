#!/bin/bash
# What check says of files that tools made, and whether its advice can be followed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../schema/lib.sh"
folder=$(cd "$(dirname "$0")" && pwd)
cd "$scratch" || exit 1

# stamped NAME SET [OBSOLETES]: NAME.ko, in that set
stamped() {
	accept stamp --set "$2" ${3:+--obsoletes "$3"} "$modules/$1.ko" "$1.ko"
}

# A client of klp-build that changes fn4(), as the one of kpatch-build does.
klp_build_fn4() {
	"$folder/forge" "$modules/client_klp_build.ko" fn4.ko string:fn4_alias=fn4
}

followed() {
	stamped client_kpatch 3 9
	klp_build_fn4
	accept stamp --set 6 fn4.ko fn4.ko
	reject 1 "'klp-sets assign client_kpatch 3 9 1 6'" \
		check --empty "$modules/vendor_a_v1.ko" fn4.ko client_kpatch.ko
	says "Unload 'vendor_a_v1' first, or let 'client_kpatch' obsolete what is in its way"
	says "Unload 'client_klp_build' first, or let"
	says_not "build a"
	accept install "$modules/vendor_a_v1.ko"
	accept install fn4.ko
	reject 1 "it would be refused at boot" install client_kpatch.ko
	accept assign client_kpatch 3 9 1 6
	accept install client_kpatch.ko
	[[ $(content) == ./01-set-3/current/client_kpatch.ko$'\n'* ]] || fail "the store has $(content)"
}
it "a file of a tool is not to be built again: an assignment that helps is named" followed

without_set() {
	local stock="$modules/client_klp_build.ko"
	reject 1 "or put 'client_klp_build' into set 2, to replace it" \
		check --empty "$modules/vendor_b_v1.ko" "$stock"
	# There is only one set to put it into.
	stamped client_kpatch 3
	klp_build_fn4
	reject 1 "let 'client_klp_build' replace all that is in its way: 'klp-sets assign client_klp_build 2 3'" \
		check --empty "$modules/vendor_b_v1.ko" client_kpatch.ko fn4.ko
	says_not "into set"
	accept assign client_klp_build 2 3
	accept install "$modules/vendor_b_v1.ko"
	accept install client_kpatch.ko
	accept install fn4.ko
	[[ $(content) == *./01-set-2/current/client_klp_build.ko* ]] || fail "the store has $(content)"
}
it "so is it for one that has no set, and is in the way of several" without_set

native() {
	reject 1 "or build a 'vendor_b_conflict' that obsoletes set 1" \
		check --empty "$modules/vendor_a_v1.ko" "$modules/vendor_b_conflict.ko"
}
it "what asks for its set is to be built again" native

# --- names --------------------------------------------------------------------------

# twin, of which the module has two, in the first position
first_twin() {
	"$folder/forge" "$modules/client_kpatch.ko" first.ko .kpatch.funcs@88=01
}

positions() {
	first_twin
	printf '%016x t %s\t[klp_target]\n' 4096 twin 8192 twin 12288 fn4 > map
	printf '%016x t %s\n' 16384 version_proc_show >> map
	accept check --empty --symbols map first.ko
	says "'twin,1' of klp_target"
	says "'version_proc_show'"
	says "'fn4' of klp_target"
	# Nobody knows of another one.
	accept check --empty first.ko
	says "'twin' of klp_target"
	# Of two livepatches, the other one has it.
	stamped client_kpatch 3
	"$folder/forge" first.ko second.ko name=second_one modinfo:name=second_one
	accept stamp --set 3 second.ko second.ko
	accept check --empty client_kpatch.ko second.ko
	says "adds     'twin,1' of klp_target"
	says "drops    'twin,2' of klp_target"
	accept check --empty second.ko client_kpatch.ko
	says "drops    'twin,1' of klp_target"
	# Which of the names in a conflict.
	reject 1 "changes function 'twin,1' of klp_target, as stock patch" \
		check --empty --symbols map first.ko second.ko
}
it "a function that has namesakes is shown with its position" positions

# --- what replaces everything -------------------------------------------------------

replaces_all() {
	accept check --empty "$modules/client_kpatch.ko"
	says "replaces every livepatch, of whatever set; 'klp-sets stamp --set N' puts it into a set"
	json_is check check --empty "$modules/client_kpatch.ko"
	accept --json check --empty "$modules/client_kpatch.ko"
	says '"replaces_all":true'
	stamped client_kpatch 3
	accept check --empty client_kpatch.ko
	says_not "replaces"
	accept check --empty --set 3 "$modules/client_kpatch.ko" "$modules/client_klp_build.ko"
	says_not "every livepatch"
	accept --json check --empty client_kpatch.ko "$modules/client_klp_build.ko"
	says_not '"replaces_all":true'
}
it "a stock livepatch that replaces everything is called that, where nothing is to be replaced" \
	replaces_all

finish
