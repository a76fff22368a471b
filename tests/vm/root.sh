# shellcheck shell=bash disable=SC2034,SC2154
# Roots of Debian packages for $kernel, and the archive of a userland that a machine boots with.

# Small modules without dependencies that a test can have as its target.
guest_modules="loop dummy"

# Nobody reads documentation in a machine of a minute.
slim=(--dpkgopt='path-exclude=/usr/share/doc/*'
	--dpkgopt='path-exclude=/usr/share/man/*'
	--dpkgopt='path-exclude=/usr/share/info/*'
	--dpkgopt='path-exclude=/usr/share/locale/*'
	--dpkgopt='path-exclude=/usr/share/zoneinfo/*'
	--dpkgopt='path-exclude=/usr/lib/x86_64-linux-gnu/gconv/*')

# has_packages LIST: whether all of these are among the packages on standard input.
has_packages() {
	local have p
	have=$(cat)
	for p in ${1//,/ }; do
		grep -q -x -F -e "$p" <<< "$have" || return 1
	done
}

# What is in a root is asked of the root: a package has its name, and may stand for others.
packages_of() {
	dpkg-query --admindir="$1/var/lib/dpkg" --show --showformat '${Package}, ${Provides}\n' |
		tr -s ', ' '\n'
}

root_has() {
	[ -d "$1" ] && packages_of "$1" | has_packages "$2"
}

# make_root DIR PACKAGES [FOLDER]: the folder of the old root goes into the new one.
make_root() {
	local dir=$1 packages=$2 keep=${3-} aptopt
	as_root rm -rf "$dir.new"
	aptopt=$kdir/apt.conf
	apt_network_options > "$aptopt"
	as_root mmdebstrap --mode=root --format=directory --variant=essential \
		--architectures=amd64 --aptopt="$aptopt" "${slim[@]}" \
		--include="$packages" "${suite%-backports}" "$dir.new" \
		- < "$cache/apt/$suite/etc/sources.list"
	if [ -n "$keep" ] && [ -d "$dir/$keep" ]; then
		as_root mkdir -p "$dir.new/${keep%/*}"
		as_root cp -a "$dir/$keep" "$dir.new/$keep"
	fi
	as_root rm -rf "$dir.old"
	[ ! -d "$dir" ] || as_root mv "$dir" "$dir.old"
	as_root mv "$dir.new" "$dir"
	as_root rm -rf "$dir.old"
}

modules() {
	local from to name file
	from=$kdir/image/lib/modules/$release
	[ -d "$from" ] || from=$kdir/image/usr/lib/modules/$release
	to=$1/lib/modules/$release
	as_root mkdir -p "$to/kernel"
	for file in "$from"/modules.{order,builtin*}; do
		[ ! -e "$file" ] || as_root cp "$file" "$to/"
	done
	for name in $guest_modules; do
		file=$(find "$from/kernel" -name "$name.ko*" | head -n 1)
		if [ -z "$file" ]; then
			# Others have what Debian has, or another configuration.
			[ "$kernel" = host ] || die "no module $name in $release"
			continue
		fi
		as_root cp "$file" "$to/kernel/"
		case $file in
		*.xz) as_root unxz "$to/kernel/${file##*/}" ;;
		*.zst) as_root unzstd -q --rm "$to/kernel/${file##*/}" ;;
		*.gz) as_root gunzip "$to/kernel/${file##*/}" ;;
		esac
	done
	as_root chroot "$1" depmod "$release"
	as_root mkdir -p "$1/boot"
	as_root cp "$(kernel_file config)" "$1/boot/config-$release"
}

# root_cpio ROOT NAME: makes NAME.cpio and NAME.packages of the userland in ROOT, which goes. As
# root: some of its files are readable by root only.
root_cpio() {
	local root=$kdir/$1 name=$kdir/$2
	modules "$root"
	packages_of "$root" > "$name.packages.new"
	as_root rm -rf "$root"/var/lib/{apt,dpkg} "$root"/var/cache/* \
		"$root"/usr/share/{doc,man,info,locale,zoneinfo,bash-completion,perl} \
		"$root"/usr/lib/x86_64-linux-gnu/gconv "$root"/dev/*
	as_root mkdir -p "$root"/{proc,sys,dev,tmp,run}
	as_root bash -c 'cd "$1" && find . | cpio --quiet -o -H newc' - "$root" \
		> "$name.cpio.new"
	as_root rm -rf "$root"
	mv "$name.cpio.new" "$name.cpio"
	mv "$name.packages.new" "$name.packages"
}
