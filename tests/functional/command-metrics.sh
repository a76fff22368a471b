#!/bin/bash
# metrics on a machine. `make check-fleet` holds what is printed as METRICS against what Prometheus takes.
# shellcheck source-path=SCRIPTDIR
# On the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/command-lib.sh"

store=/var/lib/klp-sets/$(uname -r)
install_core
eval "clean_up_machine() $(declare -f clean_up | tail -n +2)"
clean_up() {
	rm -rf /var/lib/klp-sets /run/klp-sets /etc/klp-sets
	clean_up_machine
}

metrics() {
	does 0 metrics
	echo "# METRICS BEGIN $1"
	sed 's/^/# METRICS /' <<< "$said"
	[[ $(tail -n 1 <<< "$said") == "# EOF" ]] || fail "the end is missing: $said"
}

# shows LINE...: each is one of the lines
shows() {
	local line
	for line; do
		grep -qxF -e "$line" <<< "$said" || fail "expected $line
in $said"
	done
}

nothing() {
	metrics nothing
	shows "klp_sets_livepatching 1" "klp_sets_engine_loaded 0" "klp_sets_sets 0" \
		"klp_sets_transition_in_progress 0" "klp_sets_stored 0"
	! grep -q "refusals_total" <<< "$said" || fail "who is not loaded counts: $said"
}
it "a machine with nothing says so" nothing

counts() {
	does 0 install --load vendor_a_v1.ko
	does 0 install vendor_b_v1.ko
	does 0 load --set 9 client_klp_build.ko
	! insmod vendor_b_conflict.ko 2> /dev/null || fail "it was not refused"
	metrics loaded
	shows "klp_sets_engine_loaded 1" "klp_sets_engine_old 0" "klp_sets_engine_dead 0" \
		"klp_sets_sets 2" \
		'klp_sets_patch_info{patch="vendor_a_v1",set="1",set_name="",version="",kind="native"} 1' \
		'klp_sets_patch_info{patch="client_klp_build",set="9",set_name="",version="",kind="adopted"} 1' \
		'klp_sets_functions{patch="vendor_a_v1",set="1"} 2' \
		'klp_sets_functions_by_effect{patch="vendor_a_v1",set="1",effect="in effect"} 2' \
		'klp_sets_functions_by_effect{patch="client_klp_build",set="9",effect="waiting for module"} 2' \
		'klp_sets_transitions_total 2' 'klp_sets_refusals_total 1' \
		'klp_sets_stored_info{patch="vendor_a_v1",set="1",set_name="",state="enabled"} 1' \
		'klp_sets_stored_info{patch="vendor_b_v1",set="2",set_name="",state="not loaded"} 1' \
		'klp_sets_stored 2' 'klp_sets_stored_not_in_effect 1' 'klp_sets_stored_held 0'
	mkdir -p "$store/held"
	touch "$store/held/vendor_b_v1"
	does 0 metrics --output "$scratch/out/klp-sets.prom"
	printed ""
	said=$(< "$scratch/out/klp-sets.prom")
	shows 'klp_sets_stored_held 1' "# EOF"
	[[ $(ls -A "$scratch/out") == klp-sets.prom ]] || fail "there are $(ls -A "$scratch/out")"
}
it "it tells what is loaded, stored, and was refused" counts

# A task that sleeps in the old function holds it up.
goes_on() {
	local start
	load_core
	load_target klp_target
	park klp_target
	start a1 set=5 funcs=klp_target:park
	in_transition a1
	metrics transition
	shows "klp_sets_transition_in_progress 1" "klp_sets_transition_waiting_tasks 1"
	start=$(sed -n 's/^klp_sets_transition_start_time_seconds{patch="client_a1",set="5",to="enabled"} //p' \
		<<< "$said")
	((start <= $(date +%s) && start > $(date +%s) - 600)) || fail "it began at '$start'"
	unpark klp_target
	complete a1
}
it "it tells since when a transition goes on" goes_on

need_core
finish
