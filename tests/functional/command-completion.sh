#!/bin/bash
# What bash offers after klp-sets.
# shellcheck source-path=SCRIPTDIR
# On the newest kernel.
. "$(dirname "$0")/lib.sh"
# shellcheck source=../../packaging/bash-completion/klp-sets
. /klp-sets/packaging/bash-completion/klp-sets

# offers WORD... -- TYPED...: after klp-sets and these, the last of which is not complete
offers() {
	local expected=()
	while [[ $1 != -- ]]; do
		expected+=("$1")
		shift
	done
	shift
	COMP_WORDS=(klp-sets "$@")
	COMP_CWORD=$#
	_klp_sets
	same "what is offered after klp-sets $*" "$(printf '%s\n' "${expected[@]}")" \
		"$(printf '%s\n' "${COMPREPLY[@]}" | sort)"
}

# bash makes three words of NAME=VALUE.
policies() {
	missing /sys/module/klp_sets || fail "klp_sets is loaded"
	offers allow_replace_all= set0_replaces_all= stock_replace= taint= -- policy ""
	offers all refuse scoped -- policy stock_replace =
	offers scoped -- policy taint = 1 stock_replace = s
	offers 0 1 -- policy taint =
	offers "" -- policy nothing =
}
it "the policies and their values, with and without klp_sets" policies
need_core

verbs() {
	offers load -- lo
	offers reverse -- --quiet rev
	COMP_WORDS=(klp-sets "")
	COMP_CWORD=1
	_klp_sets
	for verb in check load unload reverse force install uninstall rollback assign policy; do
		[[ " ${COMPREPLY[*]} " == *" $verb "* ]] || fail "$verb is not offered"
	done
}
it "the verbs" verbs

verb_options() {
	offers --keep -- load --k
	offers --wait -- unload --w
	offers --yes -- force --y
	offers --json -- --j
	offers --help --json --no-headings --quiet --stored --verbose --version -h -q -v -- list -
	offers --verbose -- status --verb
	offers "" -- check --verb
	offers "" -- force --k
}
it "the options of each verb" verb_options

releases() {
	mkdir -p /var/lib/klp-sets/1.2.3
	offers 1.2.3 -- prune 1
	rmdir /var/lib/klp-sets/1.2.3
}
it "the kernels that have a store" releases

arguments() {
	start a1 set=31 funcs=cmdline_proc_show
	start s1 funcs=version_proc_show
	offers 31 client_a1 client_s1 -- unload ""
	offers client_s1 -- --json reverse client_s
	offers 31 -- load --set 3
	offers 31 -- load --set = 3
	offers "" -- unload --wait = 3
	offers stock_replace= -- policy st
	offers all -- policy stock_replace = a
}
it "sets and livepatches of this machine" arguments

stored() {
	export KLP_SETS_ROOT=$scratch/root
	mkdir "$KLP_SETS_ROOT"
	offers "" -- uninstall ""
	for module in vendor_a_v1 vendor_a_v2 client_s1; do
		klp-sets --quiet install "$modules/$module.ko" || fail "$module is not stored"
	done
	start a1 set=31 funcs=cmdline_proc_show
	offers 1 client_s1 vendor_a_v2 -- uninstall ""
	offers 1 client_s1 vendor_a_v2 -- rollback --wait ""
	offers "" -- rollback --wait = 1
}
it "what is in the store" stored

files() {
	cd "$scratch" || fail "no $scratch"
	mkdir fixes
	touch fix_1.ko fix_2.ko.xz fix_3.txt
	offers fix_1.ko fix_2.ko.xz fixes -- load 'fi'
	offers fix_1.ko -- install --load fix_1
}
it "module files, and folders that may have some" files

finish
