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

# boot IMAGE_DIR INITRD CONSOLE: what the guest writes to ttyS1 comes out on
# stdout. The limit ends a machine that no longer can end itself.
boot() {
	local accel
	read -r -a accel <<< "$(accelerator)"
	timeout --foreground -k 10 "${KLP_SETS_MACHINE_LIMIT:-4500}" \
		setpriv --pdeathsig KILL \
		qemu-system-x86_64 "${accel[@]}" -smp 2 -m 2G \
		-nodefaults -no-user-config -display none -no-reboot \
		-chardev "file,id=console,path=$3" -serial chardev:console \
		-chardev stdio,id=output,signal=off -serial chardev:output \
		-kernel "$1" -initrd "$2" \
		-append "console=ttyS0 loglevel=7 log_buf_len=8M panic=-1 random.trust_cpu=on rdinit=/init ${KLP_SETS_CMDLINE:-}" \
		< /dev/null
}
