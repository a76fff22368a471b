#!/bin/bash
# What make installs, takes away again, and cleans. Run in the build root of a kernel, where
# nothing of klp-sets is installed.
cd /klp-sets || exit 1
export KERNELRELEASE=$KLP_SETS_KERNEL
modules=/lib/modules/$KLP_SETS_KERNEL
scratch=$(mktemp -d)
said=$scratch/said
test_count=0
test_status=0
unset PREFIX BINDIR DATADIR UNITDIR DESTDIR

it() {
	test_count=$((test_count + 1))
	if ("${@:2}"); then
		echo "ok $test_count - $1"
	else
		echo "not ok $test_count - $1"
		test_status=1
	fi
}

fail() {
	echo "# $*"
	sed 's/^/# /' "$said"
	exit 1
}

does() {
	"$@" > "$said" 2>&1 || fail "$* ended with status $?"
}

# What is in a folder, but for folders.
content() {
	(cd "$1" 2> /dev/null && find . -not -type d | LC_ALL=C sort)
}

# same BEFORE AFTER
same() {
	diff <(echo "$1") <(echo "$2") > "$said" || fail "not the same files"
}

# All folders that an installation could write to.
machine() {
	find /etc /usr /lib/modules /opt -xdev -not -type d | LC_ALL=C sort
}

# --- what is built ------------------------------------------------------------

# A file for each pattern of .gitignore, and one that no pattern has.
litter() {
	local pattern file
	while read -r pattern; do
		case $pattern in
		/*) file=.${pattern} ;;
		*) file=src/$pattern ;;
		esac
		file=${file//\*/left}
		[[ $file != */ ]] || file=${file}left
		mkdir -p "${file%/*}"
		touch "$file"
	done < .gitignore
	touch src/left.o.c
}

cleaned() {
	local before
	does make clean
	before=$(content .)
	litter
	[[ $(content . | wc -l) -gt $(($(wc -l <<< "$before") + 10)) ]] || fail "nothing was made"
	# Nor is another Makefile there, in the tree that DKMS has.
	does make clean KDIR=/nonexistent
	rm src/left.o.c || fail "what is no object is gone"
	same "$before" "$(content .)"
}
it "make clean takes away all that .gitignore has, without headers" cleaned

make -C tool CFLAGS=-O0 -j2 > "$said" 2>&1 || fail "the command is not built"

# --- the command ----------------------------------------------------------------

default() {
	local before
	before=$(machine)
	does make -C tool install
	[[ -x /usr/bin/klp-sets ]] || fail "no command"
	grep -qx "ExecStart=/usr/bin/klp-sets boot" /usr/lib/systemd/system/klp-sets.service ||
		fail "the unit starts something else"
	for file in packaging/systemd/* Documentation/klp-sets.8; do
		cmp "$file" "$(find /usr/lib/systemd /usr/share/man/man8 -name "${file##*/}")" \
			> "$said" 2>&1 || fail "$file is not as in the tree"
	done
	does make -C tool uninstall
	same "$before" "$(machine)"
}
it "the command is installed below /usr, and taken away again" default

# follows PREFIX BINDIR DATADIR UNITDIR: in what is below $scratch/root
follows() {
	local root=$scratch/root unit
	[[ -x $root$2/klp-sets ]] || fail "no $2/klp-sets"
	[[ $(find "$root$4" -name 'klp-sets*' | wc -l) == "$(find packaging/systemd -type f | wc -l)" ]] ||
		fail "not all units are in $4"
	grep -h ^Exec "$root$4"/* | grep -v -F "=$2/klp-sets " > "$said" && fail "units start another"
	for unit in "$root$4"/*.service; do
		grep -q "^RequiresMountsFor=/usr $2 " "$unit" || fail "${unit##*/} does not wait for $2"
	done
	grep -qF "$2/klp-sets " "$root$1/lib/kernel/install.d/60-klp-sets.install" ||
		fail "kernel-install runs another"
	grep -qF "$3/klp\\-sets/klp\\-sets.schema.json" "$root$3/man/man8/klp-sets.8" ||
		fail "the man page says that the schema is elsewhere"
	[[ -e $root$3/klp-sets/klp-sets.schema.json ]] || fail "and it is"
	[[ -e $root$3/bash-completion/completions/klp-sets ]] || fail "no completion"
	# DESTDIR is in no file, and nothing speaks of where nothing is.
	grep -r -l -e "$root" -e /usr/bin/klp-sets -e '/usr/share/klp' "$root" --exclude=klp-sets.mk \
		> "$said" && fail "these have paths of elsewhere"
	content "$root" | grep -v -e "^\.$1/" -e "^\.$2/" -e "^\.$3/" -e "^\.$4/" > "$said" &&
		fail "these are elsewhere"
	return 0
}

places() {
	local root=$scratch/root before
	before=$(machine)
	does make -C tool install DESTDIR="$root" PREFIX=/usr/local
	follows /usr/local /usr/local/bin /usr/local/share /usr/local/lib/systemd/system
	does make -C tool uninstall DESTDIR="$root" PREFIX=/usr/local
	[[ -z $(content "$root") ]] || fail "left: $(content "$root")"

	set -- DESTDIR="$root" PREFIX=/opt/klp BINDIR=/opt/bin DATADIR=/opt/data \
		UNITDIR=/etc/systemd/system
	does make -C tool install "$@"
	follows /opt/klp /opt/bin /opt/data /etc/systemd/system
	does make -C tool uninstall "$@"
	[[ -z $(content "$root") ]] || fail "left: $(content "$root")"
	same "$before" "$(machine)"
}
it "PREFIX, BINDIR, DATADIR, UNITDIR and DESTDIR are followed by all that is installed" places

# --- the module -----------------------------------------------------------------

dev() {
	local root=$scratch/dev
	does make install-dev DESTDIR="$root" PREFIX=/usr/local
	grep -qx "#	include /usr/local/share/klp-sets/klp-sets.mk" \
		"$root/usr/local/share/klp-sets/klp-sets.mk" || fail "it speaks of another"
	[[ -e $root/usr/local/share/klp-sets/include/klp_sets.h ]] || fail "no header"
	does make uninstall-dev DESTDIR="$root" PREFIX=/usr/local
	[[ -z $(find "$root/usr/local/share" -mindepth 1) ]] || fail "left: $(find "$root")"
}
it "what livepatches are built with is installed, and taken away again" dev

second() {
	local before file
	before=$(machine)
	for file in updates/dkms/klp-sets.ko.xz extra/klp-sets.ko; do
		mkdir -p "$modules/${file%/*}"
		touch "$modules/$file"
		! make install > "$said" 2>&1 || fail "it is installed over another"
		grep -qF "klp-sets is there for $KLP_SETS_KERNEL already: $modules/$file" "$said" ||
			fail "it does not say that there is $modules/$file"
		grep -qF "SECOND=1" "$said" || fail "it has no way out"
		# Nor that which is in the DESTDIR.
		mkdir -p "$scratch/second$modules/${file%/*}"
		touch "$scratch/second$modules/$file"
		! make install DESTDIR="$scratch/second" > "$said" 2>&1 || fail "or in a DESTDIR"
		rm "$modules/$file" "$scratch/second$modules/$file"
	done
	rmdir "$modules/updates/dkms" "$modules/updates" "$modules/extra" 2> /dev/null
	same "$before" "$(machine)"
}
it "make install refuses to install a second module for a kernel" second

# --- the version ----------------------------------------------------------------

version() {
	local version
	version=$(make -s version)
	[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "the version is $version"
	grep -rlF --exclude-dir=.git --exclude-dir=build --exclude='*.o' --exclude='*.ko' \
		--exclude='*.mod*' --exclude='.*.cmd' --exclude=klp-sets "$version" . > "$said"
	[[ $(< "$said") == ./dkms.conf ]] || fail "it stands in:"
	sed -i "s/$version/7.8.9/" dkms.conf
	[[ $(make -s version) == 7.8.9 ]] || fail "it is now $(make -s version)"
	does make -C tool clean
	make -n -C tool main.o | grep -qF 7.8.9 || fail "the command has another"
}
it "the version stands in one place" version

rm -rf "$scratch"
echo "1..$test_count"
exit $test_status
