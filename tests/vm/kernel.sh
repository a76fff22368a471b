# shellcheck shell=bash disable=SC2034,SC2154
# From the name of a kernel (6.1, newest, 7.3, 6.1-rt, rt, debug) to what Debian has
# now: the release (uname -r), the package version, and the folder in the cache. For
# host, see host.sh.
. "$vm/host.sh"

# Sets suite, release, version, series, kernel (the name to show), kdir.
kernel_resolve() {
	local name=$1 flavour meta
	if [[ $name == host || $name == */* ]]; then
		kernel_resolve_host "$name"
		return
	fi
	# A flavour alone is that of the newest.
	case $name in
	rt | cloud) name=newest-$name ;;
	esac
	suite=$(kernel_suite "$name")
	flavour=$(kernel_flavour "$name")
	apt_refresh "$suite"
	# apt-cache shows the highest version first. The metapackage leads to the
	# suite's own series where an archive holds several.
	meta=$(apt_run "$suite" apt-cache show "linux-headers-$flavour") ||
		die "$suite has no linux-headers-$flavour"
	version=$(sed -n 's/^Version: //p' <<< "$meta" | head -n 1)
	release=$(sed -n 's/^Depends: //p' <<< "$meta" | head -n 1 |
		grep -o "linux-headers-[0-9][^ ]*-$flavour" | head -n 1)
	release=${release#linux-headers-}
	[ -n "$release" ] || die "cannot find the kernel release of $name in $suite"
	series=$(grep -o '^[0-9]*\.[0-9]*' <<< "$release")
	case ${name%%-*} in
	newest | debug | "$series") ;;
	*) die "no kernel $name: known are 5.10, 6.1, 6.12, newest (now $series), debug, host, and /path/to/vmlinuz" ;;
	esac
	kernel=$series
	[ "$flavour" = amd64 ] || kernel=$series-${flavour%-amd64}
	[ "$name" != debug ] || kernel_resolve_debug
	kdir=$cache/kernels/${release}_$version
}

# The newest kernel, but compiled here from its source package.
kernel_resolve_debug() {
	kernel=debug
	version=$(apt_run "$suite" apt-cache show "linux-source-$series" |
		sed -n 's/^Version: //p' | head -n 1)
	[ -n "$version" ] || die "$suite has no linux-source-$series"
	release=${version%%-*}-debug-$(cksum < "$vm/debug.config" | cut -d ' ' -f 1)
}

# Where the modules are built, for in-root, and against which headers.
headers_of() {
	if [ "$kernel" = host ]; then
		modules_root=/ headers=$host_kdir
	else
		modules_root=$kdir headers=/lib/modules/$release/build
	fi
}

# Two checkouts do not share their object files.
build_dir() {
	echo "$kdir/builds/$(cksum <<< "$top" | cut -d ' ' -f 1)"
}

# kernel_file vmlinuz|config: newer packages keep both beside the modules.
kernel_file() {
	local f
	for f in "$kdir/image/boot/$1-$release" "$kdir/image/usr/lib/modules/$release/$1"; do
		if [ -e "$f" ]; then
			echo "$f"
			return
		fi
	done
	die "no $1 in $kdir/image"
}
