# shellcheck shell=bash disable=SC2154
# archives.sh - a part of build: what make dist packs, and whether what is built depends on who
# builds it, when and where.

archive=build/klp-sets-$version.tar.xz

# copy FOLDER: the tree as it was before anything was built in it
copy() {
	mkdir -p "$1"
	tar -C "$top" -c --exclude-from="$top/tests/vm/objects" --exclude=./build . | tar -C "$1" -x
	chown -R user "$1"
}

checkout() {
	copy "$1"
	as_user git -C "$1" init -q
	as_user git -C "$1" add .
}

packed() {
	tar -tf "$1/$archive" | sed "s,^klp-sets-$version/,," | LC_ALL=C sort
}

# What a build leaves, and what somebody has put there.
litter() {
	mkdir -p "$1/build" "$1/src/.tmp_versions" "$1/examples"
	touch "$1"/{src/main.o,src/klp-sets.ko,src/.main.o.cmd,src/.tmp_versions/x,examples/x.mod.c} \
		"$1"/{tool/klp-sets,tool/main.o.d,src/Module.symvers,build/x}
	chown -R user "$1"
}

from_git() {
	checkout ~user/checkout
	litter ~user/checkout
	touch ~user/checkout/{notes,signing.key}
	as_user make -C ~user/checkout dist
	diff <(as_user git -C ~user/checkout ls-files | LC_ALL=C sort) <(packed ~user/checkout)
}
it "make dist packs what git has of a checkout, and nothing else" from_git

from_archive() {
	rm -rf ~user/unpacked
	as_user mkdir ~user/unpacked
	as_user tar -C ~user/unpacked -xf ~user/"checkout/$archive"
	litter ~user/unpacked/klp-sets-*
	as_user make -C ~user/unpacked/klp-sets-* dist
	cmp ~user/checkout/"$archive" ~user/unpacked/klp-sets-*/"$archive"
	# In a folder that git leaves out of another checkout.
	as_user mkdir -p ~user/checkout/build/deb
	as_user mv ~user/unpacked/klp-sets-* ~user/checkout/build/deb/
	as_user make -C ~user/checkout/build/deb/klp-sets-* dist
	cmp ~user/checkout/"$archive" ~user/checkout/build/deb/klp-sets-*/"$archive"
}
it "an archive that was unpacked, and built in, packs the same" from_archive

refuses() {
	local target
	for target in dist deb rpm; do
		rm -f ~user/checkout/"$archive"
		! said=$(as_user make -C ~user/checkout $target 2>&1) || fail "make $target packs something"
		contains "$said" "git does not say what belongs to it" "Nothing is packed"
		[ ! -e ~user/checkout/"$archive" ] || fail "make $target has packed something"
	done
}

without_git() {
	local git
	git=$(type -P git)
	mv "$git" "$git.away"
	(refuses) || { mv "$git.away" "$git"; return 1; }
	mv "$git.away" "$git"
	# "dubious ownership"
	chown -R root ~user/checkout/.git
	chown root ~user/checkout
	chmod 777 ~user/checkout
	(refuses) || return 1
	rm -rf ~user/checkout
}
it "without an answer of git nothing is packed" without_git

# artefacts FOLDER: sums of all that is built
artefacts() {
	(cd "$1/build" && find . \( -name '*.deb' -o -name '*.rpm' -o -name '*.xz' -o -name '*.dsc' \) \
		-not -path './rpm/BUILD*' -exec sha256sum {} + | LC_ALL=C sort -k 2)
}

twice() {
	copy ~user/once
	as_user make -C ~user/once deb DEB_OPTIONS=-d
	as_user make -C ~user/once rpm RPM_OPTIONS="$rpm_options"
	# Another user, folder, clock, time zone and umask.
	copy /srv/a/longer/way/to/it
	find /srv/a -exec touch -d 2001-02-03 {} +
	chown -R root /srv/a
	(
		umask 077
		export TZ=Asia/Tokyo LC_ALL=C XZ_OPT=-9 TAR_OPTIONS=--owner=daemon
		chmod -R go= /srv/a
		make -C /srv/a/longer/way/to/it deb DEB_OPTIONS=-d
		make -C /srv/a/longer/way/to/it rpm RPM_OPTIONS="$rpm_options"
	)
	artefacts ~user/once
	[ "$(artefacts ~user/once | wc -l)" -ge 10 ]
	diff <(artefacts ~user/once) <(artefacts /srv/a/longer/way/to/it)
	rm -r ~user/once /srv/a
}
it "archive, .deb and .rpm are the same to the bit, wherever they are built" twice
