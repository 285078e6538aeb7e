# shellcheck shell=sh
# The names of nfr.txt and what their values must look like. A check prints what is wrong and what to write instead, and fails.

NAMES='name site timezone engine.url engine.key engine.ca broker broker.user broker.password broker.ca broker.certificate broker.key command.key homeassistant management capture address gateway dns vlan ntp networks ssh.key update.url'
SECRETS='engine.key broker.password'
is_secret() { case " $SECRETS " in *" $1 "*) [ -n "$1" ] ;; *) return 1 ;; esac; }
# secret_in WORD: the secret's name that a word begins with and goes on behind, as where nothing stands between name and value.
secret_in() { for _one in $SECRETS; do case $1 in "$_one"?*) echo "$_one"; return ;; esac; done; }

# Without a process of its own: a file has many lines, and a Pi 3 is slow at starting programs.
trim() { _text=${1#"${1%%[![:space:]]*}"}; printf '%s' "${_text%"${_text##*[![:space:]]}"}"; }
# At most 40 characters of something foreign, and only such as every log and display can show.
short() { printf '%s' "$1" | LC_ALL=C tr -c ' -~' '?' | cut -c1-40; }
known() { case " $NAMES " in *" $1 "*) [ -n "$1" ] ;; *) return 1 ;; esac; }
# The name that a typing mistake was meant to be: the same letters but for case, "-", "_", "." and at most two that are missing, wrong or too many.
nearest() {
  printf '%s\n' "$1" | cut -c1-30 | LC_ALL=C awk -v names="$NAMES" 'function plain(t) { t = tolower(t); gsub(/[^a-z0-9]/, "", t); return t }
    function distance(a, b,  i, j, la, lb, d, m) { la = length(a); lb = length(b); for (i = 0; i <= la; i++) d[i, 0] = i; for (j = 0; j <= lb; j++) d[0, j] = j
      for (i = 1; i <= la; i++) for (j = 1; j <= lb; j++) { m = d[i-1, j-1] + (substr(a, i, 1) != substr(b, j, 1)); if (d[i-1, j] + 1 < m) m = d[i-1, j] + 1; if (d[i, j-1] + 1 < m) m = d[i, j-1] + 1; d[i, j] = m }
      return d[la, lb] }
    { n = split(names, list, " "); best = 3; given = plain($0); for (i = 1; i <= n; i++) { known = plain(list[i]); far = distance(given, known)
      # Of a short name two letters are half of it.
      if (far < best && far * 3 <= length(known)) { best = far; found = list[i] } } if (given != "" && found != "") print found }'
}

is_ipv4() {
  printf '%s' "$1" | grep -Eq '^([0-9]{1,3}\.){3}[0-9]{1,3}$' || return 1
  _rest=$1.
  while [ -n "$_rest" ]; do _part=${_rest%%.*}; _rest=${_rest#*.}; [ "$_part" -le 255 ] && case $_part in 0?*) false ;; esac || return 1; done
}
is_ipv6() {
  # Its last 32 bits may be written as IPv4.
  case $1 in *:*.*) is_ipv4 "${1##*:}" || return 1; set -- "${1%:*}:0:0" ;; esac
  printf '%s' "$1" | grep -Eq '^[0-9A-Fa-f:]{2,39}$' || return 1
  case $1 in *:::*|*::*::*) return 1 ;; *[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]*) return 1 ;; esac
  _colons=$(printf '%s' "$1" | tr -cd ':' | wc -c)
  case $1 in *::*) [ "$_colons" -le 7 ] ;; :*|*:) return 1 ;; *) [ "$_colons" -eq 7 ] ;; esac
}
is_address() { is_ipv4 "$1" || is_ipv6 "$1"; }
is_network() {
  case $1 in */*) ;; *) return 1 ;; esac
  _bits=${1#*/}
  case $_bits in ''|*[!0-9]*|????*) return 1 ;; esac
  if is_ipv4 "${1%%/*}"; then [ "$_bits" -le 32 ]; else is_ipv6 "${1%%/*}" && [ "$_bits" -le 128 ]; fi
}
is_host() { printf '%s' "$1" | grep -Eq '^[A-Za-z0-9]([A-Za-z0-9-]{0,62}\.?)+$' && [ ${#1} -le 253 ] || is_address "$1"; }
# is_url SCHEME ADDRESS: scheme://host, or an IPv6 address in brackets; a port from 1 to 65535 behind it, and a path.
is_url() {
  printf '%s' "$2" | grep -Eq "^$1://([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?\$" || return 1
  _place=${2#*://}; _place=${_place%%/*}
  case $_place in
    \[*) is_ipv6 "$(printf '%s' "$_place" | sed 's/^\[\(.*\)\].*/\1/')" || return 1; _place=${_place#*\]} ;;
    # A name begins with a letter or digit; what looks like an address has to be one.
    [!A-Za-z0-9]*|*..*) return 1 ;;
    *[!0-9.:]*) ;;
    *) is_ipv4 "${_place%%:*}" || return 1 ;;
  esac
  case $_place in *:*) [ "${_place##*:}" -ge 1 ] && [ "${_place##*:}" -le 65535 ] ;; esac
}
is_port_name() { printf '%s' "$1" | grep -Eq '^[A-Za-z0-9_.-]{1,15}$'; }
each() { # each TEST LIST…: the first that fails is printed
  _test=$1; shift
  for _one in "$@"; do $_test "$_one" || { printf '%s\n' "$_one"; return 1; }; done
}

check() { # check NAME VALUE
  _value=$2
  case $1 in
    name|site)
      printf '%s' "$_value" | grep -Eq '^[A-Za-z0-9]([A-Za-z0-9-]{0,30}[A-Za-z0-9])?$' || { echo "use at most 32 letters, digits and hyphens, such as hall-3-core"; return 1; } ;;
    timezone)
      case $_value in *..*|/*|*[!A-Za-z0-9_/+-]*) false ;; *) [ -f "$zones/$_value" ] ;; esac || { printf 'there is no time zone "%s"; write one such as Europe/Berlin or UTC\n' "$(short "$_value")"; return 1; } ;;
    engine.url)
      [ "$_value" = embedded ] || is_url 'https?' "$_value" || { echo "expected an address such as https://engine.example.net"; return 1; } ;;
    update.url)
      is_url 'https?' "$_value" || { echo "expected an address such as https://updates.example.net/nfr/latest.nfru.head"; return 1; } ;;
    engine.key)
      # As with broker.password, "none" removes what the box holds.
      [ "$_value" = none ] || printf '%s' "$_value" | grep -Eq '^[A-Za-z0-9._~+/=-]{8,512}$' || { echo "a key has 8 to 512 letters and digits without spaces; copy it anew"; return 1; } ;;
    broker)
      is_url 'mqtts?' "${_value%/}/" && case ${_value#*://} in */?*) false ;; esac || { echo "expected an address such as mqtts://broker.example.net:8883"; return 1; } ;;
    broker.user|broker.password)
      [ ${#_value} -le 256 ] || { echo "at most 256 characters"; return 1; } ;;
    engine.ca|broker.ca|broker.certificate|broker.key|command.key)
      printf '%s' "$_value" | grep -Eq '^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$' || { echo "expected the name of a file that lies beside nfr.txt, such as broker-ca.pem"; return 1; } ;;
    homeassistant)
      case $_value in yes|no) ;; *) echo "expected yes or no"; return 1 ;; esac ;;
    management)
      [ "$_value" = none ] || is_port_name "$_value" || { echo "expected the name of a port, such as end0, or none"; return 1; } ;;
    capture)
      # shellcheck disable=SC2086
      _bad=$(each is_port_name $_value) || { printf '"%s" is no port'"'"'s name; expected names such as enx001122334455, with spaces between\n' "$(short "$_bad")"; return 1; } ;;
    address) is_network "$_value" || { echo "expected an address with its network's length, such as 192.0.2.10/24"; return 1; } ;;
    gateway) is_address "$_value" || { echo "expected an address, such as 192.0.2.1"; return 1; } ;;
    dns)
      # shellcheck disable=SC2086
      _bad=$(each is_address $_value) || { printf '"%s" is no address; expected addresses such as 192.0.2.1, with spaces between\n' "$(short "$_bad")"; return 1; } ;;
    vlan) case $_value in *[!0-9]*|?????*) false ;; *) [ "$_value" -ge 1 ] && [ "$_value" -le 4094 ] ;; esac || { echo "expected a number from 1 to 4094"; return 1; } ;;
    ntp)
      # shellcheck disable=SC2086
      _bad=$(each is_host $_value) || { printf '"%s" is no name or address of a time server\n' "$(short "$_bad")"; return 1; } ;;
    networks)
      # shellcheck disable=SC2086
      _bad=$(each is_network $_value) || { printf '"%s" is no network; expected such as 192.0.2.0/24 2001:db8::/32, with spaces between\n' "$(short "$_bad")"; return 1; } ;;
    ssh.key)
      printf '%s' "$_value" | grep -Eq '^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-ssh-ed25519@openssh.com|sk-ecdsa-sha2-nistp256@openssh.com) AAAA[A-Za-z0-9+/]{40,}={0,3}( .*)?$' ||
        { echo "expected a public key in one line, such as ssh-ed25519 AAAA... (the file that ends in .pub)"; return 1; } ;;
  esac
}
