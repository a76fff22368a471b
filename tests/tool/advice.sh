#!/bin/bash
# Why the module klp_sets is not there, and what to do about it, in each way in which it can
# be missing. What DKMS leaves behind is made up here; that a build by DKMS itself is told is
# tested with the packages.
. "$(dirname "$0")/lib.sh"

unset KLP_SETS_ROOT KLP_SETS_KERNEL
# Not the kernel's: of this machine nothing is looked at, and nothing can be loaded.
mkdir -p /sys/kernel/livepatch
release=$(uname -r)
build=/lib/modules/$release/build
tree=/var/lib/dkms/klp-sets
store=/var/lib/klp-sets/$release
log=$tree/1.2.3/build/make.log
folder=$(cd "$(dirname "$0")" && pwd)
"$folder/forge" $modules/vendor_a_v1.ko "$scratch/vendor_a_v1.ko" "modinfo:vermagic=$release SMP" ||
	exit 1

# As it is without any of it.
fresh() {
	rm -rf /var/lib/klp-sets /run/klp-sets /etc/klp-sets /var/lib/dkms /usr/src/klp-sets-* \
		"/lib/modules/$release" /usr/bin/apt-get /usr/bin/dnf
}

# The same from every verb that needs the module.
advises() {
	reject 1 "the module klp_sets is not installed for kernel $release: $1" \
		load "$scratch/vendor_a_v1.ko"
	[[ -e $store ]] || accept install "$scratch/vendor_a_v1.ko"
	reject 1 "the module klp_sets is not installed for kernel $release: $1" boot
	! [[ $1 != *klp-sets-dkms* && $said == *klp-sets-dkms* ]] || fail "it says to install: $said"
}

# source VERSION: DKMS has it, as its package or `dkms add` leave it
has_source() {
	mkdir -p "/usr/src/klp-sets-$1" "$tree/$1/build"
	touch "/usr/src/klp-sets-$1/dkms.conf"
	ln -s "/usr/src/klp-sets-$1" "$tree/$1/source"
}

has_headers() {
	mkdir -p "$build"
	touch "$build/Makefile"
}

program() {
	mkdir -p /usr/bin
	printf '#!/bin/sh\n' > "/usr/bin/$1"
	chmod +x "/usr/bin/$1"
}

# failed RELEASE: the first lines of the log of a build
failed() {
	mkdir -p "${log%/*}"
	printf 'DKMS make.log for klp-sets-1.2.3 for kernel %s (x86_64)\nSat Nov 28\nerror: 1\n' \
		"$1" > "$log"
}

no_package() {
	fresh
	advises "install klp-sets-dkms, or see 'Install it' in README.md"
	# What is left of one that was removed.
	has_headers
	mkdir -p "$tree/1.2.3"
	ln -s /usr/src/klp-sets-1.2.3 "$tree/1.2.3/source"
	advises "install klp-sets-dkms"
}
it "without the package, to install it" no_package

no_headers() {
	fresh
	has_source 1.2.3
	advises "DKMS has its source, but the headers of this kernel are missing; install them, then 'dkms install klp-sets/1.2.3 -k $release'"
	program dnf
	advises "DKMS has its source, but the headers of this kernel are missing; 'dnf install kernel-devel-$release', then"
	program apt-get
	advises "DKMS has its source, but the headers of this kernel are missing; 'apt install linux-headers-$release', then"
	# The link is of the kernel's own package.
	mkdir -p "/lib/modules/$release"
	ln -s "/usr/src/linux-headers-$release" "$build"
	advises "DKMS has its source, but the headers"
	# A log of another day does not tell why.
	failed "$release"
	advises "DKMS has its source, but the headers"
}
it "without headers, how to get them" no_headers

failed_build() {
	fresh
	has_source 1.2.3
	has_headers
	failed "$release"
	advises "DKMS could not build it, and $log says why; 'dkms install klp-sets/1.2.3 -k $release' tries again"
}
it "after a build that failed, where its log is" failed_build

other_build() {
	fresh
	has_source 1.2.3
	has_headers
	failed "$release-cloud"
	advises "DKMS has its source and has not built it; 'dkms install klp-sets/1.2.3 -k $release' does"
	says_not make.log
	failed "1$release"
	advises "DKMS has its source and has not built it"
}
it "but not that of another kernel" other_build

newest() {
	fresh
	has_headers
	has_source 1.2.3
	has_source 1.2.10
	mkdir "$tree/kernel-6.6.6-x86_64"
	advises "DKMS has its source and has not built it; 'dkms install klp-sets/1.2.10 -k"
	# Not added by anybody.
	rm -r /var/lib/dkms
	advises "DKMS has its source and has not built it; 'dkms install klp-sets/1.2.10 -k"
}
it "of several versions, the newest" newest

no_depmod() {
	local file
	fresh
	has_source 1.2.3
	for file in updates/dkms/klp-sets.ko.xz updates/klp-sets.ko; do
		mkdir -p "/lib/modules/$release/${file%/*}"
		touch "/lib/modules/$release/$file"
		advises "modprobe does not know of /lib/modules/$release/$file; 'depmod $release' tells it"
		rm "/lib/modules/$release/$file"
	done
}
it "when it is there and modprobe does not know, how to tell" no_depmod

finish
