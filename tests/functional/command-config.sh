#!/bin/bash
# klp-sets assign and policy: at once, and for ever.
# shellcheck source-path=SCRIPTDIR
# On the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"

parameters=/sys/module/klp_sets/parameters
install_core

eval "clean_up_machine() $(declare -f clean_up | tail -n +2)"
clean_up() {
	rm -rf /var/lib/klp-sets /etc/klp-sets /etc/modprobe.d/klp-sets.conf "$options"
	clean_up_machine
}

policy() {
	does 0 policy stock_replace=scoped
	missing /sys/module/klp_sets || fail "klp_sets was loaded"
	modprobe klp_sets
	holds $parameters/stock_replace scoped || fail "stock_replace is $REPLY after modprobe"
	does 0 policy stock_replace=refuse taint=on
	holds $parameters/stock_replace refuse || fail "stock_replace is $REPLY"
	holds $parameters/taint Y || fail "taint is $REPLY"
	does 2 policy taint=0 stock_replace=nothing
	holds $parameters/taint Y || fail "a part of what was refused was done"
	rmmod klp_sets
	modprobe klp_sets
	holds $parameters/stock_replace refuse || fail "stock_replace is $REPLY after modprobe"
	echo all > $parameters/stock_replace
	json_is policy policy
	does 0 policy
	told stock_replace all refuse
}
it "a policy holds at once, and whenever klp_sets is loaded" policy

waits() {
	contents s1 funcs=version_proc_show
	does 0 assign client_s1 7 8
	told "'client_s1' will belong to set 7"
	same "what waits" "client_s1 7 8" "$(< /sys/kernel/klp_sets/assign)"
	does 0 load client_s1.ko
	in_set s1 7
	same "what it obsoletes" 8 "$(< $livepatch/client_s1/obsoletes)"
	does 0 assign
	told client_s1 7 "enabled, in this set"
	json_is assign assign
	does 0 unload 7
	# The kernel has forgotten it.
	same "what waits" "" "$(< /sys/kernel/klp_sets/assign)"
	does 0 load client_s1.ko
	in_set s1 7
}
it "an assignment holds whenever its livepatch is loaded" waits

# What the kernel has by then is told.
not_kept() {
	mkdir -p /etc/klp-sets
	mount -t tmpfs -o size=16k tmpfs /etc/klp-sets
	trap "umount /etc/klp-sets" EXIT
	cat /dev/zero > /etc/klp-sets/big 2> /dev/null
	does 1 assign client_s1 7
	told "assign.conf cannot be written" "the kernel has the assignment to set 7 until the next boot"
	same "what waits" "client_s1 7" "$(< /sys/kernel/klp_sets/assign)"
	load s2 funcs=cmdline_proc_show
	does 1 assign client_s2 8
	told "assign.conf cannot be written" "'client_s2' belongs to set 8 until it is unloaded"
	does 0 assign client_s1 -
}
it "an assignment that cannot be kept is told of, with what the kernel has" not_kept

hidden() {
	local user="setpriv --reuid=65534 --regid=65534 --clear-groups klp-sets"
	does 0 assign client_s1 7
	said=$($user assign 2>&1)
	told "client_s1" "? (only root may see what waits)"
	told "others may wait in the kernel: only root may see them"
	said=$($user assign --json)
	[[ $(tr -d ' \n' <<< "$said") == *'"waiting":null'* ]] || fail "it says: $said"
	said=$($user list --json)
	[[ $(tr -d ' \n' <<< "$said") == *'"assignments":null'* ]] || fail "it says: $said"
	does 0 assign client_s1 -
}
it "what only root may see is not known to others, and not nothing" hidden

boots() {
	does 0 assign client_s1 7
	rmmod klp_sets
	does 0 boot
	same "what waits" "client_s1 7" "$(< /sys/kernel/klp_sets/assign)"
	# Whoever loads it.
	load s1 funcs=version_proc_show
	in_set s1 7
	disable s1
	unload s1
	does 0 assign client_s1 -
	rmmod klp_sets
	does 0 boot
	missing /sys/module/klp_sets || fail "klp_sets was loaded for nothing"
}
it "boot gives the assignments to the kernel" boots

joins() {
	local before
	load_core
	load a1 set=1 funcs=cmdline_proc_show
	load s1 funcs=version_proc_show
	does 0 assign client_s1 7
	told "'client_s1' belongs to set 7 now"
	in_set s1 7
	before=$(snapshot)
	does 1 assign client_s1 8
	printed "klp-sets: 'client_s1' is not assigned to set 8: it belongs to set 7 already"
	load s2 funcs=loadavg_proc_show
	before=$(snapshot)
	does 1 assign client_s2 1
	told "'client_s2' is not assigned to set 1" "client_a1"
	[[ $(grep -o "is not assigned" <<< "$said" | wc -l) == 1 ]] || fail "it says: $said"
	unchanged "$before"
	same "what is kept" "client_s1 7" "$(grep -v '^#' /etc/klp-sets/assign.conf)"
	does 0 assign client_s1 -
	told "stays in its set until"
	in_set s1 7
}
it "a livepatch that is enabled joins at once, or it is said why not" joins

# A vendor's, whose versions have names of their own.
patterns() {
	load_core
	load s1 funcs=version_proc_show
	load s2 funcs=loadavg_proc_show
	does 0 assign client_s2 8
	does 0 assign 'client_s*' 7
	told "'client_s*' will belong to set 7"
	told "'client_s1' belongs to set 7 now"
	in_set s1 7
	in_set s2 8
	same "what waits" "client_s* 7" "$(< /sys/kernel/klp_sets/assign)"
	does 0 list
	told "client_s* joins set 7"
	does 0 assign
	told "client_s* " "enabled, in this set"
	json_is assign assign
	contents s3 funcs=version_proc_show
	# What it changes is known when it is loaded.
	does 1 check client_s3.ko
	told "client_s3.ko: set 7, as assigned"
	does 0 load client_s3.ko
	in_set s3 7
	missing "$livepatch/client_s1" || fail "client_s1 is still there"
	same "what waits" "client_s* 7" "$(< /sys/kernel/klp_sets/assign)"
	# Whoever loads it.
	load s4 funcs=uptime_proc_show
	gone s3
	in_set s4 7
	# Of two that are enabled, one can have the set.
	does 0 assign 'client_s*' -
	load s5 funcs=meminfo_proc_show
	does 1 assign 'client_s*' 7
	told "'client_s5' is enabled, and not assigned to set 7" "client_s4"
	missing "$livepatch/client_s5/replace_set" || fail "client_s5 is in a set"
	does 0 assign 'client_s*' -
	does 0 assign client_s2 -
}
it "a pattern puts all of its livepatches into the set, now and later" patterns

# Those that came before klp_sets, as from an initramfs.
patterns_at_boot() {
	mkdir -p /etc/klp-sets
	echo "client_s* 7" > /etc/klp-sets/assign.conf
	missing /sys/module/klp_sets || fail "klp_sets is loaded"
	load s1 funcs=version_proc_show
	does 0 boot
	in_set s1 7
	same "what waits" "client_s* 7" "$(< /sys/kernel/klp_sets/assign)"
	does 0 assign 'client_s*' -
}
it "and boot does so, too" patterns_at_boot

need_core
finish
