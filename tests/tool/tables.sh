#!/bin/bash
# The tables of kpatch-build and klp-build, and what is read of them beside functions.
. "$(dirname "$0")/lib.sh"
folder=$(cd "$(dirname "$0")" && pwd)
cd "$scratch" || exit 1

# forge MODULE WHAT...: bad.ko is that module with this in it
forge() {
	local module=$1
	shift
	"$folder/forge" "$modules/$module.ko" bad.ko "$@" || fail "forge $module $*"
}

# The names that they have in a file of Linux 6.19.
old_names=(string:.rela.init.klp_objects=.rela__klp_objects string:.rela.init.klp_funcs=.rela__klp_funcs)

# newer TABLE: refused, and not as if it was damaged
newer() {
	reject 1 "the klp-build of a kernel that is newer than this klp-sets has made it" check --empty bad.ko
	says "its table $1 has a form"
	reject 1 "newer than this klp-sets" install bad.ko
	reject 1 "newer than this klp-sets" stamp --set 5 bad.ko x.ko
}

both_names() {
	local known
	accept check --empty "$modules/client_klp_build.ko"
	known=${said#*:}
	says "'fn1' of klp_target"
	forge client_klp_build "${old_names[@]}"
	[[ $("$folder/sections" bad.ko | grep -c ' __klp_\(objects\|funcs\) ') == 2 ]] ||
		fail "the sections are not those of 6.19"
	accept check --empty bad.ko
	[[ ${said#*:} == "$known" ]] || fail "expected$known, it says$said"
}
it "klp-build's tables are read by both of their names" both_names

other_forms() {
	# Entries of another size; one function less than there are, one more; an object without.
	local old
	for old in "" old; do
		local names=() objects=.init.klp_objects funcs=.init.klp_funcs
		[[ -z $old ]] || { names=("${old_names[@]}") && objects=__klp_objects && funcs=__klp_funcs; }
		forge client_klp_build "${names[@]}" $objects:size=152
		newer .init.klp_objects
		forge client_klp_build "${names[@]}" $objects@120=01000000
		newer .init.klp_funcs
		forge client_klp_build "${names[@]}" $objects@120=03000000
		newer .init.klp_funcs
		forge client_klp_build "${names[@]}" $objects@56=00000000
		newer .init.klp_objects
		forge client_klp_build "${names[@]}" $funcs:size=96
		newer .init.klp_funcs
	done
}
it "a table in another form is one of a newer klp-build" other_forms

other_tables() {
	forge client_klp_build string:.note.gnu.build-id=.init.klp_states
	newer .init.klp_states
	forge client_klp_build "${old_names[@]}" string:.note.gnu.build-id=__klp_states
	newer __klp_states
	forge client_klp_build "${old_names[@]}" string:.note.gnu.build-id=__klp_relocs
	accept check --empty bad.ko
}
it "so is one that is not known" other_tables

# --- callbacks ----------------------------------------------------------------------

# lost PATCH CALLBACK OBJECT NEW: it is not called when that replaces it
lost() {
	says "warning  $1 has a callback $2 for $3, which is not called when $4 replaces it."
}

callbacks() {
	local stock="stock patch 'client_klp_build'"
	accept stamp --set 1 "$modules/client_kpatch.ko" client_kpatch.ko
	accept stamp --set 1 "$modules/client_klp_build.ko" client_klp_build.ko
	accept check --empty "$modules/client_klp_build.ko" "$modules/client_kpatch.ko"
	lost "$stock" post_unpatch klp_target "stock patch 'client_kpatch'"
	accept check --empty client_kpatch.ko client_klp_build.ko
	lost "'client_kpatch' of set 1" pre_unpatch vmlinux "'client_klp_build' of set 1"
	accept check --empty client_klp_build.ko client_kpatch.ko
	lost "'client_klp_build' of set 1" post_unpatch klp_target "'client_kpatch' of set 1"
	reject 1 "conflict 'client_klp_build' of set 1 has a callback post_unpatch" \
		check --empty --strict client_klp_build.ko client_kpatch.ko
	says "Unload that one first"
}
it "callbacks of what is replaced are not called, and that is told" callbacks

# The kernel's own table of objects.
own_table() {
	"$folder/make-module" undo 1 bad.ko
	accept stamp --set 1 bad.ko bad.ko
	accept stamp --set 1 "$modules/client_kpatch.ko" client_kpatch.ko
	accept stamp --set 1 "$modules/client_klp_build.ko" client_klp_build.ko
	accept check --empty bad.ko client_klp_build.ko
	lost "'bad' of set 1" pre_unpatch vmlinux "'client_klp_build' of set 1"
	lost "'bad' of set 1" post_unpatch vmlinux "'client_klp_build' of set 1"
	# It has callbacks of its own for that object.
	accept check --empty bad.ko client_kpatch.ko
	says_not warning
}
it "so are those in the kernel's own tables, and who has some takes over" own_table


finish
