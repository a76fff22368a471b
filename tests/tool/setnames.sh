#!/bin/bash
# Names for the numbers of sets.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../schema/lib.sh"

conf=$KLP_SETS_ROOT/etc/klp-sets/sets.conf
packaged=$KLP_SETS_ROOT/usr/lib/klp-sets/sets.d

names() {
	mkdir -p "${conf%/*}" "$packaged"
	printf '%s\n' "$@" > "$conf"
}

takes_and_shows() {
	names '# ours' '' '1 team-a # building 3' '  7	storage'
	echo "2 team_b" > "$packaged/team.conf"
	echo "3 nobody" > "$packaged/team.conf.dpkg-old"
	install vendor_a_v1 vendor_b_v1
	says "'vendor_b_v1' of set 2 (team_b) is stored"
	accept install --set storage $modules/client_s1.ko
	says "'client_s1' of set 7 (storage) is stored"
	accept list --stored
	grep -q "^7  *client_s1 .* storage$" <<< "$said" || fail "it lists $said"
	json_is stored list --stored
	accept list --stored --json
	[[ $(tr -d ' \n' <<< "$said") == *'{"set":7,"set_name":"storage","name":"client_s1"'* ]] ||
		fail "it lists $said"
	install vendor_a_v2
	accept rollback team-a
	says "'vendor_a_v1' of set 1 (team-a) is stored again"
	accept uninstall team_b
	says "set 2 (team_b) is not in the store any more"
	reject 1 "set 2 (team_b) is not in the store" uninstall team_b
	accept assign kpatch_cve storage team_b
	[[ $(grep -v '^#' "${conf%/*}/assign.conf") == "kpatch_cve 7 2" ]] ||
		fail "assign.conf: $(< "${conf%/*}/assign.conf")"
	echo "client_s2 team-a" >> "${conf%/*}/assign.conf"
	install client_s2
	says "'client_s2' of set 1 (team-a) is stored"
	accept check --empty --set storage $modules/client_klp_build.ko
	accept uninstall 7
}
it "a set is taken by its name, and shown with it" takes_and_shows

# In JSON and in sentences, whatever tells of it.
shown_everywhere() {
	names '1 team-a' '2 team-b' '7 storage'
	accept check --empty $modules/vendor_a_v1.ko
	says "vendor_a_v1.ko: set 1 (team-a)"
	json_is check check --empty $modules/vendor_a_v1.ko
	said=$(klp-sets check --empty --json $modules/vendor_a_v1.ko $modules/vendor_b_conflict.ko)
	says '"set_name":"team-b"'
	[[ $(tr -d ' \n' <<< "$said") == *'"patch":"vendor_a_v1","set":1,"set_name":"team-a"'* ]] ||
		fail "it says $said"
	reject 1 "asks for set 1 (team-a) itself" check --empty --set 7 $modules/vendor_a_v1.ko
	reject 1 "or build a 'vendor_b_conflict' that obsoletes set 1 (team-a)" \
		check --empty $modules/vendor_a_v1.ko $modules/vendor_b_conflict.ko
	accept stamp --set storage --obsoletes team-b $modules/client_s1.ko "$scratch/stamped.ko"
	says "of set 7 (storage), which obsoletes 2 (team-b)"
	accept assign kpatch_cve storage team-b
	says "'kpatch_cve' will belong to set 7 (storage)"
	accept assign
	says "7 (storage)"
	accept assign --json
	[[ $(tr -d ' \n' <<< "$said") == *'"name":"kpatch_cve","set":7,"set_name":"storage"'* ]] ||
		fail "it says $said"
}
it "a name is shown wherever a set is" shown_everywhere

# A number needs none, and the table has no column for nothing.
unknown() {
	install vendor_a_v1
	accept list --stored
	says_not "SET NAME"
	reject 2 "'storage' is not a set: a number from 0 to 4294967295, or a name in sets.conf" \
		install --set storage $modules/client_s1.ko
	reject 2 "'storage' is not a set" check --set storage $modules/client_s1.ko
	reject 2 "'storage' is not a set" assign client_s1 storage
	reject 2 "'storage' is not a set" assign client_s1 7 storage
	reject 1 "'storage' is not in the store" uninstall storage
	reject 1 "'storage' is not in the store" rollback storage
	stored 01-set-1/current/vendor_a_v1.ko
}
it "an unknown name is an error" unknown

both_ways() {
	install vendor_a_v1
	names '7 storage' '8 storage' '1 a'
	echo "1 b" > "$packaged/b.conf"
	reject 2 "'storage' is not a set" install --set storage $modules/client_s1.ko
	says "sets.conf, line 2: 'storage' is the name of set 8, and in $conf that of set 7"
	says "sets.conf, line 3: set 1 is called 'a', and in $packaged/b.conf 'b'"
	reject 1 "'a' is not in the store" uninstall a
	accept uninstall 1
	says "set 1 is not in the store any more"
	# The same twice is no trouble.
	names '7 storage' '7 storage'
	rm "$packaged/b.conf"
	accept install --set storage $modules/client_s1.ko
	says_not "line"
}
it "two numbers for a name, and two names for a number, are told of and count for nothing" both_ways

nonsense() {
	local line
	install vendor_a_v1
	for line in 7 'storage 7' '7 storage x' '7 7' '4294967296 big' '-1 small' '7 -x' '7 a/b' \
		"7 $(printf 'x%.0s' {1..64})" $'7 st\xc3\xb6'; do
		names '8 good' "$line"
		accept list --stored
		says "sets.conf, line 2 is left out"
		accept install --set good $modules/client_s1.ko
		accept uninstall good
	done
	rm "$conf"
	ln -s /dev/null "$conf"
	accept list --stored
	says_not "sets.conf"
}
it "a line that makes no sense is left out" nonsense

finish
