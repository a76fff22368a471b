#!/bin/bash
# apply: a folder says what there should be. Here that is the store alone; command-apply has the
# machine.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../schema/lib.sh"
forge=$(dirname "$0")/forge
wanted=$scratch/wanted

# wants NAME...: these are in the folder, and nothing else
wants() {
	local name
	rm -rf "$wanted"
	mkdir "$wanted"
	for name; do
		cp "$modules/$name.ko" "$wanted"
	done
}

# What may not be touched where nothing is to be done: names, contents, and which files they are.
everything() {
	(cd "$KLP_SETS_ROOT" && find . -printf '%p %i %T@ %l\n' | grep -v '/lock ' | sort)
}

# changes_nothing WORDS VERB...: it succeeds, says so, and nothing is touched
changes_nothing() {
	local words=$1 before
	shift
	before=$(everything)
	accept "$@"
	says "$words"
	[[ $(everything) == "$before" ]] || fail "klp-sets $* has changed:
$(diff <(echo "$before") <(everything))"
}

# refuses WORDS OPTION...: the whole folder, and nothing is touched
refuses() {
	local words=$1 before
	shift
	before=$(everything)
	reject 1 "$words" apply "$@" "$wanted"
	says "nothing is changed"
	[[ $(everything) == "$before" ]] || fail "apply has changed:
$(diff <(echo "$before") <(everything))"
	json_is apply apply --dry-run "$@" "$wanted"
}

follows() {
	wants vendor_a_v1 vendor_b_v1
	touch "$wanted/README"
	accept apply "$wanted"
	says "'vendor_a_v1' of set 1 is installed"
	says "'vendor_b_v1' of set 2 is installed"
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/vendor_b_v1.ko
	changes_nothing "nothing is to be done" apply "$wanted"
	changes_nothing "nothing is to be done" apply --prune "$wanted"
	wants vendor_a_v2 vendor_b_v1 vendor_c_module
	changes_nothing "'vendor_a_v2' of set 1 would be upgraded, from 'vendor_a_v1'" \
		apply --dry-run "$wanted"
	says "'vendor_c_module' of set 3 would be installed"
	says_not vendor_b_v1
	accept apply "$wanted"
	says "'vendor_a_v2' of set 1 is upgraded, from 'vendor_a_v1'"
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko \
		02-set-2/current/vendor_b_v1.ko 03-set-3/current/vendor_c_module.ko
	# What was there before comes back.
	wants vendor_a_v1
	accept apply "$wanted"
	says "'vendor_a_v1' of set 1 is downgraded, from 'vendor_a_v2'"
	[[ $(content) == *02-set-2*03-set-3* ]] || fail "without --prune it has removed something"
	changes_nothing "'vendor_b_v1' of set 2 would be removed" apply --prune --dry-run "$wanted"
	accept apply --prune "$wanted"
	says "'vendor_b_v1' of set 2 is removed"
	[[ $(content) != *02-* ]] || fail "it is there still: $(content)"
	changes_nothing "" apply --quiet --prune "$wanted"
	[[ -z $said ]] || fail "--quiet says: $said"
	wants
	accept apply "$wanted"
	accept apply --prune "$wanted"
	stored
}
it "the store follows a folder, and a second run changes nothing" follows

# has TEXT: in what it said, without blanks
has() {
	[[ $(tr -d ' \n' <<< "$said") == *"$1"* ]] || fail "expected $1, it says: $said"
}

prints_json() {
	wants vendor_a_v1 vendor_b_v1
	json_is apply apply --dry-run "$wanted"
	accept --json apply --dry-run "$wanted"
	has '"dry_run":true,"changed":true,"steps":[{"action":"install","set":1,"set_name":null,"name":"vendor_a_v1"'
	has '"from":null,"leave":[],"done":false}'
	[[ -z $(ls -A "$KLP_SETS_ROOT") ]] || fail "something was changed"
	accept apply --json "$wanted"
	has '"dry_run":false,"changed":true,'
	has '"name":"vendor_b_v1"'
	has '"done":true}]'
	accept apply --json "$wanted"
	has '"changed":false,"steps":[],"refused":[],"left_out":[]}'
	wants vendor_a_v2 vendor_b_conflict
	reject 1 '"code":"function"' --json apply "$wanted"
	has '"changed":false,"steps":[],"refused":[{'
	wants vendor_a_v2
	json_is apply apply --prune "$wanted"
}
it "it says in JSON what it does, and what it would do" prints_json

# All of it, also what would go by itself.
whole() {
	install vendor_a_v1 vendor_c_module
	wants vendor_a_v2 vendor_b_conflict state_v1
	refuses "'cmdline_proc_show'"
	refuses "'cmdline_proc_show'" --prune
	# With what is stored, and not there.
	wants state_v1
	refuses "'version_proc_show'"
	accept apply --prune "$wanted"
	stored 01-set-4/current/state_v1.ko
	# A file that is none, and one that cannot be.
	wants vendor_a_v2
	truncate -s 1000 "$wanted/vendor_a_v2.ko"
	refuses "vendor_a_v2.ko"
	cp $modules/klp_target.ko "$wanted/vendor_a_v2.ko"
	refuses "vendor_a_v2.ko"
	rm "$wanted/vendor_a_v2.ko"
	cp $modules/vendor_a_v2.ko "$wanted/not a module.ko"
	reject 1 "no module can be called so" apply "$wanted"
	reject 1 "cannot be read: No such file" apply "$scratch/none"
	reject 1 "cannot be read: Not a directory" apply "$0"
	reject 2 "apply needs one DIR, or none" apply a b
	stored 01-set-4/current/state_v1.ko
}
it "what breaks a rule is refused as a whole" whole

pairs() {
	install vendor_c_module
	wants vendor_a_v1 vendor_a_v2
	refuses "'vendor_a_v2' of"
	says "A set has one livepatch"
	wants vendor_a_v1
	cp $modules/vendor_a_v1.ko "$wanted/other.ko"
	refuses "A module can be loaded once only"
	gzip < $modules/vendor_a_v1.ko > "$wanted/vendor-a-v1.ko.gz"
	reject 1 "are for one module, 'vendor_a_v1'" apply "$wanted"
	wants vendor_b_v1
	"$forge" $modules/client_klp_build.ko "$wanted/cumulative.ko" name=cumulative \
		modinfo:name=cumulative modinfo:replace_set=5 modinfo:obsoletes=2
	refuses "'cumulative' of set 5 would replace 'vendor_b_v1' of set 2, which should be there"
	accept uninstall 3
	# Without the other it takes it along, and brings it back.
	install vendor_b_v1
	rm "$wanted/vendor_b_v1.ko"
	accept apply "$wanted"
	says "'cumulative' of set 5 is installed; 'vendor_b_v1' leaves the store"
	stored 01-set-5/current/cumulative.ko \
		01-set-5/current/replaced/01-set-2/current/vendor_b_v1.ko
	changes_nothing "nothing is to be done" apply --prune "$wanted"
	accept rollback 5
	stored 01-set-2/current/vendor_b_v1.ko
}
it "two files that cannot both be there are refused" pairs

# Each changes what the other one has changed so far.
swap() {
	install vendor_a_v2 vendor_b_v1
	wants
	"$forge" $modules/vendor_a_v2.ko "$wanted/a3.ko" name=a3 modinfo:name=a3 \
		string:cmdline_proc_show=loadavg_proc_show
	"$forge" $modules/vendor_b_v1.ko "$wanted/b3.ko" name=b3 modinfo:name=b3 \
		string:loadavg_proc_show=version_proc_show
	accept apply "$wanted"
	stored 01-set-1/before-1/vendor_a_v2.ko 01-set-1/current/a3.ko \
		02-set-2/before-1/vendor_b_v1.ko 02-set-2/current/b3.ko
}
it "without a machine nobody is in the way of his own successor" swap

other_kernel() {
	install vendor_a_v1
	wants vendor_b_v1
	"$forge" $modules/vendor_a_v2.ko "$wanted/vendor_a_v2.ko" "modinfo:vermagic=1.2.3 SMP mod_unload"
	accept apply "$wanted"
	says "vendor_a_v2.ko is left out: it was built for kernel 1.2.3"
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/vendor_b_v1.ko
	rm "$wanted/vendor_b_v1.ko"
	accept apply "$wanted"
	says "nothing is to be done"
	refuses "all livepatches would go" --prune
	accept --json apply "$wanted"
	has '"state":"otherkernel"'
}
it "files for other kernels are left out, and do not empty the store" other_kernel

everybody() {
	install vendor_a_v1
	wants client_kpatch
	refuses "replaces every livepatch, and 'vendor_a_v1' of set 1 with them"
	says "With --prune they go"
	wants client_kpatch vendor_b_v1
	refuses "which should be there as well" --prune
	wants client_kpatch
	accept apply --prune "$wanted"
	says "'client_kpatch' is installed; 'vendor_a_v1' leaves the store"
	changes_nothing "nothing is to be done" apply --prune "$wanted"
	# One that an assignment puts into a set leaves them alone.
	accept rollback client_kpatch
	accept uninstall 1
	install vendor_b_v1
	accept assign client_kpatch 9
	accept apply "$wanted"
	stored 01-set-2/current/vendor_b_v1.ko 02-set-9/current/client_kpatch.ko
}
it "what replaces everything takes only what is to go" everybody

held() {
	install vendor_a_v1
	mkdir "$store/held"
	touch "$store/held/vendor_a_v1"
	wants vendor_a_v1 vendor_b_v1
	reject 1 "the machine died after it had been loaded" apply "$wanted"
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/vendor_b_v1.ko
	[[ -e $store/held/vendor_a_v1 ]] || fail "it is loaded at boot again"
	json_is apply apply "$wanted"
	reject 1 '"state":"held"' --json apply "$wanted"
	# Another file of that name is another livepatch.
	gzip < $modules/vendor_a_v1.ko > "$wanted/vendor_a_v1.ko.gz"
	rm "$wanted/vendor_a_v1.ko"
	accept apply "$wanted"
	says "'vendor_a_v1' of set 1 is upgraded"
	[[ ! -e $store/held/vendor_a_v1 ]] || fail "it is held"
	# Killed before it could say so, that is.
	touch -d yesterday "$store/held/vendor_a_v1"
	accept apply "$wanted"
	[[ ! -e $store/held/vendor_a_v1 ]] || fail "it is held for what was there before"
}
it "what the machine died of is not tried again" held

folders() {
	local packaged=$KLP_SETS_ROOT/usr/lib/klp-sets local=$KLP_SETS_ROOT/etc/klp-sets/livepatches.d
	accept apply
	says "nothing is to be done"
	mkdir -p "$packaged"/{"$KLP_SETS_KERNEL",1.2.3} "$local"
	cp $modules/vendor_{a,b}_v1.ko $modules/vendor_c_module.ko "$packaged/$KLP_SETS_KERNEL"
	cp $modules/state_v1.ko "$packaged/1.2.3"
	# By the name of the module, however its file is called.
	ln -s /dev/null "$local/vendor-b-v1.ko"
	touch "$local/vendor_c_module.ko.xz" "$local/notes"
	accept apply
	stored 01-set-1/current/vendor_a_v1.ko
	rm "$local"/vendor*
	accept apply
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/vendor_b_v1.ko \
		03-set-3/current/vendor_c_module.ko
	# The administrator's file is the one that counts; of another set, it could not be.
	gzip < $modules/vendor_a_v1.ko > "$local/vendor_a_v1.ko.gz"
	ln -s /dev/null "$local/vendor_c_module.ko"
	accept apply --prune
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v1.ko.gz \
		02-set-2/current/vendor_b_v1.ko
	changes_nothing "nothing is to be done" apply --prune
	# A mask of nothing masks nothing.
	ln -s /dev/null "$local/none.ko"
	changes_nothing "nothing is to be done" apply --prune
}
it "packages and the administrator say what there should be, and a link to /dev/null masks" folders

on_disk_once() {
	local renames
	install vendor_a_v1 vendor_c_module
	wants vendor_a_v2 vendor_b_v1
	strace -o "$scratch/trace" -e trace=rename klp-sets -q apply --prune "$wanted" || fail "it fails"
	renames=$(grep -c '/content"' "$scratch/trace")
	[[ $renames == 1 ]] || fail "the store was switched over $renames times"
}
it "all of it is one change of the store" on_disk_once

unwritable_store() {
	wants vendor_a_v1
	mkdir -p "$KLP_SETS_ROOT/var"
	mount -t tmpfs -o size=64k tmpfs "$KLP_SETS_ROOT/var" || fail "no tmpfs"
	# shellcheck disable=SC2064
	trap "umount '$KLP_SETS_ROOT/var'" EXIT
	reject 1 "The store is as it was" apply "$wanted"
	[[ -z $(content) ]] || fail "it holds $(content)"
}
it "a full disk leaves the store as it was" unwritable_store

finish
