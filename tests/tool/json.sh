#!/bin/bash
# What --json prints. The host holds what json_is prints against the schema.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/../schema/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$modules" || exit 1

# has TEXT...: all of these are in what it said, without blanks.
has() {
	local text
	for text; do
		[[ $(tr -d ' \n' <<< "$said") == *"${text//[[:space:]]/}"* ]] ||
			fail "expected $text, it says: $said"
	done
}

one_object() {
	accept install vendor_a_v1.ko
	accept assign kpatch_cve 7 8
	for words in "stored list --stored" "assign assign" "policy policy" \
		"check check --empty vendor_a_v1.ko"; do
		# shellcheck disable=SC2086 # words
		json_is $words
		# shellcheck disable=SC2086 # words
		accept --json ${words#* }
		[[ $(tr -d ' \n' <<< "$said") == '{"version":1,'*'}' ]] || fail "it says: $said"
	done
}
it "all that is printed is one object with a version" one_object

# A script that asked for JSON must not take anything else for it.
no_json() {
	local verb usage
	while read -r verb usage; do
		case $verb in
		list | status | check | apply | assign | policy) ;;
		*)
			reject 2 "$verb prints no JSON; these do: list, status, check, apply, assign, policy" \
				--json "$verb"
			reject 2 "prints no JSON" "$verb" --json x
			;;
		esac
	done < <(klp-sets --help | sed -n 's/^  \([a-z]\)/\1/p')
	reject 2 "prints JSON only when it shows" --json assign kpatch_cve 7
	reject 2 "prints JSON only when it shows" --json assign kpatch_cve -
	reject 2 "prints JSON only when it shows" --json policy taint=1
	[[ -z $(ls -A "$KLP_SETS_ROOT") ]] || fail "something was changed"
}
it "--json is refused where there is none" no_json

policies() {
	local conf=$KLP_SETS_ROOT/etc/modprobe.d/klp-sets.conf
	accept policy taint=yes stock_replace=scoped
	accept --json policy
	has '"name":"taint", "now":null, "kept":true, "default":false, "values":[false, true]' \
		'"name":"stock_replace", "now":null, "kept":"scoped", "default":"all",
		 "values":["all", "scoped", "refuse"]' \
		'"name":"allow_replace_all", "now":null, "kept":null, "default":true'
	echo "options klp_sets taint=perhaps" > "$conf"
	json_is policy policy
	accept --json policy
	has '"name":"taint", "now":null, "kept":"perhaps"'
}
it "what is yes or no is a boolean" policies

# --- conflicts ---------------------------------------------------------------------

# conflict CODE PATCH SET OPTION...: the first that is found in these files
conflict() {
	local code=$1 patch=$2 set=$3
	shift 3
	json_is check check --empty "$@"
	said=$(klp-sets --json check --empty "$@" 2> /dev/null) && fail "there is none: $said"
	has '"conflicts":[{"code":"'"$code"'","reason":"'
	[[ $(tr -d '\n' <<< "$said") =~ \"advice\":\"[^\"]*\",\ *\"patch\":$patch,\ *\"set\":$set,\ *\"set_name\":null\ *\} ]] ||
		fail "expected $patch of $set, it says: $said"
}

# map LINE...: the symbols of a kernel
map() {
	printf '%s\n' "$@" > "$scratch/map"
}

conflicts() {
	conflict function '"vendor_a_v1"' 1 vendor_a_v1.ko vendor_b_conflict.ko
	conflict function '"client_klp_build"' null client_klp_build.ko vendor_b_v1.ko
	conflict already-enabled '"vendor_a_v1"' 1 vendor_a_v1.ko vendor_a_v1.ko
	map 'ffffffff81000000 T loadavg_proc_show'
	conflict function-missing null null --symbols "$scratch/map" vendor_a_v1.ko
	map 'ffffffff81000000 T cmdline_proc_show' 'ffffffff81000100 T version_proc_show' \
		'ffffffff81000200 T loadavg_proc_show' 'ffffffff81000300 t loadavg_proc_show'
	conflict function-ambiguous null null --symbols "$scratch/map" vendor_b_v1.ko
	map 'ffffffff81000000 T loadavg_proc_show' $'ffffffffc0000000 t fn1\t[klp_target]' \
		$'ffffffffc0000000 t fn4_alias\t[klp_target]'
	conflict function-twice null null --symbols "$scratch/map" --set 5 client_klp_build.ko
}
it "a conflict has a code, and names the other livepatch and its set" conflicts

warnings() {
	"$top/tests/tool/forge" $modules/vendor_a_v1.ko "$scratch/part.ko" \
		string:version_proc_show=foo.cold || fail forge
	"$top/tests/tool/forge" $modules/vendor_b_v1.ko "$scratch/whole.ko" \
		string:loadavg_proc_show=foo || fail forge
	json_is check check --empty "$scratch/part.ko" "$scratch/whole.ko"
	accept --json check --empty "$scratch/part.ko" "$scratch/whole.ko"
	has '"warnings":[], "warning_codes":[]'
	has "the compiler has made both from 'foo'.\" ], \"warning_codes\":[\"function-part\"]"
	said=$(klp-sets --json check --empty --strict "$scratch/part.ko" "$scratch/whole.ko")
	has '"conflicts":[{"code":"function-part"'
}
it "a warning has a code, the one of the conflict that it is with --strict" warnings

no_verdict() {
	json_is check check --empty nothing.ko klp_target.ko vendor_a_v1.ko client_a1.ko
	said=$(klp-sets --json check --empty nothing.ko 2> /dev/null) && fail "accepted: $said"
	has '{"version":1, "files":[{"file":"nothing.ko", "accepted":false, "error":"'
}
it "a file that cannot be read has its place in the list, too" no_verdict

codes() {
	local of_rules of_schema of_page
	of_rules=$(grep -ohE '((conflict(_with_owner)?\(j|add_warning\((j->)?v), |\.code = )"[a-z-]+"' "$top"/tool/know/*.c |
		cut -d '"' -f 2 | sort -u)
	of_schema=$(sed -n '/"code"/,/]/p' "$top/Documentation/klp-sets.schema.json" |
		sed -n 's/^ *"\([a-z-]*\)",\?$/\1/p' | sort)
	of_page=$(sed -n '/^\.SS Conflicts/,/^\.S[HS] [^C]/s/^\.B \([a-z\\-]*\)$/\1/p' \
		"$top/Documentation/klp-sets.8" | sed 's/\\//g' | sort)
	[[ $(wc -l <<< "$of_rules") -ge 10 ]] || fail "the rules have these only: $of_rules"
	diff <(echo "$of_rules") <(echo "$of_schema") > "$scratch/diff" ||
		fail "rules (<), schema (>): $(< "$scratch/diff")"
	diff <(echo "$of_rules") <(echo "$of_page") > "$scratch/diff" ||
		fail "rules (<), man page (>): $(< "$scratch/diff")"
	diff <(grep -ohE 'add_warning\((j->)?v, "[a-z-]+"' "$top"/tool/know/*.c | cut -d '"' -f 2 | sort -u) \
		<(sed -n '/"warning_codes": {/,/}$/s/.*"enum": \[ \(.*\) \].*/\1/p' \
			"$top/Documentation/klp-sets.schema.json" | tr -d ' "' | tr , '\n' | sort) \
		> "$scratch/diff" || fail "warnings of the rules (<), schema (>): $(< "$scratch/diff")"
}
it "the rules, the schema and the man page have the same codes" codes

finish
