#!/bin/bash
# Replacing when memory is short: the old patches stay as they are.
. "$(dirname "$0")/faults-lib.sh"
need_core
only_below do_one_initcall

old_patches() {
	load p1 set=1 funcs=cmdline_proc_show,klp_target:fn1 states=5:lock,6:cache:shadow
	load p3 set=8 funcs=loadavg_proc_show,klp_target:fn2 states=7:queue
}

shown() {
	[[ $(readlink -f "$sets/1/patch") == "$livepatch/client_p2" ]]
}

# And the old ones come back.
replaced() {
	wait_until "sysfs shows the new patch" shown
	in_set p2 1
	free_set 8
	gone p1 p3
	runs klp_target:fn1 original
	runs loadavg_proc_show p2
	disable p2
	unload p1 p2 p3
	old_patches
}

both_sets() {
	load_target klp_target
	old_patches
	each_fault replaced insmod "$modules/client_p2.ko" set=1 obsoletes=8 \
		funcs=cmdline_proc_show,loadavg_proc_show states=5:lock,9:list
}
it "its own set and one that it obsoletes, with states that stay, come and go" both_sets

finish
