#!/bin/bash
# Rule 2: one function belongs to one set. Rule 6: no hybrids.
. "$(dirname "$0")/lib.sh"
need_core

# refuse_function FUNCTION OWNER OWNER_SET CLIENT SET PARAMETERS...
refuse_function() {
	local function=$1 owner=$2 owner_set=$3 client=$4 set=$5
	shift 5
	refuse EINVAL "$client" "set=$set" "$@"
	logged "'client_$client'" "set $set" "'$function'" "'client_$owner'" "set $owner_set"
}

# Two vendors patch the same function.
function_of_another_set() {
	load a1 set=1 funcs=cmdline_proc_show
	refuse_function cmdline_proc_show a1 1 b1 2 funcs=version_proc_show,cmdline_proc_show
	runs cmdline_proc_show a1
	untouched version_proc_show
	free_set 2
}
it "a function of another set's patch is refused" function_of_another_set

# The same two, the other one first: it is not about who is more important.
other_way_round() {
	load b1 set=2 funcs=version_proc_show,cmdline_proc_show
	refuse_function cmdline_proc_show b1 2 a1 1 funcs=cmdline_proc_show
	runs cmdline_proc_show b1
}
it "whoever comes second is refused" other_way_round

# Version 2 of set 1 reaches into set 2: version 1 stays in force.
upgrade_into_another_set() {
	load a1 set=1 funcs=cmdline_proc_show
	load b1 set=2 funcs=version_proc_show
	refuse_function version_proc_show b1 2 a2 1 funcs=cmdline_proc_show,version_proc_show
	runs cmdline_proc_show a1
	runs version_proc_show b1
	in_set a1 1
}
it "a refused upgrade leaves the old patch in force" upgrade_into_another_set

# A function in a module.
function_in_a_module() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1
	refuse_function fn1 a1 1 b1 2 funcs=klp_target:fn2,klp_target:fn1
	runs klp_target:fn1 a1
	untouched klp_target:fn2
}
it "a function of another set in a module is refused" function_in_a_module

# fn1() of one module is not fn1() of the other.
same_name_in_another_object() {
	load_target klp_target klp_target2
	load a1 set=1 funcs=klp_target:fn1
	load b1 set=2 funcs=klp_target2:fn1
	runs klp_target:fn1 a1
	runs klp_target2:fn1 b1
}
it "the same name in another object is another function" same_name_in_another_object

# kpatch-build writes 1 where an author writes nothing.
position_0_is_position_1() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show/1
	refuse_function fn1 a1 1 b1 2 funcs=klp_target:fn1/1
	refuse_function cmdline_proc_show a1 1 b1 2 funcs=cmdline_proc_show
}
it "symbol positions 0 and 1 are the same function" position_0_is_position_1

# Two static functions of one name.
positions_differ() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:twin/1
	load b1 set=2 funcs=klp_target:twin/2
	runs klp_target:twin a1
	runs klp_target:twin2 b1
	refuse_function twin b1 2 c1 3 funcs=klp_target:twin/2
	refuse_function twin a1 1 c1 3 funcs=klp_target:twin/1
}
it "another symbol position is another function" positions_differ

# Inside a set, position 0 is replaced by position 1 without a nop above it.
positions_inside_a_set() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn1,cmdline_proc_show/1
	load a2 set=1 funcs=klp_target:fn1/1,cmdline_proc_show
	gone a1
	runs klp_target:fn1 a2
	runs cmdline_proc_show a2
	disable a2
	untouched klp_target:fn1 cmdline_proc_show
}
it "position 1 replaces position 0 inside a set" positions_inside_a_set

# fn4() and fn4_alias() are one piece of code.
alias_of_another_set() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn4
	refuse_function fn4_alias a1 1 b1 2 funcs=cmdline_proc_show,klp_target:fn4_alias
	runs klp_target:fn4 a1
	untouched cmdline_proc_show
	disable a1
	load b2 set=2 funcs=klp_target:fn4_alias
	refuse_function fn4 b2 2 a2 1 funcs=klp_target:fn4
	runs klp_target:fn4 b2
}
it "two names of one address are the same function" alias_of_another_set

# The alias stops an upgrade, late: addresses are known after admit only.
alias_stops_upgrade() {
	load_target klp_target
	load a1 set=1 funcs=cmdline_proc_show,klp_target:fn1
	load b1 set=2 funcs=klp_target:fn4
	refuse_function fn4_alias b1 2 a2 1 funcs=cmdline_proc_show,klp_target:fn4_alias
	runs cmdline_proc_show a1
	runs klp_target:fn1 a1
	runs klp_target:fn4 b1
	load a3 set=1 funcs=cmdline_proc_show
	gone a1
	untouched klp_target:fn1
}
it "an upgrade refused for an alias leaves the old patch in force" alias_stops_upgrade

# Which of the two replacements should run? Nobody could tell.
alias_within_a_patch() {
	load_target klp_target
	refuse EINVAL a1 set=1 funcs=klp_target:fn4,klp_target:fn4_alias
	logged "'client_a1'" "'fn4"
	untouched klp_target:fn4
	load a2 set=1 funcs=klp_target:fn4_alias
}
it "two names of one address within a patch are refused" alias_within_a_patch

# Version 2 uses the other name. While a task sleeps in version 1's code, and
# after it, the new replacement runs.
alias_inside_a_set() {
	load_target klp_target
	load a1 set=1 funcs=klp_target:fn4,klp_target:park
	park a1
	start a2 set=1 funcs=klp_target:fn4_alias
	in_transition a2
	runs klp_target:fn4 a2
	unpark a1
	complete a2
	gone a1
	runs klp_target:fn4 a2
	load a3 set=1 funcs=klp_target:fn4
	gone a2
	runs klp_target:fn4_alias a3
	disable a3
	untouched klp_target:fn4
}
it "inside a set, a function is replaced under its other name" alias_inside_a_set

# Two sets came to share a function, when its module arrived. Without it in version 2,
# nobody would notice a task in version 1's code. With it, there would be two versions.
late_alias_stops_upgrade() {
	load a1 set=1 funcs=klp_target:fn4,cmdline_proc_show
	load b1 set=2 funcs=klp_target:fn4_alias
	load_target klp_target
	refuse_function fn4_alias b1 2 a2 1 funcs=cmdline_proc_show
	logged "dropped function 'fn4'"
	refuse_function fn4_alias b1 2 a3 1 funcs=klp_target:fn4
	refuse_function fn4 a1 1 b2 2 funcs=version_proc_show
	runs cmdline_proc_show a1
	in_set a1 1
	disable b1
	load b2 set=2 funcs=version_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	gone a1
	untouched klp_target:fn4
	unload a1 b1
}
it "an upgrade is refused where two sets came to share a function" late_alias_stops_upgrade

# lp1 changes A and must stay, lp2 changes A and B, lp3 replaces lp2 with B only:
# A would jump to another version in the middle of nowhere.
no_hybrids() {
	load a1 set=1 funcs=cmdline_proc_show
	refuse_function cmdline_proc_show a1 1 b1 2 funcs=cmdline_proc_show,version_proc_show
	untouched version_proc_show
	load b2 set=2 funcs=version_proc_show
	runs cmdline_proc_show a1
	runs version_proc_show b2
}
it "lp2 of the hybrid mode story is refused" no_hybrids

# Somebody's hand-made stock patch is there already.
function_of_a_stock_patch() {
	load s1 funcs=cmdline_proc_show
	refuse EINVAL a1 set=1 funcs=cmdline_proc_show
	logged "'client_a1'" "set 1" "'cmdline_proc_show'" "'client_s1'" "stock patch"
	runs cmdline_proc_show s1
	load a2 set=1 funcs=version_proc_show
	disable s1
	load a3 set=1 funcs=version_proc_show,cmdline_proc_show
	runs cmdline_proc_show a3
}
it "a function of a stock patch is refused" function_of_a_stock_patch

# A stock patch would stack on a managed patch's function.
stock_patch_stacks() {
	load a1 set=1 funcs=cmdline_proc_show
	refuse EINVAL s1 funcs=version_proc_show,cmdline_proc_show
	logged "'client_s1'" "stock patch" "'cmdline_proc_show'" "'client_a1'" "set 1"
	runs cmdline_proc_show a1
	untouched version_proc_show
	load s2 funcs=version_proc_show
}
it "a stock patch that changes a managed function is refused" stock_patch_stacks

# Stock patches may pile up among themselves, as ever.
stock_patches_stack() {
	load a1 set=1 funcs=version_proc_show
	load s1 funcs=cmdline_proc_show
	load s2 funcs=cmdline_proc_show
	runs cmdline_proc_show s2
	disable s2
	runs cmdline_proc_show s1
	enabled a1
}
it "stock patches stack on each other as without the core" stock_patches_stack

# The owner leaves.
owner_is_disabled() {
	load a1 set=1 funcs=cmdline_proc_show
	refuse_function cmdline_proc_show a1 1 b1 2 funcs=cmdline_proc_show
	disable a1
	load b1 set=2 funcs=cmdline_proc_show
	runs cmdline_proc_show b1
	disable b1
	unload a1 b1
	load a1 set=1 funcs=cmdline_proc_show
	runs cmdline_proc_show a1
}
it "a refused patch loads once the owner is disabled" owner_is_disabled

# The owner's next version no longer needs the function.
owner_drops_function() {
	load a1 set=1 funcs=cmdline_proc_show,version_proc_show
	refuse_function version_proc_show a1 1 b1 2 funcs=version_proc_show
	load a2 set=1 funcs=cmdline_proc_show
	unload a1
	load b1 set=2 funcs=version_proc_show
	runs version_proc_show b1
	refuse_function version_proc_show b1 2 a3 1 funcs=cmdline_proc_show,version_proc_show
}
it "a refused patch loads once the owner drops the function" owner_drops_function

finish
