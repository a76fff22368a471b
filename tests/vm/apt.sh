# shellcheck shell=bash disable=SC2034,SC2154
# A private apt for each suite, on the mirrors the machine itself uses. The
# host's own package lists, preferences and packages are not touched; proxies
# and the like are taken over because apt reads the host's configuration first.

# The Repo-URI of the machine's package index with this Label, if it has one.
apt_mirror() {
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' |
		awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label { print $3; exit }'
}

apt_keyring() {
	local f
	for f in /usr/share/keyrings/debian-archive-keyring.{gpg,pgp}; do
		if [ -e "$f" ]; then
			echo "$f"
			return
		fi
	done
	die "no Debian archive keyring: install debian-archive-keyring"
}

apt_sources() {
	local suite=$1 base=${1%-backports} archive security options
	archive=$(apt_mirror Debian)
	security=$(apt_mirror Debian-Security)
	[ -n "$archive" ] || die "apt on this machine knows no Debian archive"
	options="[arch=amd64 signed-by=$(apt_keyring)]"
	echo "deb $options $archive $base main"
	if [ "$suite" != "$base" ]; then
		echo "deb $options $archive $suite main"
	fi
	# bullseye's security suite has left the mirrors, sid has none.
	if [ -n "$security" ] && [ "$base" != bullseye ] && [ "$base" != sid ]; then
		echo "deb $options $security $base-security main"
	fi
}

# apt_run SUITE apt-get|apt-cache ARGS...
apt_run() {
	local dir=$cache/apt/$1 tool=$2
	shift 2
	"$tool" -o Dir::Etc="$dir/etc" -o Dir::State="$dir" \
		-o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
		-o Dir::Cache::pkgcache=pkgcache.bin -o Dir::Cache::srcpkgcache=srcpkgcache.bin \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 \
		-o APT::Sandbox::User="$(id -un)" \
		-o APT::Update::Post-Invoke::= -o APT::Update::Post-Invoke-Success::= "$@"
}

# Lists are good for a day: a kernel that Debian releases is picked up, and a
# day's work does not wait for the network. An old list is better than none.
apt_refresh() {
	local suite=$1 dir=$cache/apt/$1 lock
	mkdir -p "$dir"/{lists/partial,cache/archives/partial} \
		"$dir"/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d}
	exec {lock}> "$dir/lock"
	flock "$lock"
	if [ -z "$(find "$dir/fresh" -mmin -1440 2> /dev/null)" ] ||
	   [ -n "$(find /etc/apt -newer "$dir/fresh" -print -quit)" ]; then
		: > "$dir/status"
		apt_sources "$suite" > "$dir/etc/sources.list"
		if apt_run "$suite" apt-get -q update --error-on=any > "$dir/update.log" 2>&1; then
			touch "$dir/fresh"
		elif [ -e "$dir/fresh" ]; then
			say "cannot refresh the package lists of $suite, using old ones (see $dir/update.log)"
		else
			cat "$dir/update.log" >&2
			die "cannot fetch the package lists of $suite"
		fi
	fi
	exec {lock}>&-
}

# The network settings of this machine's apt, for an apt in a new root.
apt_network_options() {
	apt-config dump --no-empty |
		grep -E '^Acquire::(https?|Check-Valid-Until|Retries|ForceIPv[46])[: ]' || true
}
