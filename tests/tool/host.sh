#!/bin/bash
# What "make check KERNELS=host" says of a kernel that it cannot test. The files of such a
# kernel are made up here, as far as it looks at them.
# shellcheck source-path=SCRIPTDIR
# The scripts of tests/vm keep a cache there.
export HOME=${HOME:-/root}
. "$(dirname "$0")/lib.sh"

release=6.6.6-test
boot=$KLP_SETS_ROOT/boot/vmlinuz-$release
moddir=$KLP_SETS_ROOT/lib/modules/$release

# image FILE RELEASE: what the kernel's boot protocol says where
image() {
	truncate --size=2K "$1"
	printf HdrS | dd of="$1" conv=notrunc bs=1 seek=514 status=none
	printf '\0\3' | dd of="$1" conv=notrunc bs=1 seek=526 status=none
	printf '%s (somebody@somewhere) #1 SMP\0more' "$2" |
		dd of="$1" conv=notrunc bs=1 seek=1280 status=none
}

# headers RELEASE
headers() {
	mkdir -p "$moddir"/build/include/{generated,config}
	echo "#define UTS_RELEASE \"$1\"" > "$moddir/build/include/generated/utsrelease.h"
	touch "$moddir/build/Module.symvers"
	printf 'CONFIG_%s=y\n' X86_64 MODULES LIVEPATCH KALLSYMS_ALL KPROBES BLK_DEV_INITRD \
		BINFMT_ELF BINFMT_SCRIPT DEVTMPFS PROC_FS SYSFS SERIAL_8250 SERIAL_8250_CONSOLE \
		MAGIC_SYSRQ > "$moddir/build/include/config/auto.conf"
	echo CONFIG_SERIAL_8250_NR_UARTS=4 >> "$moddir/build/include/config/auto.conf"
}

installed() {
	mkdir -p "$KLP_SETS_ROOT/boot" "$moddir"
	image "$boot" "$release"
	headers "$release"
}

# find [NAME=VALUE...] KERNEL: what it says, and finds, in $said
find_host() {
	said=$(env MODDIR="$moddir" "${@:1:$#-1}" bash -eu -o pipefail -c '
		. /klp-sets/tests/vm/lib.sh
		. /klp-sets/tests/vm/host.sh
		host_find "$1"
		echo "$release|$host_image|$host_moddir|$host_kdir|$host_source"' - "${*: -1}" 2>&1)
}

cannot() {
	! find_host "${@:2}" || fail "it is content: $said"
	says "$1"
}

complete() {
	installed
	find_host "$boot" || fail "$said"
	[[ $said == "$release|$boot|$moddir|$moddir/build|" ]] || fail "it found $said"
	mv "$moddir/build" "$KLP_SETS_ROOT/headers"
	mkdir -p "$KLP_SETS_ROOT/source/tools/testing/selftests/livepatch"
	find_host KDIR="$KLP_SETS_ROOT/headers" KSRC="$KLP_SETS_ROOT/source" "$boot" || fail "$said"
	says "|$KLP_SETS_ROOT/headers|$KLP_SETS_ROOT/source"
	ln -s "$KLP_SETS_ROOT/source" "$moddir/source"
	find_host KDIR="$KLP_SETS_ROOT/headers" "$boot" || fail "$said"
	says "|$moddir/source"
}
it "a kernel is found with all that belongs to it" complete

no_image() {
	cannot "no file $boot" "$boot"
	mkdir "$KLP_SETS_ROOT/boot"
	truncate --size=2K "$boot"
	cannot "$boot is no image of an x86 kernel" "$boot"
	: > "$boot"
	cannot "$boot is no image of an x86 kernel" "$boot"
}
it "what is no kernel is refused" no_image

nothing() {
	mkdir "$KLP_SETS_ROOT/boot"
	image "$boot" "$release"
	cannot "Linux $release cannot be tested here" "$boot"
	says "no modules in $moddir: MODDIR="
	says "no headers in $moddir/build: install linux-headers-$release"
	says "kernel-devel-$release (Fedora, RHEL)"
}
it "all that is missing is said at once" nothing

others_headers() {
	installed
	headers 6.6.7-test
	cannot "the headers in $moddir/build are of Linux 6.6.7-test" "$boot"
	headers "$release"
	rm "$moddir/build/Module.symvers"
	cannot "no Module.symvers in $moddir/build" "$boot"
}
it "headers of another kernel, or of none that was built" others_headers

no_source() {
	installed
	cannot "no tools/testing/selftests/livepatch in KSRC=/tmp" KSRC=/tmp "$boot"
}
it "a source that is none" no_source

configuration() {
	local config=$moddir/build/include/config/auto.conf
	installed
	sed -i -e '/LIVEPATCH/d' -e 's/^CONFIG_SERIAL_8250=y/CONFIG_SERIAL_8250=m/' \
		-e '/BLK_DEV_INITRD/d' -e 's/NR_UARTS=4/NR_UARTS=1/' "$config"
	echo CONFIG_MODULE_SIG_FORCE=y >> "$config"
	cannot "no CONFIG_LIVEPATCH=y, which klp-sets cannot do without" "$boot"
	says "no CONFIG_SERIAL_8250=y, which the serial ports of the machine"
	says "no CONFIG_BLK_DEV_INITRD=y, which the root of the machine"
	says "it has CONFIG_SERIAL_8250_NR_UARTS=1, and"
	says "it has CONFIG_MODULE_SIG_FORCE: it takes only modules that its maker signed"
	[[ $(wc -l <<< "$said") == 6 ]] || fail "it says more: $said"
}
it "a configuration that cannot do it" configuration

finish
