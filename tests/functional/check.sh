#!/bin/bash
# klp-sets check: what would happen, without doing it.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
. "$(dirname "$0")/../schema/lib.sh"

restrict=/proc/sys/kernel/kptr_restrict
restricted=$(< $restrict)

# Those of the examples are not called client_.
eval "clean_up_clients() $(declare -f clean_up | tail -n +2)"
clean_up() {
	[[ ! -e $parameters ]] || policy
	echo "$restricted" > $restrict
	disable_all
	# shellcheck disable=SC2046 # one name a word
	remove $(loaded vendor_) $(loaded state_v)
	clean_up_clients
}

need_core
cd $modules || exit 1

# check STATUS ARGUMENTS...: what it says is in $said then
check() {
	local expected=$1 status
	shift
	said=$(klp-sets check "$@" 2>&1)
	status=$?
	[[ $status == "$expected" ]] ||
		fail "klp-sets check $*: expected status $expected, found $status: $said"
}

# says WORD...: one line has them all, in this order
says() {
	local line rest word
	while IFS= read -r line; do
		rest=$line
		for word; do
			[[ $rest == *"$word"* ]] || continue 2
			rest=${rest#*"$word"}
		done
		return 0
	done <<< "$said"
	fail "check does not say ($*): $said"
}

says_not() {
	[[ $said != *"$1"* ]] || fail "check says '$1': $said"
}

bring() {
	local said name
	for name; do
		said=$(insmod "$name.ko" 2>&1) || fail "insmod $name.ko: $said"
		wait_until "the transition of $name is complete" holds "$livepatch/$name/transition" 0
	done
}

# --- what a user sees --------------------------------------------------------

upgrade() {
	check 0 --empty vendor_a_v1.ko vendor_b_v1.ko vendor_a_v2.ko
	same "what it says" "$said" "\
vendor_a_v1.ko: set 1
  adds     'cmdline_proc_show'
           'version_proc_show'
vendor_b_v1.ko: set 2
  adds     'loadavg_proc_show'
vendor_a_v2.ko: set 1
  replaces 'vendor_a_v1' of set 1
  keeps    'cmdline_proc_show'
  drops    'version_proc_show'"
}
it "an upgrade is told: what it replaces, keeps and drops" upgrade

between_files() {
	check 1 --empty vendor_a_v1.ko vendor_b_conflict.ko vendor_c_module.ko
	says "vendor_a_v1.ko: set 1"
	says "vendor_b_conflict.ko: set 2, REFUSED"
	says "'vendor_b_conflict' of set 2" "'cmdline_proc_show'" "'vendor_a_v1' of set 1"
	says "Unload 'vendor_a_v1' first"
	says "vendor_c_module.ko: set 3"
	check 0 --empty vendor_b_conflict.ko
}
it "a conflict between two files is told by name, with advice" between_files

# In the words of a script.
json() {
	check 1 --json --empty vendor_a_v1.ko vendor_b_conflict.ko klp_target.ko
	says '"accepted":true'
	says '"accepted":false'
	says '"set":2'
	says '"reason":"'"'vendor_b_conflict' of set 2"
	says '"error":"it is not a livepatch'
}
it "the same in JSON" json

# Somebody's build pipeline.
unprivileged() {
	local user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	said=$("${user[@]}" klp-sets check --empty vendor_a_v1.ko vendor_a_v2.ko 2>&1) ||
		fail "it does not work for nobody: $said"
	bring vendor_a_v1
	said=$("${user[@]}" klp-sets check vendor_b_conflict.ko 2>&1) &&
		fail "nobody sees no conflict: $said"
	says "'cmdline_proc_show'" "'vendor_a_v1' of set 1"
}
it "no privileges are needed" unprivileged

# What is loaded counts, but not with --empty.
on_the_machine() {
	local before
	bring vendor_a_v1
	before=$(snapshot)
	check 1 vendor_b_conflict.ko
	says "'vendor_b_conflict' of set 2" "'cmdline_proc_show'" "'vendor_a_v1' of set 1"
	check 0 vendor_a_v2.ko vendor_b_v1.ko
	says "replaces" "'vendor_a_v1' of set 1"
	check 1 --set 1 client_s1.ko
	says "client_s1.ko: set 1, UNKNOWN"
	says_not drops
	check 1 vendor_a_v1.ko
	says "'vendor_a_v1' is enabled already"
	check 0 --empty vendor_b_conflict.ko
	unchanged "$before"
	echo 0 > $livepatch/vendor_a_v1/enabled
	wait_until "vendor_a_v1 is gone" missing $livepatch/vendor_a_v1
	check 0 vendor_b_conflict.ko
	# Its old module is there, and load would remove it first.
	check 0 vendor_a_v1.ko
}
it "on a machine, what is loaded there counts" on_the_machine

transition() {
	load_target klp_target
	park klp_target
	start a1 set=1 funcs=klp_target:park
	check 1 vendor_b_v1.ko
	says "'client_a1' of set 1 is in transition"
	json_is check check vendor_b_v1.ko
	unpark klp_target
	complete a1
	check 0 vendor_b_v1.ko
}
it "a transition in progress is told" transition

other_kernel() {
	export KLP_SETS_KERNEL=4.19.0-27-amd64
	check 1 vendor_a_v1.ko
	says "'vendor_a_v1' of set 1 was built for kernel $(uname -r)" "4.19.0-27-amd64"
	json_is check check vendor_a_v1.ko
	check 0 --empty vendor_a_v1.ko
}
it "a livepatch for another kernel is told" other_kernel

# Options, and the modinfo of a livepatch that knows nothing of sets.
into_a_set() {
	check 0 --empty --set 7 client_klp_build.ko
	says "client_klp_build.ko: set 7"
	check 1 --empty --set 7 vendor_a_v1.ko
	says "'vendor_a_v1' asks for set 1 itself"
	assign "client_klp_build 8"
	check 0 client_klp_build.ko
	says "client_klp_build.ko: set 8, as assigned"
	check 0 --empty client_klp_build.ko
	says "client_klp_build.ko: stock livepatch"
}
it "--set, or an assignment, puts a stock livepatch into a set" into_a_set

# The vendor's guarantee.
policies() {
	# As long as nothing is managed, no policy applies.
	policy stock_replace=scoped
	check 0 client_kpatch.ko
	says "client_kpatch.ko: stock livepatch"
	policy
	bring vendor_a_v1
	check 0 client_kpatch.ko
	says "replaces every livepatch"
	says "  'vendor_a_v1' of set 1"
	policy stock_replace=refuse
	check 1 client_kpatch.ko
	says "stock patch 'client_kpatch'" "stock_replace is 'refuse'"
	json_is check check client_kpatch.ko
	policy stock_replace=scoped
	check 1 client_kpatch.ko
	says "client_kpatch.ko: set 0"
	says "'version_proc_show'" "'vendor_a_v1' of set 1"
	says_not "replaces"
	policy
}
it "the policy of the machine counts" policies

states() {
	check 0 --empty state_v1.ko state_v2.ko
	says "replaces" "'state_v1' of set 4"
	check 1 --empty --set 5 $selftests/test_klp_state2.ko $selftests/test_klp_state.ko
	says "State 1 has version 1 in 'test_klp_state' of set 5, older than 2 in 'test_klp_state2'"
	check 1 --empty $selftests/test_klp_state.ko --set 5 $samples/livepatch-sample.ko
	json_is check check --empty $selftests/test_klp_state.ko --set 5 $samples/livepatch-sample.ko
	says "'livepatch_sample' of set 5 would replace 'test_klp_state' of set 5, and lacks its state 1"
}
selftests=/klp-sets/kselftests/modules
samples=/klp-sets/samples
[[ ! -d $selftests ]] || it "the states of a file are known" states

# Found on disk, and never loaded by this test.
wrong_files() {
	local size
	check 1 --empty klp_target.ko
	says "cannot read 'klp_target.ko'" "not a livepatch"
	check 1 --empty nothing.ko
	says "cannot read 'nothing.ko': No such file"
	check 1 --empty /bin/true
	says "cannot read '/bin/true'" "not a kernel module"
	for size in 0 63 64 1000 4000; do
		head -c $size state_v1.ko > "$scratch/cut.ko"
		check 1 --empty "$scratch/cut.ko"
		says "cannot read '$scratch/cut.ko'"
	done
	check 1 --empty client_a1.ko
	says "client_a1.ko: unknown set, UNKNOWN"
	says "decides only when it is loaded"
}
it "what cannot be read is told, file by file" wrong_files

compressed() {
	gzip -c vendor_a_v1.ko > "$scratch/vendor_a_v1.ko.gz"
	check 0 --empty "$scratch/vendor_a_v1.ko.gz" vendor_a_v2.ko
	says "replaces" "'vendor_a_v1' of set 1"
	head -c 2000 "$scratch/vendor_a_v1.ko.gz" > "$scratch/cut.ko.gz"
	check 1 --empty "$scratch/cut.ko.gz"
	says "gzip cannot decompress it"
}
it "a compressed module is read like any other" compressed

# One file's answer does not keep the others from theirs.
wrong_set() {
	check 1 --empty --set 5 vendor_a_v1.ko client_klp_build.ko
	says "cannot judge 'vendor_a_v1.ko'" "asks for set 1 itself"
	says "client_klp_build.ko: set 5"
}
it "a file that does not want the set of --set is told, and the next one judged" wrong_set

usage() {
	check 2
	check 2 --empty
	check 2 --set seven vendor_a_v1.ko
	says "'seven' is not a set"
	check 2 --nonsense vendor_a_v1.ko
	check 1 --symbols /dev/null vendor_a_v1.ko
}
it "a wrong command line has another status than a conflict" usage

# --- livepatches that tools make ---------------------------------------------

# folders PATCH: its functions, as sysfs has them
folders() {
	(cd "$livepatch/$1" && printf '%s\n' ./*/*,* | sort)
}

# as_checked PATCH: check named the same
as_checked() {
	local object name pos
	(
		while read -r object; do
			read -r name
			read -r pos
			echo "./$object/$name,$pos"
		done < <(sed -n '/"adds"/,/\]/s/.*"\(object\|name\|sympos\)":"\?\([^",]*\).*/\2/p' <<< "$said")
	) | sort
}

tables_of_tools() {
	local name
	load_target klp_target
	for name in client_kpatch client_klp_build; do
		check 0 --json --empty $name.ko
		insmod $name.ko || fail "insmod $name.ko"
		wait_until "the transition of $name is complete" holds $livepatch/$name/transition 0
		same "the functions of $name" "$(folders $name)" "$(as_checked)"
	done
	check 0 --empty client_klp_build.ko client_kpatch.ko
	says "replaces every livepatch"
	says "  stock patch 'client_klp_build'"
	check 0 --empty client_kpatch.ko client_klp_build.ko
	says_not "'client_kpatch'"
}
it "the tables of kpatch-build and klp-build are read" tables_of_tools

# --set for the set that it is assigned to means the whole assignment.
assigned_set() {
	bring vendor_a_v1
	check 1 --set 3 client_kpatch.ko
	says "klp-sets assign client_kpatch 3 1"
	echo "client_kpatch 3 1" > $assign_file
	check 0 client_kpatch.ko
	check 0 --set 3 client_kpatch.ko
	says "set 3"
	says "replaces" "'vendor_a_v1' of set 1"
	check 1 --set 4 client_kpatch.ko
	says "'version_proc_show'" "'vendor_a_v1' of set 1"
	echo "client_kpatch -" > $assign_file
}
it "--set with the set of an assignment keeps what that obsoletes" assigned_set

# --- everything that the kernel would say ------------------------------------

# The symbols that matter here: all of them would take seconds to read each time.
copy_symbols() {
	grep -E '(cmdline|loadavg|uptime|version)_proc_show$|\[klp_target\]' /proc/kallsyms \
		> "$scratch/symbols"
}

# fn4() and fn4_alias() are one piece of code.
aliases() {
	local alias="'fn4_alias' of klp_target, which is the same as 'fn4' of klp_target"
	load_target klp_target
	copy_symbols
	load a1 set=1 funcs=klp_target:fn4
	check 1 --set 9 --symbols "$scratch/symbols" client_klp_build.ko
	says "'client_klp_build' of set 9" "$alias" "'client_a1' of set 1"
	# The machine's own symbols, when no others are given.
	check 1 --set 9 client_klp_build.ko
	says "'client_klp_build' of set 9" "$alias" "'client_a1' of set 1"
	# What all but root see.
	sed "s/^[0-9a-f]*/0000000000000000/" "$scratch/symbols" > "$scratch/hidden"
	check 0 --set 9 --symbols "$scratch/hidden" client_klp_build.ko
	grep -v fn1 "$scratch/symbols" > "$scratch/less"
	check 1 --empty --symbols "$scratch/less" client_klp_build.ko
	says "'fn1' of klp_target, which klp_target does not have"
}
it "with symbols, two names of one function are known" aliases

# forge WHAT...: $bad is client_klp_build with this in it
bad=$scratch/bad.ko
forge() {
	../tests/tool/forge client_klp_build.ko "$bad" "$@" || fail "forge $*"
}

# What the kernel lists, and the file of a module that it could load.
on_this_machine() {
	forge string:klp_target=dummy
	check 1 "$bad"
	says "changes function 'fn1' of dummy, which dummy does not have"
	said=$(klp-sets load "$bad" 2>&1) && fail "it was loaded: $said"
	says "'fn1' of dummy, which dummy does not have"
	check 0 client_klp_build.ko
	load_target klp_target
	# The list has only one of two names.
	check 0 client_klp_build.ko
	forge string:fn1=fn5
	check 1 "$bad"
	says "changes function 'fn5' of klp_target, which cannot be traced"
	insmod "$bad" && fail "it was loaded, although check says: $said"
	check 0 --empty "$bad"
}
it "what the machine has, and what can be traced on it, is known" on_this_machine

# As set by those who fear what root could do.
hidden_from_root() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn4
	echo 2 > $restrict
	check 0 --set 9 client_klp_build.ko
	says "addresses are hidden"
	check 0 vendor_b_v1.ko
	says_not hidden
	said=$(klp-sets install --set 9 client_klp_build.ko 2>&1) && fail "it is stored: $said"
	says "is not stored" "kernel.kptr_restrict=1"
	said=$(klp-sets list --stored 2>&1)
	says_not client_klp_build
	echo 1 > $restrict
	check 1 --set 9 client_klp_build.ko
	says "which is the same as 'fn4' of klp_target"
	says_not hidden
	said=$(klp-sets install --set 9 client_klp_build.ko 2>&1) || fail "$said"
	said=$(klp-sets uninstall 9 2>&1) || fail "$said"
}
it "addresses that are hidden from root are not guessed" hidden_from_root

# Two sets came to share a function when its module arrived.
dropped_alias() {
	local drops="drops function 'fn4' of klp_target, which is the same as 'fn4_alias' of klp_target"
	load a1 set=1 funcs=klp_target:fn4,cmdline_proc_show
	load b1 set=2 funcs=klp_target:fn4_alias
	check 0 vendor_a_v1.ko
	load_target klp_target
	check 1 vendor_a_v1.ko
	says "'vendor_a_v1' of set 1 $drops" "'client_b1' of set 2"
	says "Unload 'client_b1' first"
	mark
	said=$(klp-sets load vendor_a_v1.ko 2>&1) && fail "it was loaded: $said"
	says "'vendor_a_v1.ko' is not loaded" "$drops" "'client_b1' of set 2"
	! kernel_log | grep -q vendor_a_v1 || fail "the kernel was asked: $(kernel_log)"
	# And what it would have said.
	said=$(insmod vendor_a_v1.ko 2>&1) && fail "it was loaded: $said"
	logged "'vendor_a_v1'" "dropped function 'fn4'" "'fn4_alias'" "'client_b1' of set 2"
	disable b1
	check 0 vendor_a_v1.ko
	bring vendor_a_v1
}
it "with symbols, a function that two sets share cannot be dropped" dropped_alias

# What klp-sets load reads of those that cannot ask for a set themselves: "SET
# [OBSOLETED SET...]". Once, since it takes time.
declare -A wishes
read_wishes() {
	local name tag value
	for name in client_r{1..16}; do
		while read -r tag value; do
			case $tag in
			replace_set:) wishes[$name]=$value ;;
			obsoletes:) wishes[$name]+=" ${value//,/ }" ;;
			esac
		done < <(modinfo $name.ko | sort -r)
	done
}

# insert NAME [PARAMETER]: what insmod says is in REPLY
insert() {
	local status
	[[ -z ${wishes[$1]:-} ]] || echo "$1 ${wishes[$1]}" > $assign_file
	REPLY=$(insmod "$1.ko" "${@:2}" 2>&1)
	status=$?
	[[ -z ${wishes[$1]:-} || $status == 0 ]] || echo "$1 -" > $assign_file
	return $status
}

# try NAME: whether the kernel would accept it; it fails by itself after all rules
try() {
	insert "$1" dry=1 && fail "$1 was loaded, although it should run dry"
	case $REPLY in
	*": No space left on device") return 0 ;;
	*": Invalid parameters" | *": Device or resource busy") return 1 ;;
	*) fail "insmod $1.ko: $REPLY" ;;
	esac
}

# refusal NAME: what the core said last of it, in REPLY
refusal() {
	local line
	REPLY=
	while read -r line; do
		[[ $line != "klp_sets: "*"'$1'"* ]] || REPLY=$line
	done < <(dmesg --notime)
}

# What the core named in its refusal, check must have named, too.
same_names() {
	local word
	refusal "$1"
	for word in $(grep -o "'[a-z0-9_]*'" <<< "$REPLY"); do
		[[ $said == *"${word%\'}"* ]] || fail "'$REPLY', but check named no $word: $said"
	done
}

# judge NAME: what check says of it on top of $history, on files alone or with what is
# really loaded
judge() {
	local files=()
	[[ ${how[*]} != *--empty* ]] || files=("${history[@]/%/.ko}")
	said=$(klp-sets check "${how[@]}" "${files[@]}" "$1.ko" 2>&1)
}

# compare NAME: what the kernel and check say; the verdict is in REPLY
compare() {
	local after="after (${history[*]})"
	if judge "$1"; then
		if ! try "$1"; then
			is_unknown "$1" ||
				fail "check accepts $1 $after, the kernel says: $REPLY"
			REPLY=unknown
			return
		fi
		REPLY=accepted
	else
		! try "$1" || fail "check refuses $1 $after, the kernel does not: $said"
		same_names "$1"
		REPLY=refused
	fi
	verdicts[$REPLY]=$((verdicts[$REPLY] + 1))
}

# Whether each of the others could be next.
ask_all() {
	local name
	mark
	for name in client_r{1..16}; do
		[[ " ${history[*]} " == *" $name "* ]] || compare "$name"
	done
}

# sysfs tells less of states than a file does, so check on a machine may not know.
is_unknown() {
	refusal "$1"
	[[ ${how[*]} != *--empty* && $REPLY == *" state "* ]]
}

start_over() {
	[[ -n ${history[*]} ]] || fail "none of them can be the first"
	disable_all
	remove_livepatches
	history=()
}

# load_next: loads one that can be, if there is any
load_next() {
	local name i first=$RANDOM
	for i in {1..16}; do
		name=client_r$(((first + i) % 16 + 1))
		[[ " ${history[*]} " != *" $name "* ]] && judge "$name" || continue
		if insert "$name"; then
			wait_until "the transition of $name is over" nothing_in_transition
			history+=("$name")
			return 0
		fi
		is_unknown "$name" || fail "check accepts $name, the kernel says: $REPLY"
	done
	return 1
}

go_on() {
	until load_next; do
		start_over
	done
}

prepare_to_ask() {
	load_target klp_target
	copy_symbols
	read_wishes
	how=(--symbols "$scratch/symbols" "$@")
	history=()
	declare -gA verdicts=([accepted]=0 [refused]=0)
	RANDOM=1
}

# With all kernels, a few hundred.
enough() {
	diag "compared: ${verdicts[accepted]} accepted, ${verdicts[refused]} refused"
	((verdicts[accepted] >= 5 && verdicts[refused] >= 5)) || fail "that is too few"
}

on_files_alone() {
	prepare_to_ask --empty
	ask_all
	for _ in {1..5}; do
		go_on
		ask_all
	done
	enough
}
it "check on files alone says what the kernel says" on_files_alone

# A guarantee of the vendor, and a machine where it is limited.
with_policies() {
	prepare_to_ask
	go_on
	policy stock_replace=refuse set0_replaces_all=1
	ask_all
	go_on
	policy stock_replace=scoped allow_replace_all=0
	ask_all
	policy
	enough
}
it "check on a machine says what its kernel says" with_policies

finish
