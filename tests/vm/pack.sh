# shellcheck shell=bash disable=SC2034,SC2154
# What differs from run to run goes into a small second archive behind the
# cached one: Linux unpacks archives that follow each other.

# The debug kernel's clock is not ours, see boot.sh.
declare -A file_limit=([debug]=10000)

# What is worth its time on a kernel that watches every step.
declare -A choice=([debug]="random fuzz faults/*")

# pack DIR: expects DIR/plan or DIR/command, makes DIR/initrd.
pack() {
	local dir=$1 overlay=$1/overlay build lock
	build=$(build_dir)
	mkdir -p "$overlay/klp-sets"
	cp "$vm/guest/init" "$overlay/init"
	rsync --recursive --links --perms --exclude-from="$vm/objects" "$top/" "$overlay/klp-sets/"
	# Not while another run builds.
	exec {lock}> "$build/lock"
	flock --shared "$lock"
	cp -r "$build/modules" "$build/bin" "$overlay/klp-sets/"
	exec {lock}>&-
	if [ -d "$kdir/selftests/guest" ]; then
		cp -r "$kdir/selftests/guest/." "$overlay/"
	fi
	{
		echo "file_limit=${KLP_SETS_FILE_LIMIT:-${file_limit[$kernel]:-1200}}"
		# For tests and scripts: all that the user calls KLP_TEST_*.
		set | grep -E '^KLP_TEST_[A-Z_]+=' | sed 's/^/export /' || true
	} > "$overlay/klp-sets/settings"
	for f in plan command; do
		[ ! -e "$dir/$f" ] || cp "$dir/$f" "$overlay/klp-sets/"
	done
	(cd "$overlay" && find . | cpio --quiet -o -H newc -R 0:0) > "$dir/overlay.cpio"
	cat "$kdir/base.cpio" "$dir/overlay.cpio" > "$dir/initrd"
	rm -rf "$overlay" "$dir/overlay.cpio"
}

# A folder for one run's console and output; old ones go after two weeks.
run_dir() {
	mkdir -p "$cache/runs"
	find "$cache/runs" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} +
	mktemp -d "$cache/runs/$kernel-$(date +%Y%m%d-%H%M%S)-XXX"
}

# Whether a file says that the newest kernel tells it all, or the oldest and the newest.
skips_kernel() {
	case $suite in
	bullseye) grep -q '^# On the newest kernel\.$' "$1" ;;
	bookworm | trixie) grep -q -E '^# On the (oldest and the )?newest kernel\.$' "$1" ;;
	*) false ;;
	esac
}

# select_tests WORDS...: names, with or without .sh, or globs; none is the kernel's
# choice, or all functional tests that may tell something new on it. Few kernels can run
# those in tests/faults.
select_tests() {
	local word words file found all=
	[ $# -gt 0 ] || all=1
	read -r -a words <<< "${*:-${choice[$kernel]:-functional/*}}"
	for word in "${words[@]}"; do
		found=
		word=${word##*tests/}
		[[ $word == */* ]] || word="*/$word"
		for file in "$top"/tests/{functional,faults,fatal}/*.sh; do
			# Helpers that tests source are not executable.
			[ -x "$file" ] || continue
			[ -z "$all" ] || ! skips_kernel "$file" || continue
			file=${file#"$top"/tests/}
			# shellcheck disable=SC2053 # a glob, if the user likes
			if [[ $file == $word || $file == $word.sh ]]; then
				echo "tests/$file"
				found=1
			fi
		done
		[ -n "$found" ] || die "no test matches '$word' in tests"
	done | awk '!seen[$0]++'
}
