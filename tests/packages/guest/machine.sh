# shellcheck shell=bash
# machine.sh - what the stages in the machine share
. ../lib.sh
state=/var/lib/package-test
livepatch=/sys/kernel/livepatch

patched() {
	grep -x "cmdline, patched by vendor A, version $1" /proc/cmdline
}

not_patched() {
	grep root=/dev/vda /proc/cmdline
}

# All that is on the disk, but for what an installation of whatever leaves.
files() {
	find /boot /etc /home /opt /srv /usr /var -xdev \( -path $state -o -path /var/cache \
		-o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd -o -path /var/tmp -o -path /var/backups \) \
		-prune -o -print | sort
}

# What the kernel has of us.
hooks() {
	echo "livepatches: $(ls $livepatch)"
	echo "functions: $(cut -d ' ' -f 1 /sys/kernel/tracing/enabled_functions)"
	echo "probes: $(cat /sys/kernel/debug/kprobes/list)"
	echo "modules: $(grep -E '^(klp|vendor)' /proc/modules)"
	ls -d /sys/kernel/klp_sets 2> /dev/null || true
}
