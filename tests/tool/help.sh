#!/bin/bash
# --help, the man page, README and the other documents speak of the same command, and
# it does what they say.
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

# "VERB ARGUMENTS", a line a verb
usages() {
	klp-sets --help | sed -n 's/^  \([a-z]\)/\1/p'
}

# section NAME: of the man page, as it is read
section() {
	sed -n "/^\.SH \"\?$1/,/^\.SH/p" "$top/Documentation/klp-sets.8" |
		sed 's/\\f[BIR]//g; s/\\-/-/g; s/^\.BI\? //'
}

# The same as usages, as the sections of the verbs have it.
man_usages() {
	sed -n '/^\\fB/{s/\\f[BIR]//g; s/\\-/-/g; p}' "$top/Documentation/klp-sets.8" |
		grep -v '^klp-sets '
}

# usage VERB
usage() {
	usages | grep "^$1\( \|$\)" || fail "there is no verb '$1'"
}

# Every option in a text, a line each.
options() {
	grep -o -e '\(^\|[^-a-z]\)--*[a-z][a-z-]*' <<< "$1" | sed 's/^[^-]//'
}

man_page() {
	[[ $(usages | wc -l) -ge 13 ]] || fail "--help has these verbs only: $(usages)"
	diff <(usages) <(man_usages) > "$scratch/diff" || fail "--help (<), man page (>):
$(< "$scratch/diff")"
	diff <(usages) <(section SYNOPSIS | sed -n 's/^klp-sets \([a-z]\)/\1/p') > "$scratch/diff" ||
		fail "--help (<), synopsis (>): $(< "$scratch/diff")"
	local option
	for option in $(options "$(klp-sets --help | grep '^  -')"); do
		sed 's/\\-/-/g' "$top/Documentation/klp-sets.8" | grep -q "^\.B.* *$option\>" ||
			fail "the man page has no $option"
	done
}
it "the man page has the verbs, arguments and options of --help, in its order" man_page

# All commands of ours in the documents.
commands() {
	{
		awk '/^```/ { block = $0 == "```sh"; next }
			block' "$top"/README.md "$top"/Documentation/*.md
		section EXAMPLES
	} | sed -n 's/^\(sudo \)\?klp-sets //p' | sed 's/ [|>] .*//'
}

documents() {
	local verb rest known option general
	general=$(klp-sets --help | grep '^  -')
	[[ $(section EXAMPLES | grep -c '^klp-sets ') -ge 10 ]] ||
		fail "the man page has these examples only: $(section EXAMPLES)"
	[[ $(commands | wc -l) -ge 25 ]] || fail "the documents have these only: $(commands)"
	while read -r verb rest; do
		known=$(usage "$verb") || fail "$known"
		for option in $(options "$rest"); do
			options "$known $general" | grep -qxF -e "$option" ||
				fail "klp-sets $verb $rest: --help knows no $option"
		done
	done < <(commands)
}
it "the commands in README and the other documents are those of --help" documents

each_verb() {
	local verb usage option
	while read -r verb usage; do
		accept help "$verb"
		[[ $said == "Usage: klp-sets $verb${usage:+ $usage}"$'\n'* ]] ||
			fail "help $verb begins otherwise: $said"
		for option in $(options "$usage"); do
			grep -q -e "^  \(-[a-z], \)\?$option\>" -e "^  $option, " <<< "$said" ||
				fail "help $verb does not tell of $option: $said"
		done
		options "$(grep "^  -" <<< "$said")" > "$scratch/told"
		for option in $(grep -o -e '--[a-z-]*' "$scratch/told"); do
			[[ " $(options "$usage" | xargs) " == *" $option "* ]] ||
				fail "help $verb tells of $option, and --help does not"
		done
		local expected=$said
		accept "$verb" --help
		[[ $said == "$expected" ]] || fail "$verb --help says something else: $said"
	done < <(usages)
	accept help
	[[ $said == "$(klp-sets --help)" ]] || fail "help alone says: $said"
	reject 2 "no verb 'nonsense'" help nonsense
}
it "help of a verb tells of each of its options, and of no other" each_verb

# All options of a verb are taken; what is wrong is what follows them.
wrong_usage() {
	local verb usage words
	reject 2 "verb is missing"
	reject 2 "no verb 'nonsense'" nonsense
	while read -r verb usage; do
		reject 2 option "$verb" --nonsense
		words=(a b c)
		# What takes any number of words is wrong with none.
		[[ $verb != check ]] || words=()
		[[ $usage == *--* ]] || continue
		# shellcheck disable=SC2046 # one option a word
		reject 2 "$verb" "$verb" $(sed 's/\(--[a-z]*\)\(\[=\|=\| \)[A-Z]\+/\1=1/g' <<< "$usage" |
			grep -o -e '--[a-z]*\(=1\)\?') "${words[@]}"
		says_not option
	done < <(usages)
	accept --help
	accept --version
}
it "what it does not understand ends with 2, and it understands what it says" wrong_usage

# A space where there must be a '='. Seconds that are needed may follow one.
seconds() {
	local sentence="the seconds of --wait follow a '=': --wait=30"
	reject 2 "$sentence" load --wait 30
	reject 2 "$sentence" load --wait 30 x.ko
	reject 2 "$sentence" load x.ko --wait 30
	reject 2 "$sentence" unload --wait 30 7
	reject 2 "$sentence" reverse 7 --wait 30
	reject 2 "$sentence" rollback --wait 30 7
	reject 2 "the seconds of --settled follow a '=': --settled=30" boot --settled 30
	# That may be a set.
	reject 1 "set 30 is not in the store" rollback --wait 30
	says "The seconds of --wait follow a '=': --wait=30"
	reject 1 "set 30 is not in the store" rollback 30
	says_not "--wait"
	accept boot --wait 30
}
it "seconds behind a space are taken, or it says how they are written" seconds

finish
