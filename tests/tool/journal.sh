#!/bin/bash
# What the command tells systemd's journal: a socket stands where that of the journal would.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/journal-lib.sh"

events() {
	local n
	n=$(grep -c . <<< "$arrived")
	[[ $n == "$1" ]] || fail "expected $1 events: $arrived"
}

stored_and_removed() {
	mkdir -p "$KLP_SETS_ROOT/etc/klp-sets"
	echo "1 team-a" > "$KLP_SETS_ROOT/etc/klp-sets/sets.conf"
	listen
	install vendor_a_v1
	install vendor_a_v2
	# Known, and no event.
	install vendor_a_v2
	heard
	events 2
	arrived=$(head -n 1 <<< "$arrived")
	event stored KLP_SETS_VERB=install KLP_SETS_LIVEPATCH=vendor_a_v1 KLP_SETS_SET=1 \
		KLP_SETS_SET_NAME=team-a PRIORITY=6
	listen
	accept rollback 1
	heard
	events 1
	event "rolled back" KLP_SETS_LIVEPATCH=vendor_a_v1 KLP_SETS_SET=1 KLP_SETS_FROM=vendor_a_v2
	listen
	accept uninstall 1
	heard
	events 1
	event "removed" KLP_SETS_VERB=uninstall KLP_SETS_LIVEPATCH=vendor_a_v1 KLP_SETS_SET=1
}
it "what comes into the store, and leaves it" stored_and_removed

refused() {
	install vendor_a_v1
	listen
	reject 1 "is not stored" install $modules/vendor_b_conflict.ko
	heard
	events 1
	event refused KLP_SETS_VERB=install KLP_SETS_LIVEPATCH=vendor_b_conflict KLP_SETS_SET=2 \
		KLP_SETS_CODE=function PRIORITY=4
}
it "a refusal has the code of each conflict" refused

applied() {
	mkdir "$scratch/wanted"
	cp $modules/vendor_a_v1.ko "$scratch/wanted"
	listen
	accept apply --dry-run "$scratch/wanted"
	accept apply "$scratch/wanted"
	accept apply "$scratch/wanted"
	heard
	events 1
	event stored KLP_SETS_VERB=apply KLP_SETS_LIVEPATCH=vendor_a_v1 KLP_SETS_SET=1
	cp $modules/vendor_b_conflict.ko "$scratch/wanted"
	listen
	reject 1 "nothing is changed" apply "$scratch/wanted"
	heard
	event refused KLP_SETS_VERB=apply KLP_SETS_CODE=function
	rm "$scratch"/wanted/*
	listen
	accept apply --prune "$scratch/wanted"
	heard
	events 1
	event removed KLP_SETS_VERB=apply KLP_SETS_LIVEPATCH=vendor_a_v1
}
it "apply tells what it has done" applied

told() {
	listen
	accept assign kpatch_cve 7
	accept assign kpatch_cve -
	accept policy stock_replace=scoped
	heard
	events 3
	event assigned KLP_SETS_LIVEPATCH=kpatch_cve KLP_SETS_SET=7
	event unassigned KLP_SETS_LIVEPATCH=kpatch_cve
	event "policy changed" KLP_SETS_POLICY=stock_replace KLP_SETS_VALUE=scoped
}
it "assignments and policies" told

# A name of a folder cannot make a field.
one_line() {
	local strange=$scratch/strange$'\n'PRIORITY=0
	mkdir "$strange"
	printf garbage > "$strange/vendor_a_v1.ko"
	listen
	reject 1 "nothing is changed" apply "$strange"
	heard
	events 1
	event refused KLP_SETS_CODE=unreadable PRIORITY=4
	[[ $arrived != *"|PRIORITY=0"* ]] || fail "a name is a field: $arrived"
}
it "a strange name makes no field" one_line

# Nobody there, nobody listening, one that is full, and a root whose name is too long.
without() {
	install vendor_a_v1
	mkdir -p "${socket%/*}"
	accept uninstall 1
	echo > "$socket"
	install vendor_a_v1
	rm "$socket"
	listen
	kill -STOP $listener
	for _ in {1..300}; do
		perl -MSocket -e '
			socket(S, AF_UNIX, SOCK_DGRAM, 0);
			exit !send(S, "x", MSG_DONTWAIT, sockaddr_un($ARGV[0]))' "$socket" || break
	done
	said=$(timeout 60 klp-sets uninstall 1 2>&1) || fail "status $?, it says: $said"
	kill -KILL $listener
	wait $listener 2> /dev/null
	install vendor_a_v1
	long=$scratch/$(printf 'x%.0s' {1..120})
	mkdir "$long"
	KLP_SETS_ROOT=$long accept install $modules/vendor_a_v1.ko
}
it "without a journal nothing is different" without

# The IDs are for ever, so they stand in the source, and in both pages.
documented() {
	local ids page
	ids=$(grep -o '"[0-9a-f]\{32\}"' "$top/tool/read/journal.c" | tr -d '"' | sort)
	[[ $(wc -l <<< "$ids") -gt 10 && -z $(uniq -d <<< "$ids") ]] || fail "the IDs are: $ids"
	for page in fleet.md klp-sets.8; do
		[[ $(grep -o '\b[0-9a-f]\{32\}\b' "$top/Documentation/$page" | sort -u) == "$ids" ]] ||
			fail "$page has not these: $ids"
	done
}
it "each MESSAGE_ID is documented" documented

finish
