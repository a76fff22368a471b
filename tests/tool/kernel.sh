#!/bin/bash
# Which kernel it is: the one that runs here, whatever it is called. It is read, no more.
. "$(dirname "$0")/lib.sh"

folder=$(cd "$(dirname "$0")" && pwd)
unset KLP_SETS_ROOT KLP_SETS_KERNEL
# No more than that is there of /sys: whatever this machine has loaded is left alone.
mount -t sysfs -o ro sysfs /sys
cp /sys/kernel/notes "$scratch/notes"
umount /sys
mkdir -p /sys/kernel
cp "$scratch/notes" /sys/kernel/notes
release=$(uname -r)
store=/var/lib/klp-sets/$release
build=$(perl -e '
	local $/;
	my $notes = <STDIN>;
	while (length $notes) {
		my ($name, $desc, $type) = unpack "L3", $notes;
		my ($n, $d) = map { ($_ + 3) & ~3 } $name, $desc;
		print unpack "H*", substr $notes, 12 + $n, $desc
			if $type == 3 && substr($notes, 12, $name) eq "GNU\0";
		$notes = substr $notes, 12 + $n + $d;
	}' < /sys/kernel/notes)

# Livepatches that were built for it, if one believes them.
for name in vendor_a_v1 vendor_a_v2 vendor_b_v1; do
	"$folder/forge" $modules/$name.ko "$scratch/$name.ko" "modinfo:vermagic=$release SMP" ||
		exit 1
done
modules=$scratch

# Each test begins without a store, and in a new boot, as far as anybody has noted.
fresh() {
	rm -rf /var/lib/klp-sets /run/klp-sets
}

# As a livepatch can do it: uname tells something else.
renamed() {
	setarch --uname-2.6 "$@"
}

has_build() {
	[[ -n $build ]] || fail "this kernel has no build id, or it was not found"
}

other_name() {
	fresh
	[[ $(renamed uname -r) != "$release" ]] || fail "the kernel has no other name"
	install vendor_a_v1
	said=$(renamed klp-sets list --stored 2>&1)
	says vendor_a_v1
	said=$(renamed klp-sets install "$modules/vendor_b_v1.ko" 2>&1) || fail "it says: $said"
	says "is stored for kernel $release"
	stored 01-set-1/current/{build-id,vendor_a_v1.ko} 02-set-2/current/{build-id,vendor_b_v1.ko}
	[[ $(ls /var/lib/klp-sets) == "$release"$'\nlock' ]] || fail "$(ls /var/lib/klp-sets)"
}
it "the release is that of the first look in this boot, whatever uname tells later" other_name

# Nobody has looked before.
other_name_at_first() {
	fresh
	has_build
	install vendor_a_v1
	rm -r /run/klp-sets
	said=$(renamed klp-sets list --stored 2>&1)
	says vendor_a_v1
	# Of another boot.
	sed -i 's/^boot .*/boot 01234567-89ab-cdef-0123-456789abcdef/' /run/klp-sets/kernel
	sed -i "s/^$release\$/1.2.3/" /run/klp-sets/kernel
	said=$(renamed klp-sets list --stored 2>&1)
	says vendor_a_v1
}
it "or that under which the store knows this build" other_name_at_first

# The copy of a machine that was running, or of an older boot.
other_boot() {
	fresh
	mkdir -p /run/klp-sets
	printf 'boot 01234567-89ab-cdef-0123-456789abcdef\n1.2.3\n' > /run/klp-sets/kernel
	install vendor_a_v1
	says "is stored for kernel $release"
}
it "what was noted in another boot does not count" other_boot

rebuilt() {
	local note=$store/content/01-set-1/current/build-id
	fresh
	has_build
	install vendor_a_v1 vendor_b_v1
	[[ $(< "$note") == "$build" ]] || fail "the build is $build, and the store says $(< "$note")"
	accept list --stored
	says_not "another build"
	reject 1 "no livepatching" boot
	says_not "another build"
	# What would be there after an update of the kernel under its name.
	echo "${build//[0-9]/a}" > "$note"
	accept list --stored
	says "not loaded at boot: it was stored for another build of this kernel"
	accept list --stored --json
	[[ $(tr -d ' \n' <<< "$said") == *'"set":1,"set_name":null,"name":"vendor_a_v1","held":false,"other_build":true,'*'"build":"'"${build//[0-9]/a}"'"'*'"set":2,"set_name":null,"name":"vendor_b_v1","held":false,"other_build":false,'* ]] ||
		fail "it lists $said"
	reject 1 "'vendor_a_v1' of set 1 is not loaded: it was stored for another build" boot
	says_not "'vendor_b_v1' of set 2 is not loaded: it was stored for another build"
	# A version that was built again.
	install vendor_a_v2
	accept list --stored
	says_not "not loaded at boot"
	reject 1 "'vendor_a_v1' was stored for another build" rollback 1
	stored 01-set-1/before-1/{build-id,vendor_a_v1.ko} 01-set-1/current/{build-id,vendor_a_v2.ko} \
		02-set-2/current/{build-id,vendor_b_v1.ko}
}
it "what was stored for another build of this release is not loaded, and not gone back to" rebuilt

it_fits() {
	fresh
	has_build
	install vendor_a_v1
	echo abcd > "$store/content/01-set-1/current/build-id"
	accept install "$store/content/01-set-1/current/vendor_a_v1.ko"
	says "stored already"
	accept list --stored
	says_not "another build"
	# In the store of an earlier klp-sets.
	rm "$store/content/01-set-1/current/build-id"
	accept list --stored
	says_not "another build"
	reject 1 "no livepatching" boot
	says_not "another build"
	install vendor_b_v1
	stored 01-set-1/current/vendor_a_v1.ko 02-set-2/current/{build-id,vendor_b_v1.ko}
}
it "unless it is installed once more, or nobody knows what it was stored for" it_fits

# It is on no disk that another machine has.
elsewhere() {
	fresh
	export KLP_SETS_ROOT=$scratch/root
	install vendor_a_v1
	[[ ! -e $KLP_SETS_ROOT/var/lib/klp-sets/$release/content/01-set-1/current/build-id ]] ||
		fail "the build of this kernel is noted for another machine"
}
it "for another machine no build is noted" elsewhere

finish
