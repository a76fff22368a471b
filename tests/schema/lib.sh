# shellcheck shell=bash
# lib.sh - what tests print for `check`, who holds it against the schema

# json_is WHAT VERB...: klp-sets --json VERB... prints what the schema calls WHAT
json_is() {
	local what=$1
	shift
	echo "# JSON $what $(klp-sets --json "$@" 2> /dev/null | tr -d '\n')"
}
