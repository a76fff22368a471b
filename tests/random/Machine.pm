# SPDX-License-Identifier: GPL-2.0
# Machine.pm - what does happen
#
# Does the operations of Model.pm on the running kernel, and looks at it as an operator
# would. No process is started but for tasks that are to be parked, since that is slow on
# an emulated machine: modules are loaded by system calls, and files read directly.
package Machine;

use strict;
use warnings;
use Fcntl qw(:DEFAULT :seek);
use POSIX ();
use Errno ();

my $tracing = '/sys/kernel/tracing';
my $modules = '/klp-sets/modules';
my $livepatch = '/sys/kernel/livepatch';
my $sets = '/sys/kernel/klp_sets/sets';
my $params = '/sys/module/klp_sets/parameters';
# Modules that are stuck until the machine ends; all tests know them.
my $pinned_modules = '/tmp/klp_test_pinned';
my $variables = '/sys/module/klp_target_shadow/parameters/variables';
my ($init_module, $delete_module) = (175, 176);	# x86-64

my $trouble = qr/BUG:|WARNING:|Oops|general protection|Call Trace|stack-protector|rcu: INFO|lockdep/;

sub new {
	my ($class) = @_;
	my $self = bless {
		real => {},		# r01 of a script is this module
		script => {},		# and back
		parked => {},		# whose => [ tasks ]
		used => 0,
	}, $class;
	sysopen($self->{log}, '/dev/kmsg', O_RDONLY | O_NONBLOCK) or die "/dev/kmsg: $!";
	# What the kernel said when it booted is not ours.
	sysseek($self->{log}, 0, SEEK_END) or die "/dev/kmsg: $!";
	sysopen($self->{trace}, "$tracing/trace_pipe", O_RDONLY | O_NONBLOCK) or die "trace_pipe: $!";
	# NETLINK_KOBJECT_UEVENT, what the kernel sends to udev.
	socket($self->{uevents}, 16, 3 | O_NONBLOCK, 15) or die "netlink: $!";
	bind($self->{uevents}, pack('SSLL', 16, 0, 0, 1)) or die "netlink: $!";
	$self->hear;
	return $self;
}

sub content {
	my ($path) = @_;
	open(my $file, '<', $path) or return;
	local $/;
	my $text = <$file> // return;
	return $text =~ s/\n\z//r;
}

sub entries {
	my ($path) = @_;
	opendir(my $dir, $path) or return;
	return grep { !/^\./ } readdir($dir);
}

# 0, or the name of the errno.
sub result {
	my ($ok) = @_;
	return 0 if $ok;
	my $errno = $! + 0;
	return (grep { Errno->can($_)->() == $errno } qw(EAGAIN EBUSY EEXIST EINVAL ENOENT ENOMEM
		ENOSPC E2BIG ERANGE ENODEV EPERM))[0] // "errno $errno";
}

sub put {
	my ($path, $text) = @_;
	sysopen(my $file, $path, O_WRONLY) or return;
	return syswrite($file, "$text\n");
}

sub append {
	my ($path, $line) = @_;
	open(my $file, '>>', $path) or return;
	print {$file} "$line\n";
	return close $file;
}

sub note {
	put('/dev/kmsg', "klp_random: $_[1]");
}

# --- names -------------------------------------------------------------------

# The modules of a script are all the same file, with a name of the same length written
# over its own. A module that was forced away stays for ever: its name is used up.
sub real {
	my ($self, $name) = @_;
	return $name unless $name =~ /^r\d/;
	return $self->{real}{$name} if $self->{real}{$name};

	my $real = "client_$name";
	$real = 'client_' . number($self->{used}++)
		while -e "/sys/module/$real" || $self->{script}{$real};
	$self->{script}{$real} = $name;
	return $self->{real}{$name} = $real;
}

# Three characters.
sub number {
	return sprintf('%s%02d', chr(ord('A') + int($_[0] / 100)), $_[0] % 100);
}

sub script_name {
	my ($self, $real) = @_;
	return $self->{script}{$real} // $real;
}

# --- operations --------------------------------------------------------------

sub apply {
	my ($self, $op) = @_;
	my ($verb, @words) = split(/ /, $op);
	return $self->can("op_$verb")->($self, @words);
}

sub image {
	my ($self, $file) = @_;
	return $self->{image}{$file} //= do {
		open(my $in, '<:raw', "$modules/$file.ko") or die "$file.ko: $!";
		local $/;
		<$in>;
	};
}

sub op_load {
	my ($self, $name, @words) = @_;
	my $file = $name =~ /^r\d/ ? 'client_r00' : $name =~ s/klp_sets/klp-sets/r;
	my $image = $self->image($file);
	my $real = $self->real($name);
	$image =~ s/client_r00/$real/g if $file eq 'client_r00';
	my $args = join(' ', @words);
	my $result = result(syscall($init_module, $image, length($image), $args) == 0);
	$self->{loaded}{$real} = $args if $result eq '0';
	put("$tracing/events/klp_sets/enable", 1) if $name eq 'klp_sets';
	return $result;
}

sub op_unload {
	my ($self, $name) = @_;
	my $real = $self->real($name);
	return result(syscall($delete_module, $real, O_NONBLOCK) == 0);
}

sub attribute {
	my ($self, $name, $file, $value) = @_;
	return result(put("$livepatch/" . $self->real($name) . "/$file", $value));
}

sub op_disable {
	return $_[0]->attribute($_[1], 'enabled', 0);
}

sub op_enable {
	return $_[0]->attribute($_[1], 'enabled', 1);
}

sub op_force {
	return $_[0]->attribute($_[1], 'force', 1);
}

# Which module's park() the task is in, is the first that has one more.
sub op_park {
	my ($self, $object) = @_;
	my @whose = grep { -e "/sys/module/$_/parameters/hold" }
		    $object, values %{$self->{real}};
	my %before = map { $_ => content("/sys/module/$_/parameters/parked") } @whose;
	put("/sys/module/$_/parameters/hold", 1) for @whose;

	my $task = fork() // die "fork: $!";
	if (!$task) {
		content("/proc/$object/park");
		POSIX::_exit(0);
	}
	my $in;
	$self->wait_until(sub {
		($in) = grep { content("/sys/module/$_/parameters/parked") != $before{$_} } @whose;
	});
	for (@whose) {
		put("/sys/module/$_/parameters/hold", 0) unless $_ eq ($in // '') || $before{$_};
	}
	return 'nobody is in park()' unless $in;
	push @{$self->{parked}{$self->script_name($in)}}, $task;
	return 0;
}

sub op_unpark {
	my ($self, $whose) = @_;
	my $tasks = delete $self->{parked}{$whose} or return 'nobody is there';
	put('/sys/module/' . $self->real($whose) . '/parameters/hold', 0) or return result(0);
	waitpid($_, 0) for @$tasks;
	return 0;
}

sub op_assign {
	my ($self, $name, @words) = @_;
	return result(put('/sys/kernel/klp_sets/assign', join(' ', $self->real($name), @words)));
}

sub op_policy {
	my ($self, $name, $value) = @_;
	return result(put("$params/$name", $value));
}

sub op_attach {
	my ($self, $id) = @_;
	return result(put($variables, $id));
}

# --- what an operator sees ---------------------------------------------------

sub with_script_names {
	my ($self, $text) = @_;
	return $text =~ s/(client_\w+)/$self->script_name($1)/ger;
}

sub picture {
	my ($self) = @_;
	my %see;

	for my $object (keys %Model::functions) {
		next unless $object eq 'vmlinux' || -e "/sys/module/$object";
		for my $function (@{$Model::functions{$object}}) {
			my $key = Model::function_key($object eq 'vmlinux' ? $function : "$object:$function");
			my $path = $object eq 'vmlinux' ? $function =~ s/_proc_show//r :
				   "$object/" . ($function =~ s{/1}{}r =~ s{/}{}r);
			$see{($key =~ s/,.*//r) . ' handlers'} = 0 unless $function eq 'fn4_alias';
			next if $function eq 'park' && %{$self->{parked}};
			my $line = content("/proc/$path") // 'nothing';
			$see{"$key runs"} = $line =~ /^(client_\w+)/ ? $self->script_name($1) : 'original';
		}
	}

	$see{hooks} = 'no';
	for (split(/\n/, content("$tracing/enabled_functions"))) {
		my ($function, $object) = /^(\S+)(?: \[(\w+)\])? \(/;
		$function = 'fn4' if $function eq 'fn4_alias';
		my $key = ($object // 'vmlinux') . ":$function handlers";
		if (exists $see{$key} || $object) {
			$see{$key}++;
		} else {
			$see{hooks} = 'yes';
		}
	}

	for my $real (entries($livepatch)) {
		my $name = $self->script_name($real);
		my $dir = "$livepatch/$real";
		for my $file (qw(enabled transition replace_set obsoletes)) {
			my $value = content("$dir/$file");
			$see{"$name $file"} = $value if defined $value;
		}
		my @functions;
		for my $object (grep { -d "$dir/$_" } entries($dir)) {
			push @functions, map { "$object:$_" } grep { /,/ } entries("$dir/$object");
		}
		$see{"$name functions"} = join(' ', sort @functions);
		$see{'tasks left behind'} = $self->left_behind($see{"$name enabled"})
			if ($see{"$name transition"} // 0) == 1;
	}

	for my $set (entries($sets)) {
		my $patch = readlink("$sets/$set/patch") // 'no link';
		$see{"set $set patch"} = $self->script_name($patch =~ s{.*/}{}r);
		$see{"set $set states"} = join(', ', sort split(/\n/,
			$self->with_script_names(content("$sets/$set/states") // '')));
	}
	if (-e '/sys/module/klp_sets') {
		$see{assign} = join(', ', sort split(/\n/,
			$self->with_script_names(content('/sys/kernel/klp_sets/assign') // '')));
		# The others are no policies.
		$see{"policy $_"} = content("$params/$_")
			for grep { !/^(?:fast_|untested$)/ } entries($params);
	}
	for my $module (grep { /^klp_(?!target_shadow)|^client_/ } entries('/sys/module')) {
		my $count = content("/sys/module/$module/refcnt") // next;
		next if $module =~ /^client/ && !$self->{script}{$module};
		$see{$self->script_name($module) . ' references'} = $count;
	}
	$see{shadow} = content($variables) // 'klp_target_shadow is not loaded';
	$see{tainted} = tainted() unless exists $see{'tasks left behind'};
	return \%see;
}

# TAINT_AUX
sub tainted {
	return content('/proc/sys/kernel/tainted') >> 16 & 1;
}

# Tasks that the transition waits for. Parked ones, or the machine needs more time.
sub left_behind {
	my ($self, $target) = @_;
	my %parked = map { $_ => 1 } map { @$_ } values %{$self->{parked}};
	my $count = 0;
	for my $pid (grep { /^\d/ } entries('/proc')) {
		my $state = content("/proc/$pid/patch_state") // next;
		next if $state == -1 || $state == $target;
		return "task $pid" unless $parked{$pid};
		$count++;
	}
	return $count;
}

# Reads on in the kernel log, the trace and the uevents. What the clients and livepatch
# tell, what the core says and so on goes to lists that forget() empties.
sub hear {
	my ($self) = @_;
	$self->hear_trace;
	$self->hear_uevents;
	while (1) {
		my $got = sysread($self->{log}, my $record, 8192);
		if (!defined $got) {
			next if $!{EPIPE} || $!{EINTR};
			last;
		}
		last unless $got;
		my ($line) = $record =~ /;(.*)/;
		if ($line =~ /^(client_\w+): (?:state )?(\d+|object) (.*)/) {
			push @{$self->{told}}, $self->script_name($1) . ":$2:$3";
		} elsif ($line =~ /^livepatch: '(client_\w+)': starting (un)?patching transition/) {
			push @{$self->{told}}, $self->script_name($1) . ':' . ($2 // '') . 'patching';
		} elsif ($line =~ /^livepatch: '(client_\w+)': (un)?patching complete/) {
			push @{$self->{told}}, $self->script_name($1) . ':' . ($2 // '') . 'patched';
		} elsif ($line =~ /^klp_sets: (.*)/) {
			push @{$self->{said}}, $self->with_script_names($1);
		} elsif ($line =~ $trouble && $line !~ /^klp_random: /) {
			push @{$self->{trouble}}, $line;
		}
	}
}

sub hear_trace {
	my ($self) = @_;
	while (sysread($self->{trace}, my $text, 65536)) {
		push @{$self->{traced}}, map { $self->with_script_names(s/://r) }
			$text =~ /: klp_sets_(\w+: patch=.*)/g;
	}
}

sub hear_uevents {
	my ($self) = @_;
	while (defined recv($self->{uevents}, my $event, 8192, 0)) {
		my %field = map { split(/=/, $_, 2) } grep { /=/ } split(/\0/, $event);
		next unless $field{KLP_SETS_EVENT};
		my $name = $self->script_name($field{DEVPATH} =~ s{.*/}{}r);
		push @{$self->{heard}}, "$name of set $field{KLP_SETS_SET} $field{KLP_SETS_EVENT}";
	}
}

sub forget {
	my ($self) = @_;
	$self->{$_} = [] for qw(told said traced heard);
}

sub wait_until {
	my ($self, $condition, $seconds) = @_;
	my $deadline = time + ($seconds // 60);
	until ($condition->()) {
		return 0 if time > $deadline;
		select(undef, undef, undef, 0.05);
	}
	return 1;
}

# --- back to where it began --------------------------------------------------

# Takes everything away, without the model's help. Returns what could not be.
sub drain {
	my ($self) = @_;
	# What has been replaced is disabled, and leaves sysfs a little later.
	my $settled = sub {
		!grep { (content("$livepatch/$_/transition") // 0) != 0 ||
			(content("$livepatch/$_/enabled") // 1) != 1 } entries($livepatch);
	};

	$self->op_unpark($_) for keys %{$self->{parked}};
	if (!$self->wait_until($settled)) {
		put("$livepatch/$_/force", 1) for entries($livepatch);
		$self->wait_until($settled) or return 'a transition that does not end';
	}
	put("$params/stock_replace", 'all');
	put("$params/set0_replaces_all", 'N');
	for my $real (entries($livepatch)) {
		next if $self->disable_for_good($real);
		# A state blocks it: another patch that has the state, does not block, and
		# replaces nothing else.
		my $args = $self->{loaded}{$real} =~ s/block|fail/bare/gr
						  =~ s/(replace_all|obsoletes|object_ret)=\S+//gr;
		my $set = content("$livepatch/$real/replace_set") // 'none';
		$args =~ s/\bset=\d+/set=$set/;
		delete $self->{real}{r99};
		$self->op_load('r99', $args) eq '0' or return "$real cannot be replaced";
		$self->disable_for_good($self->real('r99')) or return "$real cannot be disabled";
	}
	$self->wait_until(sub { !entries($livepatch) }) or return 'a patch that does not go away';

	for my $module (grep { /^klp_|^client_/ } entries('/sys/module')) {
		next if $module eq 'klp_sets';
		my $pinned = (content("/sys/module/$module/refcnt") // 0) > 0;
		if ($pinned && $module =~ /^client/) {
			append($pinned_modules, $module);
			next;
		}
		syscall($delete_module, my $name = $module, O_NONBLOCK);
	}
	$self->wait_until(sub {
		!-e '/sys/module/klp_sets' || syscall($delete_module, my $name = 'klp_sets', O_NONBLOCK) == 0;
	}) or return 'klp_sets cannot be unloaded';
	$self->{real} = {};
	$self->{script} = {};
	my $left = content("$tracing/enabled_functions");
	return "ftrace handlers: $left" if $left ne '';
	return;
}

sub disable_for_good {
	my ($self, $real) = @_;
	return 1 unless -e "$livepatch/$real";
	put("$livepatch/$real/enabled", 0) or return 0;
	return $self->wait_until(sub { !-e "$livepatch/$real" });
}

1;
