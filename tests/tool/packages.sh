#!/bin/bash
# The example of a Debian package that carries a livepatch, where nothing is booted.
. "$(dirname "$0")/lib.sh"
build=$(cd "$(dirname "$0")/../../examples/packages" && pwd)/build
cd "$scratch" || exit 1

# A database of its own: the userland of the tests has none.
mkdir -p db/updates db/info
touch db/status db/available

# package NAME VERSION: with that client, stamped
package() {
	rm -rf out
	accept stamp --set 5 "$modules/$1.ko" "$1.ko"
	"$build" deb "$1.ko" "$2" out > said 2>&1 || fail "no package: $(< said)"
	[[ $(cd out && ls) == livepatch-set-5-${KLP_SETS_KERNEL}_$2_amd64.deb ]] ||
		fail "it is called $(ls out)"
}

# The package of klp-sets itself is not here.
dpkg_says() {
	dpkg --admindir="$scratch/db" --force-depends "$@" > said 2>&1 || fail "dpkg $*: $(< said)"
}

life() {
	package client_s1 1
	dpkg_says -i out/*.deb
	stored 01-set-5/current/client_s1.ko
	package client_s2 2
	dpkg_says -i out/*.deb
	stored 01-set-5/before-1/client_s1.ko 01-set-5/current/client_s2.ko
	# The same once more, as a repair.
	dpkg_says -i out/*.deb
	stored 01-set-5/before-1/client_s1.ko 01-set-5/current/client_s2.ko
	dpkg_says -r "livepatch-set-5-$KLP_SETS_KERNEL"
	stored
	[[ ! -e /usr/lib/livepatches/5-$KLP_SETS_KERNEL ]] || fail "files are left"
}
it "it is stored, upgraded and taken away with its package" life


unstamped() {
	! "$build" deb "$modules/client_s1.ko" 1 out > said 2>&1 || fail "a package without a set"
	grep -q "klp-sets stamp --set N" said || fail "it says: $(< said)"
}
it "a livepatch without a set is no package" unstamped

finish
