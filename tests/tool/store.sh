#!/bin/bash
# The store and the configuration, in a folder: nothing here needs a kernel.
. "$(dirname "$0")/lib.sh"

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
	expected='[
		{"set": 1, "name": "vendor_a_v2", "held": false, "versions": [
			{"name": "vendor_a_v2", "installed": DATE,
			 "path": "'$folder'/01-set-1/current/vendor_a_v2.ko"},
			{"name": "vendor_a_v1", "installed": DATE,
			 "path": "'$folder'/01-set-1/before-1/vendor_a_v1.ko"}]},
		{"set": null, "name": "client_s1", "held": false, "versions": [
			{"name": "client_s1", "installed": DATE,
			 "path": "'$folder'/02-stock-client_s1/current/client_s1.ko"}]}]'
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
	stored 01-set-7/current/client_s2.ko 02-set-8/current/client_s1.ko
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
	stored 01-set-7/current/client_s1.ko
}
it "an assignment counts, and what it obsoletes leaves with the same step" assigned

compressed() {
	gzip < $modules/vendor_a_v1.ko > "$scratch/vendor-a-v1.ko.gz"
	accept install "$scratch/vendor-a-v1.ko.gz"
	stored 01-set-1/current/vendor_a_v1.ko.gz
	reject 1 "vendor_a_v1" install $modules/vendor_b_conflict.ko
}
it "a compressed module stays one" compressed

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
	accept install --set 0 $modules/client_s1.ko
	says "set 1 leaves the store"
	stored 01-set-0/current/client_s1.ko
}
it "the policy that will hold at boot decides what leaves the store" counts

finish
