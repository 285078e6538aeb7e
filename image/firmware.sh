#!/usr/bin/env bash
# What the Pi's firmware does at a start, for a machine that has none (QEMU): reads autoboot.txt on partition 1 of a card, and takes kernel, initramfs and
# command line from the boot partition that it names. The boot test calls it before each start, so that it boots what a Pi would.
#   firmware.sh CARD OUT [--tryboot]   writes OUT/vmlinuz, OUT/initrd.img, OUT/cmdline and prints the slot (a or b)
# Needs mtools and sfdisk on the PATH (tools.sh prints a folder with both); no root.
set -euo pipefail
card=${1:?usage: firmware.sh CARD OUT [--tryboot]} out=${2:?usage: firmware.sh CARD OUT [--tryboot]} section=all
[ "${3:-}" != --tryboot ] || section=tryboot
fail() { printf 'firmware.sh: %s\n' "$*" >&2; exit 1; }
export MTOOLS_SKIP_CHECK=1 PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$out"
table=$(sfdisk -d "$card") || fail "$card has no partition table"
offset() { # of a partition, in bytes
  local sector; sector=$(sed -n "s|^$card$1 *: *start= *\([0-9]*\),.*|\1|p" <<<"$table")
  [ -n "$sector" ] || sector=$(sed -n "s|^${card}p$1 *: *start= *\([0-9]*\),.*|\1|p" <<<"$table")
  [ -n "$sector" ] || fail "$card has no partition $1"
  echo $((sector * 512))
}
mtype -i "$card@@$(offset 1)" ::autoboot.txt > "$out/autoboot.txt" 2>/dev/null || : > "$out/autoboot.txt"
# The firmware reads 512 bytes and no more. A section ends where the next begins.
partition=$(head -c 512 "$out/autoboot.txt" | awk -v want="[$section]" '/^\[/ { here = ($0 == want) } here && /^boot_partition=/ { sub(/.*=/, ""); p = $0 } END { print p }')
# Without a word of it the first FAT partition with firmware is booted, which is slot a's.
partition=${partition:-2}
boot=$card@@$(offset "$partition")
mtype -i "$boot" ::config.txt > "$out/config.txt" || fail "partition $partition is no boot partition (it has no config.txt)"
# config.txt: the last value counts, among the lines that are for this partition or for all.
value() { awk -v key="$1" -v part="[boot_partition=$partition]" '/^\[/ { on = ($0 == "[all]" || $0 == part); next } BEGIN { on = 1 } on && index($0, key "=") == 1 { v = substr($0, length(key) + 2) } END { print v }' "$out/config.txt"; }
kernel=$(value kernel); line=$(value cmdline); initrd=$(sed -n 's/^initramfs \([^ ]*\) .*/\1/p' "$out/config.txt" | tail -n 1)
mcopy -o -i "$boot" "::$kernel" "$out/vmlinuz"; mcopy -o -i "$boot" "::$initrd" "$out/initrd.img"; mtype -i "$boot" "::$line" > "$out/cmdline"
sed -n 's/.*nfr\.slot=\([ab]\).*/\1/p' "$out/cmdline"
