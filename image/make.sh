#!/usr/bin/env bash
# The SD image, from nothing but this folder and nfr's package for arm64:
#   make.sh --deb FILE --version X --out DIR [--counter N] [--keys DIR] [--mark TEXT] [--again] [--fast]
# --counter  what a downgrade is told by; without it the number of commits, which grows with every release
# --keys     public keys (*.pem, P-256) that updates are believed with; without it a development key is made, and the image says so in its name
# --fast     no packed image and no sums: for the boot test while something is being mended
# --again    compose a second time and compare: two builds must be the same bytes
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=common.sh
. "$here/common.sh"
need_root
deb='' version='' out='' counter='' keys=${NFR_UPDATE_KEYS:-} mark='' again='' fast=()
while [ $# -gt 0 ]; do
  case $1 in
    --deb) deb=$2 ;; --version) version=$2 ;; --out) out=$2 ;; --counter) counter=$2 ;; --keys) keys=$2 ;; --mark) mark=$2 ;;
    --again) again=1; shift; continue ;;
    --fast) fast=(--fast); shift; continue ;;
    *) fail "make.sh does not know '$1'" ;;
  esac
  shift 2
done
[ -f "$deb" ] || fail "there is no package '$deb': run './build.sh --target=Package --rid=linux-arm64' first"
[ -n "$version" ] && [ -n "$out" ] || fail "make.sh needs --version and --out"
free=$(df --output=avail -m "$CACHE" | tail -n 1)
[ "$free" -ge 6000 ] || fail "making the image needs 6 GB in $CACHE, and $free MB are free; NFR_IMAGE_CACHE names another place"

if [ -z "$counter" ]; then counter=$(git -C "$here" rev-list --count HEAD 2>/dev/null) || fail "this is no git checkout, so the release's number cannot be counted: give --counter"; fi
# Every file of the image has the time of the last commit.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$here" log -1 --format=%ct 2>/dev/null || date +%s)}; export SOURCE_DATE_EPOCH
if [ -z "$keys" ]; then
  keys=$CACHE/development-key
  if [ ! -f "$keys/development.pem" ]; then
    mkdir -p "$keys"
    # The private half stays in the cache, readable for root alone, for tests of updates.
    (umask 077; openssl ecparam -name prime256v1 -genkey -noout -out "$keys/development.key" && openssl pkcs8 -topk8 -nocrypt -in "$keys/development.key" -out "$keys/development.p8")
    openssl ec -in "$keys/development.key" -pubout -out "$keys/development.pem" 2>/dev/null
  fi
  mark=${mark:+$mark-}devkey
  say "no update keys were given (--keys, or NFR_UPDATE_KEYS): the image believes a development key ($keys/development.key) and is marked '$mark'"
fi
public_keys "$keys"

root=$("$here/root.sh")
overlay=()
source=$(ls "$here"/../hardware/overlay/nfr-panel.dts "$here"/../hardware/*.dts 2>/dev/null | head -n 1 || true)
if [ -n "$source" ]; then
  "$CACHE/tools-build/nfr-bin/dtc" -@ -q -I dts -O dtb -o "$CACHE/nfr-panel.dtbo.$$" "$source" || fail "dtc does not take $source"
  overlay=(--overlay "$CACHE/nfr-panel.dtbo.$$")
fi
trap 'rm -f "$CACHE/nfr-panel.dtbo.$$"; rm -rf "$CACHE/again.$$"' EXIT
compose() { "$here/compose.sh" --root "$root" --deb "$deb" --version "$version" --counter "$counter" --keys "$keys" --mark "$mark" "${overlay[@]}" "${fast[@]}" --out "$1"; }
compose "$out"
if [ -n "$again" ]; then
  say "composing a second time, to compare"
  compose "$CACHE/again.$$"
  for file in "$CACHE/again.$$"/*; do cmp "$file" "$out/${file##*/}" || fail "two builds of ${file##*/} differ"; done
  say "two builds are the same bytes"
fi
