#!/usr/bin/env bash
# Debian trixie for arm64 as the image needs it: $CACHE/root-KEY.tar, made once for each list of packages with their versions.
# Debian's own packages are installed by their own scripts (emulated where the host is not arm64); the kernel and the Pi's firmware are only unpacked,
# since all that their scripts do (an initramfs, a copy to a boot partition) compose.sh does better and in seconds.
# Prints the tar's path. Needs root and tools.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
need_root
bin=$("$here/tools.sh"); PATH=$bin:$PATH
lock root

# 1. What would be installed, with versions: the key of the cache. A quarter of an hour old lists of packages are good enough.
lists=$CACHE/apt; mkdir -p "$lists"/{state/lists/partial,cache/archives/partial,etc}
cat > "$lists/etc/sources.list" <<LIST
deb [signed-by=$KEYRING] $MIRROR trixie main non-free-firmware
deb [signed-by=$KEYRING] $MIRROR trixie-updates main non-free-firmware
deb [signed-by=$KEYRING] $SECURITY_MIRROR trixie-security main non-free-firmware
LIST
[ -e "$lists/etc/status" ] || : > "$lists/etc/status"
cat > "$lists/etc/apt.conf" <<CONF
APT::Architecture "arm64"; APT::Architectures { "arm64"; }; APT::Install-Recommends "false"; Acquire::Languages "none";
Dir::State "$lists/state"; Dir::State::status "$lists/etc/status"; Dir::Cache "$lists/cache"; Dir::Etc "$lists/etc"; Dir::Etc::sourcelist "$lists/etc/sources.list";
Dir::Etc::sourceparts "/dev/null"; Dir::Etc::parts "/dev/null"; Dir::Etc::preferencesparts "/dev/null"; Dir::Etc::trusted "/dev/null"; Dir::Etc::trustedparts "/dev/null";
Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false"; Acquire::Retries "3"; APT::Sandbox::User "root"; Debug::NoLocking "true";
CONF
apt() { APT_CONFIG=$lists/etc/apt.conf "$@"; }
if [ -z "$(find "$lists/state/lists" -maxdepth 1 -name '*Packages*' -mmin -15 2>/dev/null)" ]; then
  say "reading Debian's lists of packages"
  quietly env APT_CONFIG="$lists/etc/apt.conf" apt-get update -qq
  touch "$lists"/state/lists/*Packages*
fi
mapfile -t wanted < <(grep -v '^#' "$here/packages.txt")
kernel=$(apt apt-cache depends --no-recommends --no-suggests linux-image-arm64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
[ -n "$kernel" ] || fail "Debian's list names no kernel for linux-image-arm64: is $MIRROR a whole mirror?"
essential=$(apt apt-cache dumpavail | awk -v RS= '/\nEssential: yes/ { sub(/^Package: /, "", $0); sub(/\n.*/, "", $0); print }' | sort -u | tr '\n' ' ')
# shellcheck disable=SC2086
plan=$( { apt apt-get install -s -qq $essential "${wanted[@]}" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\).*/\1 \2/p'
  for p in "$kernel" raspi-firmware busybox-static ca-certificates; do echo "$p $(apt apt-cache show --no-all-versions "$p" | sed -n 's/^Version: //p')"; done; } | sort)
[ "$(wc -l <<<"$plan")" -gt 60 ] || fail "Debian's lists do not hold what the image consists of: look at 'apt-get install -s' with APT_CONFIG=$lists/etc/apt.conf"
key=$( { echo "$plan"; cat "$here/root.sh" "$here/packages.txt"; } | sha256sum | cut -c1-16)
tar=$CACHE/root-$key.tar
if [ -f "$tar" ]; then say "root of $(wc -l <<<"$plan") packages is in the cache"; echo "$tar"; exit; fi

# 2. An emulator for arm64's maintainer scripts. Who registered it takes it away again; one that was there is left as it was.
registered=
undo() { [ -z "$registered" ] || echo -1 > "$registered" 2>/dev/null || true; rm -rf "$CACHE/root.new" "$CACHE/debs.new"; }
trap undo EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
if [ "$HOST_ARCH" != arm64 ] && ! arch-test arm64 >/dev/null 2>&1; then
  format=/proc/sys/fs/binfmt_misc
  [ -e $format/register ] || mount -t binfmt_misc binfmt_misc $format 2>/dev/null || fail "the kernel lets nobody register an emulator (binfmt_misc cannot be mounted): make the image on a machine of its own, or on arm64"
  # F: the kernel opens the emulator now, so that it works inside the new root; O and C: as if the program itself had been started.
  printf '%s' ':nfr-aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00:\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:'"$CACHE"'/tools-build/usr/bin/qemu-aarch64:OCF' > $format/register ||
    fail "could not register the emulator for arm64 in $format/register"
  registered=$format/nfr-aarch64
  arch-test arm64 >/dev/null 2>&1 || fail "the emulator for arm64 is registered and does not run an arm64 program"
fi

# 3. Packages that are only unpacked.
debs=$CACHE/debs.new; rm -rf "$debs"; mkdir "$debs"
say "fetching the kernel ($kernel) and the firmware"
( cd "$debs" && quietly env APT_CONFIG="$lists/etc/apt.conf" apt-get download -qq "$kernel" raspi-firmware busybox-static ca-certificates )

# 4. The root.
say "installing $(wc -l <<<"$plan") packages for arm64 (about three minutes when emulated)"
root=$CACHE/root.new; rm -rf "$root"
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1735689600}
quietly mmdebstrap --variant=essential --skip=check/qemu --architectures=arm64 --keyring="$KEYRING" "${APT_OPTIONS[@]}" --aptopt='Acquire::Languages "none"' \
  --include="$(IFS=,; echo "${wanted[*]}")" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
  --dpkgopt='path-exclude=/usr/share/bug/*' --dpkgopt='path-exclude=/usr/lib/*/gconv/*' \
  --essential-hook='mkdir -p "$1/etc/ssh" && printf "#!/bin/sh\nexit 101\n" > "$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"' \
  trixie "$root" "$lists/etc/sources.list"
rm -f "$root/usr/sbin/policy-rc.d"

# 5. Kernel, firmware, busybox and certificates, unpacked; modules that no sensor needs stay out.
say "unpacking the kernel and the firmware"
mkdir "$root/.nfr"
for deb in "$debs"/*.deb; do
  dpkg-deb --fsys-tarfile "$deb" | case ${deb##*/} in
    linux-image-*)     tar -x -C "$root" --exclude='./usr/share/doc' --exclude='*/kernel/drivers/gpu' --exclude='*/kernel/sound' --exclude='*/kernel/drivers/media' --exclude='*/kernel/drivers/infiniband' \
                         --exclude='*/kernel/drivers/net/ethernet/mellanox' --exclude='*/kernel/drivers/net/wireless' --exclude='*/kernel/drivers/scsi' --exclude='*/kernel/drivers/bluetooth' --exclude='*/kernel/net/bluetooth' \
                         --exclude='*/kernel/drivers/iio' --exclude='*/kernel/drivers/staging' --exclude='*/kernel/drivers/accel' --exclude='*/kernel/drivers/isdn' --exclude='*/kernel/drivers/nvme' \
                         --exclude='*/kernel/drivers/infiniband' --exclude='*/kernel/fs/btrfs' --exclude='*/kernel/fs/xfs' --exclude='*/kernel/fs/ocfs2' --exclude='*/kernel/fs/ceph' --exclude='*/kernel/fs/smb' \
                         --exclude='*/kernel/fs/bcachefs' --exclude='*/kernel/fs/gfs2' --exclude='*/kernel/fs/jfs' --exclude='*/kernel/fs/f2fs' --exclude='*/kernel/fs/nfs*' \
                         --exclude='./boot/config-*' --keep-directory-symlink ;;
    raspi-firmware_*)  tar -x -C "$root/.nfr" ;;
    busybox-static_*)  tar -x -C "$root/.nfr" ;;
    ca-certificates_*) tar -x -C "$root/.nfr" ;;
  esac
  dpkg-deb -f "$deb" Package Version Architecture Source Homepage Maintainer > "$root/.nfr/$(dpkg-deb -f "$deb" Package).control"
done
version=$(ls "$root/usr/lib/modules" 2>/dev/null || ls "$root/lib/modules")
depmod -b "$root" "$version"
# The authorities that Debian trusts, as one file: what ca-certificates' script does with a thousand emulated processes.
mkdir -p "$root/etc/ssl/certs"
find "$root/.nfr/usr/share/ca-certificates/mozilla" -name '*.crt' | LC_ALL=C sort | xargs cat > "$root/etc/ssl/certs/ca-certificates.crt"

# 6. Nothing that differs from one run to the next.
rm -rf "${root:?}"/{var/lib/apt/lists,var/cache,var/log,run,tmp}/* "$root"/etc/{machine-id,resolv.conf,hostname} "$root"/etc/ssh/ssh_host_* "$root"/var/lib/dbus/machine-id \
  "$root"/var/lib/dpkg/*-old "$root"/var/cache/ldconfig "$root"/etc/*- "$root"/var/lib/systemd/random-seed "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/dpkg/dpkg.cfg.d/99mmdebstrap "${root:?}"/dev/*
echo "$plan" > "$root/.nfr/plan"
say "writing the root to the cache"
tar -c -C "$root" --sort=name --numeric-owner --xattrs --mtime="@$SOURCE_DATE_EPOCH" --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime . > "$tar.new"
mv "$tar.new" "$tar"
# The cache keeps the last two roots.
find "$CACHE" -maxdepth 1 -name 'root-*.tar' -printf '%T@ %p\n' | sort -rn | tail -n +3 | cut -d' ' -f2- | xargs -r rm -f
say "root is $(($(stat -c %s "$tar") / 1048576)) MiB, kernel $version"
echo "$tar"
