# shellcheck shell=bash disable=SC2034,SC2154
# What every script in this folder needs: where things are kept, how progress
# is shown, how root is got, which suite a kernel comes from.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
vm=$top/tests/vm
# sudo drops the environment: scripts started through it get the cache by name.
cache=${KLP_SETS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/klp-sets}
export KLP_SETS_CACHE=$cache
export LC_ALL=C.UTF-8
# Settings of an outer make are for the host, not for the kernel's build.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

# Daemons and libraries of Debian keep their tools here, root's PATH or not.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

die() {
	echo "klp-sets: $*" >&2
	exit 1
}

say() {
	echo "klp-sets: $*" >&2
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo --preserve-env=KLP_SETS_CACHE "$@"
	fi
}

# step TEXT COMMAND...: one line on the terminal, everything else in a log;
# the end of the log is shown when the command fails.
step() {
	local text=$1 log start status
	shift
	mkdir -p "$cache/logs"
	log=$(mktemp "$cache/logs/step-$(date +%Y%m%d-%H%M%S)-XXXXXX.log")
	say "$text ..."
	start=$SECONDS
	echo "+ $*" > "$log"
	# Not "|| status=$?": that would switch off -e inside the command.
	set +e
	(set -e; "$@") >> "$log" 2>&1 < /dev/null
	status=$?
	set -e
	if [ $status -ne 0 ]; then
		say "$text: FAILED (status $status). The end of $log:"
		tail -n 60 "$log" >&2
		return $status
	fi
	say "$text: done in $((SECONDS - start)) s"
}

# The folder of a kernel is named by release and version, so that an update in
# Debian makes a new one and never a mixture.
kernel_suite() {
	case ${1%%-*} in
	5.10) echo bullseye ;;
	6.1) echo bookworm ;;
	6.12) echo trixie ;;
	*) echo trixie-backports ;;
	esac
}

kernel_flavour() {
	case $1 in
	*-*) echo "${1#*-}-amd64" ;;
	*) echo amd64 ;;
	esac
}
