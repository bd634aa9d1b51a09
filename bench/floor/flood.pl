#!/usr/bin/perl
# A worker that floods when it is told to. Arguments: a named pipe, megabytes. Each line on the pipe is one flood of
# lines of 100 bytes: "line 7" writes them one by one, "block 7" in pieces of 64 KiB. Its last line is "flood 7 is over".
use strict;
use warnings;

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
  for (1 .. $count) { put($piece) }
  put(substr $block, 0, $bytes - $count * $length) if $bytes > $count * $length;
  put("flood $number is over\n");
}
