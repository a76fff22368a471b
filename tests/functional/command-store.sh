#!/bin/bash
# The store on a machine: boot, upgrades, rollbacks, and what the machine did not survive.
# shellcheck source-path=SCRIPTDIR
# On the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"

store=/var/lib/klp-sets/$(uname -r)
boot_id=/proc/sys/kernel/random/boot_id

install_core

# Each test begins with an empty store.
eval "clean_up_machine() $(declare -f clean_up | tail -n +2)"
clean_up() {
	while umount $boot_id 2> /dev/null; do :; done
	umount /etc/machine-id 2> /dev/null
	rm -rf /var/lib/klp-sets /run/klp-sets /etc/klp-sets "$options" "$scratch"/boot_id.*
	clean_up_machine
}

# This machine has no disk and cannot be rebooted. What klp-sets knows of a reboot is
# that nothing is loaded, and that the kernel has another boot id.
reboot() {
	local new
	disable_all
	remove_livepatches
	[[ ! -e /sys/module/klp_sets ]] || remove klp_sets
	new=$(mktemp "$scratch/boot_id.XXX")
	cat /proc/sys/kernel/random/uuid > "$new"
	mount --bind "$new" $boot_id
}

# It is shut down in order.
survives() {
	does 0 boot --settled=0
}

up_for_a_minute() {
	[[ $(cut -d . -f 1 /proc/uptime) -gt 61 ]]
}

# A minute goes by. The machine must have been there at its begin.
minute() {
	local guard
	patience=120 wait_until "the machine is up for a minute" up_for_a_minute
	for guard in "$store"/guards/*; do
		sed -i "s/^uptime .*/uptime $(awk '{print $1 - 61}' /proc/uptime)/" "$guard"
	done
}

lives_on() {
	minute
	does 0 boot --settled
}

# --- boot ----------------------------------------------------------------------

boots() {
	does 0 install vendor_a_v1.ko
	does 0 install vendor_b_v1.ko
	no_module klp_sets vendor_a_v1 vendor_b_v1
	does 0 boot
	in_effect vendor_a_v1 vendor_b_v1
	[[ $(< /proc/cmdline) == *"vendor A, version 1"* && $(< /proc/loadavg) == *"vendor B"* ]] ||
		fail "the functions are not changed: $(cat /proc/cmdline /proc/loadavg)"
	printed "'vendor_a_v1' of set 1 is in effect" "'vendor_b_v1' of set 2 is in effect"
	does 0 boot
	told "'vendor_a_v1' of set 1 is loaded already"
	does 0 uninstall 1
	told "'vendor_a_v1' stays loaded until" "klp-sets unload vendor_a_v1"
	in_effect vendor_a_v1
	survives
	reboot
	does 0 boot
	in_effect vendor_b_v1
	no_module vendor_a_v1
}
it "boot loads what is in the store, and no more" boots

# Among hundred thousands of them, the names of functions take longer than all else.
reads_once() {
	local readers
	does 0 install vendor_a_v1.ko
	does 0 install vendor_b_v1.ko
	strace -f -e trace=openat -o "$scratch/trace" klp-sets -q boot || fail "boot fails"
	in_effect vendor_a_v1 vendor_b_v1
	readers=$(sed -n 's/ .*"\/proc\/kallsyms".*//p' "$scratch/trace" | sort -u)
	[[ $(wc -w <<< "$readers") == 1 ]] || fail "these look at all functions: $readers"
}
it "boot looks at the kernel's functions once" reads_once

nothing() {
	does 0 boot
	printed ""
	no_module klp_sets
}
it "an empty store leaves the machine alone" nothing

one_bad() {
	contents s1 funcs=cmdline_proc_show
	does 0 install vendor_a_v1.ko
	does 0 install --set 5 client_s1.ko
	does 0 install vendor_c_module.ko
	does 0 install vendor_b_v1.ko
	truncate -s 1000 "$store/content/03-set-3/current/vendor_c_module.ko"
	(
		exec 2> "$scratch/journal"
		export JOURNAL_STREAM
		JOURNAL_STREAM=$(stat -L -c %d:%i "$scratch/journal")
		klp-sets boot > /dev/null
	)
	[[ $? == 1 ]] || fail "boot does not say that it failed: $(< "$scratch/journal")"
	said=$(< "$scratch/journal")
	told "<3>klp-sets: " "'vendor_c_module' of set 3"
	told "<3>klp-sets: " "'cmdline_proc_show'" "'vendor_a_v1' of set 1"
	told "<3>klp-sets: 'client_s1' of set 5 was not loaded"
	in_effect vendor_a_v1 vendor_b_v1
	no_module client_s1 vendor_c_module
	missing "$store/guards/client_s1" || fail "a guard is left of a livepatch that was refused"
}
it "bad livepatches do not keep the others out, and each is in the journal" one_bad

# Where the module is loaded, addresses tell.
two_names() {
	load_target klp_target
	does 0 install --set 1 client_kpatch.ko
	does 1 install --set 2 client_klp_build.ko
	told "'fn4_alias' of klp_target" "the same as 'fn4' of klp_target" "'client_kpatch' of set 1"
	told "'client_klp_build' of set 2 is not stored"
}
it "a livepatch that changes a stored one's function by another name is not stored" two_names

stuck() {
	load_target klp_target
	park klp_target
	contents s1 funcs=klp_target:park
	does 0 install client_s1.ko
	does 0 install vendor_b_v1.ko
	does 1 boot --wait=1
	told "'client_s1'" "was not loaded"
	in_effect vendor_b_v1
	gone s1
	unpark klp_target
}
it "a livepatch whose transition is stuck at boot is turned back" stuck

# --- upgrades ------------------------------------------------------------------

upgrades() {
	local before
	does 0 install --load vendor_a_v1.ko
	does 0 install --load vendor_b_v1.ko
	in_effect vendor_a_v1 vendor_b_v1
	before=$(picture_of vendor_b_v1)
	does 0 install --load vendor_a_v2.ko
	told "it replaced 'vendor_a_v1' of set 1"
	in_effect vendor_a_v2
	does 0 rollback 1
	told "'vendor_a_v1' of set 1 is stored again, and loaded"
	in_effect vendor_a_v1
	no_module vendor_a_v2
	[[ $(< /proc/cmdline) == *"vendor A, version 1"* ]] || fail "/proc/cmdline: $(< /proc/cmdline)"
	same "vendor_b_v1" "$before" "$(picture_of vendor_b_v1)"
	does 1 rollback 1
	told "no version before 'vendor_a_v1'"
	survives
	reboot
	does 0 boot
	in_effect vendor_a_v1 vendor_b_v1
}
picture_of() {
	find $livepatch/"$1" | sort
	grep -s . $livepatch/"$1"/{enabled,transition,replace_set} /sys/module/"$1"/refcnt
}
it "an upgrade and a rollback are one transition each, and hold after a reboot" upgrades

# version_proc_show is in vendor_a_v1 only.
refused_on_machine() {
	local before
	contents c1 set=5 funcs=version_proc_show
	does 0 install vendor_a_v1.ko
	does 0 install --load vendor_a_v2.ko
	does 0 load client_c1.ko
	before=$(cd "$store/content" && find . -type f | sort)
	does 1 rollback 1
	told "'version_proc_show'" "'client_c1' of set 5"
	told "the store is as it was"
	in_effect vendor_a_v2 client_c1
	same "the store" "$before" "$(cd "$store/content" && find . -type f | sort)"
	[[ $(find "$store" -maxdepth 1 -name 'content.*' | wc -l) == 1 ]] ||
		fail "something is left in the store: $(ls "$store")"
	does 1 install --load vendor_b_conflict.ko
	same "the store" "$before" "$(cd "$store/content" && find . -type f | sort)"
	# The set has nothing loaded that the machine would have to replace.
	does 0 unload 1
	does 0 rollback 1
	no_module vendor_a_v1
	does 1 boot
	told "'version_proc_show'" "'client_c1' of set 5"
	missing "$store/guards/vendor_a_v1" || fail "a guard is left of what was not loaded"
}
it "what the machine refuses does not change the store" refused_on_machine

# A rollback from client_s2 to client_s1 waits for the task.
two_versions_and_a_task() {
	load_target klp_target
	contents s1 funcs=klp_target:park
	contents s2 funcs=klp_target:park
	does 0 install --set 7 client_s1.ko
	does 0 install --set 7 --load client_s2.ko
	park s2
}

# What goes on will take effect without anybody asking again.
slow_rollback() {
	two_versions_and_a_task
	does 1 rollback --wait=1 7
	told "'client_s1' is loaded, and its transition goes on"
	[[ -e $store/content/01-set-7/current/client_s1.ko ]] || fail "the store does not follow"
	unpark s2
	complete s1
	in_set s1 7
	gone s2
}
it "a rollback that takes longer than one waits is a rollback" slow_rollback

# Another build under the name of what is enabled cannot be loaded.
same_name() {
	does 0 install --load vendor_a_v1.ko
	{ cat vendor_a_v1.ko; echo; } > "$scratch/vendor_a_v1.ko"
	does 1 install --load "$scratch/vendor_a_v1.ko"
	told "'vendor_a_v1' is enabled already"
	told "the store is as it was"
	cmp vendor_a_v1.ko "$store/content/01-set-1/current/vendor_a_v1.ko" ||
		fail "the store has what was not loaded"
}
it "what is not loaded is not stored, whatever is loaded under its name" same_name

interrupted() {
	local pid
	two_versions_and_a_task
	klp-sets rollback --wait 7 > /dev/null 2>&1 &
	pid=$!
	wait_until "client_s1 is in transition" holds $livepatch/client_s1/transition 1
	kill $pid
	wait $pid && fail "klp-sets was not killed"
	[[ -e $store/content/01-set-7/current/client_s1.ko ]] ||
		fail "the kernel has it, and the store has not: $(find "$store")"
	unpark s2
	complete s1
	gone s2
}
it "whoever gets tired of waiting leaves machine and store in agreement" interrupted

# --- guards ------------------------------------------------------------------------

dies() {
	does 0 install vendor_a_v1.ko
	does 0 install --load vendor_a_v2.ko
	does 0 install vendor_b_v1.ko
	reboot
	does 1 boot
	told "'vendor_a_v2' of set 1 is not loaded: the machine died" "klp-sets load $store/" \
		"klp-sets install"
	told "klp-sets rollback 1"
	no_module vendor_a_v2
	in_effect vendor_b_v1
	does 0 list --stored
	told "not loaded at boot"
	# Held until somebody says otherwise.
	does 1 boot
	no_module vendor_a_v2
	does 0 load "$store/content/01-set-1/current/vendor_a_v2.ko"
	survives
	reboot
	does 0 boot
	in_effect vendor_a_v2 vendor_b_v1
}
it "a machine that died after a load does not load that livepatch at boot" dies

cleared() {
	does 0 load vendor_a_v1.ko
	does 0 install vendor_a_v1.ko
	reboot
	does 1 boot
	told "'vendor_a_v1' of set 1 is not loaded"
	does 0 install "$store/content/01-set-1/current/vendor_a_v1.ko"
	told "stored already"
	does 0 boot
	in_effect vendor_a_v1
	reboot
	does 1 boot
	does 0 install vendor_a_v2.ko
	does 0 boot
	in_effect vendor_a_v2
}
it "to install it again, or another version, has it loaded at boot" cleared

# At boot, all that is stored is loaded within a minute.
suspects() {
	does 0 install vendor_a_v1.ko
	does 0 install vendor_b_v1.ko
	does 0 boot
	lives_on
	reboot
	does 0 boot
	does 0 install --load vendor_a_v2.ko
	reboot
	does 1 boot
	told "'vendor_a_v2' of set 1 is not loaded: the machine died"
	in_effect vendor_b_v1
	does 0 uninstall 1
	survives
	# Without another, those are suspects as well.
	reboot
	does 0 boot
	in_effect vendor_b_v1
	reboot
	does 1 boot
	told "'vendor_b_v1' of set 2 is not loaded: the machine died"
	no_module vendor_b_v1
}
it "what the machine has survived before is above suspicion beside what it has not" suspects

# Turned back, unloaded, or shut down at once.
not_survived() {
	does 0 install --load vendor_a_v1.ko
	survives
	does 0 install --load vendor_b_v1.ko
	does 0 unload 2
	lives_on
	missing "$store/guards/vendor_b_v1" || fail "the guard of what is not loaded stays"
	# Where systemd looks.
	[[ /run/klp-sets/guards -ef $store/guards ]] || fail "nothing leads to the guards"
	[[ -z $(find "$store/survived" -type f 2> /dev/null) ]] ||
		fail "the machine has survived $(ls "$store/survived")"
}
it "what was not in effect for a minute is not above suspicion" not_survived

back_to_suspect() {
	does 0 install --load vendor_a_v1.ko
	reboot
	does 1 boot
	does 0 install vendor_a_v2.ko
	does 0 rollback 1
	told "'vendor_a_v1' is loaded at boot again, although the machine died"
	does 0 boot
	in_effect vendor_a_v1
}
it "a rollback to a livepatch that is held says so" back_to_suspect

shutdown() {
	local pid
	does 0 install --load vendor_a_v1.ko
	klp-sets boot --settled &
	pid=$!
	# 128 is rt_sigtimedwait.
	wait_until "klp-sets waits" grep -qs "^128 " /proc/$pid/syscall
	[[ -e $store/guards/vendor_a_v1 ]] || fail "the guard is gone at once"
	kill $pid
	wait $pid || fail "klp-sets ended with $?"
	reboot
	does 0 boot
	in_effect vendor_a_v1
}
it "a machine that was shut down in order has survived" shutdown

minute_old() {
	does 0 install --load vendor_a_v1.ko
	minute
	does 0 install vendor_b_v1.ko
	missing "$store/guards/vendor_a_v1" || fail "the guard is older than a minute"
}
it "a guard that is a minute old goes with the next change" minute_old

# All of it runs at the end only.
long_transition() {
	local guard=$store/guards/client_s1
	load_target klp_target
	park klp_target
	contents s1 funcs=klp_target:park
	does 1 load --wait=0 --set 7 client_s1.ko
	minute
	does 0 install vendor_b_v1.ko
	[[ -e $guard ]] || fail "the guard is gone before the transition is complete"
	unpark klp_target
	complete s1
	does 0 uninstall 2
	missing "$guard" || fail "the guard is older than a minute"
}
it "a guard stays until the transition is complete" long_transition

# --- status ------------------------------------------------------------------------

# state SET NAME STATE: status is not well because of that, and says so in JSON
state() {
	local json
	does 1 status --json
	json=$(tr -d ' \n' <<< "$said")
	[[ $json == *'"condition":"wrong"'*'{"set":'"$1"',"name":"'"$2"'","state":"'"${3// /}"'","why":"'* ]] ||
		fail "status does not tell that $2 is $3: $said"
	does 1 status
}

stored_status() {
	does 0 install vendor_a_v1.ko
	echo abcd > "$store/content/01-set-1/current/build-id"
	state 1 vendor_a_v1 "other build"
	does 1 boot
	told "'vendor_a_v1' of set 1 is not loaded: it was stored for another build of kernel $(uname -r)"
	does 0 install vendor_a_v1.ko
	state 1 vendor_a_v1 "not loaded"
	told "Stored, and not in effect: 'vendor_a_v1' of set 1" "the next boot loads it" \
		"klp-sets load $store/content/01-set-1/current/vendor_a_v1.ko"
	does 0 boot
	does 0 status
	does 0 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"stored":[{"set":1,"name":"vendor_a_v1","state":"enabled","why":null}],"other_kernels":[],"lost":[]'* ]] ||
		fail "it says: $said"
	does 0 unload 1
	state 1 vendor_a_v1 unloaded
	does 0 load vendor_a_v2.ko
	state 1 vendor_a_v1 replaced
	told "'vendor_a_v1' of set 1: 'vendor_a_v2' of set 1 is in its place, which is not stored"
	does 0 unload 1
	does 0 load --set 1 client_s1.ko
	does 0 uninstall 1
	does 0 install --set 2 client_s1.ko
	state 2 client_s1 replaced
	told "it is loaded as 'client_s1' of set 1"
	truncate -s 0 "$store/content/01-set-2/current/client_s1.ko"
	rm "$store/content/01-set-2/current/client_s1.ko"
	does 1 status
	told "'(missing)' of set 2: its file is missing"
}
it "what is stored and not in effect is not well" stored_status

# A vendor's cumulative patch.
wiped_out() {
	contents s1 replace=1 funcs=uptime_proc_show
	does 0 install --load vendor_a_v1.ko
	does 0 load vendor_b_v1.ko
	does 0 load client_s1.ko
	state 1 vendor_a_v1 replaced
	told "it was replaced by stock patch 'client_s1'"
	told "Set 2 has lost 'vendor_b_v1': it was replaced by stock patch 'client_s1'."
	does 1 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'{"name":"vendor_b_v1","set":2,"by":"stockpatch'"'client_s1'"'"}'* ]] ||
		fail "it says: $said"
	does 0 load vendor_a_v1.ko
	does 0 status
	told "Set 2 has lost 'vendor_b_v1'"
	does 0 unload client_s1
	does 0 status
	[[ $said != *"has lost"* ]] || fail "it is over, and it says: $said"
}
it "status tells afterwards who has replaced the livepatch of a set" wiped_out

# An image of a machine that has just loaded it.
clone() {
	local id=/etc/machine-id
	echo 0123456789abcdef0123456789abcdef > "$scratch/id"
	[[ -e $id ]] || touch $id
	mount --bind "$scratch/id" $id
	does 0 install --load vendor_a_v1.ko
	grep -qx "machine 0123456789abcdef0123456789abcdef" "$store/guards/vendor_a_v1" ||
		fail "the guard does not tell whose it is: $(< "$store/guards/vendor_a_v1")"
	echo fedcba9876543210fedcba9876543210 > "$scratch/id"
	reboot
	said=$(klp-sets boot 2>&1)
	told "guard is dropped that kept 'vendor_a_v1'" "another machine"
	umount $id
	in_effect vendor_a_v1
}
it "a clone of a machine loads what that had just loaded" clone

held_status() {
	does 0 install --load vendor_a_v1.ko
	reboot
	does 1 boot
	state 1 vendor_a_v1 held
	told "it is held, since the machine died"
}
it "it tells of what is held" held_status

other_kernel() {
	mkdir -p /var/lib/klp-sets/1.2.3/content.1/01-set-1
	ln -s content.1 /var/lib/klp-sets/1.2.3/content
	does 0 boot
	told "nothing is stored for kernel $(uname -r), while something is for 1.2.3"
	does 0 status
	told "Nothing is stored for kernel $(uname -r), while something is for 1.2.3."
	does 0 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"other_kernels":["1.2.3"]'* ]] || fail "it says: $said"
	does 0 install vendor_a_v1.ko
	does 0 boot
	[[ $said != *"1.2.3"* ]] || fail "it says: $said"
	does 0 prune
	does 0 list --stored
	[[ $said != *"1.2.3"* ]] || fail "it says: $said"
}
it "a new kernel that has nothing of what an older one has is told of" other_kernel

refused_status() {
	contents s1 funcs=cmdline_proc_show
	does 0 install vendor_a_v1.ko
	does 0 install --set 5 client_s1.ko
	does 1 boot
	state 5 client_s1 refused
	told "it was refused at boot" "journalctl -b -u klp-sets"
	# One that has had its reason since.
	does 0 unload 1
	does 0 load --set 5 client_s1.ko
	does 1 status
	[[ $said != *"'client_s1' of set 5: it"* ]] || fail "it says: $said"
}
it "and of what was refused" refused_status

# What is wrong comes first.
statuses() {
	load_target klp_target
	park klp_target
	contents s1 funcs=klp_target:park
	does 0 status
	does 1 load --wait=0 --set 7 client_s1.ko
	does 3 status
	does 3 status --json
	[[ $(tr -d ' \n' <<< "$said") == *'"well":false,"condition":"intransition"'* ]] ||
		fail "it says: $said"
	does 0 install vendor_a_v1.ko
	does 1 status
	does 0 uninstall 1
	unpark klp_target
	complete s1
	does 0 status
	said=$(setpriv --reuid=65534 --regid=65534 --clear-groups klp-sets status --json)
	[[ $? == 4 && $said == *'"condition":"unknown"'* ]] || fail "it says: $said"
}
it "its exit status tells one from the other" statuses

need_core
finish
