#!/bin/bash
# Loading the core when memory is short.
. "$(dirname "$0")/faults-lib.sh"
only_below do_one_initcall

taken_out() {
	[[ -d $sets && -e $assign_file ]] || fail "no $sets, or no $assign_file"
	load a1 set=1 funcs=cmdline_proc_show
	in_set a1 1
	disable a1
	unload a1
	unload_core
}

load_the_core() {
	each_fault taken_out insmod "$modules/klp-sets.ko"
}
it "the core, which does without probes" load_the_core

echo "1..$test_count"
exit $test_status
