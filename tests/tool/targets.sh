#!/bin/bash
# What a livepatch is about to change: is it there, and can it be changed? Nothing here needs
# a kernel.
. "$(dirname "$0")/lib.sh"

folder=$(cd "$(dirname "$0")" && pwd)
bad=$scratch/bad.ko

# forge MODULE WHAT...: $bad is that module with this in it
forge() {
	local module=$1
	shift
	"$folder/forge" "$modules/$module.ko" "$bad" "$@" || fail "forge $module $*"
}

# --- objects ---------------------------------------------------------------------

# The object of each of them, which stand for the tables that a livepatch may have.
declare -A target=([vendor_c_module]=dummy [client_kpatch]=klp_target [client_klp_build]=klp_target)

# wrong_object NAME [BETTER]
wrong_object() {
	local module words="no module can be called '$1', as one of its objects is"
	for module in "${!target[@]}"; do
		forge "$module" "string:${target[$module]}=$1"
		reject 1 "'$module'" check --empty "$bad"
		says "cannot be enabled: $words${2:+; it should be '$2'}."
		reject 1 "$words" install "$bad"
	done
}

objects() {
	wrong_object d-mmy d_mmy
	wrong_object d.ko d
	wrong_object a/b-c b_c
	wrong_object a/b b
	wrong_object "a b"
	wrong_object a.b
	# The kernel's tables name no object of the kernel, those of tools do.
	for module in client_klp_build client_kpatch; do
		forge $module string:klp_target=vmlinux
		[[ $module == client_kpatch ]] || reject 1 "it must have no name" check --empty "$bad"
	done
	accept check --empty "$bad"
	says "'fn4'"
	forge vendor_c_module string:dummy=loop
	accept check --empty "$bad"
}
it "an object that no module can be called is refused, with the name it should have" objects

finish
