#!/bin/bash
# Putting a livepatch into a set, and taking it out, when memory is short.
. "$(dirname "$0")/faults-lib.sh"
need_core

assigned() {
	pending "client_s1 3 4"
	assign "client_s1 -"
	hooks_are_gone
}

the_first() {
	only_below kernfs_fop_write_iter
	each_fault assigned write "$assign_file" "client_s1 3 4"
}
it "the first assignment, which places the hooks" the_first

assigned_again() {
	pending "client_s1 5"
	assign "client_s1 3 4"
}

another_set() {
	only_below kernfs_fop_write_iter
	assign "client_s1 3 4"
	each_fault assigned_again write "$assign_file" "client_s1 5"
}
it "another set for the same livepatch" another_set

unassigned() {
	pending ""
	hooks_are_gone
	assign "client_s1 3 4"
}

the_last() {
	only_below kernfs_fop_write_iter
	assign "client_s1 3 4"
	each_fault unassigned write "$assign_file" "client_s1 -"
}
it "the last assignment is dropped" the_last

adopted() {
	in_set s1 3
	holds "$livepatch/client_s1/obsoletes" 4 || fail "obsoletes: ${REPLY:-no file}"
	disable s1
	unload s1
	load s1 funcs=cmdline_proc_show,klp_target:fn1
}

adoption() {
	only_below kernfs_fop_write_iter
	load_target klp_target
	load s1 funcs=cmdline_proc_show,klp_target:fn1
	each_fault adopted write "$assign_file" "client_s1 3 4"
}
it "a livepatch that is enabled is put into a set" adoption

# In a set, and the assignment is used up.
joined() {
	complete s1
	in_set s1 3
	pending ""
	gone s2
	disable s1
	unload s1 s2
	for_s1
}

for_s1() {
	load s2 funcs=cmdline_proc_show,klp_target:fn1
	assign "client_s2 3"
	assign "client_s1 3"
}

as_assigned() {
	export STOCK=1
	only_below do_one_initcall
	load_target klp_target
	for_s1
	each_fault joined insmod "$modules/client_s1.ko" funcs=cmdline_proc_show
}
it "a livepatch that is assigned replaces that of its set" as_assigned

finish
