#!/bin/bash
# What a stranger writes: random lines to `assign`, random values to the parameters. Each is
# taken or refused as Documentation/policies.md has it, and what is refused changes nothing.
# KLP_TEST_FUZZ says how many, KLP_TEST_SEED which.
# On the oldest and the newest kernel.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/assign-lib.sh"
need_core

count=${KLP_TEST_FUZZ:-1500}
seed=${KLP_TEST_SEED:-7}

# Prints what went wrong.
lines() {
	perl - "$assign_file" "$count" "$seed" << 'END'
use strict;
use warnings;
use Errno;

my ($file, $count, $seed) = @ARGV;
srand $seed;
# One that is always there, so that the hooks need not come and go.
my @pending = ('kept 5');

sub content {
	open(my $in, '<', $file) or die;
	sysread($in, my $text, 8192);
	return $text // '';
}

sub one_of {
	return $_[rand @_];
}

sub number {
	return one_of(0, 7, '+7', '-7', '007', 4294967295, 4294967296, '1' x 40, '0x7', '7f', '7,',
		      '', int rand 100, join('', map { chr rand 256 } 1 .. 3));
}

sub name {
	return one_of('client_s1', 'client-s1', 'client-*', 'a', 'b', 'b*', '*', 'b[12]', 'n' x 55, 'n' x 56, 'n' x 300, '../a', '-',
		      '%s%n', join('', map { chr(33 + rand 223) } 1 .. rand 20));
}

sub line {
	my $gap = one_of(' ', ' ', ' ', "\t", '  ', "\n");
	my @words = (name(), rand(3) < 1 ? '-' : number());
	push @words, rand(8) < 7 ? int rand 1000 : number() for 1 .. one_of(0, 0, 1, 2, 20, 256, 257);
	my $line = join($gap, @words) . one_of('', "\n", ' ', "\0", "\0 garbage");
	# A byte too many, too few, or another one.
	substr($line, rand length $line, one_of(0, 1), one_of('', chr rand 256)) if rand(4) < 1;
	return substr($line || ' ', 0, 4000);
}

# What the line asks for: an errno, or 0 and the list that waits afterwards.
sub expect {
	my ($line) = @_;
	$line =~ s/\0.*//s;
	$line =~ s/^[ \t\n]*//;
	$line =~ s/^([^ \t\n]*)[ \t\n]?//;
	my $name = $1;
	return 'EINVAL' if $name eq '';
	return 'ENAMETOOLONG' if length $name > 55;
	return 'EINVAL' if $name =~ /[\x01-\x20\x7f-\xa0\/]/;
	# A pattern is the start of a name and a *.
	return 'EINVAL' if $name =~ /[*?\[]/ && $name !~ /^[^*?\[]+\*$/;
	$name =~ tr/-/_/;
	my @others = grep { !/^\Q$name\E / } @pending;
	if ($line =~ /^[\s\x0b\xa0]*-[\s\x0b\xa0]*$/) {
		return 'ENOENT' if @others == @pending;
		return (0, @others);
	}
	my @numbers = grep { $_ ne '' } split(/[ \t\n]/, $line);
	return 'EINVAL' unless @numbers;
	for my $i (0 .. $#numbers) {
		return 'EINVAL' unless $numbers[$i] =~ /^\+?0*(\d+)(.*)$/as;
		return 'ERANGE' if length $1 > 20;
		return 'EINVAL' if $2 ne '';
		return 'ERANGE' if length $1 > 10 || $1 > 4294967295;
		return 'E2BIG' if $i > 256;
		$numbers[$i] = $1 + 0;
	}
	# The file shows a page: names, and numbers of ten digits at most.
	my $room = 0;
	$room += length($_->[0]) + 11 * $#$_ + 1 for map { [split / /] } @others, "$name @numbers";
	return 'ENOSPC' if $room >= 4096;
	return (0, @others, "$name @numbers");
}

for my $n (1 .. $count) {
	my $line = @pending > 4 && rand(2) < 1 ? $pending[1] =~ s/ .*/ -/r : line();
	my ($expected, @then) = expect($line);
	open(my $out, '>', $file) or die;
	my $errno = 0;
	if (!defined syswrite($out, $line)) {
		($errno) = grep { $!{$_} } qw(EINVAL ENAMETOOLONG ENOENT ERANGE E2BIG ENOSPC EBUSY);
		$errno //= "$!";
	}
	@pending = @then unless $expected;
	my $found = content();
	next if $errno eq $expected && $found eq join('', map { "$_\n" } @pending);
	$line =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord $1)/eg;
	print "line $n of seed $seed, '$line': expected $expected, found $errno; it reads $found";
	last;
}
END
}

random_lines() {
	local said
	assign "kept 5"
	said=$(lines)
	[[ -z $said ]] || fail "$said"
	drop_assignments
	pending ""
}
it "random lines to assign" random_lines

values() {
	perl - "$parameters" "$count" "$seed" << 'END'
use strict;
use warnings;

my ($folder, $count, $seed) = @ARGV;
srand $seed;

sub one_of {
	return $_[rand @_];
}

for my $n (1 .. $count / 4) {
	my $name = one_of(qw(stock_replace set0_replaces_all allow_replace_all taint));
	my $value = one_of('all', 'scoped', 'refuse', 'scope', 'refused', 'y', 'N', '1', '0', 'on', 'of', '',
			   ' ', '2', 'x' x 3000, join('', map { chr rand 256 } 1 .. rand 12))
		. one_of('', "\n", "\0", ' ') || ' ';
	my $read = sub {
		open(my $in, '<', "$folder/$name") or die;
		return scalar <$in>;
	};
	my $before = $read->();
	open(my $out, '>', "$folder/$name") or die;
	my $taken = defined syswrite($out, $value);
	my $after = $read->();
	my $known = $name eq 'stock_replace' ? $value =~ /^(all|scoped|refuse)\n?(\0|$)/s : undef;
	my $good = $taken ? $after =~ ($name eq 'stock_replace' ? qr/^\Q$1\E\n$/ : qr/^[YN]\n$/)
			  : $after eq $before;
	next if $good && (!defined $known || !$taken == !$known);
	$value =~ s/([^\x20-\x7e])/sprintf('\\x%02x', ord $1)/eg;
	print "value $n of seed $seed: '$value' to $name: taken $taken, was $before, is $after";
	last;
}
END
}

random_values() {
	local said name
	said=$(values)
	[[ -z $said ]] || fail "$said"
	echo all > "$parameters/stock_replace"
	for name in set0_replaces_all taint; do
		echo 0 > "$parameters/$name"
	done
	echo 1 > "$parameters/allow_replace_all"
}
it "random values to the parameters" random_values

finish
