# shellcheck shell=sh
# shellcheck disable=SC2154
# The FAT partition of the card: its texts, read; its secrets, erased. Read by settings, whose variables and has/value/fault it uses.

card_lock() { exec 9>"$run/lock"; flock -w 20 9; }
# mount_card: $control is the folder, or empty. Mounted only while it is read or written: what is mounted is what a power cut can hurt.
mount_card() {
  control=${NFR_CONTROL:-}; [ -z "$control" ] || return 0
  mkdir -p "$run/control.mount"; card_lock
  if mount -t vfat -o rw,noatime,nodev,nosuid,noexec,umask=0077 "$(cat "$run/control")" "$run/control.mount"; then control=$run/control.mount; else exec 9>&-; return 1; fi
}
unmount_card() {
  if [ -z "${NFR_CONTROL:-}" ] && [ -n "$control" ]; then sync; umount "$control"; exec 9>&-; fi
  control=
}

# decode FILE [BYTES]: its text as UTF-8. Windows' editor has "Unicode", which is UTF-16; without its mark that is known by the zeros of the first letter.
decode() {
  _bytes=${2:-1048576}
  case $(head -c 2 "$1" | od -An -tx1 | tr -d ' \n') in
    0000) _big= ;; fffe|??00) _big=0 ;; feff|00??) _big=1 ;; *) _big= ;;
  esac
  if [ -z "$_big" ]; then head -c "$_bytes" "$1"
  else
    head -c "$_bytes" "$1" | od -An -v -tu1 -w1 | LC_ALL=C awk -v big=$_big '
      function put(u) { if (u < 128) printf "%c", u
        else if (u < 2048) printf "%c%c", 192 + int(u / 64), 128 + u % 64
        else if (u < 65536) printf "%c%c%c", 224 + int(u / 4096), 128 + int(u / 64) % 64, 128 + u % 64
        else printf "%c%c%c%c", 240 + int(u / 262144), 128 + int(u / 4096) % 64, 128 + int(u / 64) % 64, 128 + u % 64 }
      NR % 2 { first = $1; next }
      { u = big ? first * 256 + $1 : $1 * 256 + first
        if (u >= 55296 && u < 56320) { if (high) put(65533); high = u; next }
        if (u >= 56320 && u < 57344) u = high ? 65536 + (high - 55296) * 1024 + u - 56320 : 65533
        else if (high) put(65533)
        high = 0; if (u) put(u) }'
  fi | sed '1s/^\xef\xbb\xbf//' | tr -d '\000'
}
# clean FILE BYTES: as it is read here, and only so: no line ends of Windows, nothing that could reach a terminal as a command to it.
# The second row of control characters is two bytes each in UTF-8.
clean() { decode "$1" "$2" | tr -d '\r' | tr '\001-\010\013-\037\177' '?' | LC_ALL=C sed 's/\xc2[\x80-\x9f]/?/g'; }

# Secrets are kept on /data first; what is safely there, this very value, is noted to be erased. Where /data is just memory this time, the card keeps it.
keep_secrets() {
  _erase=
  for _name in $SECRETS; do
    if has "$_name"; then
      if [ "$(value "$_name")" = none ]; then rm -f "$taken/$_name"; else value "$_name" | replace "$taken/$_name"; fi ||
        fault_at "$(line_of "$_name")" "$_name could not be kept in the box; it stays on the card, which may be full or worn out"
      [ "$(cat "$taken/$_name" 2>/dev/null || echo none)" != "$(value "$_name")" ] || _erase="$_erase $_name"
    fi
    [ ! -s "$taken/$_name" ] || say_in_force "$_name (a secret, kept in the box)"
  done
  sync
}
erase_secrets() {
  [ -n "$control" ] && [ -f "$control/nfr.txt" ] && [ ! -e "$run/data-lost" ] || return 0
  [ -z "$read" ] || to_utf8
  for _name in $SECRETS; do
    case " $_erase " in
      *" $_name "*) { erase_line "$_name" all && ! still_on_card "$_name" all; } || fault "$_name was taken over and could not be erased from the card; erase it from nfr.txt yourself" ;;
      # One that was written in clear beside it, and could not be kept, stays.
      *) [ ! -e "$got/$_name.unclear" ] || { erase_line "$_name" unclear && ! still_on_card "$_name" unclear; } || fault "what stands behind $_name could not be erased from the card; erase it from nfr.txt yourself" ;;
    esac
  done
}
# form(line, name): 0 = nothing about this secret, 1 = it with its value, 2 = it with something behind that is not taken for its value, 3 = its name alone. As settings
# reads it; CR falls away there too.
secret_form='function form(line, name,  rest) {
  sub(/^\357\273\277/, "", line); gsub(/\r/, "", line); sub(/^[ \t]+/, "", line); if (index(line, name) != 1) return 0
  rest = substr(line, length(name) + 1); if (rest ~ /^[A-Za-z0-9._-]/) return 0
  sub(/[ \t]+$/, "", rest); if (rest ~ /^[ \t]*[=:]?[ \t]*$/) return 3
  return rest ~ /^[ \t]*[=:]/ || rest ~ /^[ \t]+[^ \t]+$/ ? 1 : 2 }'
# Of text that is not UTF-8 no line could be erased. In place, the rest filled up, then cut: the old bytes are overwritten, and no sector with them is left
# behind as free. A power cut in the middle leaves a file whose zeros are dropped when it is read, and which is done again.
to_utf8() {
  tr -d '\000' < "$control/nfr.txt" | cmp -s - "$control/nfr.txt" && return
  _old=$(wc -c < "$control/nfr.txt")
  [ "$_old" -le 1048576 ] && decode "$control/nfr.txt" > "$private/utf8" && {
    _size=$(wc -c < "$private/utf8")
    cp "$private/utf8" "$private/filled" && { [ "$_size" -ge "$_old" ] || head -c $((_old - _size)) /dev/zero | tr '\000' '\n' >> "$private/filled"; } &&
      dd if="$private/filled" of="$control/nfr.txt" bs=64k conv=notrunc,fsync 2>/dev/null && truncate -s "$_size" "$control/nfr.txt" && sync "$control/nfr.txt" &&
      cmp -s "$private/utf8" "$control/nfr.txt" && say_in_force "nfr.txt is UTF-8 now (it was saved as UTF-16, \"Unicode\")"
  } || fault "nfr.txt is not UTF-8 text and could not be made that on the card; save it as UTF-8"
  rm -f "$private/utf8" "$private/filled"
}
# In place and of the same length, so that the old bytes are overwritten and no sector with them is left behind as free.
# erase_line NAME all|unclear. Of what was not understood the name stays, so that the fault does until a person has mended it.
erase_line() {
  LC_ALL=C awk -v name="$1" -v which="$2" "$secret_form"'{ line = $0; how = form(line, name)
    if (how == 2 || (how && which == "all")) {
      cr = sub(/\r$/, "", line); n = length(line); text = sprintf("# %s was taken over; a new line like it replaces it", name)
      if (length(text) > n) text = sprintf("# %s was taken over", name); if (length(text) > n) text = "# taken over"; if (length(text) > n) text = "#"
      if (which == "unclear") text = name
      while (length(text) < n) text = text " "; line = text (cr ? "\r" : "") } print line }' "$control/nfr.txt" > "$private/erased" &&
    dd if="$private/erased" of="$control/nfr.txt" bs=64k conv=notrunc,fsync 2>/dev/null
  _code=$?; rm -f "$private/erased"; return $_code
}
# still_on_card NAME all|unclear: asked of the card, read as at the next start: that nothing matched is no proof that nothing is there.
still_on_card() {
  clean "$control/nfr.txt" 1048576 | LC_ALL=C awk -v name="$1" -v which="$2" "$secret_form"'{ how = form($0, name); if (how == 2 || (how == 1 && which == "all")) found = 1 } END { exit !found }'
}

# card_text NAME: what lies beside nfr.txt under this name becomes $private/NAME, and is kept on /data for a start that finds no card. Gone from a card whose
# nfr.txt can be read, it is gone.
card_text() {
  _kept=$store/$1; rm -f "$private/$1"
  if [ -n "$control" ] && [ -f "$control/$1" ]; then
    if [ "$(wc -c < "$control/$1")" -gt 262144 ]; then fault "$1 on the card is longer than 256 KiB and was not read$([ ! -s "$_kept" ] || echo "; what it said last stays in force")"
    else
      clean "$control/$1" 262144 > "$private/$1.new"
      if LC_ALL=C grep -aEq '^[[:space:]]*(#|["'\'']?[A-Za-z][A-Za-z0-9_-]*["'\'']?[[:space:]]*:)' "$private/$1.new"; then
        mv "$private/$1.new" "$private/$1"
        replace "$_kept" < "$private/$1" || not_kept "the text of $1"
        return
      fi
      fault "$1 on the card is empty or rotten: there is neither a setting nor a remark in it$([ ! -s "$_kept" ] || echo ". What it said last stays in force")"
    fi
  elif [ -n "$read" ]; then rm -f "$_kept"
  fi
  [ ! -s "$_kept" ] || cat "$_kept" > "$private/$1"
}
