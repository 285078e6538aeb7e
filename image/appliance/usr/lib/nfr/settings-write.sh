# shellcheck shell=sh
# shellcheck disable=SC2154
# What the settings of nfr.txt become. Read by settings, whose variables and has/value/fault it uses. Everything below /run is made anew at each start.

say_in_force() { printf '%s\n' "$*" >> "$run/understood"; }
owner() { [ -n "$root" ] || { chown root:nfr "$1" && chmod 0640 "$1"; }; }
# replace FILE: standard input becomes the file, whole or not at all; nothing is written where nothing changed. Fails where the data partition is full or
# ill, and the file is what it was before: that is no reason to stop, but whoever calls has to look before something is erased from the card.
replace() {
  { (umask 077; cat > "$1.new") && if cmp -s "$1.new" "$1"; then rm -f "$1.new"; else sync "$1.new" && mv "$1.new" "$1"; fi; } 2>/dev/null && return
  rm -f "$1.new" 2>/dev/null
  return 1
}
not_kept() { fault "$1 could not be written to the data partition, so what it was before stays in force; the card may be full or worn out"; }

# The text as it counts now, for a start that finds none on the card. Line numbers stay what they are. Of a secret, and of what may be one, there is nothing in it.
keep_text() {
  LC_ALL=C awk -v names="$SECRETS" "$secret_form"'BEGIN { n = split(names, list, " ") } FILENAME == ARGV[1] { hidden[$1] = 1; next }
    { line = FNR in hidden ? "# what stood here was not understood, and may be a secret" : $0
      for (i = 1; i <= n; i++) { how = form($0, list[i]); if (how == 1) line = "# " list[i] " is kept elsewhere"; else if (how == 2) line = list[i] } print line }' "$private/hidden" "$text" |
    replace "$store/nfr.txt" || not_kept "the text of nfr.txt"
}

# Certificates stay on the card (they are no secret) and are copied when they differ; the private key moves.
take_files() {
  for _name in engine.ca broker.ca broker.certificate broker.key command.key command.key.2; do
    # The second line of a name is told by the name that stands there.
    _said=${_name%.2}
    has "$_name" || { [ "$_name" = broker.key ] || rm -f "$etc/$_name"; continue; }
    _from=$control/$(value "$_name")
    if [ -n "$control" ] && [ -f "$_from" ]; then
      case $_name in broker.key) _kind='PRIVATE KEY' ;; command.key*) _kind='PUBLIC KEY' ;; *) _kind='CERTIFICATE' ;; esac
      if [ "$(wc -c < "$_from")" -gt 262144 ] || ! grep -q -e "-----BEGIN .*$_kind-----" "$_from"; then
        fault_at "$(line_of "$_name")" "$_said: the file $(value "$_name") is no PEM file with a ${_kind}; convert it with openssl, it begins with -----BEGIN"
        [ "$_name" = broker.key ] || rm -f "$got/$_name"
        continue
      fi
      if ! { tr -d '\r' < "$_from" | replace "$etc/$_name" && owner "$etc/$_name"; }; then
        fault_at "$(line_of "$_name")" "$_said: the file $(value "$_name") could not be kept in the box; it stays on the card, which may be full or worn out"
        [ -s "$etc/$_name" ] || rm -f "$got/$_name"
        continue
      fi
      if [ "$_name" = broker.key ]; then
        sync
        if [ ! -e "$run/data-lost" ]; then
          dd if=/dev/zero of="$_from" bs=1 count="$(wc -c < "$_from")" conv=notrunc,fsync 2>/dev/null; rm -f "$_from" ||
          fault "the key file $(value "$_name") was taken over and could not be erased from the card; erase it yourself"
        fi
      fi
    elif [ ! -s "$etc/$_name" ]; then
      fault_at "$(line_of "$_name")" "$_said: there is no file $(value "$_name") on the card; copy it beside nfr.txt"
      rm -f "$got/$_name"; continue
    fi
    say_in_force "$_said = $(value "$_name")"
  done
}

# Boxes with one and the same nfr.txt shall not take each other's place at the broker: without a name it is the end of the board's serial number that tells them apart
# (a Pi's MAC ends so, too), on a machine without one the beginning of its identity.
own_mark() {
  _mark=$(tr -d '\000\n' < "$tree/serial-number" 2>/dev/null | tr 'A-F' 'a-f' | tr -cd '0-9a-f' | tail -c 6)
  [ ${#_mark} -eq 6 ] || _mark=$(head -c 6 "$root/etc/machine-id" 2>/dev/null | tr -cd '0-9a-f')
  [ ${#_mark} -ne 6 ] || printf -- '-%s' "$_mark"
}
write_name() {
  if has name; then host=$(value name | tr '[:upper:]' '[:lower:]'); else host=nfr$(own_mark); fi
  [ -n "$root" ] || printf '%s\n' "$host" > /proc/sys/kernel/hostname
  say_in_force "name = $host"; ! has site || say_in_force "site = $(value site)"
}
write_zone() {
  _zone=UTC; ! has timezone || _zone=$(value timezone)
  ln -sfn "/usr/share/zoneinfo/$_zone" "$run/localtime"; say_in_force "timezone = $_zone"
}
write_time() {
  rm -f "$run/chrony/nfr.sources"
  if has ntp; then for _one in $(value ntp); do printf 'server %s iburst\n' "$_one"; done > "$run/chrony/nfr.sources"; say_in_force "ntp = $(value ntp)"; fi
}

write_firewall() {
  : > "$run/firewall/nfr.nft"
  [ -z "$uplink" ] || printf 'add element inet nfr management { "%s" }\n' "$uplink" >> "$run/firewall/nfr.nft"
  if has ssh.key; then echo 'add rule inet nfr opened tcp dport 22 ct state new limit rate 20/minute burst 10 packets accept' >> "$run/firewall/nfr.nft"; fi
}
write_ssh() {
  if has ssh.key; then
    value ssh.key | replace "$store/authorized_keys" || not_kept "the SSH key"
    say_in_force "SSH as root with $(wc -l < "$got/ssh.key") key(s)"
  else rm -f "$store/authorized_keys"; say_in_force "no SSH (no ssh.key)"
  fi
}
