#!/bin/bash
# Mistakes of authors: an errno, a line in the log, no trace, and the mended
# module loads. Every refusal is tried on an empty machine and in an upgrade.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
need_core

# refuse_damage PARAMETERS...: of a1 on an empty machine, and of a2 in set 1
refuse_damage() {
	refuse EINVAL a1 set=1 "$@"
	load b1 set=2 funcs=version_proc_show
	load a1 set=1 funcs=cmdline_proc_show
	refuse EINVAL a2 set=1 "$@"
	runs cmdline_proc_show a1
	runs version_proc_show b1
}

# mended PARAMETERS...: the same module with a good patch replaces a1
mended() {
	load a2 set=1 "$@"
	gone a1
	enabled b1
	in_set a2 1
	unload a1
}

# klp_sets_enable_patch(NULL, 1)
null_patch() {
	refuse_damage funcs=cmdline_proc_show damage=patch
	logged "patch"
	refuse EINVAL a2 set=1 full=1 funcs=cmdline_proc_show damage=patch
	logged "patch"
	refuse EINVAL a2 set=1 full=1 funcs=cmdline_proc_show damage=all
	logged "patch"
	mended funcs=cmdline_proc_show
}
it "a NULL patch is refused" null_patch

# .mod = THIS_MODULE was forgotten.
null_mod() {
	refuse_damage funcs=cmdline_proc_show damage=mod
	logged "mod"
	mended funcs=cmdline_proc_show
}
it "a patch without a module is refused" null_mod

# .objs was forgotten.
null_objs() {
	refuse_damage funcs=cmdline_proc_show damage=objs
	logged "'client_a2'" "obj"
	mended funcs=cmdline_proc_show
}
it "a patch without objects is refused" null_objs

# .funcs was forgotten.
null_funcs() {
	refuse_damage funcs=klp_target:fn1 damage=funcs
	logged "'client_a2'" "func"
	mended funcs=klp_target:fn1
}
it "an object without functions is refused" null_funcs

# Older kernels look at this one after the compatibility check.
null_name() {
	refuse_damage funcs=uptime_proc_show,cmdline_proc_show damage=name
	logged "'client_a2'" "name"
	untouched uptime_proc_show
	mended funcs=uptime_proc_show,cmdline_proc_show
}
it "a function entry without a name is refused" null_name

# There is nothing to run instead.
null_replacement() {
	refuse_damage funcs=uptime_proc_show,cmdline_proc_show damage=new_func
	logged "'client_a2'" "'uptime_proc_show'"
	untouched uptime_proc_show
	mended funcs=uptime_proc_show,cmdline_proc_show
}
it "a function entry without a replacement is refused" null_replacement

# The name of a file, where that of its module should be: it would never apply.
no_module_name() {
	local name
	for name in klp-target klp_target.ko klp_target.ko.xz drivers/klp_target vmlinux; do
		refuse_damage "funcs=cmdline_proc_show,$name:fn1"
		logged "'client_a2'" "no module can be called '$name'"
		clean_up
	done
	# A stock patch is no business of klp_sets.
	load b1 set=2 funcs=version_proc_show
	load s1 funcs=klp-target:fn1
	refuse_assign EINVAL "client_s1 3"
	logged "'client_s1'" "no module can be called 'klp-target'"
	disable s1
	load a1 set=1 funcs=cmdline_proc_show
	mended funcs=cmdline_proc_show,klp_target:fn1
}
it "an object that no module can be called is refused" no_module_name

# MODULE_INFO(livepatch, "Y") was forgotten.
not_marked() {
	refuse EINVAL u1 set=1 funcs=cmdline_proc_show
	kernel_log | grep -q "client_u1 is not marked as a livepatch" ||
		fail "the log does not say what is wrong"
	untouched cmdline_proc_show
}
it "a module that is not marked as a livepatch is refused" not_marked

# The header was of another version of klp-sets.
other_layout() {
	refuse EINVAL u2 set=1 full=1 funcs=cmdline_proc_show
	logged "'client_u2'" "another klp_sets.h"
	load a1 set=1 funcs=version_proc_show
	refuse EINVAL u2 set=1 obsoletes=2 funcs=cmdline_proc_show
	logged "'client_u2'" "another klp_sets.h"
	untouched cmdline_proc_show
	runs version_proc_show a1
	load a2 set=1 full=1 funcs=cmdline_proc_show
	gone a1
}
it "a client that was built against other structures is refused" other_layout

# Copy and paste.
function_twice() {
	refuse_damage funcs=uptime_proc_show,cmdline_proc_show,uptime_proc_show
	logged "'client_a2'" "'uptime_proc_show'"
	refuse EINVAL a2 set=1 funcs=klp_target:fn1,klp_target:fn2,klp_target:fn1/1
	logged "'client_a2'" "'fn1'"
	untouched uptime_proc_show
	mended funcs=uptime_proc_show,cmdline_proc_show
}
it "a duplicate function within one patch is refused" function_twice

# A function that this kernel does not have. Livepatch itself says so.
no_such_function() {
	load_target klp_target
	refuse_damage funcs=uptime_proc_show,no_such_function
	kernel_log | grep -q "no_such_function" || fail "the log does not name the function"
	refuse EINVAL a2 set=1 funcs=uptime_proc_show,klp_target:no_such_function
	untouched uptime_proc_show
	mended funcs=uptime_proc_show,klp_target:fn1
}
it "a function that does not exist is refused" no_such_function

# A third function of the name.
no_such_position() {
	load_target klp_target
	refuse_damage funcs=uptime_proc_show,klp_target:twin/3
	kernel_log | grep -q "twin" || fail "the log does not name the function"
	refuse EINVAL a2 set=1 funcs=klp_target:twin
	untouched uptime_proc_show klp_target:twin
	mended funcs=klp_target:twin/2
}
it "a symbol position that does not exist is refused" no_such_position

# An array that was declared and not filled in.
null_obsoletes() {
	refuse_damage funcs=cmdline_proc_show obsoletes=3 damage=obsoletes
	logged "'client_a2'" "obsoletes"
	mended funcs=cmdline_proc_show obsoletes=3
}
it "a number of obsoleted sets without an array is refused" null_obsoletes

# The call comes a second time, and later again.
second_call() {
	local before
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	before=$(snapshot)
	mark
	refuse_again a1
	logged "'client_a1'" "enabled"
	unchanged "$before"
	runs cmdline_proc_show a1
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	refuse_again a2
	enabled a2 b1
	disable a2
	unload a1 a2
}

# refuse_again CLIENT: its second call fails with EINVAL
refuse_again() {
	local said
	said=$( (echo 1 > "/sys/module/client_$1/parameters/again") 2>&1) &&
		fail "a second call of client_$1 succeeded"
	[[ $said == *"Invalid argument" ]] || fail "the second call of client_$1: $said"
}
it "a second call with an enabled patch is refused" second_call

# And once more while the first one's transition is going on.
second_call_in_transition() {
	load_target klp_target
	load b1 set=2 funcs=version_proc_show
	park klp_target
	start a1 set=1 funcs=klp_target:park,cmdline_proc_show
	in_transition a1
	(echo 1 > /sys/module/client_a1/parameters/again) 2> /dev/null &&
		fail "a second call succeeded"
	in_transition a1
	unpark klp_target
	complete a1
	runs cmdline_proc_show a1
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	unload a1
	disable b1 a2
}
it "a second call during the patch's transition is refused" second_call_in_transition

# The author's own callback says no, when everything is prepared.
callback_fails() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
	load b1 set=2 funcs=version_proc_show
	refuse ENODEV a2 set=1 obsoletes=2 callbacks=1 pre_patch_ret=-19 \
		funcs=uptime_proc_show,klp_target:fn2
	runs cmdline_proc_show a1
	runs version_proc_show b1
	untouched uptime_proc_show klp_target:fn2
	refuse ENODEV c1 set=3 callbacks=1 pre_patch_ret=-19 funcs=loadavg_proc_show
	free_set 3
	load a2 set=1 obsoletes=2 callbacks=1 funcs=uptime_proc_show
	gone a1 b1
	untouched cmdline_proc_show version_proc_show klp_target:fn1
}
it "a patch whose pre_patch callback fails leaves no trace" callback_fails

# Stock livepatch can use a patch only once, and would crash.
call_after_disable() {
	load b1 set=2 funcs=version_proc_show
	load a1 set=1 funcs=cmdline_proc_show
	disable a1
	wait_until "nobody uses client_a1" holds /sys/module/client_a1/refcnt 0
	mark
	refuse_again a1
	logged "'client_a1'"
	untouched cmdline_proc_show
	unload a1
	load a1 set=1 funcs=cmdline_proc_show
	runs cmdline_proc_show a1
}
it "a call after the patch was disabled is refused" call_after_disable

# It is documented for module_init; who else calls it is treated the same.
by_a_worker() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	refuse EINVAL a2 set=1 funcs=version_proc_show where=work
	load a2 set=1 funcs=uptime_proc_show where=work
	gone a1
	in_set a2 1
	untouched cmdline_proc_show
	runs uptime_proc_show a2
	runs version_proc_show b1
}
it "a worker may call in the place of module_init" by_a_worker

# Nobody can hold on to a module that is going away.
from_exit() {
	local before
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	before=$(snapshot)
	start a2 set=1 funcs=uptime_proc_show where=exit
	unload a2
	kernel_log | grep -q "client_a2: enabling at exit: -19" ||
		fail "the call from module_exit was not refused with ENODEV"
	unchanged "$before"
	untouched uptime_proc_show
	load a2 set=1 funcs=uptime_proc_show
	gone a1
	in_set a2 1
}
it "a call from module_exit is refused" from_exit

finish
