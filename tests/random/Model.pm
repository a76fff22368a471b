# SPDX-License-Identifier: GPL-2.0
# Model.pm - what should happen
#
# The rules of Documentation/rules.md, policies.md and states.md, and as much of stock
# livepatch as they stand on, for a world of a few modules. This file is written from
# those pages and not from the source: where the two disagree, one is wrong.
#
# An operation is a line as in a script, see README.md. apply() does it, and returns what
# is acceptable: the errnos, and the sentences that the kernel log may give as a reason.
# picture() is then what an operator would see.
package Model;

use strict;
use warnings;

# Objects and their functions. Two names of one address, see tests/modules/target.c.
our %functions = (
	vmlinux => [qw(cmdline_proc_show loadavg_proc_show uptime_proc_show version_proc_show)],
	klp_target => [qw(fn1 fn2 fn4 fn4_alias twin/1 twin/2 park)],
	klp_target2 => [qw(fn1 park)],
);
my %alias = ('klp_target:fn4_alias,1' => 'klp_target:fn4,1');

my %policy = (
	stock_replace => 'all',
	set0_replaces_all => 'N',
	allow_replace_all => 'Y',
	taint => 'N',
);

# Up to 5.17, stock force marks every patch on the machine. With our hooks it never does.
sub new {
	my ($class, %given) = @_;
	return bless {
		core => undef,		# policy and assignments, when it is loaded
		# loaded, or pinned by a force
		modules => { klp_target_shadow => 'loaded' },
		patches => [],		# enabled or in transition, the oldest first
		transition => undef,
		parked => [],		# tasks in park()
		shadow => {},		# ids that have variables
		left_alone => {},	# ids whose variables are never freed again
		tainted => 0,
		%given,
	}, $class;
}

# --- patches -----------------------------------------------------------------

# [module:]name[/sympos] as object:name,sympos; sympos 0 and 1 are the same.
sub function_key {
	my ($object, $name, $pos) = $_[0] =~ m{^(?:(\w+):)?(\w+)(?:/(\d+))?$} or die "function $_[0]";
	return join('', $object // 'vmlinux', ':', $name, ',', $pos || 1);
}

sub object_of {
	return $_[0] =~ s/:.*//r;
}

# From the parameters of tests/modules/state_client.c.
sub client {
	my ($name, @words) = @_;
	my %given = map { split(/=/, $_, 2) } @words;
	my @versions = split(/,/, $given{versions} // '');
	my %client = (
		name => $name,
		set => $given{set},
		calls_stock => !defined $given{set},
		object_ret => $given{object_ret},
		replace => $given{replace},
		replace_all => $given{replace_all},
		obsoletes => [split(/,/, $given{obsoletes} // '')],
		funcs => [map { function_key($_) } split(/,/, $given{funcs} // '')],
		written => [split(/,/, $given{funcs} // '')],
		stock => [map { { id => $_, version => shift(@versions) // 0 } }
			  split(/,/, $given{stock} // '')],
		own => [],
	);
	for (split(/,/, $given{states} // '')) {
		my ($id, $state, $flags) = split(/:/);
		push @{$client{own}}, {
			id => $id,
			name => $state || '-',
			map { $_ => 1 } split(/\+/, $flags // ''),
		};
	}
	return \%client;
}

sub managed {
	return defined $_[0]{set};
}

sub own_state {
	my ($patch, $id) = @_;
	return (grep { $_->{id} == $id } @{$patch->{own}})[0];
}

sub stock_state {
	my ($patch, $id) = @_;
	return (grep { $_->{id} == $id } @{$patch->{stock}})[0];
}

sub has_state {
	return own_state(@_) || stock_state(@_);
}

sub state_ids {
	my ($patch) = @_;
	return map { $_->{id} } @{$patch->{own}}, @{$patch->{stock}};
}

sub find_patch {
	my ($self, $name) = @_;
	return (grep { $_->{name} eq $name } @{$self->{patches}})[0];
}

sub loaded {
	my ($self, $object) = @_;
	return $object eq 'vmlinux' || $self->{modules}{$object};
}

# Addresses are known only when the module is loaded, names always.
sub same_function {
	my ($self, $a, $b) = @_;
	return 1 if $a eq $b;
	return $self->loaded(object_of($a)) && ($alias{$a} // $a) eq ($alias{$b} // $b);
}

sub changes {
	my ($self, $patch, $function) = @_;
	return grep { $self->same_function($_, $function) } @{$patch->{funcs}};
}

sub changes_in {
	my ($self, $patch, $object) = @_;
	return grep { object_of($_) eq $object } @{$patch->{funcs}};
}

# "While no managed patch is enabled and no assignment waits, none of this applies."
sub rules_apply {
	my ($self) = @_;
	return $self->{core} &&
	       (%{$self->{core}{assigned}} || grep { managed($_) } @{$self->{patches}});
}

sub in_transition {
	my ($self, $patch) = @_;
	return $self->{transition} && $self->{transition}{patch} == $patch;
}

# --- what a new patch replaces, and why it is refused ------------------------

# A stock patch joins a set because it is assigned to it, or by policy set 0.
sub find_set {
	my ($self, $patch) = @_;
	my $core = $self->{core};
	return if managed($patch) || !$core;

	my $assigned = $core->{assigned}{$patch->{name}};
	if ($assigned) {
		($patch->{set}, @{$patch->{obsoletes}}) = @$assigned;
		$patch->{assigned} = 1;
	} elsif ($patch->{replace} && $self->rules_apply &&
		 ($core->{stock_replace} eq 'scoped' ||
		  $core->{stock_replace} eq 'all' && $core->{allow_replace_all} eq 'N')) {
		$patch->{set} = 0;
		$patch->{scoped} = 1;
	}
}

# The table "Who replaces whom".
sub replaces {
	my ($self, $patch, $old) = @_;
	my $core = $self->{core};

	return $patch->{replace} unless managed($patch);
	return 1 if $core && $core->{allow_replace_all} eq 'Y' &&
		($patch->{replace_all} || $patch->{set} == 0 && $core->{set0_replaces_all} eq 'Y');
	return $patch->{scoped} unless managed($old);
	return grep { $_ == $old->{set} } $patch->{set}, @{$patch->{obsoletes}};
}

sub who {
	my ($patch) = @_;
	return managed($patch) ? "'$patch->{name}' of set $patch->{set}" : "'$patch->{name}'";
}

# All that is wrong: [ errno, words that the reason must have ].
sub refusals {
	my ($self, $patch) = @_;
	my @found = $self->own_mistakes($patch);
	my $refuse = sub {
		my ($errno, @words) = @_;
		# Stock livepatch by itself does not say why.
		push @found, [ $errno, $self->rules_apply || managed($patch) ? (who($patch), @words) : () ];
	};

	if ($self->{transition}) {
		push @found, [ 'EBUSY', managed($patch) ? ("'$patch->{name}' is not enabled", 'in transition') : () ];
		# Stock livepatch by itself looks at the states first.
		return @found if $self->rules_apply || managed($patch);
	}
	$refuse->('EINVAL') if !managed($patch) && $patch->{replace} && $self->rules_apply &&
		$self->{core}{stock_replace} eq 'refuse' && grep { managed($_) } @{$self->{patches}};

	for my $old (@{$self->{patches}}) {
		if ($self->replaces($patch, $old)) {
			$self->check_replaced($patch, $old, $refuse);
		} elsif (managed($patch) || managed($old)) {
			$refuse->('EINVAL', "'" . s/.*:(.*),.*/$1/r . "'", who($old))
				for grep { $self->changes($old, $_) } @{$patch->{funcs}};
			$refuse->('EINVAL', "state $_", who($old))
				for grep { has_state($old, $_) } state_ids($patch);
		} else {
			# Stock patches among themselves: no older versions.
			$refuse->('EINVAL') for grep {
				my $new = stock_state($patch, $_->{id});
				$new && $new->{version} < $_->{version};
			} @{$old->{stock}};
		}
	}
	return @found;
}

sub own_mistakes {
	my ($self, $patch) = @_;
	my (%seen, @funcs, @found);

	return unless managed($patch);
	for my $id (state_ids($patch)) {
		push @found, [ 'EINVAL', "'$patch->{name}'", "state $id" ] if $seen{$id}++;
	}
	for my $function (@{$patch->{funcs}}) {
		push @found, [ 'EINVAL', "'$patch->{name}'" ]
			if grep { $self->same_function($_, $function) } @funcs;
		push @funcs, $function;
	}
	return @found;
}

# Whoever replaces a patch must know its states.
sub check_replaced {
	my ($self, $patch, $old, $refuse) = @_;

	for my $state (@{$old->{stock}}) {
		my $new = stock_state($patch, $state->{id});
		next if $new ? $new->{version} >= $state->{version} : own_state($patch, $state->{id});
		$refuse->('EINVAL', managed($patch) || managed($old) ?
			  ("state $state->{id}", who($old)) : ());
	}
	for my $state (@{$old->{own}}) {
		my $new = own_state($patch, $state->{id});
		if (!has_state($patch, $state->{id})) {
			$refuse->($patch->{calls_stock} ? 'EINVAL' : 'EBUSY', "state $state->{id}", who($old))
				if $state->{block};
		} elsif ($new) {
			$refuse->('EINVAL', "state $state->{id}", who($old))
				if $new->{name} ne $state->{name} || !$new->{shadow} != !$state->{shadow};
		}
	}
}

# --- what is told ------------------------------------------------------------

# Events of one phase may come in any order, but those of one patch in this one.
sub tell {
	my ($self, $patch, $what) = @_;
	push @{$self->{told}}, [ $self->{phase}, $patch->{name}, "$patch->{name}:$what" ];
}

sub next_phase {
	$_[0]{phase}++;
}

sub call {
	my ($self, $callback, $patch, @states) = @_;
	for my $state (@states) {
		$self->tell($patch, "$state->{id}:$callback") unless $state->{bare};
		$self->end_of_life($patch, $state) if $callback eq 'post_unpatch' && $state->{shadow};
	}
}

# Tasks may use the variables for ever after a force.
sub end_of_life {
	my ($self, $patch, $state) = @_;
	my $id = $state->{id};

	if ($patch->{was_forced} || $self->{left_alone}{$id}) {
		$self->{left_alone}{$id} = 1;
		push @{$self->{said}}, [ "state $id ", "'$patch->{name}'", 'left alone' ];
	} elsif (delete $self->{shadow}{$id} && $state->{dtor}) {
		$self->tell($patch, "$id:shadow_dtor") for 1, 2;
	}
}

# Documentation/observing.md. Of stock patches, not all is promised.
sub uevent {
	my ($self, $patch, $event) = @_;
	push @{$self->{uevents}}, "$patch->{name} of set $patch->{set} $event" if managed($patch);
}

sub trace {
	my ($self, $event, $patch, %fields) = @_;
	return unless managed($patch);
	$fields{set} = $patch->{set};
	push @{$self->{traced}}, join(' ', "$event patch=$patch->{name}",
		map { "$_=$fields{$_}" } sort keys %fields);
}

# --- transitions -------------------------------------------------------------

# A state that a replaced patch has, in whichever array, is not introduced.
sub start_enable {
	my ($self, $patch) = @_;
	my @replaced = grep { $self->replaces($patch, $_) } @{$self->{patches}};
	my @introduced = grep {
		my $id = $_->{id};
		!grep { has_state($_, $id) } @replaced;
	} @{$patch->{own}};
	my (@done, %obsolete, @nops);

	for my $state (@introduced) {
		$self->call(pre_patch => $patch, $state);
		if ($state->{fail} && !$state->{bare}) {
			$self->call(post_unpatch => $patch, reverse @done);
			return [ 'ENOSPC', who($patch), "state $state->{id}" ];
		}
		push @done, $state;
	}
	$self->next_phase;
	for my $old (@replaced) {
		$obsolete{$old->{name}} = [ grep { !has_state($patch, $_->{id}) } @{$old->{own}} ];
		$self->call(pre_unpatch => $old, reverse @{$obsolete{$old->{name}}});
	}

	for my $function (map { @{$_->{funcs}} } @replaced) {
		push @nops, $function unless $self->changes($patch, $function) ||
			grep { $self->same_function($_, $function) } @nops;
	}
	if ($patch->{object_ret} && grep { $self->loaded(object_of($_)) } @{$patch->{funcs}}) {
		# As after a reversal.
		$self->tell($patch, 'object:pre_patch');
		$self->next_phase;
		$self->call(post_patch => $_, @{$obsolete{$_->{name}}}) for @replaced;
		$self->next_phase;
		$self->call(post_unpatch => $patch, reverse @done);
		return [ 'ENODEV' ];
	}

	push @{$self->{patches}}, $patch;
	# Counted by name.
	my %dropped = map { $_ => 1 } map { @{$_->{funcs}} } @replaced;
	delete @dropped{@{$patch->{funcs}}};
	$self->trace($_ => $patch, funcs => scalar @{$patch->{funcs}}, nops => scalar keys %dropped,
		     replaced => scalar @replaced) for 'admit', 'commit';
	$self->{transition} = {
		patch => $patch,
		enable => 1,
		patching => 1,
		replaced => \@replaced,
		introduced => \@introduced,
		obsolete => \%obsolete,
		nops => \@nops,
		tracked => scalar $self->rules_apply && !managed($patch),
	};
	$self->go_on;
	return;
}

sub start_disable {
	my ($self, $patch) = @_;
	$self->call(pre_unpatch => $patch, reverse @{$patch->{own}});
	$self->{transition} = {
		patch => $patch,
		patching => 0,
		replaced => [],
		nops => [],
	};
	$self->go_on;
}

sub reverse_transition {
	my ($self) = @_;
	$self->{transition}{patching} ^= 1;
	$self->go_on;
}

sub go_on {
	my ($self) = @_;
	$self->next_phase;
	$self->tell($self->{transition}{patch},
		    $self->{transition}{patching} ? 'patching' : 'unpatching');
	$self->try_complete;
}

# What stands on a function, the oldest first: names of patches, 'original' for a nop.
sub stack {
	my ($self, $function) = @_;
	my $t = $self->{transition};
	return map {
		my $patch = $_;
		$self->changes($patch, $function) ? [ $patch, $patch->{name} ] :
		$self->in_transition($patch) && grep({ $self->same_function($_, $function) } @{$t->{nops}}) ?
			[ $patch, 'original' ] : ();
	} @{$self->{patches}};
}

# Tasks in the code that the transition takes away. A client has one replacement for the
# park() of both targets.
sub left_behind {
	my ($self) = @_;
	my $t = $self->{transition} or return;
	my %goes;
	for my $object (grep { $self->{modules}{$_} } qw(klp_target klp_target2)) {
		my $below = "original $object";
		for my $entry ($self->stack("$object:park,1")) {
			my ($patch, $version) = @$entry;
			$version = "original $object" if $version eq 'original';
			$goes{$t->{patching} ? $below : $version} = 1 if $patch == $t->{patch};
			$below = $version;
		}
	}
	return grep {
		$goes{$_->{version} eq 'original' ? "original $_->{object}" : $_->{version}};
	} @{$self->{parked}};
}

# What a task runs that has nothing to do with the old code any more.
sub runs {
	my ($self, $function) = @_;
	my @stack = $self->stack($function);
	my $t = $self->{transition};
	pop @stack if @stack && $t && $stack[-1][0] == $t->{patch} && !$t->{patching};
	return @stack ? $stack[-1][1] : 'original';
}

sub try_complete {
	my ($self) = @_;
	my $t = $self->{transition};
	return if !$t || !$t->{forced} && $self->left_behind;
	my $patch = $t->{patch};

	$self->next_phase;
	if (!$t->{enable}) {
		$t->{patching} ? $self->call(post_patch => $patch, @{$patch->{own}}) :
				 $self->call(post_unpatch => $patch, reverse @{$patch->{own}});
	} elsif ($t->{patching}) {
		for my $old (@{$t->{replaced}}) {
			$self->call(post_unpatch => $old, reverse @{$t->{obsolete}{$old->{name}}});
		}
		$self->next_phase;
		$self->call(post_patch => $patch, @{$t->{introduced}});
	} else {
		for my $old (@{$t->{replaced}}) {
			$self->call(post_patch => $old, @{$t->{obsolete}{$old->{name}}});
		}
		$self->next_phase;
		$self->call(post_unpatch => $patch, reverse @{$t->{introduced}});
	}
	$self->next_phase;
	$self->tell($patch, $t->{patching} ? 'patched' : 'unpatched');

	my @gone = $t->{patching} ? @{$t->{replaced}} : $patch;
	if ($t->{enable} && $t->{patching}) {
		$self->{tainted} = 1 if $patch->{taints};
		$patch->{was_forced} = 1 if grep { $_->{was_forced} } @gone;
		$self->uevent($patch, 'enabled');
		$self->uevent($_, 'replaced') for @gone;
		for my $old (grep { managed($_) } @gone) {
			push @{$self->{said}}, [ who($old) . ' is replaced by', "'$patch->{name}'" ]
				unless managed($patch) && $patch->{set} == $old->{set};
		}
	} elsif (!$t->{enable} && !$t->{patching}) {
		$self->uevent($patch, 'disabled');
	}
	$self->trace(complete => $patch, enabled => $t->{patching}, forced => $t->{forced} ? 1 : 0,
		     replaced => $t->{patching} ? scalar @gone : 0);
	$self->{transition} = undef;
	$self->gone($_) for @gone;
}

sub gone {
	my ($self, $patch) = @_;
	@{$self->{patches}} = grep { $_ != $patch } @{$self->{patches}};
	$self->trace(release => $patch);
	$self->{modules}{$patch->{name}} = 'pinned' if $patch->{forced};
}

# --- operations --------------------------------------------------------------

# Why the operation must not be tried: the rules say nothing about it, or the machine
# would not survive it.
sub unfit {
	my ($self, $op) = @_;
	my ($verb, $name, @words) = split(/ /, $op);

	if ($verb eq 'unload') {
		return 'a task is in its park()'
			if grep { $_->{object} eq $name || $_->{version} eq $name } @{$self->{parked}};
		return 'it must stay' if $name eq 'klp_target_shadow';
	} elsif ($verb eq 'park') {
		return 'its module is not loaded' unless $self->{modules}{$name};
	} elsif ($verb eq 'attach') {
		return 'there are variables' if $self->{shadow}{$name};
	} elsif ($verb eq 'unpark') {
		return 'nobody is there' unless grep { $_->{whose} eq $name } @{$self->{parked}};
	} elsif ($verb eq 'load' && $name =~ /^r/) {
		my $patch = client($name, @words);
		my @others = map { @{$_->{funcs}} } @{$self->{patches}};
		for my $function (@{$patch->{funcs}}) {
			my $address = $alias{$function} // $function;
			next unless grep { $_ ne $function && ($alias{$_} // $_) eq $address }
					 @{$patch->{funcs}}, @others;
			return 'two names of one address, not loaded yet'
				unless $self->loaded(object_of($function));
			return 'a nop of stock livepatch above the other name' if $patch->{replace};
		}
		my %written;
		$written{function_key($_)}{$_} = 1 for map { @{$_->{written}} } $patch, @{$self->{patches}};
		return 'for stock livepatch, positions 0 and 1 are two nops of one name'
			if $patch->{replace} && grep { keys %$_ > 1 } values %written;
		return 'a function twice in a stock patch'
			if !managed($patch) && $self->own_mistakes({ %$patch, set => 0 });
	}
	return;
}

sub apply {
	my ($self, $op) = @_;
	my ($verb, @words) = split(/ /, $op);
	$self->{$_} = [] for qw(told said uevents traced);
	$self->{phase} = 0;
	my @refusals = $self->can("op_$verb")->($self, @words);
	@refusals = () unless defined $refusals[0];
	return \@refusals;
}

sub op_load {
	my ($self, $name, @words) = @_;

	return [ 'EEXIST' ] if $self->{modules}{$name};
	if ($name eq 'klp_sets') {
		$self->{core} = { %policy, assigned => {}, map { split(/=/) } @words };
	} elsif ($name =~ /^r/) {
		my $patch = client($name, @words);
		return [ 'E2BIG' ] if managed($patch) && !$self->{core};
		$self->find_set($patch);
		my @refusals = $self->refusals($patch);
		return @refusals if @refusals;
		$patch->{taints} = $patch->{set} && $self->{core}{taint} eq 'Y';
		# It is in place before the patch can be gone again.
		$self->{modules}{$name} = 'loaded';
		my $failed = $self->start_enable($patch);
		if ($failed) {
			delete $self->{modules}{$name};
			return $failed;
		}
		delete $self->{core}{assigned}{$name} if $patch->{assigned};
	}
	my ($unwilling) = grep { $_->{object_ret} && $self->changes_in($_, $name) } @{$self->{patches}};
	if ($unwilling) {
		$self->tell($unwilling, 'object:pre_patch');
		return [ 'ENODEV' ];
	}
	$self->{modules}{$name} ||= 'loaded';
	return;
}

sub op_unload {
	my ($self, $name) = @_;

	return [ 'ENOENT' ] unless $self->{modules}{$name};
	return [ 'EAGAIN' ] if $self->references($name);
	delete $self->{modules}{$name};
	if ($name eq 'klp_sets') {
		$self->{core} = undef;
		$self->{left_alone} = {};
	}
	return;
}

sub op_disable {
	my ($self, $name) = @_;
	my $patch = $self->find_patch($name) or return [ 'ENOENT' ];
	my $t = $self->{transition};

	return [ 'EINVAL' ] unless $self->is_enabled($patch);
	# Not while they are being introduced.
	my $introduced = !$t || $t->{patch} != $patch || !$t->{enable};
	for my $state (grep { $introduced && $_->{block} } @{$patch->{own}}) {
		return [ 'EBUSY', "'$name'", "state $state->{id}" ], $t ? [ 'EBUSY' ] : ();
	}
	if ($self->in_transition($patch)) {
		$self->reverse_transition;
	} else {
		return [ 'EBUSY' ] if $t;
		$self->start_disable($patch);
	}
	return;
}

sub op_enable {
	my ($self, $name) = @_;
	my $patch = $self->find_patch($name) or return [ 'ENOENT' ];

	return [ 'EINVAL' ] if $self->is_enabled($patch);
	$self->reverse_transition;
	return;
}

# Marks only the patches that are being taken away.
sub op_force {
	my ($self, $name) = @_;
	my $patch = $self->find_patch($name) or return [ 'ENOENT' ];
	my $t = $self->{transition};

	return [ 'EINVAL' ] unless $self->in_transition($patch);
	my @away = $t->{patching} ? @{$t->{replaced}} : $patch;
	@away = @{$self->{patches}} if $self->{force_marks_all} && !$self->hooked;
	$_->{forced} = 1 for @away;
	$_->{was_forced} = 1 for $patch, @{$t->{replaced}};
	$t->{forced} = 1;
	$self->try_complete;
	return;
}

sub op_park {
	my ($self, $object) = @_;
	my $version = $self->runs("$object:park,1");
	push @{$self->{parked}}, {
		object => $object,
		version => $version,
		whose => $version eq 'original' ? $object : $version,
	};
	return;
}

sub op_unpark {
	my ($self, $whose) = @_;
	@{$self->{parked}} = grep { $_->{whose} ne $whose } @{$self->{parked}};
	$self->try_complete;
	return;
}

sub op_assign {
	my ($self, $name, $set, @obsoletes) = @_;
	my $core = $self->{core} or return [ 'ENOENT' ];
	my $patch = $self->find_patch($name);

	if ($set eq '-') {
		return delete $core->{assigned}{$name} ? () : [ 'ENOENT' ];
	}
	if (!$patch) {
		$core->{assigned}{$name} = [ $set, @obsoletes ];
		return;
	}

	my @refusals;
	push @refusals, [ 'EEXIST' ] if managed($patch);
	push @refusals, [ 'EBUSY', "'$name' is not assigned", 'in transition' ] if $self->{transition};
	return @refusals if @refusals;
	for my $old (grep { $_ != $patch } @{$self->{patches}}) {
		my @why = ([ 'EINVAL', "'$name'", "'$old->{name}'" ]);
		push @refusals, @why if grep { $self->changes($old, $_) } @{$patch->{funcs}};
		push @refusals, @why if grep { has_state($old, $_) } state_ids($patch);
		push @refusals, @why
			if managed($old) && grep { $_ == $old->{set} } $set, @obsoletes;
	}
	return @refusals if @refusals;
	$patch->{set} = $set;
	$patch->{obsoletes} = [ @obsoletes ];
	$self->{tainted} = 1 if $set && $core->{taint} eq 'Y';
	$self->uevent($patch, 'enabled');
	return;
}

sub op_policy {
	my ($self, $name, $value) = @_;
	my $core = $self->{core} or return [ 'ENOENT' ];
	return [ 'EINVAL' ] unless $value =~ ($name eq 'stock_replace' ? qr/^(all|scoped|refuse)$/ : qr/^[NY]$/);
	$core->{$name} = $value;
	return;
}

sub op_attach {
	my ($self, $id) = @_;
	$self->{shadow}{$id} = 1;
	return;
}

# --- what an operator sees ---------------------------------------------------

sub is_enabled {
	my ($self, $patch) = @_;
	return $self->in_transition($patch) ? $self->{transition}{patching} : 1;
}

sub hooked {
	my ($self) = @_;
	return $self->rules_apply || $self->{transition} && $self->{transition}{tracked};
}

# "When klp-sets can be unloaded", and a patch holds its own module.
sub references {
	my ($self, $name) = @_;
	my $count = grep { managed($_) } @{$self->{patches}};
	return $count + ($self->{transition} && $self->{transition}{tracked} ? 1 : 0)
		if $name eq 'klp_sets';
	return $self->find_patch($name) || $self->{modules}{$name} eq 'pinned' ? 1 : 0;
}

# During a replace, a set still shows the old patch.
sub patch_of_set {
	my ($self, $set) = @_;
	return (grep { managed($_) && $_->{set} == $set } @{$self->{patches}})[0];
}

sub picture {
	my ($self) = @_;
	my %see;

	for my $object (grep { $self->loaded($_) } keys %functions) {
		for my $function (@{$functions{$object}}) {
			my $key = function_key($object eq 'vmlinux' ? $function : "$object:$function");
			# ftrace knows one name of an address, and no positions.
			$see{($key =~ s/,.*//r) . ' handlers'} += $self->stack($key) ? 1 : 0
				unless $alias{$key};
			next if $function eq 'park' && @{$self->{parked}};
			$see{"$key runs"} = $self->runs($key);
		}
	}
	$see{hooks} = 'yes' if $self->hooked;

	for my $patch (@{$self->{patches}}) {
		my $name = $patch->{name};
		$see{"$name enabled"} = $self->is_enabled($patch);
		$see{"$name transition"} = $self->in_transition($patch) ? 1 : 0;
		# The nops of stock livepatch can be seen.
		$see{"$name functions"} = join(' ', sort @{$patch->{funcs}},
			!managed($patch) && $self->in_transition($patch) ? @{$self->{transition}{nops}} : ());
		next unless managed($patch);
		$see{"$name replace_set"} = $patch->{set};
		$see{"$name obsoletes"} = join(' ', @{$patch->{obsoletes}}) if @{$patch->{obsoletes}};

		my $set = $patch->{set};
		next unless $self->patch_of_set($set) == $patch;
		$see{"set $set patch"} = $name;
		$see{"set $set states"} = join(', ', sort
			map { "$_->{id} $_->{name} $name " . ($_->{block} ? 'block_disable' : '-') }
			    @{$patch->{own}});
	}
	$see{'tasks left behind'} = scalar $self->left_behind if $self->{transition};

	if ($self->{core}) {
		my $assigned = $self->{core}{assigned};
		$see{assign} = join(', ', sort map { join(' ', $_, @{$assigned->{$_}}) } keys %$assigned);
		$see{"policy $_"} = $self->{core}{$_} for keys %policy;
	}
	$see{"$_ references"} = $self->references($_)
		for grep { $_ ne 'klp_target_shadow' } keys %{$self->{modules}};
	$see{shadow} = join(' ', sort { $a <=> $b } map { ($_, $_) } keys %{$self->{shadow}});
	$see{tainted} = $self->{tainted} unless $self->{transition};
	return \%see;
}

1;
