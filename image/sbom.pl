#!/usr/bin/perl
# The parts list of an image as SPDX 2.3 (JSON): every Debian package with its version, the kernel and the firmware, our program, and what that was made of, by the
# list that its package brings along.
#   sbom.pl ROOT VERSION NAME       ROOT is the unpacked root with dpkg's status and .nfr/*.control. The time is SOURCE_DATE_EPOCH: two builds give one text.
use strict; use warnings; use POSIX qw(strftime); use Digest::SHA; use JSON::PP;
my ($root, $version, $name) = @ARGV;
my $time = strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($ENV{SOURCE_DATE_EPOCH} // die "sbom.pl: SOURCE_DATE_EPOCH is not set\n"));

sub text { my $t = shift // ''; $t =~ s/([\\"])/\\$1/g; $t =~ s/\n/\\n/g; $t =~ s/\t/\\t/g; $t =~ s/[\x00-\x1f]//g; "\"$t\"" }
sub id { my $t = shift; $t =~ s/[^A-Za-z0-9.-]/-/g; "SPDXRef-Package-$t" }
sub stanzas { open(my $f, '<:encoding(UTF-8)', shift) or die "sbom.pl: $!\n"; local $/ = ''; map { my %h; $h{$1} = $2 while /^([A-Za-z-]+): *(.*)$/mg; \%h } <$f> }
binmode STDOUT, ':encoding(UTF-8)';

my %all;
for my $p (stanzas("$root/var/lib/dpkg/status")) { $all{$p->{Package}} = $p if ($p->{Status} // '') =~ / installed$/ }
for my $file (glob("$root/.nfr/*.control")) { for my $p (stanzas($file)) { $all{$p->{Package}} = $p if $p->{Package} } }
my @names = sort keys %all;
my @packages = map {
  my $p = $all{$_}; my $ours = $_ eq 'nfr';
  # A source package is named where it differs, with its version in brackets where that differs too.
  my ($source) = ($p->{Source} // $_) =~ /^(\S+)/;
  my $sum = '';
  if ($ours && -f "$root/usr/bin/nfr") { my $sha = Digest::SHA->new(256)->addfile("$root/usr/bin/nfr", 'b')->hexdigest; $sum = ",\"comment\":\"SHA-256 of /usr/bin/nfr: $sha\"" }
  my $purl = $ours ? "pkg:generic/nfr\@$p->{Version}" : "pkg:deb/debian/$_\@$p->{Version}?arch=$p->{Architecture}&distro=trixie";
  $purl =~ s/\+/%2B/g;
  '{"SPDXID":' . text(id($_)) . ',"name":' . text($_) . ',"versionInfo":' . text($p->{Version}) . ',"supplier":' . text($ours ? 'Organization: The NFR authors' : 'Organization: Debian')
    . ',"downloadLocation":"NOASSERTION","filesAnalyzed":false,"licenseConcluded":"NOASSERTION","licenseDeclared":' . ($ours ? '"MIT"' : '"NOASSERTION"') . ',"copyrightText":"NOASSERTION"'
    . ($p->{Homepage} ? ',"homepage":' . text($p->{Homepage}) : '') . ($ours ? '' : ',"sourceInfo":' . text("Debian source package $source"))
    . ',"externalRefs":[{"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":' . text($purl) . "}]$sum}"
} @names;

# What nfr has in it: libraries and runtime, no Debian packages. Those that it loads are packages of the image themselves.
my $list = "$root/usr/share/doc/nfr/nfr.spdx.json"; my @relations;
if (grep { $_ eq 'nfr' } @names) {
  open(my $f, '<:raw', $list) or die "sbom.pl: $list: $!; the package nfr has to bring its own parts list\n";
  my $inner = do { local $/; decode_json(<$f>) }; my $json = JSON::PP->new->canonical; my (%id, $here);
  for my $p (@{$inner->{packages}}) {
    if ($p->{name} eq 'nfr') { $here = $p->{SPDXID}; $id{$here} = id('nfr'); next }
    next unless grep { ($_->{referenceLocator} // '') =~ /^pkg:nuget\// } @{$p->{externalRefs} // []};
    my $old = $p->{SPDXID}; $id{$old} = $p->{SPDXID} = id("nuget-$p->{name}"); push @packages, $json->encode($p);
  }
  $here or die "sbom.pl: $list does not name nfr\n";
  for my $r (@{$inner->{relationships}}) {
    next unless $id{$r->{spdxElementId}} && $id{$r->{relatedSpdxElement}};
    $r->{$_} = $id{$r->{$_}} for qw(spdxElementId relatedSpdxElement); push @relations, $json->encode($r);
  }
}
my $digest = Digest::SHA->new(256)->add(join("\n", @packages))->hexdigest;
print "{\"spdxVersion\":\"SPDX-2.3\",\"dataLicense\":\"CC0-1.0\",\"SPDXID\":\"SPDXRef-DOCUMENT\",\"name\":", text($name), ",\"documentNamespace\":\"https://spdx.org/spdxdocs/$name-$digest\",\n",
  "\"creationInfo\":{\"created\":\"$time\",\"creators\":[\"Tool: nfr-image\",\"Organization: The NFR authors\"]},\n\"packages\":[\n",
  join(",\n", "{\"SPDXID\":\"SPDXRef-Image\",\"name\":\"nfr-image\",\"versionInfo\":" . text($version) . ",\"downloadLocation\":\"NOASSERTION\",\"filesAnalyzed\":false,\"primaryPackagePurpose\":\"OPERATING-SYSTEM\"}", @packages),
  "\n],\"relationships\":[\n{\"spdxElementId\":\"SPDXRef-DOCUMENT\",\"relationshipType\":\"DESCRIBES\",\"relatedSpdxElement\":\"SPDXRef-Image\"},\n",
  join(",\n", (map { "{\"spdxElementId\":\"SPDXRef-Image\",\"relationshipType\":\"CONTAINS\",\"relatedSpdxElement\":" . text(id($_)) . '}' } @names), @relations), "\n]}\n";
