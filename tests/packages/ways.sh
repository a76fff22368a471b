# shellcheck shell=bash disable=SC2154
# ways.sh - a part of build: packages that come, are upgraded and go where two kernels have headers,
# and what the command says when the module is missing. There is no systemd that runs, and
# nothing can be loaded: /sys is a folder.

# has RELEASE...: the module of this version is there for these kernels
has() {
	local kernel
	for kernel; do
		ls "/lib/modules/$kernel/updates/dkms"/klp-sets.ko*
		contains "$(modinfo -k "$kernel" -F vermagic klp-sets)" "$kernel "
	done
}

has_not() {
	local kernel
	for kernel; do
		! modinfo -k "$kernel" klp-sets > /dev/null 2>&1 || fail "$kernel still has it"
	done
}

# Neither the running kernel nor the newest, as the scripts of DKMS see it.
rm -f "/boot/config-$second" "/boot/vmlinuz-$second"

installed() {
	apt-get -y install ./build/deb/klp-sets_*.deb ./build/deb/klp-sets-dkms_*.deb
	dkms install "klp-sets/$version" -k "$second"
	has "$release" "$second"
	ls /usr/share/doc/klp-sets/README.md* /usr/share/doc/klp-sets/rules.md
}
it "the packages are installed, and the module is built for a second kernel" installed

reinstalled() {
	apt-get -y --reinstall install ./build/deb/klp-sets_*.deb ./build/deb/klp-sets-dkms_*.deb
	has "$release" "$second"
	[ ! -e /var/lib/klp-sets-dkms ]
}
it "both kernels have it after a reinstallation" reinstalled

upgraded() {
	local next=7.8.9 said
	cp -a "$top" ../next
	rm -rf ../next/build
	sed -i "s/$version/$next/" ../next/dkms.conf
	as_user make -C ../next deb
	# One kernel has lost its headers since.
	mv "/lib/modules/$second/build" "/lib/modules/$second/build.away"
	said=$(apt-get -y install ../next/build/deb/klp-sets{,-dkms}_*.deb 2>&1) || fail "$said"
	contains "$said" "kernel $second had the module, and has lost it" \
		"dkms install klp-sets/$next -k $second"
	mv "/lib/modules/$second/build.away" "/lib/modules/$second/build"
	dkms install "klp-sets/$next" -k "$second"
	contains "$(modinfo -k "$release" -F version klp-sets)" $next
	contains "$(modinfo -k "$second" -F version klp-sets)" $next
	[ "$(find /var/lib/dkms/klp-sets -mindepth 1 -maxdepth 1 -type d)" = "/var/lib/dkms/klp-sets/$next" ]
	version=$next
}
it "and after an upgrade; one without headers is named" upgraded
[ ! -d ../next ] || version=7.8.9

# says FILE WORD...: the command, of the module that is missing
says() {
	local said
	mkdir -p /sys/kernel/livepatch /run/klp-sets
	printf 'boot %s\n%s\n' "$(cat /proc/sys/kernel/random/boot_id)" "$release" \
		> /run/klp-sets/kernel
	! said=$(klp-sets load "$1" 2>&1) || fail "it is loaded"
	contains "$said" "the module klp_sets is not installed" "${@:2}"
}

advice() {
	local command
	as_user cp -r /usr/share/doc/klp-sets-dkms/examples /home/user/advice
	as_user make -C /home/user/advice
	set -- /home/user/advice/vendor_a_v1.ko
	dkms remove "klp-sets/$version" -k "$release"
	says "$1" "has not built it; 'dkms install klp-sets/$version -k $release'"
	mv "/lib/modules/$release/build" "/lib/modules/$release/build.away"
	says "$1" "the headers of this kernel are missing; 'apt install linux-headers-$release'"
	mv "/lib/modules/$release/build.away" "/lib/modules/$release/build"
	# A build that fails.
	echo "#error planted" >> "/usr/src/klp-sets-$version/src/main.c"
	! dkms install "klp-sets/$version" -k "$release" || fail "it is built"
	says "$1" "/var/lib/dkms/klp-sets/$version/build/make.log says why"
	grep planted "/var/lib/dkms/klp-sets/$version/build/make.log"
	sed -i '$d' "/usr/src/klp-sets-$version/src/main.c"
	# The command that it names.
	command=$(klp-sets load "$1" 2>&1 | grep -o "dkms install [^']*")
	$command
	has "$release"
}
it "without the module, the command says which way it is missing, and mends it" advice

autopkgtest() {
	AUTOPKGTEST_TMP=$(mktemp -d)
	export AUTOPKGTEST_TMP
	packaging/debian/tests/livepatches
}
it "the test for autopkgtest passes" autopkgtest

removed() {
	apt-get -y remove klp-sets klp-sets-dkms
	has_not "$release" "$second"
	[ -d /var/lib/klp-sets ] || fail "the store is gone"
	apt-get -y purge klp-sets klp-sets-dkms
	[ ! -e /var/lib/klp-sets ] || fail "left: $(find /var/lib/klp-sets)"
	[ ! -e "/usr/src/klp-sets-$version" ]
}
mkdir -p /var/lib/klp-sets
it "remove keeps the store, purge does not" removed

# --- the scriptlets of the RPM packages ----------------------------------------

# A scriptlet that fails is a warning for some versions of rpm.
rpms() {
	local said
	said=$(rpm --root / --nodeps "$@" 2>&1) || fail "$said"
	echo "$said"
	[[ ! $said =~ "scriptlet failed"|"not found"|"syntax error" ]] || fail "see above"
}

rpm_installed() {
	rpms -i "$top"/build/rpm/RPMS/*/klp-sets-*.rpm
	has "$release"
	[ -L /etc/systemd/system/sysinit.target.wants/klp-sets.service ]
	dkms install "klp-sets/$(make -s version)" -k "$second"
}

rpm_upgraded() {
	as_user make -C ../next rpm RPM_OPTIONS="$rpm_options"
	rpms -U ../next/build/rpm/RPMS/*/klp-sets-*.rpm
	contains "$(modinfo -k "$release" -F version klp-sets)" "$version"
	contains "$(modinfo -k "$second" -F version klp-sets)" "$version"
	[ "$(find /var/lib/dkms/klp-sets -mindepth 1 -maxdepth 1 -type d)" = \
		"/var/lib/dkms/klp-sets/$version" ]
	[ -L /etc/systemd/system/sysinit.target.wants/klp-sets.service ]
}

rpm_erased() {
	rpms -e klp-sets klp-sets-dkms
	has_not "$release" "$second"
	[ -z "$(rpm -qa 'klp-sets*')" ]
	[ ! -e /etc/systemd/system/sysinit.target.wants/klp-sets.service ] || fail "it is enabled"
	[ ! -e "/usr/src/klp-sets-$version" ] && [ ! -e /var/lib/dkms/klp-sets ]
}

if [ -n "$checkers" ]; then
	it "the RPM packages are installed, with their scriptlets" rpm_installed
	it "an upgrade leaves no kernel without the module" rpm_upgraded
	it "and they are erased" rpm_erased
fi
rm -rf ../next
version=$(make -s version)
