#!/bin/bash
# Killed at any of its system calls, a command leaves the old content of the store or the
# new one, and the next command works. Between two calls that change a file, all are alike:
# only those that may change one are tried.
. "$(dirname "$0")/lib.sh"

# Names and contents of all files that are in force.
sums() {
	cd "$1/content" 2> /dev/null && md5sum -- */*/*.ko
}

before=$scratch/before
# The store at $before is put where the command looks for it.
restore() {
	rm -rf "$KLP_SETS_ROOT"
	cp -a "$before" "$KLP_SETS_ROOT"
}

# Whatever has been left behind, somebody else can go on, and it is gone then.
goes_on() {
	local was=$1 now last rest file
	accept install $modules/vendor_c_module.ko
	now=$(sums "$store")
	last=${now##*$'\n'}
	rest=${now%"$last"}
	[[ $last == *vendor_c_module.ko && ${rest%$'\n'} == "$was" ]] ||
		fail "$2: the next command changed the store to:
$(sums "$store")"
	for file in "$store"/*; do
		[[ $file == "$store/content" || $file -ef $store/content ]] ||
			fail "$2: $file was not cleaned up"
	done
}

# Whatever it got to, the next run completes it, and has nothing more to do then.
completes() {
	local wanted=$new
	accept apply "${folder[@]}"
	[[ $(sums "$store") == "$wanted" ]] || fail "$2: the next run changed the store to:
$(sums "$store")"
	accept apply "${folder[@]}"
	says "nothing is to be done"
}

harmless="access|arch_prctl|brk|close|execve|exit_group|faccessat2?|fcntl|fstat|futex|getdents64|get[a-z]*id
|getrandom|ioctl|lseek|mmap|mprotect|munmap|newfstatat|poll|pread64|prlimit64|readv?|readlinkat?|rseq|rt_sig[a-z]*
|set_robust_list|set_tid_address|statfs|statx|sysinfo|uname|umask|wait4|fadvise64|clock_[a-z]*|fgetxattr"

# killed_everywhere VERB...: in the store that is there
after=goes_on
killed_everywhere() {
	local old new now call n status seen_old=0 seen_new=0
	rm -rf "$before"
	cp -a "$KLP_SETS_ROOT" "$before"
	old=$(sums "$store")
	strace -f -o "$scratch/trace" klp-sets -q "$@" > /dev/null || fail "klp-sets $* fails"
	new=$(sums "$store")
	[[ $old != "$new" ]] || fail "klp-sets $* changes nothing"

	# strace counts each kind of call by itself.
	for call in $(sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$scratch/trace" | sort -u |
			grep -v -x -E "${harmless//$'\n'/}"); do
		for ((n = 1; ; n++)); do
			restore
			status=0
			strace -f -o /dev/null -e trace="$call" -e "inject=$call:signal=KILL:when=$n" \
				klp-sets -q "$@" > /dev/null 2>&1 || status=$?
			[[ $status == 137 ]] || break
			now=$(sums "$store")
			case $now in
			"$old") seen_old=$((seen_old + 1)) ;;
			"$new") seen_new=$((seen_new + 1)) ;;
			*) fail "klp-sets $*, killed at $call number $n: the store holds
$now" ;;
			esac
			$after "$now" "klp-sets $*, killed at $call number $n"
		done
		# Ended by itself, as there is no such call any more.
		[[ $status == 0 && $(sums "$store") == "$new" ]] ||
			fail "klp-sets $*: status $status without $call number $n"
	done
	diag "killed at $seen_old system calls with the old content, at $seen_new with the new"
	((seen_old > 20 && seen_new > 2)) || fail "too few to be true"
} 2> /dev/null

first_install() {
	killed_everywhere install $modules/vendor_a_v1.ko
}
it "the first install of all" first_install

upgrade() {
	install vendor_a_v1 vendor_b_v1
	killed_everywhere install $modules/vendor_a_v2.ko
}
it "an install of the next version" upgrade

uninstall() {
	install vendor_a_v1 vendor_a_v2 vendor_b_v1
	killed_everywhere uninstall 1
}
it "uninstall" uninstall

rollback() {
	install vendor_a_v1 vendor_a_v2 vendor_b_v1
	killed_everywhere rollback 1
}
it "rollback" rollback

# One that is installed, one that is upgraded, and one that goes.
apply() {
	folder=(--prune "$scratch/folder")
	mkdir "$scratch/folder"
	cp $modules/vendor_a_v2.ko $modules/vendor_b_v1.ko "$scratch/folder"
	install vendor_a_v1 vendor_c_module
	after=completes
	killed_everywhere apply "${folder[@]}"
}
it "apply" apply

finish
