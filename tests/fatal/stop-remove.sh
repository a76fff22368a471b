#!/bin/bash
# ftrace stops itself while a patch is managed, and the hooks cannot be removed when
# that has gone.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/fatal-lib.sh"

# Its function is in a module that is not there, so ftrace has nothing to do with it.
last_patch_goes() {
	load_core
	load s1 set=1 funcs=klp_target:fn1
	stop_ftrace
	mark
	set_attribute s1 enabled 0
	gone s1
	wait_until "the core is dead" is_dead
	stays_for_ever
}
it "hooks that cannot be removed keep the core" last_patch_goes
it "it refuses what follows, and says why" refuses_all
it "the kernel's own livepatching goes on" stock_livepatch_lives

echo "1..$test_count"
exit $test_status
