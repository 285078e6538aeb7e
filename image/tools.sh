#!/usr/bin/env bash
# The tools that make the image, the same on every host: Debian trixie's own, unpacked into the cache and run from there
# by their own loader, so that the bytes of an image do not depend on the host's mke2fs, mtools or xz.
#   tools.sh          mke2fs, mtools, dosfstools, sfdisk, xz, cpio, dtc, qemu-aarch64 (emulates maintainer scripts)
# Needs root and apt on the host. Prints the folder to put in front of PATH.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
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

packages=(e2fsprogs dosfstools mtools fdisk xz-utils cpio libarchive13t64 device-tree-compiler qemu-user kmod systemd)
programs=(usr/sbin/mke2fs usr/sbin/e2fsck usr/sbin/debugfs usr/sbin/dumpe2fs usr/sbin/resize2fs usr/sbin/mkfs.fat usr/sbin/fsck.fat usr/bin/mcopy usr/bin/mdir usr/bin/mtype usr/bin/mmd usr/bin/mlabel
  usr/bin/mdel usr/sbin/sfdisk usr/bin/xz usr/bin/cpio usr/bin/dtc usr/sbin/depmod usr/bin/systemctl usr/bin/systemd-sysusers)

tree=$CACHE/tools-build
lock tools-build
wanted="3 ${packages[*]}"
if [ "$(cat "$tree/.nfr-tools" 2>/dev/null)" != "$wanted" ]; then
  say "unpacking Debian trixie's tools"
  rm -rf "$tree" "$tree.new"
  quietly mmdebstrap --variant=extract --architectures="$HOST_ARCH" --include="$(IFS=,; echo "${packages[*]}")" --keyring="$KEYRING" \
    --dpkgopt='path-exclude=/usr/share/{doc,man,locale}/*' "${APT_OPTIONS[@]}" trixie "$tree.new" "$MIRROR"
  echo "$wanted" > "$tree.new/.nfr-tools"
  mv "$tree.new" "$tree"
fi

# Each program is started by its own loader with its own libraries; argv[0] keeps the name that mtools and kmod decide by.
loader=usr/lib64/ld-linux-x86-64.so.2
[ "$HOST_ARCH" = amd64 ] || loader=usr/lib/ld-linux-aarch64.so.1
[ -e "$tree/$loader" ] || fail "Debian's loader is not where it was expected ($tree/$loader)"
mkdir -p "$tree/nfr-bin"
for program in "${programs[@]}"; do
  name=${program##*/}
  [ -e "$tree/$program" ] || fail "Debian's packages hold no $program any more"
  cat > "$tree/nfr-bin/$name.new" <<WRAP
#!/bin/sh
t=$tree
export MKE2FS_CONFIG=\$t/etc/mke2fs.conf
exec \$t/$loader --argv0 $name --library-path \$t/usr/lib/$MULTIARCH:\$t/usr/lib/$MULTIARCH/systemd \$t/$program "\$@"
WRAP
  chmod +x "$tree/nfr-bin/$name.new"; mv "$tree/nfr-bin/$name.new" "$tree/nfr-bin/$name"
done
ln -sfn mkfs.fat "$tree/nfr-bin/mkfs.vfat"
echo "$tree/nfr-bin"
