#!/bin/bash
# A kernel that the engine does not know: its build stops with one sentence, and DKMS leaves it
# out. Run in the build root of a kernel that is known, with its headers and its configuration
# changed.
cd /klp-sets || exit 1
kdir=/lib/modules/$KLP_SETS_KERNEL/build
source=/lib/modules/$KLP_SETS_KERNEL/source
livepatch_h=$source/include/linux/livepatch.h
# Callbacks have moved into a header of their own.
callbacks_h=$(grep -l '(\*\(klp_\)\?pre_patch\(_t\)\?)(struct klp_object' \
	"$source"/include/linux/livepatch*.h)
ftrace_h=$source/include/linux/ftrace.h
config=$kdir/include/config/auto.conf
said=$(mktemp)
test_count=0
test_status=0

# What a test changes is put back.
changed=("$livepatch_h" "$callbacks_h" "$ftrace_h" "$config")
for file in "${changed[@]}"; do
	cp "$file" "$file.before"
done

it() {
	local file
	test_count=$((test_count + 1))
	if ("${@:2}"); then
		echo "ok $test_count - $1"
	else
		echo "not ok $test_count - $1"
		test_status=1
	fi
	for file in "${changed[@]}"; do
		cp "$file.before" "$file"
	done
}

fail() {
	echo "# $*"
	sed 's/^/# /' "$said"
	exit 1
}

# change FILE SED-SCRIPT: and something must change
change() {
	sed -i "$2" "$1"
	! cmp -s "$1" "$1.before" || fail "'$2' changes nothing in $1"
}

# stops WORDS: the build does, with a sentence that has these words, and nothing else is wrong
stops() {
	! make KDIR="$kdir" > "$said" 2>&1 || fail "it was built"
	[[ $(grep -c "klp-sets cannot work on this kernel: .*$1" "$said") == 1 ]] ||
		fail "it does not say '$1', or more than once"
	[[ $(grep -c -E 'error:|klp-sets cannot' "$said") == 1 ]] || fail "it says more than that"
	! grep -q 'CC .*/main\.o' "$said" || fail "more was compiled"
}

# left_out: DKMS would not build for this kernel, nor take that for a failure
left_out() {
	local kernelver=$KLP_SETS_KERNEL kernel_source_dir=$kdir
	. /klp-sets/dkms.conf 2> "$said"
	[[ ! $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]] || fail "DKMS would build it"
	[[ -z $AUTOINSTALL ]] || fail "DKMS would install it by itself"
	[[ $(grep -c "klp-sets cannot work on this kernel: .*$1" "$said") == 1 ]] ||
		fail "DKMS does not say '$1'"
}

# As it is, so that what follows shows something.
known() {
	local kernelver=$KLP_SETS_KERNEL kernel_source_dir=$kdir
	make -C "$kdir" M=/klp-sets/src kernel.o > "$said" 2>&1 || fail "kernel.c is not compiled"
	. /klp-sets/dkms.conf 2> "$said"
	[[ ! -s $said && -n $AUTOINSTALL && $kernelver =~ $BUILD_EXCLUSIVE_KERNEL ]] ||
		fail "DKMS would leave it out"
	! (kernelver=; kernel_source_dir=; . /klp-sets/dkms.conf; [[ -z $AUTOINSTALL ]]) ||
		fail "DKMS cannot add it"
}
it "this kernel is known" known

# --- by configuration ---------------------------------------------------------

with() {
	echo "CONFIG_$1=y" >> "$config"
	stops "$1"
	left_out "$1"
}

without() {
	change "$config" "/^CONFIG_$1=/d"
	stops "$1"
	left_out "$1"
}

it "no livepatching" without LIVEPATCH

architecture() {
	change "$config" "s/^CONFIG_X86_64=y/CONFIG_RISCV=y/"
	stops "another architecture than x86-64, arm64, s390x and ppc64le"
	left_out "another architecture than x86-64, arm64, s390x and ppc64le"
}
it "another architecture" architecture

cleaned() {
	change "$config" "/^CONFIG_LIVEPATCH=/d"
	make KDIR="$kdir" clean > "$said" 2>&1 || fail "make clean fails"
	[[ ! -e src/kernel.o ]] || fail "something is left"
}
it "but make clean works" cleaned
it "no symbols of data" without KALLSYMS_ALL
it "no kprobes" without KPROBES
it "replace sets of its own" with KLP_HAS_PROVIDES
it "livepatching that stops the machine, of one vendor" with LIVEPATCH_STOP_MACHINE_MODEL
it "and of another" with LIVEPATCH_STOP_MACHINE_CONSISTENCY
it "livepatching without ftrace" with LIVEPATCH_WO_FTRACE

# --- by header ----------------------------------------------------------------

# header SENTENCE SED-SCRIPT
header() {
	change "$livepatch_h" "$2"
	stops "$1"
}

replace() {
	header "the replace of its struct klp_patch is not a bool" "$1"
	left_out "the replace of its struct klp_patch is not a bool"
}
it "a replace that is a number" replace 's/^\tbool replace;/\tunsigned int replace;/'
it "no replace at all" replace 's/^\tbool replace;/\tunsigned int provides;/'
it "a replace that only the compiler sees through" header \
	"the replace of its struct klp_patch is not a bool" \
	's/^\tbool replace;/#if 0\n&\n#endif\n\tunsigned int replace;/'
it "another klp_enable_patch()" header "its klp_enable_patch() is of another type" \
	's/^int klp_enable_patch(struct klp_patch \*/int klp_enable_patch(int flags, struct klp_patch */'

object_callbacks() {
	change "$callbacks_h" 's/\((\*\(klp_\)\?pre_patch\(_t\)\?)(struct \)klp_object/\1klp_patch/'
	stops "the pre_patch of its livepatches is of another type"
}
it "other callbacks of objects" object_callbacks

callback() {
	change "$ftrace_h" '/^typedef void (\*ftrace_func_t)/s/unsigned long ip/unsigned long call, &/'
	stops "its ftrace_func_t, the callback of ftrace, is of another type"
}
it "another callback of ftrace" callback

echo "1..$test_count"
exit $test_status
