#!/usr/bin/env bash
# The tools that make and boot the image, the same on every host: Debian trixie's own, unpacked into the cache and run from there
# by their own loader, so that the bytes of an image do not depend on the host's mke2fs, mtools or xz.
#   tools.sh build    mke2fs, mtools, dosfstools, sfdisk, xz, cpio, dtc, qemu-aarch64 (emulates maintainer scripts)
#   tools.sh boot     qemu-system-aarch64 10, for the boot test
# Needs root and apt on the host. Prints the folder to put in front of PATH.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
what=${1:-build}
need_root

host_packages=()
command -v mmdebstrap >/dev/null || host_packages+=(mmdebstrap)
command -v arch-test >/dev/null  || host_packages+=(arch-test)
[ -f "$KEYRING" ]                || host_packages+=(debian-archive-keyring)
if [ ${#host_packages[@]} -gt 0 ]; then
  say "installing ${host_packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${host_packages[@]}"; } </dev/null >/dev/null ||
    fail "could not install ${host_packages[*]}: run 'apt-get install ${host_packages[*]}' and look at its errors"
fi

case $what in
  build) packages=(e2fsprogs dosfstools mtools fdisk xz-utils cpio libarchive13t64 device-tree-compiler qemu-user kmod systemd)
         programs=(usr/sbin/mke2fs usr/sbin/e2fsck usr/sbin/debugfs usr/sbin/resize2fs usr/sbin/mkfs.fat usr/sbin/fsck.fat usr/bin/mcopy usr/bin/mdir usr/bin/mtype usr/bin/mmd
                   usr/bin/mlabel usr/bin/mdel usr/sbin/sfdisk usr/bin/xz usr/bin/cpio usr/bin/dtc usr/sbin/depmod usr/bin/systemctl usr/bin/systemd-sysusers) ;;
  boot)  packages=(qemu-system-arm qemu-system-data)
         programs=(usr/bin/qemu-system-aarch64 usr/bin/qemu-img) ;;
  *) fail "tools.sh knows build and boot, not '$what'" ;;
esac
[ "$what" != boot ] || packages+=(qemu-utils)

tree=$CACHE/tools-$what
lock "tools-$what"
wanted="3 ${packages[*]}"
if [ "$(cat "$tree/.nfr-tools" 2>/dev/null)" != "$wanted" ]; then
  say "unpacking Debian trixie's tools for '$what'"
  rm -rf "$tree" "$tree.new"
  quietly mmdebstrap --variant=extract --architectures="$HOST_ARCH" --include="$(IFS=,; echo "${packages[*]}")" --keyring="$KEYRING" \
    --dpkgopt='path-exclude=/usr/share/{doc,man,locale}/*' "${APT_OPTIONS[@]}" trixie "$tree.new" "$MIRROR"
  # Each program is started by its own loader with its own libraries; argv[0] keeps the name that mtools and kmod decide by.
  mkdir "$tree.new/nfr-bin"
  loader=usr/lib64/ld-linux-x86-64.so.2
  [ "$HOST_ARCH" = amd64 ] || loader=usr/lib/ld-linux-aarch64.so.1
  [ -e "$tree.new/$loader" ] || fail "Debian's loader is not where it was expected ($tree.new/$loader)"
  for program in "${programs[@]}"; do
    name=${program##*/}
    cat > "$tree.new/nfr-bin/$name" <<WRAP
#!/bin/sh
t=$tree
export MKE2FS_CONFIG=\$t/etc/mke2fs.conf QEMU_MODULE_DIR=\$t/usr/lib/$MULTIARCH/qemu
exec \$t/$loader --argv0 $name --library-path \$t/usr/lib/$MULTIARCH:\$t/usr/lib/$MULTIARCH/systemd \$t/$program $([ "$name" != qemu-system-aarch64 ] || echo "-L \$t/usr/share/qemu") "\$@"
WRAP
    chmod +x "$tree.new/nfr-bin/$name"
  done
  ln -s mkfs.fat "$tree.new/nfr-bin/mkfs.vfat"
  echo "$wanted" > "$tree.new/.nfr-tools"
  mv "$tree.new" "$tree"
fi
echo "$tree/nfr-bin"
