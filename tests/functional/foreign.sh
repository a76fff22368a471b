#!/bin/bash
# Livepatches that were not written for this project: the kernel's samples and
# those of its selftests, as they are, in sets that an operator gave them.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"

samples=/klp-sets/samples
selftests=/klp-sets/kselftests/modules
if [[ ! -d $samples || ! -d $selftests ]]; then
	echo "1..0 # SKIP the kernel's samples and selftests were not built"
	exit 4
fi

# After each test, also what is not ours.
eval "clean_up_ours() $(declare -f clean_up | tail -n +2)"
clean_up() {
	disable_all
	# shellcheck disable=SC2046 # one name a word
	remove $(loaded livepatch_) $(loaded test_klp_)
	clean_up_ours
}

need_core

# The file of a module, in REPLY.
find_module() {
	REPLY=$selftests/$1.ko
	[[ $1 != livepatch_* ]] || REPLY=$samples/${1//_/-}.ko
}

not_in_transition() {
	! grep -qs 1 "$livepatch/$1/transition"
}

# bring MODULE PARAMETERS...: loads it, and waits if it is a livepatch
bring() {
	local said name=$1
	shift
	find_module "$name"
	said=$(insmod "$REPLY" "$@" 2>&1) || fail "insmod $REPLY $*: $said"
	wait_until "the transition of $name is complete" not_in_transition "$name"
}

# bring_refused MODULE PARAMETERS...: EINVAL, and nothing changes
bring_refused() {
	local before said name=$1
	shift
	before=$(snapshot)
	mark
	find_module "$name"
	said=$(insmod "$REPLY" "$@" 2>&1) && fail "$name was loaded ($*)"
	[[ $said == *": ${errors[EINVAL]}" ]] || fail "$name: expected EINVAL, insmod says: $said"
	unchanged "$before"
}

# bring_into SET MODULE PARAMETERS...
bring_into() {
	assign "$2 $1"
	bring "${@:2}"
	is_in "$2" "$1"
	pending ""
}

# is_in MODULE SET
is_in() {
	holds "$livepatch/$1/enabled" 1 || fail "$1 is not enabled"
	holds "$livepatch/$1/replace_set" "$2" || fail "$1: expected set $2, found $REPLY"
	[[ $(readlink -f "$sets/$2/patch") == "$livepatch/$1" ]] || fail "set $2 has not $1"
}

has_ended() {
	local name
	for name; do
		wait_until "$name is gone" missing "$livepatch/$name"
		wait_until "nobody uses $name" holds "/sys/module/$name/refcnt" 0
	done
}

end() {
	echo 0 > "$livepatch/$1/enabled" || fail "$1 cannot be disabled"
	has_ended "$1"
}

log_has() {
	kernel_log | grep -q "$1"
}

# says FILE WORDS: what a patched file shows
says() {
	grep -q "$2" "$1" || fail "$1: expected '$2', it says: $(head -n 1 "$1")"
}

is_original() {
	! grep -q "live patched" /proc/cmdline /proc/meminfo || fail "/proc is still patched"
}

# How a livepatch stands: what must not change while others do.
look() {
	local name
	for name; do
		find "$livepatch/$name" | sort
		grep -s . "$livepatch/$name"/{enabled,transition,replace_set,obsoletes}
		cat "/sys/module/$name/refcnt"
	done
	grep -vE '^(dummy_|klp_|enabled_store|cmdline_proc_show)' "$tracing/enabled_functions"
}

# Everything at once: five livepatches, of which two say "replace everything".
bring_all() {
	bring livepatch_shadow_mod
	bring livepatch_callbacks_busymod
	bring_into 10 livepatch_sample
	bring_into 20 test_klp_atomic_replace replace=1
	bring_into 30 livepatch_callbacks_demo
	bring_into 40 livepatch_shadow_fix1
	bring_into 50 test_klp_state
}

all_are_there() {
	is_in livepatch_sample 10
	is_in test_klp_atomic_replace 20
	is_in livepatch_callbacks_demo 30
	says /proc/cmdline "this has been live patched"
	says /proc/meminfo "this has been live patched"
}

five_sets() {
	bring_all
	all_are_there
	is_in livepatch_shadow_fix1 40
	is_in test_klp_state 50
	core_references 5
	wait_until "the shadow variables are in use" log_has livepatch_fix1_dummy_alloc
	end livepatch_sample
	end test_klp_state
	end livepatch_shadow_fix1
	core_references 2
	free_set 10 40 50
	is_in test_klp_atomic_replace 20
	is_in livepatch_callbacks_demo 30
	end test_klp_atomic_replace
	end livepatch_callbacks_demo
	is_original
	core_references 0
	hooks_are_gone
}
it "samples and selftests live side by side in sets" five_sets

# The shadow variables' second fix takes the place of the first.
upgrade_one() {
	local before level
	level=$(cut -f 1 /proc/sys/kernel/printk)
	bring_all
	before=$(look livepatch_sample test_klp_atomic_replace livepatch_callbacks_demo test_klp_state)
	wait_until "the first fix works" log_has livepatch_fix1_dummy_alloc
	mark
	bring_into 40 livepatch_shadow_fix2
	has_ended livepatch_shadow_fix1
	! find_handler livepatch_shadow_mod:dummy_alloc || fail "dummy_alloc() is still patched"
	find_handler livepatch_shadow_mod:dummy_check || fail "dummy_check() is not patched"
	same "another set" "$before" "$(look livepatch_sample test_klp_atomic_replace \
		livepatch_callbacks_demo test_klp_state)"
	remove livepatch_shadow_fix1
	# States: the second version takes them over, and cleans up in the end.
	before=$(look livepatch_sample test_klp_atomic_replace livepatch_callbacks_demo \
		livepatch_shadow_fix2)
	bring_into 50 test_klp_state2
	has_ended test_klp_state
	log_has "taking over the console_loglevel change" || fail "the state was not taken over"
	same "another set" "$before" "$(look livepatch_sample test_klp_atomic_replace \
		livepatch_callbacks_demo livepatch_shadow_fix2)"
	all_are_there
	remove test_klp_state
	assign "test_klp_state 50"
	bring_refused test_klp_state
	logged "'test_klp_state' of set 50" "state 1" "'test_klp_state2'"
	assign "test_klp_state -"
	end test_klp_state2
	log_has "restoring console_loglevel" || fail "the state was not cleaned up"
	[[ $(cut -f 1 /proc/sys/kernel/printk) == "$level" ]] ||
		fail "console_loglevel: expected $level, found $(cat /proc/sys/kernel/printk)"
	all_are_there
	end livepatch_shadow_fix2
	remove livepatch_shadow_mod
}
it "one is upgraded, and the others stay exactly as they were" upgrade_one

overlaps() {
	bring livepatch_shadow_mod
	bring_into 10 livepatch_sample
	bring_into 40 livepatch_shadow_fix1
	bring_into 50 test_klp_state2
	# A function of the kernel.
	bring_refused test_klp_livepatch
	logged "stock patch 'test_klp_livepatch'" "'cmdline_proc_show'" "'livepatch_sample' of set 10"
	assign "test_klp_livepatch 11"
	bring_refused test_klp_livepatch
	logged "'test_klp_livepatch' of set 11" "'cmdline_proc_show'" "'livepatch_sample' of set 10"
	# One of a module.
	assign "livepatch-shadow-fix2 41"
	bring_refused livepatch_shadow_fix2
	logged "'livepatch_shadow_fix2' of set 41" "'dummy_free' of livepatch_shadow_mod" \
		"'livepatch_shadow_fix1' of set 40"
	# A state.
	assign "test_klp_state3 51"
	bring_refused test_klp_state3
	logged "'test_klp_state3' of set 51" "state 1" "'test_klp_state2' of set 50"
	pending "test_klp_livepatch 11
livepatch_shadow_fix2 41
test_klp_state3 51"
	# In the right set each of them is welcome.
	bring_into_after_all 10 test_klp_livepatch livepatch_sample
	says /proc/cmdline "test_klp_livepatch: this has been live patched"
	bring_into_after_all 40 livepatch_shadow_fix2 livepatch_shadow_fix1
	bring_into_after_all 50 test_klp_state3 test_klp_state2
	pending ""
	core_references 3
}

# bring_into_after_all SET MODULE OLD
bring_into_after_all() {
	assign "$2 $1"
	bring "$2"
	is_in "$2" "$1"
	has_ended "$3"
}
it "overlaps are refused by name, and welcome in the right set" overlaps

# They were enabled long before somebody thought of sets.
join_later() {
	unload_core
	bring livepatch_shadow_mod
	bring livepatch_sample
	bring livepatch_shadow_fix1
	bring test_klp_callbacks_demo
	bring test_klp_livepatch
	load_core
	# The two stock patches on one function may not both be there.
	refuse_assign EINVAL "livepatch-sample 10"
	logged "'livepatch_sample' of set 10" "'cmdline_proc_show'" "'test_klp_livepatch'"
	refuse_assign EINVAL "test_klp_livepatch 10"
	end test_klp_livepatch
	assign "livepatch-sample 10"
	assign "livepatch-shadow-fix1 40"
	assign "test_klp_callbacks_demo 30"
	is_in livepatch_sample 10
	is_in livepatch_shadow_fix1 40
	is_in test_klp_callbacks_demo 30
	core_references 3
	bring_into 40 livepatch_shadow_fix2
	has_ended livepatch_shadow_fix1
	is_in livepatch_sample 10
	# The next vendor's patch would have replaced everything.
	bring_into 20 test_klp_atomic_replace replace=1
	is_in livepatch_sample 10
	is_in livepatch_shadow_fix2 40
	end livepatch_sample
	is_in test_klp_atomic_replace 20
	is_original_cmdline
}

is_original_cmdline() {
	! grep -q "live patched" /proc/cmdline || fail "/proc/cmdline is still patched"
}
it "livepatches that are older than the core join, and one is upgraded" join_later

# Their callbacks are their own: each called once, for the object that comes or goes.
callbacks() {
	local said
	bring livepatch_callbacks_mod
	mark
	bring_into 30 livepatch_callbacks_demo
	bring livepatch_callbacks_busymod
	bring_into 10 livepatch_sample
	remove livepatch_callbacks_mod
	bring_into 10 test_klp_livepatch
	end livepatch_callbacks_demo
	said=$(kernel_log | sed -n 's/^livepatch_callbacks_demo: \(.*_callback: [a-z_]*\).*/\1/p')
	same "the callbacks" "pre_patch_callback: vmlinux
pre_patch_callback: livepatch_callbacks_mod
post_patch_callback: vmlinux
post_patch_callback: livepatch_callbacks_mod
pre_patch_callback: livepatch_callbacks_busymod
post_patch_callback: livepatch_callbacks_busymod
pre_unpatch_callback: livepatch_callbacks_mod
post_unpatch_callback: livepatch_callbacks_mod
pre_unpatch_callback: vmlinux
pre_unpatch_callback: livepatch_callbacks_busymod
post_unpatch_callback: vmlinux
post_unpatch_callback: livepatch_callbacks_busymod" "$said"
	# And it may still say no.
	remove livepatch_callbacks_demo
	assign "livepatch-callbacks-demo 30"
	find_module livepatch_callbacks_demo
	insmod "$REPLY" pre_patch_ret=-19 2> /dev/null && fail "its pre_patch did not count"
	pending "livepatch_callbacks_demo 30"
	free_set 30
	bring livepatch_callbacks_demo
	is_in livepatch_callbacks_demo 30
}
it "their callbacks are called as if there were no sets" callbacks

# What newer kernels have in addition.
newer_ones() {
	[[ -e $selftests/test_klp_syscall.ko ]] || skip "this kernel has none"
	bring_into 60 test_klp_syscall
	bring_into 10 livepatch_sample
	bring_into 10 test_klp_livepatch
	is_in test_klp_syscall 60
	if [[ -e $selftests/test_klp_mod_patch.ko ]]; then
		bring test_klp_mod_target
		bring_into 70 test_klp_mod_patch
		says /proc/test_klp_mod_target "live patched"
		end test_klp_mod_patch
		! grep -q "live patched" /proc/test_klp_mod_target || fail "it is still patched"
	fi
	end test_klp_syscall
	is_in test_klp_livepatch 10
}
it "those of newer kernels do the same" newer_ones

# And without an assignment all is as ever.
stock_replace() {
	bring_into 10 livepatch_sample
	bring_into 30 livepatch_callbacks_demo
	bring test_klp_atomic_replace replace=1
	has_ended livepatch_sample livepatch_callbacks_demo
	free_set 10 30
	core_references 0
	hooks_are_gone
	is_original_cmdline
	says /proc/meminfo "live patched"
	end test_klp_atomic_replace
	remove livepatch_sample test_klp_atomic_replace
	policy stock_replace=scoped
	bring_into 10 livepatch_sample
	bring test_klp_atomic_replace replace=1
	is_in livepatch_sample 10
	is_in test_klp_atomic_replace 0
}
it "without an assignment stock_replace decides" stock_replace

finish
