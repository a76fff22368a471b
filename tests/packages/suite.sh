# shellcheck shell=bash disable=SC2034,SC2154
# suite_resolve SUITE: sets what kernel_resolve does, for the kernel of this Debian release;
# second, another kernel with headers of the same version; and checkers, packages for the
# parts of the test that are run on the newest release only.
suite_resolve() {
	checkers=
	case $1 in
	bullseye) kernel_resolve 5.10 ;;
	bookworm) kernel_resolve 6.1 ;;
	trixie)
		kernel_resolve 6.12
		checkers="elfutils git lintian rpm"
		;;
	*) die "no suite $1: known are bullseye, bookworm, trixie" ;;
	esac
	second=${release%-amd64}-cloud-amd64
}
