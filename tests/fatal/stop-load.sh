#!/bin/bash
# ftrace stops itself while the core places its hooks for the first time.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/fatal-lib.sh"

stops_at_load() {
	insmod $modules/klp_breaker.ko function=klp_kobj_release_patch tail=1 ||
		fail "klp_breaker.ko does not load"
	mark
	meant_to_warn load_core
	stays_for_ever
}
it "a core that has placed some hooks stays loaded" stops_at_load
it "it refuses what follows, and says why" refuses_all
it "the kernel's own livepatching goes on" stock_livepatch_lives

echo "1..$test_count"
exit $test_status
