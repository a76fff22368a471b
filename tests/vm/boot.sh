# shellcheck shell=bash disable=SC2034,SC2154
# Starts one machine.

# The kernel's name for what QEMU needs: /dev/kvm alone is no proof.
accelerator() {
	if grep -q -w -E 'vmx|svm' /proc/cpuinfo && [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
		echo "-accel kvm -cpu host"
	else
		# With more than one thread QEMU races with the kernel's own
		# code patching.
		echo "-accel tcg,thread=single -cpu ${KLP_SETS_CPU:-Nehalem}"
	fi
}

# boot KERNEL INITRD CONSOLE [OPTION...]: what the guest writes to ttyS1 comes out on
# stdout. The limit ends a machine that no longer can end itself. A machine that is
# booted again continues its console.
boot() {
	local accel kernel=$1 initrd=$2 console=$3
	shift 3
	read -r -a accel <<< "$(accelerator)"
	timeout --foreground -k 10 "${KLP_SETS_MACHINE_LIMIT:-4500}" \
		setpriv --pdeathsig KILL \
		qemu-system-x86_64 "${accel[@]}" -smp 2 -m 2G \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$console,append=on" -serial chardev:console \
		-chardev stdio,id=output,signal=off -serial chardev:output \
		-kernel "$kernel" -initrd "$initrd" "$@" \
		-append "console=ttyS0 loglevel=7 log_buf_len=8M panic=-1 random.trust_cpu=on rdinit=/init ${KLP_SETS_CMDLINE:-}" \
		< /dev/null
}
