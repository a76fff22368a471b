# shellcheck shell=bash disable=SC2034
# machine.sh - what the stages in the machine share
. ../lib.sh
state=/var/lib/package-test
livepatch=/sys/kernel/livepatch
store=/var/lib/klp-sets/$release

patched() {
	grep -x "cmdline, patched by vendor A, version $1" /proc/cmdline
}

not_patched() {
	grep root=/dev/vda /proc/cmdline
}

# loaded NAME...: these livepatches and no other
loaded() {
	diff <(printf '%s\n' "$@") <(ls $livepatch)
}

# What klp-sets.service has said since the machine was started.
journal() {
	journalctl -b -u klp-sets.service -o cat
}

# Everything that was to be started has been, without a failure.
running() {
	systemctl is-system-running --wait || systemctl --failed
	[ "$(systemctl is-system-running)" = running ]
}

# All that is on the disk, but for what an installation of whatever leaves.
files() {
	find /boot /etc /home /opt /srv /usr /var -xdev \( -path "$state" -o -path /var/cache \
		-o -path /var/log -o -path /var/lib/apt -o -path /var/lib/dpkg \
		-o -path /var/lib/systemd -o -path /var/tmp -o -path /var/backups \) \
		-prune -o -print | sort
}

# What the kernel has of us.
hooks() {
	echo "livepatches: $(ls "$livepatch")"
	echo "functions: $(cut -d ' ' -f 1 /sys/kernel/tracing/enabled_functions)"
	echo "probes: $(cat /sys/kernel/debug/kprobes/list)"
	echo "modules: $(grep -E '^(klp|vendor)' /proc/modules || true)"
	ls -d /sys/kernel/klp_sets 2> /dev/null || true
}
