#!/bin/bash
# klp-sets stamp: the set of a livepatch in its file.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cd "$scratch" || exit 1

# What tools make, and what tells its set in klp-sets' word, in mainline's, and in both.
files=(client_kpatch client_klp_build client_s1 client_m1 client_m2 client_m3)

# tag NAME FILE: in its modinfo, as kmod reads it; - when it is not there
tag() {
	local value
	value=$(modinfo -F "$1" "$2") || fail "modinfo cannot read $2"
	echo "${value:--}"
}

# tags FILE SET OBSOLETES
tags() {
	[[ $(tag replace_set "$1") == "$2" && $(tag obsoletes "$1") == "$3" ]] ||
		fail "$1 is of set $(tag replace_set "$1") and obsoletes $(tag obsoletes "$1"), not $2 and $3"
}

# unchanged OLD NEW: all but what the modinfo holds, and where in the file something is
unchanged() {
	local file
	for file; do
		"$here/sections" "$file" | sed 's/^\([0-9]* \.modinfo 1 2 0\) .*/\1/' > "$file.sections"
	done
	[[ $(grep -c ' \.modinfo 1 2 0$' "$1.sections") == 1 && $(wc -l < "$1.sections") -gt 20 ]] ||
		fail "$1 is no module: $(head -c 600 "$1.sections")"
	diff "$1.sections" "$2.sections" > differences ||
		fail "more than the modinfo of $1 is changed: $(head -c 600 differences)"
}


stamps() {
	local name word
	for name in "${files[@]}"; do
		accept stamp --set 5 --obsoletes 2,3 "$modules/$name.ko" "./$name.ko"
		says "./$name.ko: '$name' of set 5, which obsoletes 2, 3"
		tags "./$name.ko" 5 2,3
		said=$(klp-sets --json check --empty "./$name.ko")
		[[ $(tr -d ' \n' <<< "$said") == *'"set":5,"set_name":null,"obsoletes":[2,3],'* ]] ||
			fail "check reads something else: $said"
		cp "$modules/$name.ko" old.ko
		unchanged old.ko "./$name.ko"
		for word in vermagic depends livepatch parm description license name; do
			[[ $(tag $word "./$name.ko") == "$(tag $word "$modules/$name.ko")" ]] ||
				fail "the $word of $name is $(tag $word "./$name.ko")"
		done
	done
}
it "the set and what it obsoletes are in the modinfo, and all else is as it was" stamps

# Symbols of the symbol table point to the lines of the modinfo.
lines_stay() {
	accept stamp --set 5 "$modules/client_m1.ko" m1.ko
	perl -e '
		sub modinfo {
			for (`'"$here"'/sections $_[0]`) {
				return pack "H*", $1 if /^\d+ \.modinfo .* ([0-9a-f]*)$/;
			}
		}
		my ($old, $new) = map { modinfo($_) } @ARGV;
		while ($old =~ /([^\0]+)\0/g) {
			my ($line, $at) = ($1, pos($old) - length($1) - 1);
			next if $line =~ /^(replace_set|obsoletes)=/;
			die "$line is elsewhere\n" if substr($new, $at, length $line) ne $line;
		}
		die "it is not that of a module\n" if $old !~ /license=/;' \
		"$modules/client_m1.ko" m1.ko > out 2>&1 || fail "$(< out)"
}
it "no line of the modinfo that stays is moved" lines_stay

again() {
	local name size
	for name in "${files[@]}"; do
		accept stamp --set 5 --obsoletes 2,3 "$modules/$name.ko" a.ko
		accept stamp --set 4294967295 a.ko b.ko
		tags b.ko 4294967295 -
		accept stamp --set 5 --obsoletes 2,3 b.ko b.ko
		cmp a.ko b.ko || fail "$name is another file when it is stamped three times"
		size=$(stat -c %s b.ko)
		accept stamp --set 0 --obsoletes 1 b.ko b.ko
		tags b.ko 0 1
		[[ $(stat -c %s b.ko) -le $size ]] || fail "$name grows"
	done
}
it "stamping again replaces what was stamped, in the same file as well" again

# The two words must not say two sets.
provides() {
	accept stamp --set 5 "$modules/client_m2.ko" m2.ko
	[[ $(tag provides m2.ko) == 5 ]] || fail "it provides $(tag provides m2.ko)"
	accept stamp --set 9 "$modules/client_m3.ko" m3.ko
	[[ $(tag provides m3.ko) == 9 ]] || fail "it provides $(tag provides m3.ko)"
	accept stamp --set 9 "$modules/client_m1.ko" m1.ko
	[[ $(tag provides m1.ko) == - ]] || fail "it provides $(tag provides m1.ko)"
	said=$(klp-sets check --empty m3.ko)
	says "m3.ko: set 9"
	says_not "REFUSED"
}
it "what says its set in mainline's word goes on to say it" provides

compressed() {
	local name
	gzip < "$modules/client_s1.ko" > s1.ko.gz
	cp s1.ko.gz s1.ko.xz
	cp s1.ko.gz s1.ko.zst
	accept stamp --set 5 "$modules/client_s1.ko" plain.ko
	for name in s1.ko.gz s1.ko.xz s1.ko.zst; do
		accept stamp --set 5 $name s1.ko
		cmp plain.ko s1.ko || fail "$name is another file"
		reject 2 "not compressed, as '$name' says" stamp --set 5 $name $name
		reject 2 "not compressed" stamp --set 5 "$modules/client_s1.ko" $name
	done
}
it "a compressed file is written as one that is not, and under no name that says so" compressed

signed() {
	{ cat "$modules/client_s1.ko"; printf 'signature~Module signature appended~\n'; } > signed.ko
	cp signed.ko before.ko
	reject 1 "it is signed" stamp --set 5 signed.ko signed.ko
	says "before it is signed"
	cmp signed.ko before.ko || fail "it was changed"
	gzip signed.ko
	reject 1 "it is signed" stamp --set 5 signed.ko.gz x.ko
	[[ ! -e x.ko ]] || fail "something was written"
}
it "a signed file is refused, compressed or not" signed

# Its code decides.
native() {
	reject 1 "its code asks klp_sets for a set itself, 1;" stamp --set 1 "$modules/vendor_a_v1.ko" x.ko
	reject 1 "its code asks klp_sets for a set itself;" stamp --set 5 "$modules/client_a1.ko" x.ko
	reject 1 "it is not a livepatch" stamp --set 5 "$modules/klp_target.ko" x.ko
	[[ ! -e x.ko ]] || fail "something was written"
}
it "what asks for a set by itself is refused" native

damaged() {
	local what
	: > empty.ko
	reject 1 "the file is empty" stamp --set 5 empty.ko x.ko
	reject 1 "No such file" stamp --set 5 missing.ko x.ko
	for what in cut=5000 .modinfo:type=8 .modinfo:offset=0xfffffffffff .modinfo:size=0 \
		.text:offset=0xfffffffffff .bss:offset=0xffffffffffff .bss:size=0xffffffffffff; do
		"$here/forge" "$modules/client_s1.ko" bad.ko "$what"
		reject 1 "cannot stamp 'bad.ko'" stamp --set 5 bad.ko x.ko
	done
	[[ ! -e x.ko ]] || fail "something was written"
}
it "so is what is no module, or a damaged one" damaged

# What shares its bytes with the modinfo is no reason to write into that.
shared_bytes() {
	local at
	at=$("$here/sections" --offset .modinfo "$modules/client_s1.ko")
	"$here/forge" "$modules/client_s1.ko" bad.ko .comment:offset="$at" .comment:size=64
	accept stamp --set 5 bad.ko x.ko
	unchanged bad.ko x.ko
	tags x.ko 5 -
}
it "a file in which sections share their bytes" shared_bytes

usage() {
	reject 2 "stamp needs --set N" stamp "$modules/client_s1.ko" x.ko
	reject 2 "stamp needs a FILE, and OUT" stamp --set 5 "$modules/client_s1.ko"
	reject 2 "stamp needs a FILE, and OUT" stamp --set 5 a.ko b.ko c.ko
	reject 2 "'-1' is not a set" stamp --set -1 a.ko b.ko
	for list in "" "," "2," ",2" "2,,3" "2, 3" "2 3" "2,x" 4294967296 -1; do
		reject 2 "'$list' is not a list of sets" stamp --set 5 --obsoletes "$list" a.ko b.ko
	done
	accept stamp --set 5 --obsoletes "$(seq -s , 256)" "$modules/client_s1.ko" x.ko
	tags x.ko 5 "$(seq -s , 256)"
	reject 2 "more than 256 sets" stamp --set 5 --obsoletes "$(seq -s , 257)" a.ko b.ko
	accept stamp --set 5 --obsoletes 3,2,3 "$modules/client_s1.ko" x.ko
	tags x.ko 5 3,2
	accept --quiet stamp --set 5 "$modules/client_s1.ko" x.ko
	[[ -z $said ]] || fail "it says: $said"
}
it "lists of sets" usage

# What is there is the old file or the new one.
out() {
	accept stamp --set 5 "$modules/client_s1.ko" good.ko
	mkdir folder
	reject 1 "cannot write 'folder': Is a directory" stamp --set 5 good.ko folder
	reject 1 "cannot write 'none/x.ko'" stamp --set 5 good.ko none/x.ko
	[[ ! -e none ]] || fail "it makes folders"
	reject 1 "cannot write '/dev/null'" stamp --set 5 good.ko /dev/null
	cp good.ko old.ko
	chmod 640 old.ko
	ln -s old.ko link.ko
	accept stamp --set 6 good.ko link.ko
	[[ -L link.ko && $(stat -c %a old.ko) == 640 ]] || fail "the link or the mode is another"
	tags old.ko 6 -
	# No room for all of it.
	cp old.ko before.ko
	mount -t tmpfs -o size=64k tmpfs folder || fail "no tmpfs"
	cp old.ko folder/old.ko
	dd if=/dev/zero of=folder/rest bs=4k 2> /dev/null
	reject 1 "No space left on device" stamp --set 7 good.ko folder/old.ko
	cmp folder/old.ko before.ko || fail "it is neither the old file nor the new one"
	[[ -z $(find folder -name '.*') ]] || fail "something is left: $(ls -A folder)"
	umount folder
}
it "the file is written as a whole, or not at all" out

# What somebody stamped is stored for that set.
into_store() {
	accept stamp --set 5 "$modules/client_kpatch.ko" client_kpatch.ko
	accept install "$modules/vendor_b_v1.ko"
	reject 1 "is not stored" install "$modules/client_kpatch.ko"
	says "'klp-sets stamp'"
	accept install client_kpatch.ko
	says "'client_kpatch' of set 5 is stored"
	stored 01-set-2/current/vendor_b_v1.ko 02-set-5/current/client_kpatch.ko
}
it "what is stamped needs no --set and takes nobody's place" into_store

finish
