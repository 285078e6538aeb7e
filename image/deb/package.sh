#!/usr/bin/env bash
# Makes nfr_VERSION_ARCHITECTURE.deb of a published program and this folder: the same bytes for the same commit.
#   image/deb/package.sh PUBLISHED ARCHITECTURE VERSION OUT [RUN...]
# PUBLISHED    folder with the single file nfr
# ARCHITECTURE amd64 or arm64
# RUN          how a program of the same commit is run here that writes completions, manual and SBOM, where nfr itself is
#              for another processor
# SOURCE_DATE_EPOCH is the commit's time unless it is set.
set -euo pipefail
umask 022
export LC_ALL=C TZ=UTC

fail() { printf 'package.sh: %s\n' "$1" >&2; exit 1; }
[ $# -ge 4 ] || fail "PUBLISHED ARCHITECTURE VERSION OUT are needed"
published=$1 architecture=$2 version=$3 out=$4
shift 4
[ -x "$published/nfr" ] || fail "$published/nfr is not there: publish first"
command -v dpkg-deb >/dev/null || fail "dpkg-deb is needed: it comes with Debian's package dpkg"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
[ $# -gt 0 ] || set -- "$published/nfr"
case $architecture in amd64) rid=linux-x64 ;; arm64) rid=linux-arm64 ;; *) fail "no package is made for $architecture" ;; esac
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
  SOURCE_DATE_EPOCH=$(git -C "$root" log -1 --format=%ct 2>/dev/null) || fail "this is no git checkout: set SOURCE_DATE_EPOCH"
fi
export SOURCE_DATE_EPOCH
maintainer='The NFR authors <nfr-authors@users.noreply.github.com>'

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
chmod 755 "$stage"
put() { install -D -m "$1" "$2" "$stage/$3"; }
said() { mkdir -p "$(dirname "$stage/$1")"; cat > "$stage/$1"; chmod 644 "$stage/$1"; }
packed() { mkdir -p "$(dirname "$stage/$1")"; gzip -9n > "$stage/$1"; chmod 644 "$stage/$1"; }

put 755 "$published/nfr" usr/bin/nfr
put 640 "$root/config.yml" etc/nfr/config.yml
put 644 "$root/scope.yml" etc/nfr/scope.yml
mkdir -p "$stage/etc/nfr/feeds"
# What a factory reset goes back to.
put 644 "$root/config.yml" usr/share/nfr/config.yml
put 644 "$root/scope.yml" usr/share/nfr/scope.yml

systemd=$root/image/systemd
for unit in "$systemd"/units/*; do put 644 "$unit" "lib/systemd/system/${unit##*/}"; done
put 644 "$systemd/sysusers/nfr.conf" usr/lib/sysusers.d/nfr.conf
put 644 "$systemd/tmpfiles/nfr.conf" usr/lib/tmpfiles.d/nfr.conf
put 644 "$systemd/presets/60-nfr.preset" usr/lib/systemd/system-preset/60-nfr.preset
put 644 "$systemd/udev/60-nfr-panel.rules" lib/udev/rules.d/60-nfr-panel.rules
put 755 "$systemd/shutdown/nfr-panel" usr/lib/systemd/system-shutdown/nfr-panel
for script in "$systemd"/libexec/*; do put 755 "$script" "usr/lib/nfr/${script##*/}"; done

"$@" completion bash | said usr/share/bash-completion/completions/nfr
"$@" completion zsh | said usr/share/zsh/vendor-completions/_nfr
"$@" completion fish | said usr/share/fish/vendor_completions.d/nfr.fish
"$@" completion man | packed usr/share/man/man1/nfr.1.gz
"$@" completion man-config | packed usr/share/man/man5/nfr-config.5.gz

doc=usr/share/doc/nfr
"$@" version --sbom --rid "$rid" | said "$doc/nfr.spdx.json"
put 644 "$here/copyright" "$doc/copyright"
packed "$doc/CHANGELOG.md.gz" < "$root/CHANGELOG.md"
packed "$doc/changelog.gz" <<CHANGELOG
nfr ($version) unstable; urgency=medium

  * What is new in this version: /usr/share/doc/nfr/CHANGELOG.md.gz

 -- $maintainer  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
CHANGELOG
put 644 "$here/lintian-overrides" usr/share/lintian/overrides/nfr

mkdir "$stage/DEBIAN"
size=$(du -k -s --apparent-size --exclude=DEBIAN "$stage" | cut -f1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@MAINTAINER@|$maintainer|" -e "s|@SIZE@|$size|" "$here/control.in" > "$stage/DEBIAN/control"
install -m 644 "$here/conffiles" "$stage/DEBIAN/conffiles"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$stage/DEBIAN/$script"; done
(cd "$stage" && find . -type f -not -path './DEBIAN/*' -printf '%P\0' | sort -z | xargs -0 md5sum) > "$stage/DEBIAN/md5sums"
chmod 644 "$stage/DEBIAN/control" "$stage/DEBIAN/md5sums"
find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$out"
deb="$out/nfr_${version}_${architecture}.deb"
# One thread: with more the cut into blocks, and so the bytes, would follow the number of processors.
dpkg-deb --root-owner-group -Zxz -z6 --threads-max=1 --build "$stage" "$deb" >/dev/null
(cd "$out" && sha256sum "${deb##*/}" > "${deb##*/}.sha256")
printf '%s\n' "$deb"
