#!/bin/bash
# Enabling a patch when memory is short: it says so, and nothing has happened.
. "$(dirname "$0")/faults-lib.sh"
need_core
only_below do_one_initcall

# taken_back CLIENT: it was enabled, and leaves
taken_back() {
	complete "$1"
	enabled "$1"
	disable "$1"
	unload "$1"
}

first() {
	in_set p1 1
	[[ $(wc -l < "$sets/1/states") == 2 ]] || fail "not all states: $(< "$sets/1/states")"
	holds "$livepatch/client_p1/obsoletes" "8 9" || fail "obsoletes: ${REPLY:-no file}"
	taken_back p1
}

first_patch() {
	load_target klp_target
	each_fault first insmod "$modules/client_p1.ko" set=1 obsoletes=8,9 \
		funcs=cmdline_proc_show,klp_target:fn1 states=5:lock,6:cache
}
it "the first patch, with two states and two sets that it obsoletes" first_patch

finish
