#!/usr/bin/env bash
# The initramfs out of an unpacked root: busybox, the drivers between the firmware and the card, e2fsprogs, and /init.
#   make.sh ROOT OUT EPOCH        ROOT is the tree of root.sh with the appliance's files in it
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../common.sh
. "$here/../common.sh"
root=$1 out=$2 epoch=$3
tree=$(mktemp -d "$CACHE/initramfs.XXXXXX"); trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{bin,sbin,usr/bin,usr/sbin,usr/lib/nfr,lib,etc,proc,sys,dev,run,tmp}
cp "$root/.nfr/usr/bin/busybox" "$tree/bin/busybox"
for applet in sh mount umount mkdir rmdir rm mv cp cat echo sed grep head tail tr cut sort find xargs sleep sync reboot modprobe dd od cmp printf stat date chmod blockdev \
  switch_root test '[' expr dirname basename ls ln touch wc env true false uname dmesg; do
  ln -s busybox "$tree/bin/$applet"
done
# The kernel itself asks for drivers (nls_ascii, crc32c) by this path.
ln -s ../bin/busybox "$tree/sbin/modprobe"
# Programs with their libraries, found by reading them, not by running them: they are of another machine.
need=(usr/sbin/sfdisk usr/bin/partx usr/sbin/partx usr/sbin/e2fsck usr/sbin/mke2fs usr/sbin/resize2fs usr/sbin/fsck.fat)
lib() { local f; for f in "$root"/usr/lib/aarch64-linux-gnu/"$1" "$root"/usr/lib/"$1"; do [ -e "$f" ] && echo "$f" && return; done; fail "the root has no library $1"; }
copy_libraries() {
  local so from
  for so in $(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
    [ ! -e "$tree/lib/$so" ] || continue
    from=$(lib "$so"); cp -L "$from" "$tree/lib/$so"; copy_libraries "$from"
  done
}
for program in "${need[@]}"; do
  [ -e "$root/$program" ] || continue
  cp -L "$root/$program" "$tree/sbin/${program##*/}"; copy_libraries "$root/$program"
done
cp -L "$root/usr/lib/ld-linux-aarch64.so.1" "$tree/lib/ld-linux-aarch64.so.1" 2>/dev/null || cp -L "$root/usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1" "$tree/lib/"
[ -e "$tree/sbin/e2fsck" ] && [ -e "$tree/sbin/sfdisk" ] && [ -e "$tree/sbin/partx" ] && [ -e "$tree/sbin/fsck.fat" ] || fail "the root lacks a program of the initramfs (e2fsck, sfdisk, partx, fsck.fat)"
cp "$root/etc/mke2fs.conf" "$tree/etc/"

# Drivers, unpacked (the kernel is spared it at each boot), with all that they depend on.
modules=$(echo "$root"/usr/lib/modules/*); version=${modules##*/}
declare -A taken
take() { # take PATH-in-modules.dep: it and what its line names
  local one deps
  [ -z "${taken[$1]:-}" ] || return 0
  taken[$1]=1
  deps=$(sed -n "s|^$1: *||p" "$modules/modules.dep")
  for one in $deps; do take "$one"; done
  mkdir -p "$tree/lib/modules/$version/$(dirname "$1")"
  case $1 in *.xz) xz -dc "$modules/$1" > "$tree/lib/modules/$version/${1%.xz}" ;; *) cp "$modules/$1" "$tree/lib/modules/$version/$1" ;; esac
}
wanted=$(grep -v '^#' "$here/modules.txt" | tr '\n' ' ')
for module in $wanted; do
  pattern=${module//[-_]/[-_]}
  path=$(sed -n "s|^\([^:]*/$pattern\.ko[^:]*\):.*|\1|p" "$modules/modules.dep" | head -n 1)
  # What is not there as a module is part of this kernel, or of another version of it.
  if [ -n "$path" ]; then take "$path"; else grep -q "/$pattern\.ko" "$modules/modules.builtin" || say "note: this kernel has no driver $module"; fi
done
cp "$modules"/modules.{builtin,order} "$tree/lib/modules/$version/"
[ ! -e "$modules/modules.builtin.modinfo" ] || cp "$modules/modules.builtin.modinfo" "$tree/lib/modules/$version/"
depmod -b "$tree" "$version"
echo "virtio_blk mmc_block crc32c_generic ext4 vfat nls_cp437 nls_ascii" > "$tree/etc/modules"
echo "$epoch" > "$tree/etc/built"
cp "$root"/usr/lib/nfr/{slots,card}.sh "$tree/usr/lib/nfr/"
cp "$here/init" "$tree/init"; chmod 755 "$tree/init"

find "$tree" -exec touch -h -d "@$epoch" {} +
( cd "$tree" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort | cpio --quiet -o -H newc --reproducible -R 0:0 ) | gzip -9n > "$out"
