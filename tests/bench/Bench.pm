# SPDX-License-Identifier: GPL-2.0
# Bench.pm - runs in the machine: livepatches by the hundred, and what they cost
#
# No process is started but where a row is about one: modules are loaded by system calls,
# and files read directly.
package Bench;

use strict;
use warnings;
use Exporter 'import';
use Fcntl;

our @EXPORT = qw(sample start load unload refused work work_of wait_a_second put content entries
		 start_tasks end_tasks);

my $modules = '/klp-sets/modules';
my $livepatch = '/sys/kernel/livepatch';
my ($init_module, $delete_module, $clock_gettime) = (175, 176, 228);	# x86-64
my %image;

sub content {
	my ($path) = @_;
	sysopen(my $file, $path, O_RDONLY) or return;
	sysread($file, my $text, 1 << 20) // return;
	return $text;
}

sub put {
	my ($path, $text) = @_;
	sysopen(my $file, $path, O_WRONLY | O_TRUNC) or return;
	return syswrite($file, "$text\n");
}

sub entries {
	my ($path) = @_;
	opendir(my $dir, $path) or return;
	return grep { !/^\./ } readdir($dir);
}

sub pause {
	select(undef, undef, undef, $_[0]);
}

# Workers and RCU have time to finish what an operation left to them. The clock jumps
# over the time in which there is nothing to do.
sub wait_a_second {
	pause(1);
}

sub wait_until {
	my ($what, $condition) = @_;
	for (1 .. 6000) {
		return if $condition->();
		pause(0.01);
	}
	die "in vain waited until $what\n";
}

# sample ROW VARIANT FIGURE...: what the host gets to see
sub sample {
	local $, = "\t";
	local $\ = "\n";
	print 'SAMPLE', @_;
}

# --- the clock -----------------------------------------------------------------

my $empty = 0;	# what it costs to measure nothing

# Nanoseconds that tasks were running, on a machine with one processor. Neither the time
# in which there was nothing to do, nor the interrupts in that time.
sub cpu_time {
	content('/proc/schedstat') =~ /^cpu0 (?:\d+ ){6}(\d+) /m or die "no cpu0 in schedstat\n";
	return $1;
}

sub now {
	my $time = pack('qq', 0, 0);
	syscall($clock_gettime, 1, $time);	# CLOCK_MONOTONIC
	my ($seconds, $ns) = unpack('qq', $time);
	return $seconds * 1_000_000_000 + $ns;
}

# What is running is accounted for when it stops running; after a pause, that is all.
sub settled_cpu_time {
	wait_a_second();
	return cpu_time();
}

# Instructions, those of workers and of RCU included, from here until a second after the
# operation; and the time, in ns, until the operation was over.
sub work_of {
	my ($operation) = @_;
	my $before = settled_cpu_time();
	my $began = now();
	$operation->();
	my $time = now() - $began;
	return (settled_cpu_time() - $before - $empty, $time);
}

sub calibrate {
	my @costs = sort { $a <=> $b } map { (work_of(sub { }))[0] } 1 .. 5;
	$empty = $costs[2];
}

# --- modules -------------------------------------------------------------------

sub image {
	my ($file) = @_;
	return $image{$file} //= do {
		open(my $in, '<:raw', "$modules/$file.ko") or die "$file.ko: $!\n";
		local $/;
		<$in>;
	};
}

sub insmod {
	my ($image, $args) = @_;
	return syscall($init_module, $image, length($image), $args) == 0;
}

# A livepatch under a name of its own: a stock one if it is in no set.
my %names;

sub named {
	my ($nr, $args) = @_;
	my $file = $args =~ /\bset=/ ? 'bench_p000' : 'bench_s000';
	my $name = $names{$nr} = $file =~ s/000/sprintf('%03d', $nr)/er;
	return ($name, image($file) =~ s/$file/$name/gr);
}

sub enable {
	my ($name, $image, $args) = @_;
	insmod($image, $args) or die "insmod $name $args: $!\n";
	wait_until("the transition of $name is complete",
		   sub { (content("$livepatch/$name/transition") // 0) == 0 });
}

# The same without a measurement, that of a number.
sub start {
	my ($nr, $args) = @_;
	my ($name, $image) = named($nr, $args);
	enable($name, $image, $args);
}

# load NUMBER ARGUMENTS: the work, and the time
sub load {
	my ($nr, $args) = @_;
	my ($name, $image) = named($nr, $args);
	my @cost = work_of(sub { enable($name, $image, $args) });
	(content("$livepatch/$name/enabled") // '') eq "1\n" or die "$name is not enabled\n";
	return @cost;
}

# Loaded, and refused.
sub refused {
	my ($nr, $args) = @_;
	my ($name, $image) = named($nr, $args);
	return work_of(sub {
		insmod($image, $args) and die "$name $args was not refused\n";
	});
}

sub rmmod {
	my ($name) = @_;
	wait_until("$name can be removed", sub {
		syscall($delete_module, $name, O_NONBLOCK) == 0 || !-e "/sys/module/$name"
	});
}

sub load_core {
	insmod(image('klp-sets'), '') or die "insmod klp-sets.ko: $!\n";
}

sub reload_core {
	rmmod('klp_sets');
	load_core();
}

# Disables those that are enabled, and removes all.
sub unload {
	for my $nr (@_) {
		my $name = $names{$nr};
		put("$livepatch/$name/enabled", 0)
			if (content("$livepatch/$name/enabled") // 0) == 1;
		wait_until("$name is gone", sub { !-e "$livepatch/$name" });
		rmmod($name);
	}
}

# --- tasks ---------------------------------------------------------------------

sub start_tasks {
	my ($count) = @_;
	return map {
		my $pid = fork() // die "fork: $!\n";
		if (!$pid) {
			sleep(1_000_000);
			exit;
		}
		$pid;
	} 1 .. $count;
}

sub end_tasks {
	kill('KILL', @_);
	wait() for @_;
}

# --- what is there before the first row ----------------------------------------

-e '/klp-sets/settings' or die "this is not a machine of the benchmark\n";
put('/proc/sys/kernel/printk', 4);
$| = 1;
insmod(image('bench_target'), '') or die "insmod bench_target.ko: $!\n";
load_core();
calibrate();

1;
