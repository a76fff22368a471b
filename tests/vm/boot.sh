# shellcheck shell=bash disable=SC2034,SC2154
# Starts one machine of $kernel.

# The debug kernel puts the release of every kobject off, by seconds. Its clock counts
# instructions and jumps to the next timer when there is nothing to do. The search for lost
# memory looks at every page, so it has few.
declare -A clock=([debug]="-icount shift=3,sleep=off")
declare -A memory=([debug]=1G)

# Every release says so in the log, which costs time on a serial port.
declare -A loglevel=([debug]=6)

# Distributions set up another number of serial ports.
declare -A cmdline=([host]=8250.nr_uarts=2)

# The kernel's name for what QEMU needs: /dev/kvm alone is no proof.
accelerator() {
	if grep -q -w -E 'vmx|svm' /proc/cpuinfo && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
		echo "-accel kvm -cpu host"
	else
		# With more than one thread QEMU races with the kernel's own
		# code patching.
		echo "-accel tcg,thread=single -cpu ${KLP_SETS_CPU:-Penryn} ${clock[$kernel]:-}"
	fi
}

# Of four processors two are switched on, the others by tests that want them. Two that are
# off still cost a tenth of the time, so only the newest kernel has them.
smp() {
	case ${suite:-}:$kernel in
	*:debug) echo 2 ;;
	trixie-backports:*) echo 4 ;;
	*) echo 2 ;;
	esac
}

# See install-tools.
qemu() {
	local newer=$cache/qemu/usr
	if [ -d "$newer" ]; then
		echo "$newer/bin/qemu-system-x86_64 -L $newer/share/qemu -L $newer/share/seabios"
	else
		echo qemu-system-x86_64
	fi
}

# boot IMAGE INITRD CONSOLE [OPTION...]: what the guest writes to ttyS1 comes out on
# stdout. The limit ends a machine that no longer can end itself. A machine that is
# booted again continues its console.
boot() {
	local accel qemu image=$1 initrd=$2 console=$3
	shift 3
	read -r -a accel <<< "$(accelerator)"
	read -r -a qemu <<< "$(qemu)"
	# Emulated, page table isolation takes a sixth of the time, what else is done for real
	# processors' sake a tenth, and clearing, counting and labelling the memory of each of the
	# many short processes a fifth; and a machine that gets no processor for half a minute is
	# not locked up.
	timeout --foreground -k 10 "${KLP_SETS_MACHINE_LIMIT:-4500}" \
		setpriv --pdeathsig KILL \
		"${qemu[@]}" "${accel[@]}" -smp "${processors:-$(smp)}" -m "${memory[$kernel]:-2G}" \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$console,append=on" -serial chardev:console \
		-chardev stdio,id=output,signal=off -serial chardev:output \
		-pidfile "${console%/*}/pid" -kernel "$image" -initrd "$initrd" "$@" \
		-append "console=ttyS0 loglevel=${loglevel[$kernel]:-7} log_buf_len=8M panic=-1 random.trust_cpu=on mitigations=off init_on_alloc=0 cgroup_disable=memory transparent_hugepage=never apparmor=0 maxcpus=2 ${cmdline[$kernel]:-} watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120 rdinit=/init ${KLP_SETS_CMDLINE:-}" \
		< /dev/null
}
