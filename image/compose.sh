#!/usr/bin/env bash
# The image from a root tar and nfr's package: the same two give the same bytes, whenever and wherever this runs (as root, for the files' owners).
#   compose.sh --root TAR --deb FILE --version X --counter N --keys DIR --out DIR [--mark TEXT]
# Layout and reasons: README.md. No loop device, no mount: file systems are filled by mke2fs and mtools.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
need_root
root_tar='' deb='' version='' counter='' keys='' out='' mark='' overlay='' fast=''
while [ $# -gt 0 ]; do
  case $1 in
    --root) root_tar=$2 ;; --deb) deb=$2 ;; --version) version=$2 ;; --counter) counter=$2 ;; --keys) keys=$2 ;; --out) out=$2 ;; --mark) mark=$2 ;; --overlay) overlay=$2 ;;
    --fast) fast=1; shift; continue ;;
    *) fail "compose.sh does not know '$1'" ;;
  esac
  shift 2
done
[ -f "$root_tar" ] && [ -f "$deb" ] && [ -n "$version" ] && [ -n "$counter" ] && [ -d "$keys" ] && [ -n "$out" ] || fail "compose.sh needs --root --deb --version --counter --keys --out"
public_keys "$keys"
bin=$("$here/tools.sh"); PATH=$bin:$PATH
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:?compose.sh needs SOURCE_DATE_EPOCH, the time that every file of the image gets} MTOOLS_SKIP_CHECK=1 MTOOLSRC=/dev/null
umask 022
mkdir -p "$out"; out=$(cd "$out" && pwd)
work=$(mktemp -d "$CACHE/compose.XXXXXX"); trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
root=$work/root name=nfr-$version${mark:+-$mark}-arm64

# Sizes in MiB. A slot has room for a system twice as large as today's; data begins small and grows at the first start.
CONTROL=64 BOOT=128 ROOT=768 DATA=128

# 1. The root: Debian, our package, the appliance's files.
say "unpacking the root"
mkdir "$root"; tar -x -C "$root" --numeric-owner --xattrs -f "$root_tar"
nfr_version=$(dpkg-deb -f "$deb" Version)
dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --numeric-owner --keep-directory-symlink
dpkg-deb -f "$deb" Package Version Architecture Homepage Maintainer > "$root/.nfr/nfr.control"
tar -c -C "$here/appliance" --owner=0 --group=0 . | tar -x -C "$root" --keep-directory-symlink
mkdir -p "$root"/{data,boot} "$root"/usr/share/nfr/{update-keys,packages}
cp "$here/nfr.txt" "$root/usr/share/nfr/nfr.txt"
# The package has its config files a second time below /usr/share/nfr; what is /etc/nfr on a Debian machine is a folder of the data partition here.
[ -f "$root/usr/share/nfr/config.yml" ] && [ -f "$root/usr/share/nfr/scope.yml" ] || fail "the package $deb has no /usr/share/nfr/config.yml and scope.yml"
rm -rf "$root/etc/nfr"; mkdir "$root/etc/nfr"
cp "$keys"/*.pem "$root/usr/share/nfr/update-keys/"
part() { printf '/dev/disk/by-partuuid/4e465221-%02x' "$1"; }
cat > "$root/usr/share/nfr/image.json" <<JSON
{"version":"$version","counter":$counter,"hardware":"rpi-arm64","slots":{"a":{"boot":"$(part 2)","root":"$(part 5)"},"b":{"boot":"$(part 3)","root":"$(part 6)"}}}
JSON
echo nfr > "$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n' > "$root/etc/hosts"
: > "$root/etc/machine-id"
ln -sfn /run/systemd/resolve/resolv.conf "$root/etc/resolv.conf"
ln -sfn /run/nfr-boot/localtime "$root/etc/localtime"; rm -f "$root/etc/timezone"
# Nobody logs in by password: root has none that could match, and there is no other account with a shell.
sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"
# What Debian's packages would do at their times and never shall here.
rm -rf "$root"/etc/cron.* "$root"/etc/apt "$root"/usr/lib/systemd/system/*apt-daily* "$root"/etc/systemd/system/*.wants "$root"/etc/ssh/ssh_host_* "$root"/etc/init.d "$root"/etc/rc?.d
# A failed mount must not wait for a password that does not exist: with emergency.service masked its target cannot be started either, and the box goes on with
# what it has (a trial then is not confirmed and goes back).
for unit in getty@.service serial-getty@.service console-getty.service autovt@.service emergency.service rescue.service systemd-machine-id-commit.service systemd-firstboot.service \
  systemd-remount-fs.service systemd-pstore.service systemd-update-done.service systemd-networkd-wait-online.service e2scrub_reap.service systemd-hwdb-update.service ldconfig.service \
  systemd-journal-catalog-update.service systemd-random-seed.service systemd-rfkill.socket systemd-rfkill.service systemd-logind.service systemd-user-sessions.service systemd-tmpfiles-clean.timer; do
  ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
# systemd would offer sshd on a socket of its own, whether there is a key or not.
mkdir -p "$root/etc/systemd/system-generators"; ln -sfn /dev/null "$root/etc/systemd/system-generators/systemd-ssh-generator"
quietly systemd-sysusers --root="$root"
quietly systemctl --root="$root" preset-all
ln -sfn /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
: > "$root/etc/machine-id"; rm -f "$root"/etc/{passwd,group,shadow,gshadow,subuid,subgid}- "$root"/etc/.pwd.lock

# 2. What boots: kernel, initramfs, firmware, device trees; the same files for both slots.
say "making the initramfs"
boot=$work/boot; mkdir -p "$boot/overlays"
kernel=$(echo "$root"/boot/vmlinuz-*)
cp "$kernel" "$boot/vmlinuz"
"$here/initramfs/make.sh" "$root" "$boot/initrd.img" "$SOURCE_DATE_EPOCH"
firmware=$root/.nfr/usr/lib/raspi-firmware
cp "$firmware"/{start.elf,start_cd.elf,start4.elf,start4cd.elf,fixup.dat,fixup_cd.dat,fixup4.dat,fixup4cd.dat} "$boot/"
[ ! -e "$firmware/LICENCE.broadcom" ] || cp "$firmware/LICENCE.broadcom" "$boot/"
dtbs=$(echo "$root"/usr/lib/linux-image-*/broadcom)
cp "$dtbs"/bcm27*.dtb "$dtbs"/bcm2837*.dtb "$boot/" 2>/dev/null || true
[ -z "$overlay" ] || cp "$overlay" "$boot/overlays/nfr-panel.dtbo"
cp "$here/boot/config.txt" "$boot/"
cp "$here/boot/cmdline.txt" "$boot/cmdline.txt"
for slot in a b; do sed "s/\$/ nfr.slot=$slot/" "$here/boot/cmdline.txt" > "$boot/cmdline-$slot.txt"; done

control=$work/control; mkdir "$control"
cp "$firmware/bootcode.bin" "$control/"
cp "$here/boot/README.txt" "$control/"
echo "# The settings are in config.txt of the slot that autoboot.txt names; this file only tells the firmware that it may look here." > "$control/config.txt"
cp "$here/nfr.txt" "$control/nfr.txt"
# shellcheck source-path=SCRIPTDIR source=appliance/usr/lib/nfr/slots.sh
( . "$here/appliance/usr/lib/nfr/slots.sh"; good=a try=- left=0 bad=b; SLOT_SCRATCH=$work; slot_write "$control" )
# People open these on Windows.
for text in "$control"/{README,nfr}.txt; do sed -i 's/$/\r/' "$text"; done

# 3. The parts list, before what it was made from goes.
cp "$root/var/lib/dpkg/status" "$root/usr/share/nfr/packages/status"
"$here/sbom.pl" "$root" "$version" "$name" > "$out/$name.spdx.json"
cp "$out/$name.spdx.json" "$root/usr/share/nfr/sbom.spdx.json"
rm -rf "$root/.nfr" "${root:?}"/boot/* "${root:?}"/var/* "$root"/usr/lib/linux-image-*/ "$root"/usr/share/doc-base "$root"/usr/lib/raspi-firmware
size=$(du -sm --apparent-size "$root" | cut -f1)
[ "$size" -lt $((ROOT * 9 / 10)) ] || fail "the root has $size MiB and a slot $ROOT: raise ROOT in compose.sh (boxes in the field keep their partitions, so this needs a new flash)"

# 4. File systems. One time for every file, fixed ids; mke2fs takes its own from SOURCE_DATE_EPOCH.
say "making file systems (root $size MiB)"
find "$root" "$boot" "$control" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
ext4() { # ext4 FILE MIB LABEL UUID [options…]
  local file=$1 mib=$2 label=$3 uuid=$4; shift 4
  truncate -s "${mib}M" "$file"
  quietly mke2fs -q -F -t ext4 -b 4096 -L "$label" -U "$uuid" -E "hash_seed=$uuid,nodiscard,lazy_itable_init=1" -m 1 "$@" "$file"
}
# The root is never written: no journal, no reserve. Nothing but its blocks is stored, so that an update's image packs well.
ext4 "$work/root.ext4" $ROOT nfr-root 4e465221-0000-4000-8000-000000000005 -O '^has_journal,^resize_inode' -m 0 -d "$root"
mkdir "$work/data"; chmod 755 "$work/data"; touch -d "@$SOURCE_DATE_EPOCH" "$work/data"
ext4 "$work/data.ext4" $DATA nfr-data 4e465221-0000-4000-8000-000000000007 -i 65536 -J size=16 -d "$work/data"
# Clusters as large as FAT32 allows for the size: fewer steps for the firmware.
fat() { # fat FILE MIB LABEL SERIAL FOLDER SECTORS-A-CLUSTER
  truncate -s "${2}M" "$1"
  quietly mkfs.fat --invariant -F 32 -s "$6" -n "$3" -i "$4" "$1"
  local entry
  ( cd "$5" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort ) | while read -r entry; do
    if [ -d "$5/$entry" ]; then mmd -i "$1" "::$entry" </dev/null; else mcopy -m -i "$1" "$5/$entry" "::$entry" </dev/null; fi
  done
}
fat "$work/control.fat" $CONTROL NFR-BOOT 4E465201 "$control" 1
fat "$work/boot.fat" $BOOT NFR-SLOT 4E465202 "$boot" 2

# 5. The card.
say "putting the image together"
image=$work/$name.img
MIB=2048
p1=$((4 * MIB)); p2=$((p1 + CONTROL * MIB)); p3=$((p2 + BOOT * MIB)); p4=$((p3 + BOOT * MIB))
p5=$((p4 + MIB)); p6=$((p5 + ROOT * MIB + MIB)); p7=$((p6 + ROOT * MIB + MIB)); end=$((p7 + DATA * MIB))
truncate -s $(((end + MIB) * 512)) "$image"
sfdisk -q "$image" >/dev/null <<TABLE || fail "sfdisk did not make the partition table"
label: dos
label-id: 0x4e465221
unit: sectors
1: start=$p1, size=$((CONTROL * MIB)), type=c, bootable
2: start=$p2, size=$((BOOT * MIB)), type=c
3: start=$p3, size=$((BOOT * MIB)), type=c
4: start=$p4, size=$((end - p4)), type=f
5: start=$p5, size=$((ROOT * MIB)), type=83
6: start=$p6, size=$((ROOT * MIB)), type=83
7: start=$p7, size=$((DATA * MIB)), type=83
TABLE
put() { dd if="$1" of="$image" bs=1M seek=$(($2 / MIB)) conv=notrunc,sparse status=none; }
put "$work/control.fat" $p1; put "$work/boot.fat" $p2; put "$work/root.ext4" $p5; put "$work/data.ext4" $p7

# 6. Out: the image, its block map, its sum, and the two parts that an update is made of.
# Of the FATs everything up to the last cluster in use, of the ext4s all blocks that are not free.
used=()
fat_used() { # fat_used FILE FIRST_SECTOR: mtools fills clusters from the first on, so what lies behind the last byte that is not zero is free
  local last; last=$(perl -e 'open(F,"<:raw",$ARGV[0]); my ($n,$last)=(0,0); while (read(F,my $b,4096)) { $last=$n if $b =~ /[^\0]/; $n++ } print $last' "$1")
  used+=("$(($2 / 8))-$(($2 / 8 + last))")
}
ext4_used() { # ext4_used FILE FIRST_SECTOR
  local range
  while read -r range; do used+=("$range"); done < <(dumpe2fs "$1" 2>/dev/null | perl -ne 'BEGIN { ($o, $next) = (shift @ARGV, 0) } $total = $1 if /^Block count: *(\d+)/; $free = 1 if /^Group /;
    if ($free && /^  Free blocks: (.*)/) { for (split /, /, $1) { my ($a, $b) = /^(\d+)(?:-(\d+))?$/ or next; $b //= $a; printf "%d-%d\n", $o + $next, $o + $a - 1 if $a > $next; $next = $b + 1 } }
    END { printf "%d-%d\n", $o + $next, $o + $total - 1 if $next < $total }' $(($2 / 8)))
}
fat_used "$work/control.fat" $p1; fat_used "$work/boot.fat" $p2; ext4_used "$work/root.ext4" $p5; ext4_used "$work/data.ext4" $p7
"$here/bmap.pl" "$image" "$name.img" "${used[@]}" > "$out/$name.bmap"
rm -f "$out/$name".{img,img.xz,boot.img,root.img}
cp --sparse=always "$work/boot.fat" "$out/$name.boot.img"; cp --sparse=always "$work/root.ext4" "$out/$name.root.img"
if [ -n "$fast" ]; then mv "$image" "$out/$name.img"
else
  say "packing"
  cp --sparse=always "$image" "$out/$name.img"
  # Blocks of a fixed size make the result independent of the number of processors.
  xz -T0 -6 --block-size=32MiB -c "$image" > "$out/$name.img.xz"
  ( cd "$out" && sha256sum "$name.img.xz" "$name.bmap" "$name.spdx.json" > "$name.sha256" )
fi
say "nfr $nfr_version: $out/$name.img$([ -n "$fast" ] || echo .xz), $(($(stat -c %s "$out/$name.img"*z "$out/$name.img" 2>/dev/null | head -n 1) / 1048576)) MiB"
