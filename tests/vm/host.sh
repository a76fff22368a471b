# shellcheck shell=bash disable=SC2034,SC2154
# The kernel `host`: the running one, or that of KERNELS=/path/to/vmlinuz. Its files are
# where a distribution puts them, or where the user says:
#   MODDIR=   for /lib/modules/RELEASE
#   KDIR=     for the headers, the folder `build` in that
#   KSRC=     the source, for the kernel's own selftests; the folder `source`, if it is one
# They are read, and nothing is written there.

# A distribution may keep them from everybody but root.
host_read() {
	local file=$1
	shift
	if [ -r "$file" ]; then
		"$@" "$file"
	else
		as_root "$@" "$file"
	fi
}

# The release is a string that the header of the kernel's boot protocol points to.
image_release() {
	local head offset text
	head=$(host_read "$1" od -A n -t c -j 514 -N 4 2> /dev/null | tr -d ' ') || return 1
	[ "$head" = HdrS ] || return 1
	offset=$(host_read "$1" od -A n -t u2 -j 526 -N 2)
	text=$(host_read "$1" tail -c "+$((offset + 513))" | head -c 200 | tr '\0' '\n' || true)
	read -r text _ <<< "$text"
	[ -n "$text" ] && echo "$text"
}

# What a machine cannot do without, and who wants it.
host_needs=(
	"X86_64 these tests"
	"MODULES klp-sets"
	"LIVEPATCH klp-sets"
	"KALLSYMS_ALL klp-sets"
	"KPROBES klp-sets"
	"BLK_DEV_INITRD the root of the machine"
	"BINFMT_ELF the root of the machine"
	"BINFMT_SCRIPT the root of the machine"
	"DEVTMPFS the root of the machine"
	"PROC_FS the root of the machine"
	"SYSFS the root of the machine"
	"SERIAL_8250 the serial ports of the machine"
	"SERIAL_8250_CONSOLE the kernel log"
	"MAGIC_SYSRQ the end of the machine"
)
host_hates=(
	"MODULE_SIG_FORCE it takes only modules that its maker signed"
	"LOCK_DOWN_KERNEL_FORCE_INTEGRITY it takes only modules that its maker signed"
	"LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY it takes only modules that its maker signed"
	"CMDLINE_OVERRIDE it cannot be told to use the serial port"
)

host_has() {
	grep -q -x "CONFIG_$1=y" "$host_config"
}

# host_problems: one line for each thing that the configuration forbids
host_problems() {
	local entry uarts
	for entry in "${host_needs[@]}"; do
		host_has "${entry%% *}" ||
			echo "it has no CONFIG_${entry%% *}=y, which ${entry#* } cannot do without"
	done
	for entry in "${host_hates[@]}"; do
		! host_has "${entry%% *}" || echo "it has CONFIG_${entry%% *}: ${entry#* }"
	done
	uarts=$(sed -n 's/^CONFIG_SERIAL_8250_NR_UARTS=//p' "$host_config")
	[ "${uarts:-2}" -ge 2 ] ||
		echo "it has CONFIG_SERIAL_8250_NR_UARTS=$uarts, and the machine has two serial ports"
}

# host_find host|IMAGE: sets release and host_image, host_moddir, host_kdir, host_config,
# host_source. All that is missing is said at once.
host_find() {
	local f built problems=()
	host_image=${KLP_SETS_IMAGE:-}
	[[ $1 != */* ]] || host_image=$(realpath -ms "$1")
	# Whoever is started from here finds the same by the name of host.
	export KLP_SETS_IMAGE=$host_image

	if [ -n "$host_image" ]; then
		[ -f "$host_image" ] || die "no file $host_image"
		release=$(image_release "$host_image") ||
			die "$host_image is no image of an x86 kernel (bzImage)"
	else
		release=$(uname -r)
		for f in "/boot/vmlinuz-$release" {,/usr}"/lib/modules/$release/vmlinuz" \
			"/boot/kernel-$release"; do
			[ -f "$f" ] || continue
			host_image=$f
			break
		done
		if [ -z "$host_image" ]; then
			problems+=("no image in /boot or /lib/modules/$release: KERNELS=/path/to/vmlinuz says where it is")
		elif ! built=$(image_release "$host_image"); then
			problems+=("$host_image is no image of an x86 kernel (bzImage)")
		elif [ "$built" != "$release" ]; then
			problems+=("$host_image is Linux $built")
		fi
	fi

	host_moddir=$(realpath -ms "${MODDIR:-/lib/modules/$release}")
	host_kdir=$(realpath -ms "${KDIR:-$host_moddir/build}")
	[ -d "$host_moddir" ] ||
		problems+=("no modules in $host_moddir: MODDIR= says where they are")
	built=$(sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
		"$host_kdir/include/generated/utsrelease.h" 2> /dev/null || true)
	host_config=$host_kdir/include/config/auto.conf
	if [ -z "$built" ] || [ ! -r "$host_config" ]; then
		problems+=("no headers in $host_kdir: install linux-headers-$release (Debian, Ubuntu), kernel-devel-$release (Fedora, RHEL) or the kernel's -devel package (SUSE), or KDIR= says where they are")
	elif [ "$built" != "$release" ]; then
		problems+=("the headers in $host_kdir are of Linux $built")
	elif [ ! -e "$host_kdir/Module.symvers" ]; then
		problems+=("no Module.symvers in $host_kdir: a source where nothing has been built is not enough")
	else
		mapfile -t -O "${#problems[@]}" problems < <(host_problems)
	fi
	if [ ${#problems[@]} -gt 0 ]; then
		die "$(printf '%s\n' "Linux $release cannot be tested here:" "${problems[@]/#/  }")"
	fi

	for host_source in "${KSRC:-}" "$host_kdir" "$host_moddir/source"; do
		[ ! -d "$host_source/tools/testing/selftests/livepatch" ] || break
	done
	[ -d "$host_source/tools/testing/selftests/livepatch" ] || host_source=
	[ -z "${KSRC:-}" ] || [ "$host_source" = "$KSRC" ] ||
		die "no tools/testing/selftests/livepatch in KSRC=$KSRC: it must be the source of a kernel"
}

# The userland is that of a suite, and so is the compiler of the command. The files give
# the folder in the cache its name, so that a kernel that was compiled again is another one.
kernel_resolve_host() {
	host_find "$1"
	kernel=host
	suite=trixie
	apt_refresh "$suite"
	series=$(grep -o '^[0-9]*\.[0-9]*' <<< "$release")
	version=host-$( (
		host_read "$host_image" cksum
		cksum < "$host_kdir/Module.symvers"
		echo "$host_moddir $host_kdir"
	) | cksum | cut -d ' ' -f 1)
	kdir=$cache/kernels/${release}_$version
}

# What fetch puts into the cache, in place of packages.
host_files() {
	local dir=$kdir/image.new
	rm -rf "$dir"
	mkdir -p "$dir/boot" "$dir/lib/modules"
	host_read "$host_image" cat > "$dir/boot/vmlinuz-$release"
	cp "$host_config" "$dir/boot/config-$release"
	ln -s "$host_moddir" "$dir/lib/modules/$release"
	mv "$dir" "$kdir/image"
}

host_says() {
	say "host: Linux $release, image $host_image, modules $host_moddir, headers $host_kdir"
	[ -n "$host_source" ] ||
		say "host: the kernel's own selftests are left out: KSRC= would say where its source is"
}

# host_no_boot CONSOLE: what may be the matter with a machine whose init never ran
host_no_boot() {
	if [ -s "$1" ]; then
		echo "Linux $release does not get as far as its first process. Its log is above."
	else
		echo "Linux $release says nothing on its first serial port. It needs a driver for that port"
		echo "(8250), built in, and a processor that QEMU has: KLP_SETS_CPU=max is the best it emulates."
	fi
}

# host_skipped LOG: what was skipped, and why
host_skipped() {
	awk '/^### BEGIN / { sub(".*/", "", $3); file = $3 }
		/^(ok|1\.\.0) .*# SKIP/ {
			sub(/^(ok [0-9]+ - |1\.\.0 )/, "")
			print "  skipped: " file ": " $0
		}' "$1" | sed 's/: # SKIP /: /'
}

# Modules that do not compile are a result as well.
host_unbuilt() {
	[ "$kernel" != host ] ||
		echo "; if it is the modules of klp-sets that do not compile for Linux $release, tell its authors, with the log above"
}

# host_verdict STATUS RUN: what to do with the result
host_verdict() {
	local tell="tell its authors, with the name of your distribution and the files in $2"
	[ ! -e "$2/output.log" ] || host_skipped "$2/output.log" >&2
	if [ "$1" != 0 ]; then
		say "Linux $release has FAILED: do not load klp-sets on it, and $tell"
	elif [ -n "$KLP_SETS_TESTS" ]; then
		say "Linux $release has passed these tests: now run all of them, without TESTS="
	else
		say "Linux $release has passed: klp-sets can be used on it; $tell, so that others know"
	fi
}
