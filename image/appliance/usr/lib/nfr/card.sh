# shellcheck shell=sh
# The card: how its partitions are found, grown, checked and made. Read by /init in the initramfs; POSIX and busybox only, with sfdisk and e2fsprogs.
#
#   1 NFR-BOOT  2 boot a  3 boot b  4 (extended: 5 root a  6 root b  7 data, up to the end of the card)

CARD_ID=4e465221   # the disk id in the master boot record, "NFR!"

card_partition() { case $1 in *[0-9]) echo "$1p$2" ;; *) echo "$1$2" ;; esac; }

# card_find SYSFS DEV: the first disk with our id: the card before a USB stick, so that a second NFR stick that happens to be plugged in does not take over.
card_find() {
  for _name in mmcblk0 mmcblk1 mmcblk2 vda vdb vdc sda sdb; do
    [ -e "$1/$_name" ] || continue
    # Partitions are made by the kernel a moment after the disk.
    [ -e "$1/$(card_partition $_name 7)" ] || continue
    # In the record the id lies little-endian.
    [ "$(dd if="$2/$_name" bs=1 skip=440 count=4 2>/dev/null | od -An -tx1 | tr -d ' \n')" = 2152464e ] && { echo "$2/$_name"; return 0; }
  done
  return 1
}

# card_room END_OF_DATA SECTORS: sectors behind the data partition that it could have. The last MiB of a card stays free (some readers lose it).
card_room() {
  _room=$(($2 - 2048 - $1))
  [ $_room -gt 0 ] && echo $_room || echo 0
}

# card_grow DISK: extended and data partition to the end of the card. Two writes of one sector each, the outer one first, each leaving a valid table;
# done again at every boot until nothing is left to do.
card_grow() {
  _dump=$(sfdisk -d "$1" 2>/dev/null) || return 1
  _data=$(card_partition "$1" 7)
  _start=$(echo "$_dump" | sed -n "s|^$_data *: *start= *\([0-9]*\),.*|\1|p"); _size=$(echo "$_dump" | sed -n "s|^$_data *:.*size= *\([0-9]*\),.*|\1|p")
  [ -n "$_start" ] && [ -n "$_size" ] || return 1
  if [ -b "$1" ]; then _sectors=$(($(blockdev --getsize64 "$1") / 512)); else _sectors=$(($(stat -c %s "$1") / 512)); fi
  # Less than 64 MiB is not worth a write to the table.
  [ "$(card_room $((_start + _size)) "$_sectors")" -ge 131072 ] || return 0
  _end=$((_sectors - 2048))
  _outer=$(echo "$_dump" | sed -n "s|^$(card_partition "$1" 4) *: *start= *\([0-9]*\),.*|\1|p")
  { echo "$_outer,$((_end - _outer))" | sfdisk -q --no-reread --no-tell-kernel -N 4 "$1" &&
    echo "$_start,$((_end - _start))" | sfdisk -q --no-reread --no-tell-kernel -N 7 "$1"; } || return 1
  sync
  [ ! -b "$1" ] || partx -u --nr 7 "$1" 2>/dev/null || blockdev --rereadpt "$1"
}

# The journal is small, since what is written is written in large pieces; the inodes are few, since the files are large.
card_format() { "${MKE2FS:-mke2fs}" -q -F -t ext4 -b 4096 -L nfr-data -i 65536 -J size=16 -m 1 -E lazy_itable_init=1,lazy_journal_init=1 "$1"; }

# card_check DEVICE: what e2fsck can mend by itself, else everything. The code is e2fsck's.
card_check() { e2fsck -p "$1" || { _code=$?; [ $_code -lt 4 ] && return $_code; e2fsck -f -y "$1"; }; }

card_populate() {
  for _dir in nfr nfr-update settings settings/nfr chrony ssh; do [ -d "$1/$_dir" ] || mkdir -p "$1/$_dir"; done
  chmod 0700 "$1/settings" "$1/ssh"
}

# card_machine_id DATA: the identity that lasts; made once, written whole or not at all.
card_machine_id() {
  _id=$(head -c 33 "$1/machine-id" 2>/dev/null)
  case $_id in
    *[!0-9a-f]*|'') _id= ;;
    *) [ ${#_id} -eq 32 ] || _id= ;;
  esac
  if [ -z "$_id" ]; then
    _id=$(tr -d -- '-\n' < /proc/sys/kernel/random/uuid)
    echo "$_id" > "$1/machine-id.new" && sync && mv "$1/machine-id.new" "$1/machine-id" && sync
  fi
  echo "$_id"
}

# card_clock_floor BUILT CLOCK: seconds that the clock must not be behind: when the image was made, or when the box last ran.
card_clock_floor() {
  _floor=$(cat "$1" 2>/dev/null || echo 0)
  _last=$(stat -c %Y "$2" 2>/dev/null || echo 0)
  # A clock file from far in the future is a clock that was once wrong: ten years after the build is no time to start from.
  [ "$_last" -gt "$_floor" ] && [ "$_last" -lt $((_floor + 315360000)) ] && _floor=$_last
  echo "$_floor"
}

# The wish for a factory reset is a file on NFR-BOOT. Windows hides the ending that its editor puts behind a name; upper and lower case are one to the FAT.
WISHES='factory-reset factory-reset.txt'
card_wished() { for _wish in $WISHES; do [ ! -e "$1/$_wish" ] || return 0; done; return 1; }
# A person may have made a folder of that name.
card_unwish() { for _wish in $WISHES; do rm -rf "${1:?}/$_wish"; done; sync; ! card_wished "$1"; }

# card_reset CONTROL TEMPLATE DEVICE: the factory reset. Prints a line: "tell" or "note" (somebody should look at it), and a sentence. CONTROL is empty where NFR-BOOT cannot
# be mounted: then the wish lay on the data partition, and goes with it.
# What the owner wrote on NFR-BOOT goes first and the wish last: whenever the power goes, the next start does all of it again. Where NFR-BOOT takes no writes nothing is erased at
# all: neither the owner's way in nor the wish could be taken off, so each start would erase what was recorded since the last, and the box would still be the owner's.
card_reset() {
  if [ -n "$1" ] && ! card_forget_owner "$1" "$2" >&2; then
    echo "note factory reset: it was NOT done and nothing that was recorded is erased, since NFR-BOOT takes no writes: what the owner before set there (keys, passwords, a way in) cannot be taken off, nor the wish itself. Flash the card anew, or destroy it; to go on without, remove factory-reset from it on another computer"
  elif ! card_format "$3" >&2; then echo "note factory reset: the data partition could not be made anew; the card may be worn out"
  elif sync; [ -z "$1" ]; then
    echo "note factory reset: the data partition is new, but NFR-BOOT cannot be mounted: what the owner before wrote into nfr.txt could not be taken off it; look at it on another computer, or flash the card anew"
  elif ! card_unwish "$1"; then
    echo "note factory reset: it was done, but factory-reset could not be removed from NFR-BOOT, and every start erases anew until it is: remove it on another computer"
  else echo "tell factory reset: the data partition is new, and nothing is set in nfr.txt"
  fi
}

# card_forget_owner CONTROL TEMPLATE: what an owner left on NFR-BOOT goes, for a factory reset: the files that nfr.txt names and those that are keys and certificates by
# their names (what was in them is overwritten), config.yml, scope.yml and the report, and last nfr.txt, in whose place the one of the image comes. Each step is one that may be done twice.
# Fails where something of the owner's is left, or where no file can be removed.
card_forget_owner() {
  # Without its zeros a text in UTF-16, as Windows may save it, reads like any other.
  tr -d '\000' < "$1/nfr.txt" 2>/dev/null | sed -n 's/\r$//; s/^[[:space:]]*\(engine\.ca\|broker\.ca\|broker\.certificate\|broker\.key\|command\.key\)[[:space:]]*[=:][[:space:]]*//p' | tr -d '"' | sed 's/[[:space:]]*$//' | while IFS= read -r _file; do
    # A name of a file beside nfr.txt, and none of those that the box starts with.
    case $(printf '%s' "$_file" | tr 'A-Z' 'a-z') in ''|*/*|.*|nfr.txt|autoboot.*|config.txt|bootcode.*|readme.*|factory-reset|factory-reset.txt) continue ;; esac
    card_wipe "$1/$_file"
  done
  for _file in "$1"/*.[Pp][Ee][Mm] "$1"/*.[Cc][Rr][Tt] "$1"/*.[Cc][Ee][Rr] "$1"/*.[Kk][Ee][Yy] "$1"/config.yml "$1"/scope.yml "$1"/nfr.txt.report; do card_wipe "$_file"; done
  for _file in "$1"/*.[Pp][Ee][Mm] "$1"/*.[Cc][Rr][Tt] "$1"/*.[Cc][Ee][Rr] "$1"/*.[Kk][Ee][Yy] "$1"/config.yml "$1"/scope.yml; do [ ! -f "$_file" ] || return 1; done
  { card_template "$2" > "$1/nfr.txt.new"; } 2>/dev/null
  # Busybox' sed says nothing of what could not be written.
  sync; card_template "$2" | cmp -s "$1/nfr.txt.new" - 2>/dev/null && card_wipe "$1/nfr.txt" && mv "$1/nfr.txt.new" "$1/nfr.txt" && sync && return
  # A FAT that is full has no room for the new one: then the old one becomes a remark where it lies. An empty file takes no room, and shows whether anything is written at all.
  rm -f "$1/nfr.txt.new" 2>/dev/null; ( : > "$1/nfr.txt.new" ) 2>/dev/null && rm -f "$1/nfr.txt.new" && card_blank "$1/nfr.txt"
}
# People open it on Windows. Where even the image has none, a remark is a file with nothing set.
card_template() { if [ -s "$1" ]; then sed 's/$/\r/' "$1"; else printf '# Network Flight Recorder: nothing is set\r\n'; fi; }
# A secret may be in it that the box has not taken over yet.
card_wipe() {
  [ -f "$1" ] || return 0
  _size=$(wc -c < "$1")
  [ "$_size" -eq 0 ] || dd if=/dev/zero of="$1" bs="$_size" count=1 conv=notrunc,fsync 2>/dev/null
  rm -f "$1"
}
# card_blank FILE: overwritten where it lies by one remark and cut off behind it; nothing that is not there already is needed for it. Fails where something else is left.
card_blank() {
  [ -f "$1" ] || return 0
  _size=$(wc -c < "$1"); [ "$_size" -gt 0 ] || return 0
  _remark='# nothing is set'; [ "$_size" -ge ${#_remark} ] || _remark='#'
  dd if=/dev/zero of="$1" bs="$_size" count=1 conv=notrunc,fsync 2>/dev/null && printf '%s' "$_remark" | dd of="$1" bs=${#_remark} count=1 conv=notrunc,fsync 2>/dev/null &&
    dd if=/dev/null of="$1" bs=${#_remark} seek=1 2>/dev/null && sync && [ "$(tr -d '\000' < "$1")" = "$_remark" ]
}
