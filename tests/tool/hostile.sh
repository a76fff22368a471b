#!/bin/bash
# Files and names from strangers: nothing here needs a kernel.
. "$(dirname "$0")/lib.sh"

folder=$(cd "$(dirname "$0")" && pwd)
bad=$scratch/bad.ko

# forge WHAT...: $bad is vendor_a_v1 with this in it
forge() {
	"$folder/forge" $modules/vendor_a_v1.ko "$bad" "$@" || fail "forge $*"
}

# Whatever is tried, it is refused with these words, and nothing is there afterwards.
refused() {
	reject 1 "$1" check --empty "$bad"
	reject 1 "$1" install "$bad"
	[[ ! -e $KLP_SETS_ROOT/var ]] || fail "something was made: $(find "$KLP_SETS_ROOT")"
}

# --- names ---------------------------------------------------------------------

long=$(printf 'n%.0s' {1..56})

names_in_files() {
	local name
	for name in ../../../tmp/victim .hidden .. '' a.ko.b a/b 'a b' $'a\nb' $'a\e[31mb' a-b \
		ü "$long" "$(printf 'n%.0s' {1..300})"; do
		forge "name=${name:0:56}" "modinfo:name=$name"
		refused "its module has no name that a module can have"
		# One that counts, and one that depmod trusts.
		forge "modinfo:name=$name"
		refused "its module is called 'vendor_a_v1'"
	done
	forge name=vendor_a_v2
	refused "its module is called 'vendor_a_v2', and 'vendor_a_v1' in its modinfo"
	# More than a name where nothing but the name may be.
	forge .gnu.linkonce.this_module@0=41
	refused "no name that a module can have"
	forge .gnu.linkonce.this_module@100=41
	refused "no name that a module can have"
	forge .gnu.linkonce.this_module:type=8
	refused "no name that a module can have"
	# Those without modinfo have a name all the same, whatever the file is called.
	forge name=other modinfo:name
	accept install "$bad"
	stored 01-set-1/current/other.ko
	forge "name=${long:1}" "modinfo:name=${long:1}"
	accept install "$bad"
	stored "01-set-1/before-1/other.ko" "01-set-1/current/${long:1}.ko"
}
it "what a module is called in its file is a name, the kernel's, or the file is damaged" names_in_files

names_in_arguments() {
	local name
	for name in .hidden .. ../.. '' a.ko.b 'a b' $'a\nb' '*' a/ ü "$long"; do
		reject 2 "cannot be the name of a module" assign "$name" 7
		reject 2 "cannot be the name of a module" assign "$name" -
		reject 2 "cannot be the name of a module" uninstall "$name"
		reject 2 "cannot be the name of a module" rollback "$name"
	done
	accept assign some/where/fix-1.ko.xz 7
	says "'fix_1' will belong to set 7"
	# In files that an administrator wrote, too.
	printf '%s\n' '../x 3' '* 4' "$long 5" 'a.b 6' 'good 8' > "$KLP_SETS_ROOT/etc/klp-sets/assign.conf"
	accept assign
	for line in 1 2 3 4; do
		says "line $line is left out"
	done
	says good
	KLP_SETS_KERNEL=../../../tmp reject 1 "no kernel can be called" install $modules/vendor_a_v1.ko
	KLP_SETS_KERNEL=.. reject 1 "no kernel can be called" list --stored
	KLP_SETS_KERNEL=6.12.118+deb13-amd64 accept list --stored
}
it "a name of a command line or of the configuration is one, too" names_in_arguments

names_in_store() {
	local name slot=$store/content/01-set-1/current
	install vendor_a_v1 client_s1
	for name in .ko a.ko.b 'a b.ko' "$long.ko"; do
		mv "$slot/vendor_a_v1.ko" "$slot/$name"
		reject 1 "does not hold one module" list --stored
		mv "$slot/$name" "$slot/vendor_a_v1.ko"
	done
	mv "$store/content/02-stock-client_s1" "$store/content/02-stock-a.b"
	reject 1 "02-stock-a.b is not of the store" list --stored
}
it "and so is the name of a file in the store" names_in_store

# --- one look ------------------------------------------------------------------

# opened NUMBER VERB...: so often it opens $bad, which is compressed or not
opened() {
	local expected=$1 found
	shift
	strace -f -e trace=open,openat -o "$scratch/trace" klp-sets "$@" > /dev/null 2>&1
	found=$(grep -cF "\"$bad\"" "$scratch/trace")
	[[ $found == "$expected" ]] || fail "klp-sets $*: the file is opened $found times"
}

opens_once() {
	cp $modules/vendor_a_v1.ko "$bad"
	opened 1 check --empty "$bad"
	opened 1 install "$bad"
	opened 1 load "$bad"
	gzip -c $modules/vendor_a_v2.ko > "$bad"
	opened 1 check --empty "$bad"
	opened 1 install "$bad"
	opened 1 load "$bad"
	# Named by what it is.
	stored 01-set-1/before-1/vendor_a_v1.ko 01-set-1/current/vendor_a_v2.ko.gz
}
it "a file is opened once" opens_once

judges_what_it_stores() {
	local before
	install vendor_c_module
	for before in vendor_a_v1.ko vendor_a_v2.ko.gz; do
		cp "$modules/${before%.gz}" "$bad"
		[[ $before != *.gz ]] || gzip -c "$modules/${before%.gz}" > "$bad"
		cp "$bad" "$scratch/before"
		exec {lock}> "$KLP_SETS_ROOT/var/lib/klp-sets/lock"
		flock $lock
		klp-sets install "$bad" > "$scratch/said" 2>&1 {lock}>&- &
		until grep -q "waiting for another" "$scratch/said"; do
			kill -0 $! || fail "it does not wait: $(< "$scratch/said")"
		done
		# The same file, and another one of the same name.
		cat $modules/vendor_b_v1.ko > "$bad"
		cp --remove-destination $modules/vendor_b_v1.ko "$bad"
		exec {lock}>&-
		wait $! || fail "$(< "$scratch/said")"
		cmp "$scratch/before" "$store/content/02-set-1/current/$before" ||
			fail "the store has another file"
	done
}
it "what was judged is stored, whatever becomes of the file" judges_what_it_stores

# --- bounds --------------------------------------------------------------------

# The command gets half a GiB and ten seconds of a processor, and must not need them.
bounded() {
	local status=0
	said=$(ulimit -v 524288; ulimit -t 10; timeout 120 klp-sets "$@" 2>&1) || status=$?
	((status <= 2)) || fail "klp-sets $*: status $status: ${said:0:500}"
	[[ $said != *"out of memory"* ]] || fail "klp-sets $*: $said"
}

damaged() {
	bounded check --empty "$bad"
	[[ $said == *"the file is damaged"* || $said == *"not a livepatch"* ]] || fail "$1: $said"
}

wrong_sections() {
	local section field value
	for section in .data .bss .modinfo .symtab .strtab .shstrtab .rela.data \
		.gnu.linkonce.this_module .init.text; do
		for value in 0xffffffffffffffff 0xfffffffffffffff0 0x100000000; do
			for field in size offset; do
				[[ $section:$field != .bss:offset ]] || continue
				forge "$section:$field=$value"
				damaged "$section:$field=$value"
			done
			# Nothing that would have to be in the file.
			forge "$section:type=8" "$section:size=$value"
			damaged "$section of $value zeros"
		done
	done
	forge .symtab:entsize=0
	damaged "symbols of no size"
	forge .strtab:size=5
	damaged "names without an end"
	for value in ffffffffffffffff f8ffffffffffffff 0104000000000000; do
		forge ".rela.data@0=$value"
		damaged "a relocation at $value"
	done
}
it "sections that cannot be in the file, or wrap, are damage" wrong_sections

costly() {
	local shape
	for shape in "kpatch 10000" "objects 10000" "short 9000" "nameless 9000" "overlap 9000" \
		"strings 100000"; do
		# shellcheck disable=SC2086
		"$folder/make-module" $shape "$bad" || fail "make-module $shape"
		bounded check --empty "$bad"
		gzip -f "$bad"
		mv "$bad.gz" "$bad"
		bounded check --empty --json "$bad"
	done
	# What code refers to is looked into once, however often it does.
	for shape in arm64 s390x ppc64le; do
		"$folder/make-patch" $shape "$bad" pointers=6000 refs=6000 || fail "make-patch $shape"
		bounded check --empty "$bad"
		says UNKNOWN
	done
	"$folder/make-patch" arm64 "$bad" pointers=300000 refs=1 || fail make-patch
	bounded check --empty "$bad"
	says UNKNOWN
}
it "what a small file may cost has a bound" costly

endless() {
	local file
	mkfifo "$scratch/fifo"
	for file in "$scratch/fifo" /dev/zero /dev/tty "$scratch"; do
		for words in "check --empty $file" "install $file" "load $file" \
			"check --empty --symbols $file $modules/vendor_a_v1.ko"; do
			# shellcheck disable=SC2086
			bounded $words
			[[ $said == *"not a regular file"* || $said == *"s a directory"* ||
				$said == *"No such device"* ]] || fail "$words: $said"
		done
	done
	truncate -s 3G "$scratch/large"
	bounded check --empty "$scratch/large"
	says "too large for a module"
	bounded check --empty --symbols "$scratch/large" $modules/vendor_a_v1.ko
	says "too large"
	# A lot of zeros is little to gzip.
	head -c 300M /dev/zero | gzip -1 > "$scratch/large"
	bounded check --empty "$scratch/large"
	says "too large for a module when it is decompressed"
	mkdir -p "$KLP_SETS_ROOT/etc/klp-sets"
	mkfifo "$KLP_SETS_ROOT/etc/klp-sets/assign.conf"
	bounded assign
	says "it is not a regular file"
}
it "what never ends, or is too large, is not read" endless

many() {
	perl -e 'printf "%016x t symbol_%d\n", 0xffffffff81000000 + 16 * $_, $_ for 1 .. 220000' > "$scratch/map"
	"$folder/make-module" short 5000 "$bad"
	bounded check --empty --symbols "$scratch/map" "$bad"
}
it "thousands of functions and hundreds of thousands of symbols are no work" many

# What the administrator has written, or a program for him.
long_configuration() {
	local conf=$KLP_SETS_ROOT/etc/klp-sets
	mkdir -p "$conf"
	perl -e 'printf "module_%d 7\n", $_ for 1 .. 30000' > "$conf/assign.conf"
	bounded assign some_module 8
	says "'some_module' will belong to set 8"
	bounded assign module_30000 -
	[[ $(wc -l < "$conf/assign.conf") == 30000 && $(tail -n 1 "$conf/assign.conf") == "some_module 8" ]] ||
		fail "it ends with $(tail -n 2 "$conf/assign.conf")"
	rm "$conf/assign.conf"
	perl -e 'printf "%d name_%d\n", $_, $_ for 1 .. 300000' > "$conf/sets.conf"
	bounded assign some_module name_7
	says "sets.conf, line 10001: there are more than 10000 names of sets; the rest is left out"
	says "'some_module' will belong to set 7"
	# shellcheck disable=SC2046
	bounded install $modules/vendor_a_v1.ko $(yes dyndbg=x | head -n 50000)
	says "the parameters have more than 4096 characters"
}
it "neither is a configuration of many lines, or are thousands of parameters" long_configuration

# --- files that are none ---------------------------------------------------------

# masked FILE VERB...: a link to what is no file is not replaced, and neither is that
masked() {
	local file=$KLP_SETS_ROOT/$1 target
	shift
	mkdir -p "${file%/*}"
	mknod "$scratch/null" c 1 3
	mkfifo "$scratch/pipe"
	for target in "$scratch/null" "$scratch/pipe" "$scratch" "$scratch/nowhere"; do
		ln -sfn "$target" "$file"
		reject 1 "cannot be" "$@"
		[[ -L $file && -c $scratch/null && -p $scratch/pipe && ! -e $scratch/nowhere ]] ||
			fail "klp-sets $*: $(ls -l "$file" "$scratch")"
	done
	rm "$file" "$scratch/null" "$scratch/pipe"
	mkfifo "$file"
	reject 1 "it is not a regular file" "$@"
	[[ -p $file ]] || fail "the pipe is gone"
	rm "$file"
	# One that leads to a file is the usual way to keep /etc elsewhere.
	touch "$scratch/real"
	ln -s "$scratch/real" "$file"
	accept "$@"
	[[ -L $file && -s $scratch/real ]] || fail "the link is gone, or what it leads to is empty"
	rm "$scratch/real"
}

no_files() {
	masked etc/klp-sets/assign.conf assign some_module 7
	masked etc/modprobe.d/klp-sets.conf policy taint=1
	# Masked is as good as empty, for who reads it.
	ln -sf /dev/null "$KLP_SETS_ROOT/etc/klp-sets/assign.conf"
	ln -sf /dev/null "$KLP_SETS_ROOT/etc/modprobe.d/klp-sets.conf"
	accept assign
	accept policy
	# Before the kernel is told of it.
	reject 1 "Nothing is changed" assign some_module 7
	install vendor_a_v1
}
it "what is replaced is a file, or what a link leads to is one" no_files

planted() {
	echo precious > "$scratch/precious"
	mkdir -p "$KLP_SETS_ROOT/etc/klp-sets"
	ln -s "$scratch/precious" "$KLP_SETS_ROOT/etc/klp-sets/.assign.conf.new"
	accept assign some_module 7
	[[ $(< "$scratch/precious") == precious ]] || fail "what a link led to was overwritten"
}
it "a link in the place of the new file is not followed" planted

# --- descriptors, signals and time -------------------------------------------------

closed() {
	local lock=$KLP_SETS_ROOT/var/lib/klp-sets/lock status=0
	install vendor_a_v1 vendor_b_v1 vendor_c_module
	klp-sets uninstall 1 >&- 2> "$scratch/said" || status=$?
	[[ $status == 1 && $(< "$scratch/said") == *"could not be written"* ]] ||
		fail "status $status: $(< "$scratch/said")"
	klp-sets uninstall 7 2>&- && fail "7 is in the store"
	klp-sets -q uninstall 2 <&- >&- 2>&- || fail "it prints nothing, and needs nothing"
	klp-sets assign some_module 7 >&- 2>&- <&- && fail "its output is lost"
	klp-sets policy taint=1 >&- 2>&- <&- && fail "its output is lost"
	[[ ! -s $lock ]] || fail "the lock holds $(< "$lock")"
	grep -r "store any more\|klp-sets:" "$KLP_SETS_ROOT" && fail "a message went into a file"
	stored 01-set-3/current/vendor_c_module.ko
	grep -qx "some_module 7" "$KLP_SETS_ROOT/etc/klp-sets/assign.conf" || fail "the assignment is lost"
}
it "what is closed is closed, and no file takes its place" closed

# The pipe has no reader when the message is written.
reader_gone() {
	local status
	install vendor_a_v1
	mkfifo "$scratch/reader"
	for words in "uninstall 1" "install $modules/vendor_a_v1.ko" "assign some_module 7" \
		"list --stored" "--help"; do
		: < "$scratch/reader" &
		status=0
		# shellcheck disable=SC2086
		{ wait $!; klp-sets $words; } > "$scratch/reader" 2> "$scratch/said" || status=$?
		[[ $status == 0 && ! -s $scratch/said ]] ||
			fail "klp-sets $words: status $status, and it says: $(< "$scratch/said")"
	done
	stored 01-set-1/current/vendor_a_v1.ko
}
it "a reader that goes away ends nothing" reader_gone

full() {
	install vendor_a_v1
	(ulimit -f 4; reject 1 "File too large" install $modules/vendor_b_v1.ko) || fail "it is not told"
	stored 01-set-1/current/vendor_a_v1.ko
	accept install $modules/vendor_b_v1.ko
}
it "neither does a limit of files' sizes" full

times() {
	local time option
	for time in inf nan 1e300 31536001 -1 '' 1x; do
		for option in --wait --settled; do
			reject 2 "is not a number of seconds" boot "$option=$time"
		done
		reject 2 "is not a number of seconds" load "--wait=$time" "$bad"
		reject 2 "is not a number of seconds" unload "--wait=$time" 1
		reject 2 "is not a number of seconds" rollback "--wait=$time" 1
	done
	accept boot --settled=31536000
}
it "times are numbers of seconds that a clock can count" times

# guard UPTIME: one of this boot
guard() {
	mkdir -p "$store/guards"
	printf 'boot %s\nuptime %s\n' "$(< /proc/sys/kernel/random/boot_id)" "$1" > "$store/guards/x"
}

settles() {
	local uptime settled
	for uptime in inf nan -1 1e300 99999999999; do
		guard $uptime
		timeout 20 klp-sets boot --settled=31536000 || fail "with an uptime of $uptime, it stays"
		[[ -e $store/held/x ]] || fail "the guard is gone"
		rm "$store/held/x"
	done
	guard 0
	(ulimit -t 5; exec strace -o "$scratch/trace" klp-sets boot --settled=31536000) &
	settled=$!
	until grep -q "SIG_BLOCK, \[TERM\]" "$scratch/trace" 2> /dev/null; do
		kill -0 $settled || fail "it did not stay"
	done
	kill "$(pgrep -P $settled)"
	wait $settled || fail "status $?"
}
it "boot --settled stays no longer than it should, and ends when it is told to" settles

# --- reasons -----------------------------------------------------------------------

# short BYTES WORDS: refused with these words, and never for what is not known
short() {
	head -c "$1" $modules/vendor_a_v1.ko > "$bad"
	refused "$2"
	says_not "not a livepatch"
}

cut_short() {
	local size bytes
	size=$(stat -c %s $modules/vendor_a_v1.ko)
	short 0 "the file is empty"
	for bytes in 4 63 64 1000 $((size / 2)) $((size - 1)); do
		short $bytes "the file is damaged: it is cut short"
	done
	short 3 "it is not a kernel module"
	forge .modinfo:type=8
	refused "not a livepatch"
	gzip -c $modules/vendor_a_v1.ko | head -c 5000 > "$bad"
	refused "gzip cannot decompress it: it is damaged, or cut short"
	gzip -c < /dev/null > "$bad"
	refused "the file is empty"
}
it "a file that is cut short is that" cut_short

decompressors() {
	local old=$PATH
	mkdir "$scratch/bin"
	printf '\xfd7zXZ\0' > "$bad"
	PATH=$scratch/bin:$PATH
	printf '#!/bin/sh\nexit 1\n' > "$scratch/bin/xz"
	chmod +x "$scratch/bin/xz"
	refused "xz cannot decompress it"
	printf '#!/bin/sh\nkill -9 $$\n' > "$scratch/bin/xz"
	refused "xz, which decompresses it, was ended by signal 9"
	: > "$scratch/bin/xz"
	chmod -x "$scratch/bin/xz"
	ln -s "$(PATH=$old type -P klp-sets)" "$scratch/bin"
	PATH=$scratch/bin refused "it is compressed with xz, which cannot be started: Permission denied"
	rm "$scratch/bin/xz"
	PATH=$scratch/bin refused "it is compressed with xz, which is not installed here"
}
it "a program that fails is not one that is missing" decompressors

# --- what is shown -------------------------------------------------------------------

# Neither stdout nor stderr moves the cursor, or has a line that we did not write.
plain() {
	said=$(klp-sets "$@" 2>&1)
	[[ $said != *[$'\x01'-$'\x09\x0b'-$'\x1f\x7f']* ]] || fail "klp-sets $1: $(od -c <<< "$said")"
	[[ $said != *$'\nforged'* && $said != *$'\xc2\x9b'* && $said != *$'\u202e'* ]] ||
		fail "klp-sets $1: $said"
	iconv -f UTF-8 -t UTF-8 <<< "$said" > /dev/null || fail "klp-sets $1: no UTF-8: $said"
}

names_of_files() {
	local name file
	for name in $'\e]0;title\a\e[31m' $'a\nforged' $'a\rforged' $'\xff\xfe' $'\xc2\x9b31m' $'\u202eko' \
		$'\xed\xa0\x80' $'\xc0\x9b' $'\x7f'; do
		file=$scratch/$name.ko
		cp $modules/vendor_a_v1.ko "$file"
		plain check --empty "$file"
		plain check --empty --json "$file"
		plain install "$file"
		echo "no module" > "$file"
		plain check "$file"
		plain check --json "$file"
		plain install "$file"
		plain load "$file"
		plain check --symbols "$file" "$file"
		plain assign "$name" 7
		plain policy "$name=1"
		plain "$name"
		rm "$file"
	done
	file=$scratch/größe.ko
	cp $modules/vendor_a_v1.ko "$file"
	plain check --empty "$file"
	says größe
}
it "a name of a file does nothing to the terminal, and is UTF-8 in JSON" names_of_files

texts_in_files() {
	forge $'modinfo:version=1\e[31m\xff\nforged' $'modinfo:vermagic=6\e[31m\xff'
	plain check --empty --json "$bad"
	plain install "$bad"
	forge $'modinfo:replace_set=\e[31m\xff' $'modinfo:obsoletes=\e[31m'
	plain check --empty "$bad"
	forge $'modinfo:name=\e[31m\nforged'
	plain check --empty "$bad"
	# A position of 2^64-1 is a large number, in whatever form.
	forge .data@592=ffffffffffffffff
	plain check --empty "$bad"
	says 18446744073709551615
	plain check --empty --json "$bad"
	says 18446744073709551615
	says_not '"sympos":-1'
	# Names that the kernel takes for printable, in a warning.
	forge $'string:version_proc_show=f\xff\xe9.part.0'
	"$folder/forge" $modules/vendor_b_v1.ko "$scratch/other.ko" $'string:loadavg_proc_show=f\xff\xe9' || fail forge
	plain check --empty "$bad" "$scratch/other.ko"
	says "warning"
	plain check --empty --json "$bad" "$scratch/other.ko"
}
it "neither does anything that is in one, and numbers have no sign" texts_in_files

spaces() {
	reject 2 "follow a '=': --wait=30" load --wait 30 "$bad"
	reject 2 "follow a '=': --wait=30" unload --wait 30 7
	reject 2 "follow a '=': --wait=30" rollback --wait 30 7
	reject 2 "follow a '=': --wait=30" reverse --wait 30 7
	reject 2 "follow a '=': --settled=30" boot --settled 30
	# A set.
	reject 1 "set 30 is not in the store" rollback --wait 30
}
it "seconds after a space are not taken for something else" spaces

finish
