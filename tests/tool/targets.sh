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

# --- modules that are not loaded --------------------------------------------------

tree=$scratch/modules

# told STATUS SENTENCE: check with the modules in $tree, and what it says of $bad
told() {
	if [[ $1 == 0 ]]; then
		accept check --empty --modules "$tree" "$bad"
	else
		reject "$1" "$2" check --empty --modules "$tree" "$bad"
	fi
}

# With and without depmod, compressed or not, and whatever the file is called.
in_the_file() {
	local module
	forge client_klp_build
	for module in kernel/klp_target.ko kernel/a/b/klp-target.ko extra/klp_target.ko.gz; do
		rm -rf "$tree"
		mkdir -p "$tree/${module%/*}"
		cp $modules/klp_target.ko "$tree/$module"
		[[ $module != *.gz ]] || gzip -c $modules/klp_target.ko > "$tree/$module"
		forge client_klp_build
		told 0
		forge client_klp_build string:fn1=fn9
		told 1 "changes function 'fn9' of klp_target, which klp_target does not have."
		says "or is the function inlined"
		# Two files have one.
		forge client_kpatch string:fn4=twin2
		forge client_klp_build string:fn4_alias=twin
		told 1 "changes function 'twin' of klp_target, and klp_target has 2 of this name."
		says "What made it knows the positions in its own."
		forge client_kpatch
		told 0
		says "'twin,2' of klp_target"
		forge client_kpatch .kpatch.funcs@88=03
		told 1 "changes function 'twin,3' of klp_target, and klp_target has 2 of this name."
		forge client_klp_build string:fn1=fn5
		told 1 "changes function 'fn5' of klp_target, which cannot be traced"
		says "notrace"
	done
	forge client_klp_build string:klp_target=klp_taker
	told 0
	forge client_klp_build string:fn1=fn9
	accept check --empty "$bad"
	reject 1 "cannot read modules from '$tree/nothing'" check --modules "$tree/nothing" "$bad"
	reject 1 "cannot read modules from '$bad'" check --modules "$bad" "$bad"
}
it "what a module that is not loaded has is looked up in its file" in_the_file

index() {
	depmod -b "$scratch/depmod" "$KLP_SETS_KERNEL" 2> "$scratch/said" || fail "$(< "$scratch/said")"
}

# As depmod found it: the one that modprobe would load.
by_depmod() {
	tree=$scratch/depmod/lib/modules/$KLP_SETS_KERNEL
	mkdir -p "$tree/kernel" "$tree/updates"
	forge client_klp_build
	cp $modules/klp_target.ko "$tree/updates/"
	"$folder/forge" $modules/klp_target.ko "$tree/kernel/klp_target.ko" string:fn1=fn9 || fail forge
	index
	told 0
	mv "$tree/updates/klp_target.ko" "$scratch/old.ko"
	index
	told 1 "'fn1' of klp_target, which klp_target does not have."
	# One that depmod has not seen is none.
	rm "$tree/kernel/klp_target.ko"
	cp $modules/klp_target2.ko "$tree/kernel/"
	index
	"$folder/forge" $modules/klp_target.ko "$tree/kernel/klp_target.ko" string:fn1=fn9 || fail forge
	told 0
}
it "the file is that which modprobe would load" by_depmod

at_install() {
	tree=$KLP_SETS_ROOT/lib/modules/$KLP_SETS_KERNEL
	mkdir -p "$tree/extra"
	cp $modules/klp_target.ko "$tree/extra/"
	accept install --set 1 $modules/client_kpatch.ko
	reject 1 "'fn4_alias' of klp_target, which is the same as 'fn4' of klp_target" \
		install --set 2 $modules/client_klp_build.ko
	forge client_klp_build string:fn4_alias=fn5
	reject 1 "'fn5' of klp_target, which cannot be traced" install --set 2 "$bad"
	forge client_klp_build string:fn4_alias=fn9
	reject 1 "'fn9' of klp_target, which klp_target does not have" install --set 2 "$bad"
	forge client_klp_build string:fn4_alias=fn3
	accept install --set 2 "$bad"
}
it "install looks there, too, and knows two names of one function" at_install

# Somebody else's: nothing is known of it then.
damaged_module() {
	local what value
	tree=$scratch/damaged
	mkdir -p "$tree"
	forge client_klp_build string:fn1=fn9
	for value in 0xffffffffffffffff 0xfffffffffffffff0 0x100000000; do
		for what in .symtab .strtab .shstrtab .rela__mcount_loc; do
			for field in size offset; do
				"$folder/forge" $modules/klp_target.ko "$tree/klp_target.ko" \
					"$what:$field=$value" || fail "forge $what"
				(ulimit -v 524288 -t 10; klp-sets check --empty --modules "$tree" "$bad") \
					> "$scratch/said" 2>&1
				[[ $? -le 1 ]] || fail "$what:$field=$value: $(< "$scratch/said")"
			done
		done
	done
	"$folder/forge" $modules/klp_target.ko "$tree/klp_target.ko" cut=2000
	told 0
	rm "$tree/klp_target.ko"
	mkfifo "$tree/klp_target.ko"
	told 0
}
it "the file of a module may be damaged" damaged_module

# --- the kernel --------------------------------------------------------------------

in_a_vmlinux() {
	local functions=(version_proc_show twin twin loadavg_proc_show fn1)
	"$folder/make-vmlinux" "$scratch/vmlinux" "${functions[@]}" || fail make-vmlinux
	forge client_klp_build
	accept check --empty --symbols "$scratch/vmlinux" "$bad"
	"$folder/make-vmlinux" "$scratch/vmlinux" "${functions[@]/loadavg/notrace:loadavg}"
	reject 1 "changes function 'loadavg_proc_show', which cannot be traced" \
		check --empty --symbols "$scratch/vmlinux" "$bad"
	"$folder/make-vmlinux" "$scratch/vmlinux" fn1
	reject 1 "changes function 'loadavg_proc_show', which the kernel does not have" \
		check --empty --symbols "$scratch/vmlinux" "$bad"
	# Names of one address.
	"$folder/make-vmlinux" "$scratch/vmlinux" cmdline_proc_show version_proc_show +loadavg_proc_show
	reject 1 "'loadavg_proc_show', which is the same as 'version_proc_show'" \
		check --empty --symbols "$scratch/vmlinux" $modules/vendor_a_v1.ko $modules/vendor_b_v1.ko
	head -c 400 "$scratch/vmlinux" > "$scratch/cut"
	reject 1 "no vmlinux" check --empty --symbols "$scratch/cut" "$bad"
	reject 1 "no vmlinux" check --empty --symbols "$bad" "$bad"
}
it "a vmlinux tells what the kernel has, and what can be traced" in_a_vmlinux

# A map of a kernel's size, at the place where distributions have it.
map() {
	mkdir -p "$KLP_SETS_ROOT/boot"
	perl -e 'printf "%016x T %s\n", 0xffffffff81000000 + 16 * int($_ / 2), $_ > $#ARGV ? "f$_" : $ARGV[$_]
		for 0 .. 2000' "$@" > "$KLP_SETS_ROOT/boot/System.map-$KLP_SETS_KERNEL"
}

by_a_map() {
	map version_proc_show loadavg_proc_show cmdline_proc_show
	accept install $modules/vendor_a_v1.ko
	reject 1 "'loadavg_proc_show', which is the same as 'version_proc_show'" \
		install $modules/vendor_b_v1.ko
	map version_proc_show other loadavg_proc_show other cmdline_proc_show
	accept install $modules/vendor_b_v1.ko
	map version_proc_show
	reject 1 "'loadavg_proc_show', which the kernel does not have" install $modules/vendor_b_v1.ko
	# One that only tells where the real one is.
	echo "ffffffffffffffff B The real System.map is elsewhere" > \
		"$KLP_SETS_ROOT/boot/System.map-$KLP_SETS_KERNEL"
	accept install $modules/vendor_b_v1.ko
}
it "for another kernel, its System.map tells" by_a_map

# --- addresses that are hidden --------------------------------------------------------

hidden() {
	printf '0000000000000000 T %s\n' cmdline_proc_show version_proc_show loadavg_proc_show > "$scratch/hidden"
	accept check --empty --symbols "$scratch/hidden" $modules/vendor_b_v1.ko
	says_not unknown
	accept check --empty --symbols "$scratch/hidden" $modules/vendor_b_v1.ko $modules/vendor_a_v1.ko
	says "unknown  Two of its functions"
	says "addresses are hidden"
	accept check --json --empty --symbols "$scratch/hidden" $modules/vendor_a_v1.ko
	said=$(tr -d ' \n' <<< "$said")
	says '"aliases_known":false'
	accept check --json --empty $modules/vendor_b_v1.ko
	says '"aliases_known":true'
}
it "where addresses are hidden, check says what it does not know" hidden

# --- parts of a function ----------------------------------------------------------------

parts() {
	local part said_before
	forge vendor_b_v1 string:loadavg_proc_show=foo
	for part in part.0 constprop.0 isra.0 cold part.0.cold; do
		"$folder/forge" $modules/vendor_a_v1.ko "$scratch/part.ko" "string:version_proc_show=foo.$part" ||
			fail forge
		for files in "$bad $scratch/part.ko" "$scratch/part.ko $bad"; do
			# shellcheck disable=SC2086
			accept check --empty $files
			says "warning"
			says "'foo.$part'"
			says "'foo'"
			says "'vendor_a_v1' of set 1"
			says "'vendor_b_v1' of set 2"
			# shellcheck disable=SC2086
			reject 1 "REFUSED" check --empty --strict $files
			says "'foo.$part'"
			# shellcheck disable=SC2086
			accept check --empty --json $files
			says '"warnings"'
			says "'foo.$part'"
		done
		rm -rf "${KLP_SETS_ROOT:?}/var"
		accept install "$bad"
		said_before=$said
		reject 1 "'foo.$part'" install --strict "$scratch/part.ko"
		accept install "$scratch/part.ko"
		says "'foo.$part'"
		[[ $said_before != *foo* ]] || fail "it warns of nothing: $said_before"
	done
	# Two parts, without the whole.
	forge vendor_b_v1 string:loadavg_proc_show=foo.part.1
	accept check --empty "$bad" "$scratch/part.ko"
	says "'foo.part.1'"
	# Not within a livepatch, or a set, or of another module.
	forge vendor_a_v1 string:version_proc_show=foo.part.0 string:cmdline_proc_show=foo
	accept check --empty --strict "$bad"
	forge vendor_a_v2 string:cmdline_proc_show=foo
	accept check --empty --strict "$scratch/part.ko" "$bad"
	forge vendor_c_module string:dummy_get_stats64=foo
	accept check --empty --strict "$scratch/part.ko" "$bad"
}
it "parts of one function in two sets are a warning, and refused with --strict" parts

finish
