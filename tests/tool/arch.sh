#!/bin/bash
# Livepatches for x86-64, arm64, s390x and ppc64le, read on any of them. Nothing here needs a
# kernel or a compiler; `make check-arch` has what compilers make.
. "$(dirname "$0")/lib.sh"

folder=$(cd "$(dirname "$0")" && pwd)
file=$scratch/patch.ko

# is WHAT ARCH CODE...: what is said of a livepatch with this code: known, or unknown
is() {
	local expected=$1 found=known
	shift
	"$folder/make-patch" "$1" "$file" "${@:2}" || fail "make-patch $*"
	said=$(klp-sets check --empty "$file" 2>&1) || found=unknown
	[[ $found == known || $said == *": stock livepatch, UNKNOWN"* ]] || fail "$*: it says: $said"
	[[ $found == "$expected" ]] || fail "expected $expected, for $*: it says: $said"
}

# The first instructions put the address of .data + 0 into a register: of the first argument
# (first), or of another one (base).
arm64_first=(00000090 275:data+0@4 00000091 277:data+0@4)
arm64_base=(01000090 275:data+0@4 21000091 277:data+0@4)
s390x_first=(c02000000000 19:data+2@4)
s390x_base=(c01000000000 19:data+2@4)
ppc64le_first=(0000623c 50:data+0@4 00006338 48:data+0@4)
ppc64le_base=(0000223d 50:data+0@4 00002939 48:data+0@4)
arm64_enable=(00000014 282:enable+0@4)
s390x_enable=(c0f400000000 20:enable+2@4)
ppc64le_enable=(00000048 10:enable+0@4)
arm64_other=(00000094 283:other+0@4)
s390x_other=(c0e500000000 20:other+2@4)
ppc64le_other=(01000048 10:other+0@4)

tables() {
	local arch
	for arch in x86_64 arm64 s390x ppc64le; do
		is known $arch
		says "adds     'fn1' of klp_target"
		says "'twin,2' of klp_target"
		accept check --empty --json "$file"
		said=$(tr -d ' \n' <<< "$said")
		says '"states":[{"id":"5","version":258}]'
	done
}

nobody_knows() {
	"$folder/make-patch" arm64 "$file" || fail "make-patch"
	# An arm64 of the other byte order, a ppc64 of it, RISC-V.
	local bytes
	for bytes in 5=02 18=f3 4=01; do
		cp "$file" "$scratch/other.ko"
		printf "\\x${bytes#*=}" |
			dd of="$scratch/other.ko" bs=1 seek="${bytes%=*}" conv=notrunc status=none
		reject 1 "cannot read" check --empty "$scratch/other.ko"
	done
	cp "$file" "$scratch/other.ko"
	printf '\xf3' | dd of="$scratch/other.ko" bs=1 seek=18 conv=notrunc status=none
	reject 1 "it is not for x86-64, arm64, s390x or ppc64le" check --empty "$scratch/other.ko"
}

# each EXPECTED KIND ARM64 S390X PPC64LE: with these instructions behind the address, and then the call
each() {
	local expected=$1 kind=$2 arch code=()
	shift 2
	for arch in arm64 s390x ppc64le; do
		local -n start=${arch}_$kind first=${arch}_first enable=${arch}_enable
		read -r -a code <<< "$1"
		is "$expected" $arch "${start[@]}" "${code[@]}" "${first[@]}" "${enable[@]}"
		shift
	done
}

enabled() {
	each known first "" "" ""
	# A register is copied, and what was in it is gone.
	each known base "e00301aa" "b9040021" "784b237d"
	# A constant into a structure behind the patch, and into the stack.
	each known base "3f900339" "920010e4" "e400493d"
	each known base "e00700f9" "e320f0a00024" "a00001f8"
	# Compared with NULL, and a way round.
	each known base "410000b4 1f2003d5" "b9020011a78400030707" "0000292c0800824100000060"
}
it "code that enables a livepatch does not change it" enabled

stored() {
	# patch.replace = 0, or what is in another register
	each unknown base "3f600039" "92001018" "18004999"
	each unknown base "22600039" "42201018" "18004999"
	# the same by a copy, by an address that was moved, and on one of two ways
	each unknown base "e30301aa7f600039" "b904003192003018" "784b2a7d18004a99"
	each unknown base "2340009122200039" "4130101092003008" "1000493918004a99"
	each unknown base "420000b43f600039" "b9020022a784000492001018" "0000222c0800824118004999"
	# more than one byte, and a table
	each unknown base "3f0800f9" "d71f10001000" "100049f9"
	each unknown base "3f2400f9" "e3201048002400" "480049f9"
}
it "a store through a register into its tables makes it unknown" stored

lost() {
	# An index, and instructions that nobody knows here
	each unknown base "3f682238" "42221018" "ae49487d"
	each unknown base "2010c0da" "b92e0021" "ffff21fd"
	# The address into memory, to a function, back to who called, and to who knows where
	each unknown base "e10700f9" "e310f0a00024" "a00021f9"
	each unknown first "${arm64_other[*]}" "${s390x_other[*]}" "${ppc64le_other[*]}"
	each unknown first "00003fd6" "0de3" "2104804e"
	each unknown first "c0035fd6" "07fe" "2000804e"
	each unknown base "40001fd6" "07f3" "2004804e"
}
it "where an address cannot be followed, it is unknown" lost

it "the tables say the same in the files of each architecture" tables
it "other byte orders and architectures are refused" nobody_knows
finish
