#!/bin/bash
# Loading the core, and taking it out, when memory is short.
. "$(dirname "$0")/faults-lib.sh"

taken_out() {
	[[ -d $sets && -e $assign_file ]] || fail "no $sets, or no $assign_file"
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
	disable a1
	unload a1
	unload_core
}

load_the_core() {
	only_below do_one_initcall
	each_fault taken_out insmod "$modules/klp-sets.ko"
}
it "the core, which does without probes" load_the_core

taken_in() {
	load_core
}

take_it_out() {
	only_below __x64_sys_delete_module
	load_core
	each_fault taken_in rmmod klp_sets
	unload_core
}
it "the core is taken out, and loses nothing" take_it_out

echo "1..$test_count"
exit $test_status
