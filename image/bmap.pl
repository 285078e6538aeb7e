#!/usr/bin/perl
# The block map of an image (format of bmap-tools, version 2.0): which blocks hold something, so that a card is written in half the time and checked.
#   bmap.pl IMAGE NAME [START-END…] > NAME.bmap
# A block may be left out when it is zero and nobody will read it. Zeros that mean something (a FAT's free entries, a file of zeros, an empty bitmap) would be
# garbage on a card that was used before: the blocks given as START-END (of 4096 bytes, both included) are in the map whatever they hold.
# Whether the file has a hole there plays no part: the same image gives the same map everywhere.
use strict; use warnings; use Digest::SHA qw(sha256_hex);
my ($path, $name, @must) = @ARGV;
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
# What must be there, joined with what is.
push @ranges, map { /^(\d+)-(\d+)$/ or die "bmap.pl: '$_' is no range\n"; [$1, $2] } @must;
my @joined;
for my $r (sort { $a->[0] <=> $b->[0] || $a->[1] <=> $b->[1] } @ranges) {
  if (@joined && $r->[0] - $joined[-1][1] <= $join) { $joined[-1][1] = $r->[1] if $r->[1] > $joined[-1][1] } else { push @joined, [@$r] }
}
@ranges = @joined;
die "bmap.pl: a range ends behind the image\n" if @ranges && $ranges[-1][1] >= $blocks;
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
