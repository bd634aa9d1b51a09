#!/usr/bin/perl
# A worker that floods when it is told to. Arguments: a named pipe, megabytes. Each line on the pipe is one flood of
# lines of 100 bytes: "line 7" writes them one by one, "block 7" in pieces of 64 KiB, "steady 7" likewise, but 50 MB a
# second. Its last line is "flood 7 is over".
use strict;
use warnings;
use Time::HiRes qw(sleep time);

my ($pipe, $megabytes) = @ARGV;
my $bytes = $megabytes * 1_000_000;
my $line = ("abcdefghij" x 10);
substr($line, 99, 1) = "\n";
my $block = substr($line x 656, 0, 65_500);

sub put {
  my ($text) = @_;
  for (my $at = 0 ; $at < length $text ;) {
    my $written = syswrite STDOUT, $text, length($text) - $at, $at;
    defined $written or die "cannot write: $!";
    $at += $written;
  }
}

# For writing too, so that it has no end.
open my $orders, "+<", $pipe or die "cannot open $pipe: $!";
while (my $order = <$orders>) {
  my ($mode, $number) = split " ", $order;
  my $piece = $mode eq "line" ? $line : $block;
  my $length = length $piece;
  my $count = int($bytes / $length);
  my $started = time;
  for my $done (1 .. $count) {
    put($piece);
    my $ahead = $mode eq "steady" ? $done * $length / 50e6 - (time - $started) : 0;
    sleep $ahead if $ahead > 0;
  }
  put(substr $block, 0, $bytes - $count * $length) if $bytes > $count * $length;
  put("flood $number is over\n");
}
