#!/bin/bash
# The examples that a kernel cannot have do not keep the others from being built.
cd /klp-sets || exit 1
kdir=/lib/modules/$KLP_SETS_KERNEL/build
config=$kdir/include/config/auto.conf
status=0
echo 1..2

# would_build: the objects, as make says without doing it
would_build() {
	make -n -C examples KDIR="$kdir" KLP_SETS_SYMVERS=src/Module.symvers 2>&1 |
		grep -o '[a-z0-9_]*\.c\>' | sort -u | tr '\n' ' '
}

# expect NUMBER SENTENCE FILE...: these are compiled, and no other
expect() {
	local found
	found=$(would_build | grep -o '\(vendor\|state\)_[a-z0-9_]*\.c' | grep -v mod.c | tr '\n' ' ')
	if [[ $found == "${*:3} " ]]; then
		echo "ok $1 - $2"
	else
		echo "# it would compile: $found"
		echo "not ok $1 - $2"
		status=1
	fi
}

others=(state_v1.c state_v2.c vendor_a_v1.c vendor_a_v2.c vendor_b_conflict.c vendor_b_v1.c)
expect 1 "all examples are built" "${others[@]}" vendor_c_module.c
sed -i '/^CONFIG_NET=/d' "$config"
expect 2 "all but one are built for a kernel without network" "${others[@]}"
exit $status
