#!/bin/bash
# The store and the configuration, in a folder: nothing here needs a kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../schema/lib.sh"

guards=$store/guards

# guard FOLDER NAME [MACHINE]: of another boot
guard() {
	mkdir -p "$store/$1"
	{
		echo "boot 01234567-89ab-cdef-0123-456789abcdef"
		[[ $# == 2 ]] || echo "machine $3"
		echo "uptime 5.00"
	} > "$store/$1/$2"
}

# --- install, uninstall, rollback ----------------------------------------------

keeps_versions() {
	install vendor_a_v1 vendor_b_v1
	says "'vendor_b_v1' of set 2 is stored"
	install vendor_a_v2
	says "'klp-sets rollback 1' goes back to 'vendor_a_v1'"
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko \
		02-set-2/current/vendor_b_v1.ko
	cmp "$modules/vendor_a_v2.ko" "$store/content/01-set-1/current/vendor_a_v2.ko" ||
		fail "the file in the store is another one"
}
it "a new version takes the place of its set, and the one before is kept" keeps_versions

# In the words of a script.
json() {
	local folder=$store/content expected
	expected='{"version": 1, "stored": [
		{"set": 1, "set_name": null, "name": "vendor_a_v2", "held": false, "other_build": false, "versions": [
			{"name": "vendor_a_v2", "installed": DATE,
			 "path": "'$folder'/01-set-1/current/vendor_a_v2.ko", "parameters": null, "build": null, "replaced": []},
			{"name": "vendor_a_v1", "installed": DATE,
			 "path": "'$folder'/01-set-1/before-1/vendor_a_v1.ko", "parameters": null, "build": null, "replaced": []}]},
		{"set": null, "set_name": null, "name": "client_s1", "held": false, "other_build": false, "versions": [
			{"name": "client_s1", "installed": DATE,
			 "path": "'$folder'/02-stock-client_s1/current/client_s1.ko", "parameters": null, "build": null, "replaced": []}]}]}'
	install vendor_a_v1 vendor_a_v2 client_s1
	accept list --stored --json
	said=$(tr -d ' \n' <<< "$said" |
		sed 's/\("path":[^,]*\),\("installed":\)[0-9]\{9,\}/\2DATE,\1/g')
	[[ $said == "$(tr -d ' \t\n' <<< "$expected")" ]] || fail "it lists $said"
}
it "the store is listed in JSON, too" json

same_again() {
	install vendor_a_v1 vendor_a_v2 vendor_a_v2
	says "stored already"
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko
}
it "the same file again is no new version" same_again

keeps_five() {
	for _ in 1 2 3; do
		install vendor_a_v1 vendor_a_v2
	done
	stored 01-set-1/before-{1/vendor_a_v1,2/vendor_a_v2,3/vendor_a_v1,4/vendor_a_v2}.ko \
		01-set-1/current/vendor_a_v2.ko
}
it "five versions of a set are kept" keeps_five

goes_back() {
	install vendor_a_v1 vendor_a_v2 vendor_a_v1
	accept rollback 1
	says "'vendor_a_v2' of set 1 is stored again"
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko
	accept rollback vendor_a_v2
	stored 01-set-1/current/vendor_a_v1.ko
	reject 1 "no version before 'vendor_a_v1'" rollback 1
	stored 01-set-1/current/vendor_a_v1.ko
}
it "every rollback goes back one more version, until there is none" goes_back

keeps_order() {
	install vendor_b_v1 vendor_c_module vendor_a_v1
	accept uninstall 3
	says "set 3 is not in the store any more"
	install vendor_a_v2 vendor_c_module
	stored 01-set-2/current/vendor_b_v1.ko 02-set-1/before-1/vendor_a_v1.ko \
		02-set-1/current/vendor_a_v2.ko 03-set-3/current/vendor_c_module.ko
	accept uninstall vendor_b_v1
	reject 1 "set 2 is not in the store" uninstall 2
	reject 1 "'vendor_b_v1' is not in the store" uninstall vendor_b_v1
	accept uninstall 1
	accept uninstall 3
	stored
}
it "sets are loaded in the order in which they were installed first" keeps_order

keeps_stock() {
	install client_s1
	says "stock patch 'client_s1' is stored"
	accept install --set 7 $modules/client_s2.ko
	says "'client_s2' of set 7 is stored"
	stored 01-stock-client_s1/current/client_s1.ko 02-set-7/current/client_s2.ko
	accept install --set 8 $modules/client_s1.ko
	says "stock patch 'client_s1' leaves the store"
	stored 01-set-7/current/client_s2.ko 02-set-8/current/client_s1.ko \
		02-set-8/current/replaced/01-stock-client_s1/current/client_s1.ko
}
it "livepatches without a set are stored by their names, or get one" keeps_stock

other_word() {
	install client_m2
	says "'client_m2' of set 7 is stored"
	stored 01-set-7/current/client_m2.ko
	reject 1 "it says that it is of set 7 and of set 8" install $modules/client_m3.ko
}
it "mainline's word for the set is taken, and two sets are none" other_word

assigned() {
	accept assign client-s1 7 8
	accept install --set 8 $modules/client_s2.ko
	install client_s1
	says "set 8 leaves the store: 'client_s1' of set 7 takes the place of its 'client_s2'"
	stored 01-set-7/current/client_s1.ko \
		01-set-7/current/replaced/01-set-8/current/client_s2.ko
}
it "an assignment counts, and what it obsoletes leaves with the same step" assigned

compressed() {
	gzip < $modules/vendor_a_v1.ko > "$scratch/vendor-a-v1.ko.gz"
	accept install "$scratch/vendor-a-v1.ko.gz"
	stored 01-set-1/current/vendor_a_v1.ko.gz
	reject 1 "vendor_a_v1" install $modules/vendor_b_conflict.ko
}
it "a compressed module stays one" compressed

# --- parameters --------------------------------------------------------------------

parameters() {
	accept install --set 7 $modules/client_s1.ko funcs=cmdline_proc_show
	stored 01-set-7/current/{client_s1.ko,parameters}
	[[ $(< "$store/content/01-set-7/current/parameters") == funcs=cmdline_proc_show ]] ||
		fail "the store has $(< "$store/content/01-set-7/current/parameters")"
	accept list --stored
	says "with funcs=cmdline_proc_show"
	accept install --set 7 $modules/client_s1.ko funcs=cmdline_proc_show
	says "stored already"
	# With others it is another version, and the next one has none.
	accept install --set 7 $modules/client_s1.ko funcs=uptime_proc_show "where=a b" damage=
	accept install --set 7 $modules/client_s2.ko
	stored 01-set-7/before-1/{client_s1.ko,parameters} 01-set-7/before-2/{client_s1.ko,parameters} \
		01-set-7/current/client_s2.ko
	accept rollback 7
	accept list --stored --json
	[[ $said == *'"parameters":"funcs=uptime_proc_show where=\"a b\" damage=\"\""'*'"parameters":"funcs=cmdline_proc_show"'* ]] ||
		fail "it lists $said"
	accept rollback 7
	stored 01-set-7/current/{client_s1.ko,parameters}
	# What is told to be typed has them.
	guard held client_s1
	reject 1 "klp-sets install $store/content/01-set-7/current/client_s1.ko funcs=cmdline_proc_show" boot
}
it "the parameters of a livepatch are kept with each version" parameters

no_parameters() {
	local verb
	for verb in install load; do
		reject 1 "has no parameter 'nonsense'" $verb $modules/client_s1.ko nonsense=1
		reject 1 "has no parameter 'fun'" $verb $modules/client_s1.ko fun=1
		reject 2 "each as NAME=VALUE: 'funcs' is none" $verb $modules/client_s1.ko funcs
		reject 2 "each as NAME=VALUE: '=1' is none" $verb $modules/client_s1.ko =1
		reject 2 "each as NAME=VALUE" $verb $modules/client_s1.ko $modules/client_s2.ko
		reject 2 "characters that the kernel cannot be told" $verb $modules/client_s1.ko 'funcs="'
		reject 2 "characters that the kernel cannot be told" $verb $modules/client_s1.ko $'funcs=a\nb'
		reject 2 "more than 4096 characters" $verb $modules/client_s1.ko "funcs=$(printf 'x%.0s' {1..5000})"
	done
	stored
}
it "what is no parameter of it is refused" no_parameters

# --- those that replace everything ---------------------------------------------

# client_kpatch is as kpatch-build makes them: without a set, and with replace.
wants_all() {
	install vendor_a_v1 vendor_a_v2 vendor_b_v1
	reject 1 "'client_kpatch' replaces every livepatch" install $modules/client_kpatch.ko
	says "'vendor_a_v2' of set 1, 'vendor_b_v1' of set 2"
	says "--replace-all"
	says "stock_replace=scoped"
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko \
		02-set-2/current/vendor_b_v1.ko
	accept policy stock_replace=scoped
	accept uninstall 2
	accept uninstall 1
	# Nobody is in its way.
	accept policy stock_replace=all
	install client_kpatch
	stored 01-stock-client_kpatch/current/client_kpatch.ko
}
it "a livepatch that replaces everything takes nothing out of the store unasked" wants_all

# Those that it would replace, for another reason: it is of set 0, and the policy says so.
set0_wants_all() {
	install vendor_b_v1
	accept policy set0_replaces_all=1
	reject 1 "'client_s1' of set 0 replaces every livepatch" install --set 0 $modules/client_s1.ko
	says "'vendor_b_v1' of set 2"
	says "allow_replace_all=0"
	stored 01-set-2/current/vendor_b_v1.ko
	# A set that is named is meant.
	accept assign client_s1 0 2
	install client_s1
	says "set 2 leaves the store"
}
it "nor does set 0, unless it names the sets" set0_wants_all

rollback_of_all() {
	local before
	install vendor_a_v1 vendor_a_v2 client_s1 vendor_b_v1
	before=$(content)
	accept install --replace-all $modules/client_kpatch.ko
	says "set 1 leaves the store"
	says "stock patch 'client_s1' leaves the store"
	says "'klp-sets rollback client_kpatch' brings back set 1, stock patch 'client_s1', set 2"
	accept list --stored
	says "took the place of set 1, stock patch 'client_s1', set 2"
	accept list --stored --json
	[[ $(tr -d ' \n' <<< "$said") == *'"replaced":[{"set":1,"set_name":null,"name":"vendor_a_v2"},{"set":null,"set_name":null,"name":"client_s1"},{"set":2,"set_name":null,"name":"vendor_b_v1"}]}'* ]] ||
		fail "it lists $said"
	reject 1 "'client_kpatch' has taken its place. 'klp-sets rollback client_kpatch'" rollback 1
	reject 1 "'client_kpatch' has taken its place" uninstall vendor_b_v1
	# What comes and goes meanwhile does not matter, nor does the same file once more.
	install client_kpatch client_s2
	accept uninstall client_s2
	accept rollback client_kpatch
	says "set 1 is in the store again, with 'vendor_a_v2'"
	says "'client_kpatch' is not in the store any more"
	[[ $(content) == "$before" ]] || fail "the store holds $(content)"
	accept rollback 1
	says "'vendor_a_v1' of set 1 is stored again"
}
it "what was taken out of the store comes back with all its versions" rollback_of_all

# A set has a version again when it comes back; and it may not go together with others.
back_beside_others() {
	install vendor_a_v1 vendor_b_v1
	accept install --replace-all $modules/client_kpatch.ko
	install vendor_a_v2
	accept rollback client_kpatch
	stored 01-set-2/current/vendor_b_v1.ko 02-set-1/before-1/vendor_a_v1.ko \
		02-set-1/current/vendor_a_v2.ko
	accept uninstall 1
	accept install --replace-all $modules/client_kpatch.ko
	accept uninstall client_kpatch
	# Both change one function.
	install vendor_a_v2
	accept install --replace-all $modules/client_kpatch.ko
	install vendor_b_conflict
	reject 1 "'vendor_a_v2' of set 1 is not stored: with what is in the store" \
		rollback client_kpatch
	stored 01-stock-client_kpatch/current/client_kpatch.ko \
		01-stock-client_kpatch/current/replaced/01-set-1/current/vendor_a_v2.ko \
		02-set-2/current/vendor_b_conflict.ko
}
it "and goes together with what has come since, or nothing changes" back_beside_others

# Each takes the other out.
to_and_fro() {
	accept policy set0_replaces_all=1
	for _ in {1..8}; do
		accept install --replace-all $modules/client_kpatch.ko
		accept install --replace-all --set 0 $modules/client_s1.ko
	done
	[[ $(content | wc -l) -le 10 ]] || fail "the store holds $(content)"
	accept rollback 0
	says "stock patch 'client_kpatch' is in the store again"
}
it "two that replace each other do not fill the store" to_and_fro

obsoletes_come_back() {
	accept install --set 8 $modules/client_s2.ko
	accept assign client-s1 7 8
	install client_s1
	says "'klp-sets rollback client_s1' brings back set 8"
	accept uninstall 7
	says "set 7 is not in the store any more, nor is set 8, which it had replaced"
	stored
}
it "so do sets that were obsoleted" obsoletes_come_back

rollback_wants_all() {
	accept policy set0_replaces_all=1
	accept install --set 0 $modules/client_s1.ko
	accept policy set0_replaces_all=0
	accept install --set 0 $modules/client_s2.ko
	install vendor_a_v1
	accept policy set0_replaces_all=1
	reject 1 "replaces every livepatch" rollback 0
	accept rollback --replace-all 0
	says "set 1 leaves the store"
	stored 01-set-0/current/client_s1.ko \
		01-set-0/current/replaced/01-set-1/current/vendor_a_v1.ko
}
it "a rollback to one that replaces everything asks, too" rollback_wants_all

# --- refusals ------------------------------------------------------------------

refuses() {
	local release
	install vendor_a_v1
	reject 1 "cmdline_proc_show" install $modules/vendor_b_conflict.ko
	says "it would be refused at boot"
	reject 1 "asks for set 1 itself" install --set 9 $modules/vendor_a_v2.ko
	reject 1 "livepatch" install $modules/klp_target.ko
	reject 1 "cannot be stored" install /etc/passwd
	reject 1 "cannot be stored" install /nowhere.ko
	release=$KLP_SETS_KERNEL
	KLP_SETS_KERNEL=1.2.3 reject 1 "was built for kernel $release" install $modules/vendor_a_v2.ko
	stored 01-set-1/current/vendor_a_v1.ko
	reject 1 "does not tell which set it belongs to" install $modules/client_a1.ko
	reject 2 "one FILE" install
	reject 2 "--force" install --force $modules/vendor_a_v1.ko
	reject 2 "'-1' is not a set" install --set -1 $modules/vendor_a_v1.ko
	reject 2 "one set" rollback
	reject 2 "one set" uninstall 1 2
	reject 2 "no arguments" boot now
}
it "what would not load at boot, or makes no sense, is refused now" refuses

# Whatever is in the store: the fault is in the file.
refused_anywhere() {
	local file refused=0
	install vendor_a_v1
	for file in $modules/client_r*.ko; do
		said=$(klp-sets check --empty "$file") && continue
		[[ $said == *", REFUSED"* ]] || continue
		refused=$((refused + 1))
		reject 1 "it would be refused at any boot" install "$file"
		says_not uninstall
	done
	# Which they are differs from kernel to kernel.
	diag "$refused clients are refused by themselves"
}
it "a livepatch that no machine takes is refused with advice for its author" refused_anywhere

no_space() {
	install vendor_a_v1
	! klp-sets list --stored > /dev/full 2> "$scratch/said" || fail "it does not mind"
	[[ $(< "$scratch/said") == *"could not be written"* ]] || fail "it says: $(< "$scratch/said")"
	! klp-sets --help > /dev/full 2> /dev/null || fail "--help does not mind"
}
it "output that cannot be written is a failure" no_space

# To prepare another machine takes no root.
user() {
	chown 65534:65534 "$KLP_SETS_ROOT"
	local as="setpriv --reuid 65534 --regid 65534 --clear-groups klp-sets"
	chmod 755 "$scratch"
	for words in "install $modules/vendor_a_v1.ko" "assign other 5" "policy taint=1"; do
		# shellcheck disable=SC2086
		said=$($as $words 2>&1) || fail "$words: $said"
	done
	stored 01-set-1/current/vendor_a_v1.ko
}
it "in a folder of his own, any user may have a store" user

# --- other kernels -------------------------------------------------------------------

other_kernels() {
	local var=$KLP_SETS_ROOT/var/lib/klp-sets
	accept boot
	[[ -z $said ]] || fail "it says $said"
	install vendor_a_v1
	mv "$store" "$var/1.2.3"
	mkdir -p "$store" "$var/1.2.4"
	accept boot
	says "nothing is stored for kernel $KLP_SETS_KERNEL, while something is for 1.2.3:"
	accept list --stored
	says "nothing is stored for kernel $KLP_SETS_KERNEL"
	says "stores of other kernels, which KLP_SETS_KERNEL=RELEASE in the environment shows: 1.2.3"
	install vendor_b_v1
	reject 1 "no livepatching" boot
	says_not "while something is for"
	KLP_SETS_KERNEL=1.2.3 accept list --stored
	says vendor_a_v1
}
it "a kernel for which nothing is stored, while something is for others, is told of" other_kernels

# Where an image is, or modules are, there is a kernel; other files may stay behind.
prunes() {
	local var=$KLP_SETS_ROOT/var/lib/klp-sets name running
	running=$(env -u KLP_SETS_KERNEL klp-sets list --stored |
		sed -n 's/^nothing is stored for kernel \([^ ]*\)$/\1/p')
	mkdir -p "$KLP_SETS_ROOT"/{boot,lib/modules/1.2.{2/kernel,3,4/updates,6}}
	touch "$KLP_SETS_ROOT"/{boot/vmlinuz-1.2.1,lib/modules/1.2.6/vmlinuz}
	install vendor_a_v1
	for name in 1.2.{1,2,3,4,5,6} "$running"; do
		cp -r "$store" "$var/$name"
	done
	accept prune
	says "the store of kernel 1.2.3 is removed"
	[[ $(find "$var" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort) == "$(printf '%s\n' 1.2.{1,2,6} "$running" lock | sort)" ]] ||
		fail "there are: $(ls "$var")"
	accept prune
	[[ -z $said ]] || fail "it says $said"
	accept prune 1.2.1 1.2.9
	says "the store of kernel 1.2.1 is removed"
	reject 1 "kernel $running is running" prune "$running"
	reject 2 "'..' is not the release of a kernel" prune ..
	reject 2 "'a/b' is not the release of a kernel" prune 1.2.2 a/b
	reject 2 "'' is not the release of a kernel" prune ''
	[[ -d $var/1.2.2 ]] || fail "a wrong command line removes a store"
}
it "the stores of kernels that are gone are pruned" prunes

# As the kernel's package calls it.
hooks() {
	local var=$KLP_SETS_ROOT/var/lib/klp-sets kernel=/klp-sets/packaging/kernel
	mkdir -p "$var"/1.2.{1,2,3,4}
	DEB_MAINT_PARAMS="'upgrade' '1.2'" sh $kernel/postrm 1.2.1 /boot/vmlinuz-1.2.1 ||
		fail "postrm: $?"
	[[ -d $var/1.2.1 ]] || fail "an upgrade removes the store"
	DEB_MAINT_PARAMS="'remove'" sh $kernel/postrm 1.2.1 /boot/vmlinuz-1.2.1 || fail "postrm: $?"
	sh $kernel/postrm 1.2.2 || fail "postrm: $?"
	# The command is not installed here.
	sed 's,/usr/bin/,,' $kernel/60-klp-sets.install > "$scratch/install"
	sh "$scratch/install" add 1.2.3 /boot/x || fail "60-klp-sets.install: $?"
	sh "$scratch/install" remove 1.2.4 /boot/x || fail "60-klp-sets.install: $?"
	[[ $(echo "$var"/1.2.*) == "$var/1.2.3" ]] || fail "there are: $(ls "$var")"
}
it "the package of a kernel that is removed takes its store along" hooks

# --- a disk that cannot be written -------------------------------------------------

# What the test has mounted there goes with its shell.
unwritable() {
	local var=$KLP_SETS_ROOT/var
	cp -r "$var" "$scratch/kept"
	mount -t tmpfs -o size=1m tmpfs "$var" || fail "no tmpfs"
	# shellcheck disable=SC2064
	trap "umount '$var'" EXIT
	cp -r "$scratch/kept/." "$var"
	rm -r "$scratch/kept"
	case $1 in
	full) ! cat /dev/zero > "$var/big" 2> /dev/null || fail "it is not full" ;;
	read-only) mount -o remount,ro "$var" || fail "no remount" ;;
	esac
}

# None of them can be loaded where there is no livepatching: they are tried, or not.
boots_unwritable() {
	install vendor_a_v1 vendor_b_v1
	mkdir "$store/survived"
	touch "$store/survived/vendor_a_v1"
	# Nor can it be made.
	rm "$KLP_SETS_ROOT/var/lib/klp-sets/lock"
	unwritable "$1"
	reject 1 "'vendor_a_v1' is loaded without a guard" boot
	[[ $(grep -c "cannot be written" <<< "$said") == 2 ]] || fail "it says: $said"
	says "'vendor_b_v1' is not loaded: the machine has not lived with it for 60 s yet"
	says_not "'vendor_b_v1' is loaded without"
	says_not "'vendor_a_v1' is not loaded: the machine"
}
boots_full() { boots_unwritable full; }
boots_read_only() { boots_unwritable read-only; }
it "a full disk keeps out of a boot only what the machine has not survived yet" boots_full
it "so does one that must not be written" boots_read_only

# Of what it died of, the guard tells, also where it cannot be moved.
held_unwritable() {
	install vendor_a_v1 vendor_b_v1
	mkdir -p "$store/survived"
	touch "$store/survived/vendor_a_v1" "$store/survived/vendor_b_v1"
	mkdir "$guards"
	printf 'boot of-another\nuptime 1.00\n' > "$guards/vendor_b_v1"
	unwritable read-only
	reject 1 "'vendor_b_v1' of set 2 is not loaded: the machine died" boot
	says "'vendor_a_v1' is loaded without a guard"
	says_not "'vendor_b_v1' is loaded without a guard"
	timeout 60 klp-sets boot --settled=0 || fail "boot --settled ends with $?"
}
it "what the machine died of is held all the same" held_unwritable

# What was written until then is gone; the store is as it was.
half_written() {
	local var=$KLP_SETS_ROOT/var before
	install vendor_b_v1
	before=$(content)
	unwritable full
	# Room for the folders, not for the file.
	truncate -s -24K "$var/big"
	reject 1 "The store is as it was" install $modules/vendor_a_v1.ko
	says "No space left on device"
	[[ $(content) == "$before" ]] || fail "the store holds $(content)"
	[[ $(ls "$store") == content$'\n'content.1 ]] || fail "something is left: $(ls "$store")"
}
it "an installation on a full disk leaves nothing behind" half_written

# Whoever dies in between, for whatever reason.
half_loaded() {
	install vendor_b_v1
	reject 1 "no livepatching" install --load $modules/vendor_a_v1.ko
	[[ $(ls "$store") == content$'\n'content.1 ]] || fail "something is left: $(ls "$store")"
}
it "nor does one that cannot be loaded" half_loaded

assign_full() {
	mkdir -p "$KLP_SETS_ROOT"/{etc/klp-sets,var}
	mount -t tmpfs -o size=16k tmpfs "$KLP_SETS_ROOT/etc/klp-sets"
	# shellcheck disable=SC2064
	trap "umount '$KLP_SETS_ROOT/etc/klp-sets'" EXIT
	! cat /dev/zero > "$KLP_SETS_ROOT/etc/klp-sets/big" 2> /dev/null || fail "it is not full"
	reject 1 "assign.conf cannot be written: No space left on device. It is as it was" assign kpatch_cve 7
	says_not ", but"
}
it "an assignment that cannot be kept is told of" assign_full

# --- the machine that a guard is of ----------------------------------------------

ours=0123456789abcdef0123456789abcdef
theirs=fedcba9876543210fedcba9876543210

copied() {
	mkdir "$KLP_SETS_ROOT/etc"
	echo $ours > "$KLP_SETS_ROOT/etc/machine-id"
	install vendor_a_v1 vendor_b_v1 vendor_c_module
	guard guards vendor_a_v1 $theirs
	guard held vendor_b_v1 $theirs
	accept list --stored
	says_not "not loaded at boot"
	reject 1 "guard is dropped that kept 'vendor_a_v1'" boot
	says "mark is dropped that kept 'vendor_b_v1'"
	says_not "the machine died"
	[[ ! -e $store/guards/vendor_a_v1 && ! -e $store/held/vendor_a_v1 &&
		! -e $store/held/vendor_b_v1 ]] || fail "they are there: $(find "$store")"
	accept list --stored
	says_not "not loaded at boot"
	# And by any other verb that changes the store.
	guard guards vendor_a_v1 $theirs
	accept uninstall 3
	says "guard is dropped that kept 'vendor_a_v1'"
}
it "guards that came with a copy of another machine are dropped, and told of" copied

# The one that it is, one that does not tell, and a machine that has no id yet.
not_copied() {
	local id
	install vendor_a_v1 vendor_b_v1
	mkdir "$KLP_SETS_ROOT/etc"
	for id in $ours '' uninitialized; do
		echo "$id" > "$KLP_SETS_ROOT/etc/machine-id"
		guard guards vendor_a_v1 $ours
		guard guards vendor_b_v1
		accept boot --settled=0
		says_not dropped
		accept list --stored
		[[ $(grep -c "not loaded at boot: the machine died" <<< "$said") == 2 ]] ||
			fail "with '$id' it says: $said"
		rm -r "$store/held"
	done
}
it "those of this machine are not" not_copied

# --- damage --------------------------------------------------------------------

damaged_parts() {
	install vendor_a_v1 vendor_a_v2 vendor_b_v1 vendor_c_module
	rm "$store/content/01-set-1/current/vendor_a_v2.ko"
	truncate -s 1000 "$store/content/02-set-2/current/vendor_b_v1.ko"
	touch "$store/content/04-garbage"
	reject 1 "the current version of set 1 is missing" list --stored
	says "04-garbage is not of the store"
	says vendor_c_module
	accept rollback 1
	accept install $modules/vendor_b_v1.ko
	accept list --stored
	says_not damaged
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/before-1/vendor_b_v1.ko \
		02-set-2/current/vendor_b_v1.ko 03-set-3/current/vendor_c_module.ko
}
it "what is damaged is named, keeps nothing else from working, and can be repaired" damaged_parts

other_file() {
	install vendor_a_v1
	cp $modules/client_s2.ko "$store/content/01-set-1/current/vendor_a_v1.ko"
	accept assign client-s1 7 1
	install client_s1
	says "'vendor_a_v1' of set 1 cannot be used"
	says "is a livepatch 'client_s2'"
}
it "a file that was replaced by another is not used" other_file

damaged_link() {
	install vendor_a_v1
	ln -sfn content.77 "$store/content"
	reject 1 "content.77" list --stored
	reject 1 "Make $store/content point to" install $modules/vendor_b_v1.ko
	ln -sfn /etc "$store/content"
	reject 1 "points to '/etc'" install $modules/vendor_b_v1.ko
	ln -sfn content.1 "$store/content"
	install vendor_b_v1
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/vendor_b_v1.ko
}
it "a link that leads nowhere is nothing to build on, and nothing is removed" damaged_link

# --- power loss, and each other ----------------------------------------------------

# Prints what was not on disk when the commit was done, or not before the end.
unsynced() {
	awk -v link="$store/content" '
		function parent(path) { sub("/[^/]*$", "", path); return path }
		function quoted(n,  part) { split($0, part, "\""); return part[2 * n] }
		/^openat\(.*O_CREAT/ && !/\/lock"/ { dirty[quoted(1)]; dirty[parent(quoted(1))] }
		/^mkdir\(.* = 0/ { dirty[parent(quoted(1))]; dirty[quoted(1)] }
		/^symlink\(/ || /^link\(/ { dirty[parent(quoted(2))] }
		/^fsync\(/ { sub(".*<", ""); sub(">.*", ""); delete dirty[$0]; synced++ }
		/^rename\(/ && quoted(2) == link {
			for (path in dirty)
				print path, "is not on disk when the store is switched over"
			renamed++
			dirty[parent(link)]
		}
		/^(unlink|rmdir)\(.* = 0/ && parent(link) in dirty {
			print "something is removed before the new content is on disk"
		}
		END {
			for (path in dirty)
				print path, "is not on disk at the end"
			if (renamed != 1 || synced < 8)
				print "one rename and many syncs expected, not", renamed + 0, synced + 0
		}'
}

on_disk() {
	local verb wrong
	for verb in "install $modules/vendor_a_v1.ko" "install $modules/vendor_a_v2.ko" \
		"install $modules/vendor_b_v1.ko" "rollback 1" "uninstall 1"; do
		# shellcheck disable=SC2086
		strace -y -o "$scratch/trace" klp-sets -q $verb || fail "$verb fails"
		wrong=$(unsynced < "$scratch/trace")
		[[ -z $wrong ]] || fail "$verb: $wrong"
	done
}
it "the new content is on disk before it is in force, and the old one goes after" on_disk

one_after_the_other() {
	for _ in {1..10}; do
		rm -rf "${KLP_SETS_ROOT:?}/var"
		for name in vendor_a_v1 vendor_b_v1 vendor_c_module; do
			klp-sets -q install $modules/$name.ko &
		done
		wait
		[[ $(content | wc -l) == 3 ]] || fail "three were installed, the store holds:
$(content)"
	done
}
it "commands at the same time do not lose each other's changes" one_after_the_other

# --- assignments -----------------------------------------------------------------

conf=$KLP_SETS_ROOT/etc/klp-sets/assign.conf

assignments() {
	mkdir -p "${conf%/*}"
	printf '%s\n' '# ours' '' 'kpatch_cve 7 # until it has a set' 'other 9' > "$conf"
	accept assign kpatch-cve.ko 8 5 6
	accept assign new_one 4
	[[ $(< "$conf") == $'# ours\n\nkpatch_cve 8 5 6\nother 9\nnew_one 4' ]] ||
		fail "assign.conf: $(< "$conf")"
	accept assign other -
	reject 1 "'other' is assigned to no set" assign other -
	[[ $(< "$conf") == $'# ours\n\nkpatch_cve 8 5 6\nnew_one 4' ]] ||
		fail "assign.conf: $(< "$conf")"
	reject 2 "'x' is not a set" assign kpatch_cve x
	reject 2 "'4294967296' is not a set" assign kpatch_cve 1 4294967296
	reject 2 "cannot be the name" assign 'a b' 1
	reject 2 "needs a set" assign kpatch_cve
	accept assign
	says "kpatch_cve"
	accept --json assign
	says '"obsoletes":['
	echo "what is this" >> "$conf"
	accept assign
	says "line 5 is left out"
	says "new_one"
}
it "assignments are kept in a file with the administrator's comments" assignments

# The longest one counts, whatever their order; a name counts more.
patterns() {
	mkdir -p "${conf%/*}"
	printf '%s\n' 'client_s* 5' 'client_* 9' 'client_s2 7 8' 'client_s1* 6' 'cl*ent 4' > "$conf"
	accept assign
	says "line 5 is left out"
	says_not "cl*ent"
	install client_s1 client_s2 client_s3 client_klp_build
	stored 01-set-6/current/client_s1.ko 02-set-7/current/client_s2.ko \
		03-set-5/current/client_s3.ko 04-set-9/current/client_klp_build.ko
	accept assign 'client-s*' 15
	accept assign 'client_*' -
	[[ $(< "$conf") == $'client_s* 15\nclient_s2 7 8\nclient_s1* 6\ncl*ent 4' ]] ||
		fail "assign.conf: $(< "$conf")"
	reject 1 "'client_*' is assigned to no set" assign 'client_*' -
	for pattern in '*' 'cl*ent' '**' '*s' 'a b*' '../*' 'client_s[12]*' "$(printf '%055d*' 0)"; do
		reject 2 "'$pattern' cannot be the name of a module, nor the start" assign "$pattern" 3
		reject 2 "'$pattern' cannot be the name of a module, nor the start" assign "$pattern" -
	done
	reject 2 "cannot be the name" assign 'client_?' 3
	json_is assign assign
}
it "an assignment may be for all modules whose names begin alike" patterns

# --- policy ------------------------------------------------------------------------

policies() {
	local conf=$KLP_SETS_ROOT/etc/modprobe.d/klp-sets.conf
	accept policy
	says "(all)"
	mkdir -p "${conf%/*}"
	printf '%s\n' '# ours' 'options klp-sets taint=0 \' '   stock_replace=refuse # no' \
		'softdep klp_sets pre: loop' > "$conf"
	cp "$conf" "$scratch/theirs"
	accept policy taint=yes stock_replace=scoped allow_replace_all=off
	says "is kept as $conf.old"
	[[ $(< "$conf") == "# Written by klp-sets policy"*"
options klp_sets stock_replace=scoped
options klp_sets allow_replace_all=0
options klp_sets taint=1" ]] || fail "klp-sets.conf: $(< "$conf")"
	cmp "$conf.old" "$scratch/theirs" || fail "what was there is not kept"
	accept policy taint=0
	says_not "is kept as"
	accept policy taint=1
	accept --json policy
	says '"kept":"scoped"'
	reject 2 "It can be one of: all scoped refuse" policy taint=0 stock_replace=some
	reject 2 "stock_replace, set0_replaces_all" policy tain=0
	accept policy
	says_not "(all)"
	[[ $(grep -c taint=1 "$conf") == 1 ]] || fail "a refused change was written"
	echo "options klp_sets taint=0" > "${conf%/*}/zz.conf"
	accept policy taint=1
	says "another file of modprobe.d sets taint"
}
it "the policy is kept where modprobe finds it" policies

hand_made() {
	local conf=$KLP_SETS_ROOT/etc/modprobe.d/klp-sets.conf line
	mkdir -p "${conf%/*}"
	# One after the other, whatever a line ends in.
	for line in 'options klp_sets taint=1 \\\\' 'options klp_sets \\' '\\' '\\\\\\' 'options' \
		'options klp_sets' 'options klp_sets taint' $'\toptions\tklp_sets\ttaint=no\t' \
		'options klp_sets stock_replace=some taint=1' "options klp_sets $(printf 'x%.0s' {1..9000})"; do
		printf '%s\n\n%s' "$line" '# the end' > "$conf"
		rm -f "$conf.old"
		accept policy allow_replace_all=0
		says "is kept as"
		[[ $(< "$conf.old") == "$line"* ]] || fail "it was $line, and is $(< "$conf.old")"
		[[ $(tail -n +2 "$conf" | grep -v '^options klp_sets [a-z0-9_]*=[a-z0-9]*$') == "" &&
			$(< "$conf") == *allow_replace_all=0* ]] || fail "$line: $(< "$conf")"
	done
	# Neither of the two is lost.
	echo "# mine again" > "$conf"
	reject 1 "Move one of them away" policy taint=1
	[[ $(< "$conf") == "# mine again" ]] || fail "it is $(< "$conf")"
}
it "a policy file that somebody else wrote is kept, once" hand_made

wrong_policy() {
	mkdir -p "$KLP_SETS_ROOT/etc/modprobe.d"
	echo "options klp_sets stock_replace=some" > "$KLP_SETS_ROOT/etc/modprobe.d/theirs.conf"
	accept policy
	says "stock_replace is to be 'some' when klp_sets is loaded, which it does not take"
	accept policy stock_replace=refuse
	says "another file"
	# What comes later does not help.
	mv "$KLP_SETS_ROOT"/etc/modprobe.d/{theirs,a}.conf
	accept policy
	says "stock_replace is to be 'some'"
}
it "a policy that klp_sets does not take is told" wrong_policy

counts() {
	accept policy stock_replace=refuse
	install vendor_a_v1
	accept policy set0_replaces_all=1
	accept install --set 0 --replace-all $modules/client_s1.ko
	says "set 1 leaves the store"
	stored 01-set-0/current/client_s1.ko \
		01-set-0/current/replaced/01-set-1/current/vendor_a_v1.ko
}
it "the policy that will hold at boot decides what leaves the store" counts

finish
