#!/usr/bin/perl
# The block map of an image (format of bmap-tools, version 2.0): which blocks hold something, so that a card is written in half the time and checked.
#   bmap.pl IMAGE NAME > NAME.bmap
# A block counts as empty when all its bytes are zero, not when the file happens to have a hole there: the same image gives the same map everywhere.
use strict; use warnings; use Digest::SHA qw(sha256_hex);
my ($path, $name) = @ARGV;
my ($block, $join) = (4096, 64);   # gaps under 256 KiB are written along: fewer, longer ranges
open(my $image, '<:raw', $path) or die "bmap.pl: $path: $!\n";
my $size = -s $path; my $blocks = int(($size + $block - 1) / $block);
my ($zero, $at, @ranges) = ("\0" x (1 << 20), 0);
while ((my $n = read($image, my $chunk, 1 << 20)) > 0) {
  unless ($chunk eq substr($zero, 0, $n)) {
    for (my $o = 0; $o < $n; $o += $block) {
      my $piece = substr($chunk, $o, $block);
      next if $piece eq substr($zero, 0, length $piece);
      my $b = $at + $o / $block;
      if (@ranges && $b - $ranges[-1][1] <= $join) { $ranges[-1][1] = $b } else { push @ranges, [$b, $b] }
    }
  }
  $at += 256;
}
my $mapped = 0; my $lines = '';
for my $r (@ranges) {
  $mapped += $r->[1] - $r->[0] + 1;
  seek($image, $r->[0] * $block, 0); my $sha = Digest::SHA->new(256); my $left = ($r->[1] - $r->[0] + 1) * $block;
  while ($left > 0) { my $n = read($image, my $chunk, $left < 1 << 20 ? $left : 1 << 20) or last; $sha->add($chunk); $left -= $n }
  my $span = $r->[0] == $r->[1] ? $r->[0] : "$r->[0]-$r->[1]";
  $lines .= "        <Range chksum=\"" . $sha->hexdigest . "\">$span</Range>\n";
}
my $text = <<"XML";
<?xml version="1.0" ?>
<!-- $name: write it with "bmaptool copy $name.xz /dev/…", which reads this file by itself. -->
<bmap version="2.0">
    <ImageSize>$size</ImageSize>
    <BlockSize>$block</BlockSize>
    <BlocksCount>$blocks</BlocksCount>
    <MappedBlocksCount>$mapped</MappedBlocksCount>
    <ChecksumType>sha256</ChecksumType>
    <BmapFileChecksum>@{['0' x 64]}</BmapFileChecksum>
    <BlockMap>
$lines    </BlockMap>
</bmap>
XML
# Its own sum is taken with zeros in its own place.
my $sum = sha256_hex($text); $text =~ s/(<BmapFileChecksum>)0{64}/$1$sum/;
print $text;
