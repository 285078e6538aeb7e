#!/usr/bin/env bash
# Fetches what runs arm64 on another machine: QEMU of Debian trixie, and the shared libraries that the sensor binds to.
#   image/emulator.sh program CACHE    then: CACHE/qemu-aarch64 -L CACHE/sysroot PROGRAM
#   image/emulator.sh machine CACHE    then: CACHE/bin/qemu-system-aarch64 …
# Packages are unpacked beside each other: nothing is installed, no right is needed. What is in CACHE is kept. Needs apt-get, dpkg-deb and
# a mirror of Debian in the machine's own package sources. (What makes the image comes from tools.sh.)
set -euo pipefail
usage='usage: emulator.sh program|machine CACHE'
what=${1:?$usage}
cache=$(mkdir -p "${2:?$usage}" && cd "$2" && pwd)
suite=trixie

fail() { printf 'emulator.sh: %s\n' "$1" >&2; exit 1; }
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "apt-get and dpkg-deb are missing: run this on Debian, or on a machine that has them"

# The mirror is the one that this machine itself uses; the keys are those that it trusts.
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(LABEL)' 'Created-By: Packages' | awk '$2 == "Debian" && $3 == "Debian" { print $1; exit }')
[ -n "$mirror" ] || fail "the machine's package sources name no Debian mirror: add one to /etc/apt/sources.list and run apt-get update"
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || fail "the package debian-archive-keyring is missing: install it"

# unpack ARCH FOLDER PACKAGE…: the packages and all that they need, unpacked into FOLDER. "Installed" in this private world is nothing.
unpack() {
  local arch=$1 folder=$2 apt=$cache/apt-$1; shift 2
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/none" "$folder"
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/sources.list"
  local options=(-qq -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State=$apt" -o "Dir::State::status=$apt/status" -o "Dir::State::lists=$apt/lists"
    -o "Dir::Cache=$apt" -o "Dir::Cache::archives=$apt/archives" -o "Dir::Etc::sourcelist=$apt/sources.list" -o "Dir::Etc::sourceparts=$apt/none"
    -o "Acquire::Languages=none" -o "APT::Install-Recommends=false" -o "APT::Sandbox::User=root" -o "Debug::NoLocking=1" -o "pkgCacheGen::ForceEssential=none")
  [ -n "$(find "$apt/lists" -name '*Packages*' -mtime -7 -print -quit)" ] || apt-get "${options[@]}" update </dev/null || fail "the package lists of $suite could not be read from $mirror"
  apt-get "${options[@]}" -y --download-only install "$@" </dev/null >/dev/null || fail "could not fetch $* of $suite ($arch) from $mirror"
  local package
  for package in "$apt"/archives/*.deb; do dpkg-deb -x "$package" "$folder"; done
  rm -rf "$apt/archives"
}

case $what in
  program)
    [ -e "$cache/qemu-aarch64" ] || { unpack "$(dpkg --print-architecture)" "$cache/qemu" qemu-user; ln -s qemu/usr/bin/qemu-aarch64 "$cache/qemu-aarch64"; }
    [ -e "$cache/sysroot/.done" ] || {
      unpack arm64 "$cache/sysroot" libc6 libgcc-s1 libstdc++6 zlib1g libssl3t64 libzstd1 libpcap0.8t64 libsqlite3-0 libmosquitto1
      # The program asks for its loader under /lib, which in Debian is a link.
      [ -e "$cache/sysroot/lib" ] || ln -s usr/lib "$cache/sysroot/lib"
      touch "$cache/sysroot/.done"
    } ;;
  machine)
    tree=$cache/qemu-system
    [ -e "$tree/.done" ] || { unpack "$(dpkg --print-architecture)" "$tree" qemu-system-arm; touch "$tree/.done"; }
    # Its libraries may be newer than the machine's: it runs under the loader that came with it.
    loader=$(find "$tree/usr/lib" -name 'ld-linux-*.so.*' | head -n 1)
    mkdir -p "$cache/bin"
    cat > "$cache/bin/qemu-system-aarch64" <<RUN
#!/bin/sh
export QEMU_MODULE_DIR='${loader%/*}/qemu'
exec '$loader' --library-path '${loader%/*}' '$tree/usr/bin/qemu-system-aarch64' -L '$tree/usr/share/qemu' "\$@"
RUN
    chmod 755 "$cache/bin/qemu-system-aarch64" ;;
  *) fail "$usage" ;;
esac
