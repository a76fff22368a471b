#!/bin/bash
# random_client.sh SEED: prints the source of a livepatch. The same seed makes the
# same livepatch everywhere.
set -eu

# Marsaglia's xorshift. Seeds that are neighbours begin far from each other.
state=$((($1 * 2654435761 + 1) & 0xffffffff))

# A number below $1, in REPLY.
random() {
	state=$((state ^ ((state << 13) & 0xffffffff)))
	state=$((state ^ (state >> 17)))
	state=$((state ^ ((state << 5) & 0xffffffff)))
	REPLY=$((state % $1))
}

# One of the arguments, in REPLY.
pick() {
	random $#
	shift "$REPLY"
	REPLY=$1
}

# chance N: true once in N times
chance() {
	random "$1"
	[[ $REPLY == 0 ]]
}

# --- its place among the others ---

pick short short short full full full assigned assigned stock replace
kind=$REPLY
pick 0 1 1 1 2 2 2 3
set=$REPLY
obsoletes=
if [[ $kind == full || $kind == assigned ]] && chance 3; then
	pick 1 2 3 "1, 2" "2, 3"
	obsoletes=$REPLY
fi

# --- functions: of the kernel, of a module that is loaded, of one that is not ---

declare -A funcs=([vmlinux]="" [klp_target]="" [klp_target2]="")
random 3
for ((i = REPLY; i >= 0; i--)); do
	if [[ $kind == replace ]]; then
		# Linux 5.10 does not take position 0 for 1 when a patch replaces
		# everything, and fail with a stack trace, which looks like trouble.
		pick vmlinux:uptime_proc_show klp_target:park klp_target:twin
	else
		pick vmlinux:{cmdline,loadavg,version}_proc_show klp_target:fn{1,2,3,4} \
			klp_target:fn4_alias klp_target:twin klp_target2:fn{1,2}
	fi
	object=${REPLY%:*} name=${REPLY#*:}
	case $kind:$name in
	replace:twin) REPLY=2 ;;
	*:twin) pick 1 1 2 2 3 0 ;;
	*) pick 0 0 1 ;;
	esac
	entry="	FUNC(\"$name\", $REPLY),"
	# Twice only now and then, since that is refused in any case. The kernel alone
	# refuses it in the same noisy way.
	if [[ ${funcs[$object]} == *"\"$name\","* ]]; then
		[[ $kind != stock && $kind != replace ]] || continue
		chance 4 || continue
	fi
	funcs[$object]+=$entry$'\n'
done

# --- states ---

stock_states=
sets_states=
if chance 3; then
	random 2
	for ((i = REPLY; i >= 0; i--)); do
		pick 1 1 2 3
		id=$REPLY
		if [[ $kind == full ]] && ! chance 4; then
			pick "" "" '.name = "a", ' '.name = "b", '
			entry="	{ .id = $id, $REPLY"
			! chance 4 || entry+=".is_shadow = true, "
			[[ $sets_states == *"id = $id,"* ]] && ! chance 4 ||
				sets_states+="$entry},"$'\n'
		else
			pick 1 2
			[[ $stock_states == *"id = $id,"* ]] && ! chance 4 ||
				stock_states+="	{ .id = $id, .version = $REPLY },"$'\n'
		fi
	done
fi

# --- mistakes ---

objects=
for object in klp_target klp_target2; do
	[[ -z ${funcs[$object]} ]] || objects+="	MODULE(\"$object\", ${object}_funcs),"$'\n'
done
if chance 6; then
	mistakes=(no_new no_funcs)
	[[ $kind != full ]] || mistakes+=(no_id two_words)
	pick "${mistakes[@]}"
	case $REPLY in
	no_new) funcs[vmlinux]+='	{ .old_name = "uptime_proc_show" },'$'\n' ;;
	no_funcs) objects+='	{ .name = "klp_target3" },'$'\n' ;;
	no_id) sets_states+='	{ .name = "lost" },'$'\n' ;;
	two_words) sets_states+='	{ .id = 4, .name = "two words" },'$'\n' ;;
	esac
fi

# --- the source ---

table() {
	echo "static struct $1 $2[] = {"
	printf %s "$3"
	printf '\t{ }\n};\n\n'
}

echo "#include \"random_client.h\""
echo
for object in vmlinux klp_target klp_target2; do
	[[ $object != vmlinux && -z ${funcs[$object]} ]] ||
		table klp_func "${object}_funcs" "${funcs[$object]}"
done
table klp_object objs "	VMLINUX(vmlinux_funcs),"$'\n'"$objects"
[[ -z $stock_states ]] || table klp_state states "$stock_states"
echo "static struct klp_patch patch = {"
echo "	.mod = THIS_MODULE, .objs = objs,"
[[ -z $stock_states ]] || echo "	.states = states,"
[[ $kind != replace ]] || echo "	.replace = true,"
printf '};\n\n'
case $kind in
short) echo "ENABLE(klp_sets_enable_patch(&patch, $set));" ;;
full)
	[[ -z $sets_states ]] || table klp_sets_state sets_states "$sets_states"
	[[ -z $obsoletes ]] || printf 'static const u32 obsoletes[] = { %s };\n\n' "$obsoletes"
	echo "static struct klp_sets_patch sets_patch = {"
	echo "	.patch = &patch, .replace_set = $set,"
	[[ -z $obsoletes ]] ||
		echo "	.obsoletes = obsoletes, .nr_obsoletes = ARRAY_SIZE(obsoletes),"
	! chance 8 || echo "	.replace_all = true,"
	[[ -z $sets_states ]] || echo "	.states = sets_states,"
	printf '};\n\n'
	echo "ENABLE(klp_sets_enable(&sets_patch));"
	;;
*)
	echo "ENABLE(klp_enable_patch(&patch));"
	if [[ $kind == assigned ]]; then
		echo "MODULE_INFO(replace_set, \"$set\");"
		[[ -z $obsoletes ]] || echo "MODULE_INFO(obsoletes, \"${obsoletes// /}\");"
	fi
	;;
esac
