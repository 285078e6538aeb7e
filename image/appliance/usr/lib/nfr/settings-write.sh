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

take_secrets() {
  for _name in $SECRETS; do
    if has "$_name"; then
      if [ "$(value "$_name")" = none ]; then rm -f "$taken/$_name"; else value "$_name" | replace "$taken/$_name"; fi ||
        fault_at "$(line_of "$_name")" "$_name could not be kept in the box; it stays on the card, which may be full or worn out"
      sync
      # Only what is safely on /data, this very value, is erased here; where /data is just memory this time, the card keeps it.
      if [ -n "$control" ] && [ ! -e "$run/data-lost" ] && [ "$(cat "$taken/$_name" 2>/dev/null || echo none)" = "$(value "$_name")" ]; then erase_line "$_name"; fi
    fi
    [ ! -s "$taken/$_name" ] || say_in_force "$_name (a secret, kept in the box)"
  done
}
# In place and of the same length, so that the old bytes are overwritten and no sector with them is left behind as free.
erase_line() {
  LC_ALL=C awk -v name="$1" '{ line = $0; key = line; sub(/^[ \t]*/, "", key); sub(/^\357\273\277/, "", key)
    if (index(key, "=") && key !~ /^#/) { k = substr(key, 1, index(key, "=") - 1); gsub(/[ \t]/, "", k); if (k == name) {
      cr = sub(/\r$/, "", line); n = length(line); text = sprintf("# %s was taken over; a new line like it replaces it", name)
      if (length(text) > n) text = sprintf("# %s was taken over", name); if (length(text) > n) text = "# taken over"; if (length(text) > n) text = "#"
      while (length(text) < n) text = text " "; line = text (cr ? "\r" : "") } } print line }' "$control/nfr.txt" > "$private/erased" &&
    dd if="$private/erased" of="$control/nfr.txt" bs=64k conv=notrunc,fsync 2>/dev/null || fault "$1 was taken over and could not be erased from the card; erase it from nfr.txt yourself"
  rm -f "$private/erased"
}

# The text as it counts now, for a start that finds none on the card. Line numbers stay what they are.
keep_text() {
  LC_ALL=C awk -v names="$SECRETS" 'BEGIN { n = split(names, list, " "); for (i = 1; i <= n; i++) secret[list[i]] = 1 }
    { key = substr($0, 1, index($0, "=") - 1); gsub(/[ \t]/, "", key); print ((key in secret) ? "# " key " is kept elsewhere" : $0) }' "$text" |
    replace "$store/nfr.txt" || not_kept "the text of nfr.txt"
}

# Certificates stay on the card (they are no secret) and are copied when they differ; the private key moves.
take_files() {
  for _name in engine.ca broker.ca broker.certificate broker.key command.key; do
    has "$_name" || { [ "$_name" = broker.key ] || rm -f "$etc/$_name"; continue; }
    _from=$control/$(value "$_name")
    if [ -n "$control" ] && [ -f "$_from" ]; then
      case $_name in broker.key) _kind='PRIVATE KEY' ;; command.key) _kind='PUBLIC KEY' ;; *) _kind='CERTIFICATE' ;; esac
      if [ "$(wc -c < "$_from")" -gt 262144 ] || ! grep -q -e "-----BEGIN .*$_kind-----" "$_from"; then
        fault_at "$(line_of "$_name")" "$_name: the file $(value "$_name") is no PEM file with a ${_kind}; convert it with openssl, it begins with -----BEGIN"
        [ "$_name" = broker.key ] || rm -f "$got/$_name"
        continue
      fi
      if ! { tr -d '\r' < "$_from" | replace "$etc/$_name" && owner "$etc/$_name"; }; then
        fault_at "$(line_of "$_name")" "$_name: the file $(value "$_name") could not be kept in the box; it stays on the card, which may be full or worn out"
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
      fault_at "$(line_of "$_name")" "$_name: there is no file $(value "$_name") on the card; copy it beside nfr.txt"
      rm -f "$got/$_name"; continue
    fi
    say_in_force "$_name = $(value "$_name")"
  done
}

write_name() {
  host=nfr; ! has name || host=$(value name | tr '[:upper:]' '[:lower:]')
  [ -n "$root" ] || echo "$host" > /proc/sys/kernel/hostname
  say_in_force "name = $host"; ! has site || say_in_force "site = $(value site)"
}
write_zone() {
  _zone=UTC; ! has timezone || _zone=$(value timezone)
  ln -sfn "/usr/share/zoneinfo/$_zone" "$run/localtime"; say_in_force "timezone = $_zone"
}
write_time() {
  rm -f "$run/chrony/nfr.sources"
  if has ntp; then for _one in $(value ntp); do echo "server $_one iburst"; done > "$run/chrony/nfr.sources"; say_in_force "ntp = $(value ntp)"; fi
}

# The wired ports of the machine, those of the board first. A port is managed or captures; a box with one port does both with it.
list_ports() {
  for _port in "$ports"/*; do
    [ -e "$_port/device" ] && [ "$(cat "$_port/type" 2>/dev/null)" = 1 ] || continue
    _where=$(readlink -f "$_port/device")
    # The board's own: no bus between it and the processor, or the fixed place of the chip on a Pi 3.
    case $_where in */platform/*.ethernet|*.ethernet|*1-1/1-1.1/1-1.1.1/*|*1-1.1/1-1.1.1:*|*/1-1/1-1.1/1-1.1:*) _rank=0 ;; *) _rank=1 ;; esac
    echo "$_rank ${_port##*/}"
  done | LC_ALL=C sort | cut -d' ' -f2
}
write_network() {
  _tries=0
  waited=0
  if [ -z "$root" ]; then
    _before=$(cut -d. -f1 /proc/uptime)
    udevadm settle --timeout=20
    while [ -z "$(list_ports)" ] && [ $_tries -lt 20 ]; do sleep 0.5; _tries=$((_tries + 1)); done
    waited=$(($(cut -d. -f1 /proc/uptime) - _before))
  fi
  _ports=$(list_ports); management=
  if has management; then
    management=$(value management)
    [ "$management" = none ] || printf '%s\n' "$_ports" | grep -qx -- "$management" ||
      fault_at "$(line_of management)" "management: there is no port $management now; this box has: $(echo $_ports)"
  else management=$(printf '%s\n' "$_ports" | head -n 1)
  fi
  [ -n "$management" ] || fault "no wired port was found: look at the cable of the USB adapter and at the power supply"
  if has capture; then
    capture=$(value capture)
    for _one in $capture; do
      printf '%s\n' "$_ports" | grep -qx -- "$_one" || fault_at "$(line_of capture)" "capture: there is no port $_one now; this box has: $(echo $_ports)"
      [ "$_one" != "$management" ] || echo "<5>the port $_one captures and is managed: what the box itself sends is seen too"
    done
  else
    capture=$(printf '%s\n' "$_ports" | grep -vx -- "$management" | tr '\n' ' ')
    # Nothing is sent from a port that captures, but where there is one port only, it must be both.
    [ -n "$(trim "$capture")" ] || { capture=$management; [ "$capture" = none ] && capture=$(printf '%s\n' "$_ports" | head -n 1); }
  fi
  capture=$(trim "$capture")
  say_in_force "management = ${management:-none}"; say_in_force "capture = ${capture:-nothing yet}"

  rm -f "$net"/1?-nfr-*; uplink=$management
  [ -n "$management" ] && [ "$management" != none ] || { uplink=; return 0; }
  if has vlan; then
    uplink=nfr.$(value vlan)
    printf '[NetDev]\nName=%s\nKind=vlan\n\n[VLAN]\nId=%s\n' "$uplink" "$(value vlan)" > "$net/10-nfr-vlan.netdev"
    printf '[Match]\nName=%s\n\n[Network]\nVLAN=%s\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\nLLMNR=no\nMulticastDNS=no\n' "$management" "$uplink" > "$net/11-nfr-trunk.network"
    say_in_force "vlan = $(value vlan)"
  fi
  {
    printf '[Match]\nName=%s\n\n[Network]\nLLMNR=no\nMulticastDNS=no\nLLDP=no\n' "$uplink"
    if has address; then
      printf 'DHCP=no\nAddress=%s\n' "$(value address)"
      ! has gateway || printf 'Gateway=%s\n' "$(value gateway)"
      for _one in $(value dns); do printf 'DNS=%s\n' "$_one"; done
      say_in_force "address = $(value address)$(! has gateway || echo ", gateway $(value gateway)")$(! has dns || echo ", dns $(value dns)")"
    else
      printf 'DHCP=yes\n\n[DHCPv4]\nUseDomains=no\nClientIdentifier=mac\n'
      say_in_force "address by DHCP"
    fi
  } > "$net/10-nfr-management.network"
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

write_scope() {
  if has networks; then
    awk -v networks="$(value networks)" '/^ *in_scope:/ { print; indent = $0; sub(/in_scope:.*/, "", indent); n = split(networks, list, " "); for (i = 1; i <= n; i++) print indent "  - \"" list[i] "\""; skip = 1; next }
      skip && /^ *[a-z_]+:/ { skip = 0 } !skip' "$share/scope.yml" | replace "$etc/scope.yml" || not_kept "the list of networks"
    say_in_force "networks = $(value networks)"
  else replace "$etc/scope.yml" < "$share/scope.yml" || not_kept "the list of networks"
  fi
  [ ! -e "$etc/scope.yml" ] || owner "$etc/scope.yml"
}

# A YAML string in double quotes.
quoted() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'; }
# Without an address the sensor would take the default one: a key, and all that is recorded, would go to an engine that nobody asked for.
engine_astray() { ! has engine.url && [ -e "$got/engine.url.wrong" ]; }
# config_text WITH: the sensor's config; WITH names the parts that nfr.txt may add, so that one that is refused can be left out.
config_text() {
  echo "# Made from nfr.txt on the card at every start; change it there. What else can be set: $(echo /usr/share/nfr/config.yml)"
  case " $1 " in *' engine '*)
    if engine_astray; then :
    elif has engine.url || [ -s "$taken/engine.key" ]; then
      echo 'engine:'
      ! has engine.url || printf '  host: %s\n' "$(quoted "$(value engine.url)")"
      [ ! -s "$taken/engine.key" ] || [ "$(value engine.url)" = embedded ] || printf '  api_key: %s\n' "$(quoted "$(cat "$taken/engine.key")")"
      ! has engine.ca || printf '  tls:\n    ca: /etc/nfr/engine.ca\n'
    fi ;;
  esac
  echo 'inputs:'; echo '  sniffer:'; echo '    enabled: true'
  [ -z "$capture" ] || echo "    interface: [$(printf '%s' "$capture" | sed 's/  */, /g')]"
  echo 'outputs:'; echo '  file: /run/nfr/alerts.jsonl'; echo '  max_size: 4MiB'; echo '  keep: 1'
  echo 'scope:'; echo '  file: /etc/nfr/scope.yml'
  printf 'data:\n  dir: /var/lib/nfr\n'
  case " $1 " in *' fleet '*)
    if has broker; then
      echo 'fleet:'; printf '  broker: %s\n' "$(quoted "$(value broker)")"
      ! has site || printf '  site: %s\n' "$(quoted "$(value site)")"
      ! has broker.user || printf '  username: %s\n' "$(quoted "$(value broker.user)")"
      ! has broker.user || [ ! -s "$taken/broker.password" ] || printf '  password: %s\n' "$(quoted "$(cat "$taken/broker.password")")"
      if has broker.ca || has broker.certificate; then
        echo '  tls:'; ! has broker.ca || echo '    ca: /etc/nfr/broker.ca'
        ! has broker.certificate || printf '    certificate: /etc/nfr/broker.certificate\n    key: /etc/nfr/broker.key\n'
      fi
      ! has command.key || echo '  command_keys: [/etc/nfr/command.key]'
    fi ;;
  esac
  case " $1 " in *' update '*) ! has update.url || printf 'update:\n  url: %s\n' "$(quoted "$(value update.url)")" ;; esac
}
not_written() { not_kept "the sensor's config"; rm -f "$etc/config.yml.new" 2>/dev/null; }
# The config is asked of the sensor itself before it is used, each time that it or the program changed; what it refuses is left out, and said.
write_config() {
  ! has engine.url || say_in_force "engine.url = $(value engine.url)"; ! engine_astray || say_in_force "no engine, until engine.url is right"; ! has broker || say_in_force "broker = $(value broker)"
  ! has update.url || say_in_force "update.url = $(value update.url)"
  _checker=${NFR_CHECK:-/usr/bin/nfr}
  _stamp=$(cat "$share/image.json" 2>/dev/null) _refused=
  # As much as goes: without one of the parts, then with one alone, then without any.
  for _parts in 'engine fleet update' 'engine fleet' 'engine update' 'fleet update' engine fleet update ''; do
    # By way of cat, which knows whether every byte was taken.
    if ! { config_text "$_parts" | (umask 077; cat > "$etc/config.yml.new") && owner "$etc/config.yml.new"; } 2>/dev/null; then not_written; return; fi
    _state="$_stamp $(cksum < "$etc/config.yml.new") $(cat "$etc"/*.ca "$etc"/broker.certificate 2>/dev/null | cksum)"
    if [ -s "$etc/config.yml" ] && cmp -s "$etc/config.yml.new" "$etc/config.yml" && [ "$_state" = "$(cat "$store/checked" 2>/dev/null)" ]; then rm -f "$etc/config.yml.new"; break; fi
    if _said=$("$_checker" config check --config "$etc/config.yml.new" 2>&1) || [ -z "$_parts" ]; then
      { sync "$etc/config.yml.new" && mv "$etc/config.yml.new" "$etc/config.yml"; } 2>/dev/null || { not_written; return; }
      printf '%s' "$_state" > "$store/checked"; sync; break
    fi
    _why=$(printf '%s\n' "$_said" | grep ':[0-9]' | head -n 1 | sed 's/.*config\.yml\.new:[0-9]*: *//' | cut -c1-200)
    # The first refusal is the one of what was asked for.
    _refused=${_refused:-$_why}
  done
  [ "$_parts" = 'engine fleet update' ] || fault "the sensor refused a setting (${_refused:-see its log}), so it runs with less: ${_parts:-capture alone}"
}
