#!/bin/bash
# The sources of the command lie on floors, as tool/README.md draws them.
. "$(dirname "$0")/lib.sh"
tool=$(cd "$(dirname "$0")/../../tool" && pwd)

# From the top to the bottom, as README.md has them: "main.c", "verbs", "know"...
floors() {
	awk '/^```/ { block = !block; next }
		block { sub("/$", "", $1); print $1 }' "$tool/README.md"
}

sources() {
	(cd "$tool" && find . -name '*.[ch]' -printf '%P\n' | sort)
}

# "FILE HEADER", a line an #include of ours.
includes() {
	# shellcheck disable=SC2046 # one name a word
	(cd "$tool" && awk -F '"' '/^#include "/ { print FILENAME, $2 }' $(sources))
}

# Of each floor, its number from the top.
declare -A number
count=0
for floor in $(floors); do
	count=$((count + 1))
	number[$floor]=$count
done

every_file_has_a_floor() {
	local file
	[[ $count -ge 5 && $(sources | wc -l) -ge 40 ]] ||
		fail "there are only these floors and files: $(floors) $(sources)"
	for file in $(sources); do
		[[ ${number[${file%%/*}]:-} ]] || fail "tool/README.md draws no floor of $file"
		[[ $file == */*.h || $file == main.c || -e $tool/${file%.c}.h ]] ||
			fail "$file has no header of its own"
	done
	for file in "${!number[@]}"; do
		[[ -e $tool/$file ]] || fail "there is no floor $file"
	done
}
it "every source of the command lies on a floor, and has its header" every_file_has_a_floor

only_down() {
	local file header
	[[ $(includes | wc -l) -ge 100 ]] || fail "only these headers are included: $(includes)"
	while read -r file header; do
		[[ -e $tool/$header ]] || fail "$file includes $header, which is not FLOOR/NAME.h"
		[[ ${number[${file%%/*}]:-0} -le ${number[${header%%/*}]:-0} ]] ||
			fail "$file includes $header, of a higher floor"
	done < <(includes)
}
it "no floor includes a header of a higher floor" only_down

# A file and its header are one.
no_circle() {
	includes | sed 's/\.[ch]\>//g' | awk '$1 != $2' | tsort 2>&1 > "$scratch/order" |
		sed 's/^tsort: //' > "$scratch/circle"
	[[ -s $scratch/order ]] || fail "nothing includes anything"
	[[ ! -s $scratch/circle ]] || fail "files include each other: $(< "$scratch/circle")"
}
it "no files of the command stand in a circle" no_circle

finish
