#!/bin/bash
# A kernel that takes signed modules only: once it does, it does so until it goes down.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/fatal-lib.sh"

enforce=/sys/module/module/parameters/sig_enforce
cd $modules || exit 1

# says COMMAND WORDS...: check or install, and what it says
says() {
	local word said
	said=$(klp-sets "$1" vendor_a_v1.ko "${@:3}" 2>&1) || fail "klp-sets $1 has failed: $said"
	[[ $said == *"$2"* ]] || fail "klp-sets $1 does not say '$2': $said"
}

unsigned() {
	local said
	said=$(klp-sets check vendor_a_v1.ko 2>&1) || fail "$said"
	[[ $said != *signed* ]] || fail "it is said of a kernel that takes it: $said"
	[[ -w $enforce ]] || skip "this kernel knows no signatures"
	echo 1 > $enforce || fail "it cannot be enforced"
	says check "This kernel would not load 'vendor_a_v1' of set 1: it is not signed"
	said=$(klp-sets check --empty vendor_a_v1.ko 2>&1) || fail "$said"
	[[ $said != *signed* ]] || fail "--empty is for no machine: $said"
	! said=$(klp-sets check --strict vendor_a_v1.ko 2>&1) || fail "--strict says nothing: $said"
	! said=$(klp-sets install --strict vendor_a_v1.ko 2>&1) || fail "it is stored: $said"
	says install "This kernel would not load 'vendor_a_v1' of set 1: it is not signed"
	! said=$(klp-sets load vendor_a_v1.ko 2>&1) || fail "it is loaded: $said"
}
it "what is not signed is told, by a kernel that wants it" unsigned

# The issuer's name is what /proc/keys has of the key.
signed() {
	local name said
	[[ $(< $enforce) == Y ]] || skip "nothing is enforced"
	name=$(sed -n 's/.* asymmetri \(.*\): [0-9a-f]*: X509\..*/\1/p' /proc/keys | head -n 1)
	[[ $name ]] || skip "this kernel shows no keys"
	sign() {
		{
			cat vendor_a_v1.ko
			printf '%s\0\0\2\0\0\0\0\0' "$1"
			printf '\0\0\0%b~Module signature appended~\n' "\\0$(printf %o ${#1})"
		} > "$scratch/vendor_a_v1.ko"
	}
	sign "by ${name##*: } and others"
	said=$(klp-sets check "$scratch/vendor_a_v1.ko" 2>&1) || fail "$said"
	[[ $said != *"would not load"* ]] || fail "its key is there: $said"
	sign "by somebody else"
	said=$(klp-sets check "$scratch/vendor_a_v1.ko" 2>&1) || fail "$said"
	[[ $said == *"none of which has the name of that"* ]] || fail "nothing is said: $said"
}
it "so is a signature by a key that is not the kernel's" signed

echo "1..$test_count"
exit $test_status
