# shellcheck shell=sh
# shellcheck disable=SC2154
# The wired ports: which there are, which is managed and which capture, and the network that follows. Read by settings, whose variables and
# has/value/fault it uses, and by ports-changed.
#
# A port that is asked for an address is one that sends, so no port becomes the managed one by chance: neither because the other came later, nor because
# names are counted otherwise today.
# - What nfr.txt says counts, as far as those ports are there.
# - Else the port of the board is managed, known by what it is, never by its name. A board that has one and does not show it is managed nowhere.
# - Without such a port: who was managed at the last start, by its MAC ($store/ports); only a box that remembers nothing takes the first by name.
# - A port that captured at the last start is not managed while nfr.txt says the same.
# - Where the one that was managed is away, all that captured are there and there is one port that nobody has seen, that one takes its place (an adapter that died and
#   was replaced), and it is told. One that is only late has its place back when it comes in the same run of the box.

# Seconds: a list of ports that stood still for so long is believed, and so long is waited for that in all (USB has no "that were all"); longer while udev has not
# named one that is there.
ports_still=${NFR_PORTS_STILL:-${root:+0}} ports_total=${NFR_PORTS_TOTAL:-${root:+0}}; ports_still=${ports_still:-5} ports_total=${ports_total:-20}
names_total=${NFR_NAMES_TOTAL:-60}
uptime_s() { cut -d. -f1 /proc/uptime; }

tree=$root/proc/device-tree
# Debian's device trees name the board's own port; a machine without such a name may have none.
expects_board_port() { [ -s "$tree/aliases/ethernet0" ]; }
# is_board_port PATH-BELOW-SYS
is_board_port() {
  _node=$(tr -d '\000' 2>/dev/null < "$tree/aliases/ethernet0")
  _where=$(readlink -f "$1/device")
  if [ -n "$_node" ]; then
    # The port's device, or the USB device that it is an interface of.
    for _of in "$_where/of_node" "${_where%/*}/of_node"; do case $(readlink -f "$_of" 2>/dev/null) in *"$_node") return 0 ;; esac; done
  fi
  _driver=$(readlink "$1/device/driver"); _driver=${_driver##*/}
  # Nothing behind PCIe is the board's (a Pi 4's USB is); else no bus between it and the processor, or the fixed place of the chip on a Pi 3B+ and 3B.
  case $_where in
    */pci*|*.pcie/*) false ;;
    *.ethernet) ;;
    *.usb/usb1/1-1/1-1.1/1-1.1.1/1-1.1.1:*) [ "$_driver" = lan78xx ] ;;
    *.usb/usb1/1-1/1-1.1/1-1.1:*) [ "$_driver" = smsc95xx ] ;;
    *) false ;;
  esac
}
# The kernel shows a port under a name that udev changes some time later, on a busy board after half a minute: until then it is not there.
is_named() {
  [ -z "$root" ] || [ -d "$root/run/udev/data" ] || return 0
  _udev=$root/run/udev/data/n$(cat "$1/ifindex" 2>/dev/null)
  [ -e "$_udev" ] && ! grep -q '^E:ID_RENAMING=1' "$_udev"
}
is_wired() { [ -e "$1/device" ] && [ "$(cat "$1/type" 2>/dev/null)" = 1 ]; }
all_named() { for _port in "$ports"/*; do ! is_wired "$_port" || is_named "$_port" || return 1; done; }
# The wired ports of the machine, that of the board first: 0 or 1 (the board's or not), name, MAC; one a line.
list_ports() {
  for _port in "$ports"/*; do
    is_wired "$_port" && is_named "$_port" || continue
    _rank=1; ! is_board_port "$_port" || _rank=0
    _mac=$(cat "$_port/address" 2>/dev/null)
    # An adapter that has none is known by its name.
    case $_mac in ??:??:??:??:??:??) [ "$_mac" != 00:00:00:00:00:00 ] || _mac=${_port##*/} ;; *) _mac=${_port##*/} ;; esac
    printf '%s\n' "$_rank ${_port##*/} $_mac"
  done | LC_ALL=C sort
}
is_there() { printf '%s\n' "$_list" | grep -qF " $1 "; }

# What was remembered under these very lines of nfr.txt: "MAC role name", one a line, 8 at most. Of another box (none of them is here) it says nothing.
said_of_ports() { printf 'management=%s capture=%s\n' "$(value management)" "$(value capture)"; }
remembered_ports() {
  [ "$(head -n 1 "$store/ports" 2>/dev/null)" = "$(said_of_ports)" ] || return 0
  _known=$(tail -n +2 "$store/ports" | head -n 8)
  for _mac in $(printf '%s\n' "$_list" | cut -d' ' -f3); do
    case "
$_known" in *"
$_mac "*) printf '%s\n' "$_known"; return ;; esac
  done
}
mac_of() { printf '%s\n' "$_list" | awk -v name="$1" '$2 == name { print $3; exit }'; }
mac_is_there() { printf '%s\n' "$_list" | grep -q " $1\$"; }
# role NAME: what the port of this name did at the last start.
role() { printf '%s\n' "$_remembered" | awk -v mac="$(mac_of "$1")" '$1 == mac { print $2; exit }'; }

# Nothing more is worth waiting for: every port that nfr.txt names, or every one of the last start, is there.
ports_complete() {
  [ -n "$_list" ] || return 1
  if has management && has capture; then
    for _one in $(value capture) $(value management); do [ "$_one" = none ] || is_there "$_one" || return 1; done
    return 0
  fi
  _remembered=$(remembered_ports); [ -n "$_remembered" ] || return 1
  for _mac in $(printf '%s\n' "$_remembered" | cut -d' ' -f1); do mac_is_there "$_mac" || return 1; done
}
wait_for_ports() {
  _began=$(uptime_s) _since=$(uptime_s); _list=$(list_ports)
  while ! ports_complete; do
    _bound=$ports_total; all_named || _bound=$names_total
    [ $(($(uptime_s) - _began)) -lt "$_bound" ] || break
    if [ $(($(uptime_s) - _since)) -ge "$ports_still" ] && [ -n "$_list" ] && all_named; then
      ! expects_board_port || case $_list in 0*) ;; *) false ;; esac && break
    fi
    # First the names: a port that has not got its own yet is seen under another.
    [ -n "$root" ] || udevadm settle --timeout=5
    sleep 0.2
    _then=$_list; _list=$(list_ports)
    [ "$_then" = "$_list" ] || _since=$(uptime_s)
  done
  waited=$(($(uptime_s) - _began))
}

# The port that is new here, if it is one alone, and nothing else that this box knows is away but the managed one.
successor() {
  _new=
  for _one in $_candidates; do
    [ -z "$(role "$_one")" ] || continue
    [ -z "$_new" ] || return 1
    _new=$_one
  done
  [ -n "$_new" ] || return 1
  for _mac in $(printf '%s\n' "$_remembered" | awk '$2 == "capture" { print $1 }'); do mac_is_there "$_mac" || return 1; done
  # A board's own port is on the board: what is plugged in does not replace it.
  ! expects_board_port || case $_list in 0*) ;; *) false ;; esac
}
# The managed port where nfr.txt names none that is there; empty, with the reason in $_unmanaged, where none may be. $_instead says for whom it stands in.
default_management() {
  _candidates='' _unmanaged='' _instead=''
  for _one in $_ports; do
    case " $(value capture) " in *" $_one "*) continue ;; esac
    [ "$(role "$_one")" = capture ] || _candidates="$_candidates $_one"
  done
  management=
  # Of this very run of the box: whose place another took, and who is there now after all, whatever was remembered since.
  _late=$(printf '%s\n' "$_list" | awk -v mac="$(cat "$run/ports.instead" 2>/dev/null || echo -)" '$3 == mac { print $2; exit }')
  if [ -n "$_late" ]; then case " $(value capture) " in *" $_late "*) ;; *) management=$_late; return ;; esac; fi
  for _one in $_candidates; do [ "$(role "$_one")" != management ] || { management=$_one; return; }; done
  for _one in $_candidates; do ! printf '%s\n' "$_list" | grep -q "^0 $_one " || { management=$_one; return; }; done
  _last=$(printf '%s\n' "$_remembered" | awk '$2 == "management" { print $3 " (" $1 ")"; exit }')
  if [ -n "$_last" ] && successor; then
    management=$_new _instead=$_last
    printf '%s\n' "$_remembered" | awk '$2 == "management" { print $1; exit }' > "$run/ports.instead"
  elif [ -n "$_last" ]; then _unmanaged="the port $_last that was managed at the last start is not there"
  elif expects_board_port && ! printf '%s\n' "$_list" | grep -q '^0 '; then _unmanaged="the board's own port did not appear"
  elif [ -z "$_candidates" ]; then _unmanaged="every port that is there captures, as nfr.txt or the last start has it"
  else management=${_candidates# }; management=${management%% *}
  fi
}
choose_ports() {
  _ports=$(printf '%s\n' "$_list" | cut -d' ' -f2); _all=$(trim "$(echo $_ports)"); _remembered=$(remembered_ports)
  management=
  _instead=''
  if ! has management; then
    default_management
    [ -z "$_instead" ] || fault "the port $_instead that was managed at the last start is not there, and $management ($(mac_of "$management")), the only one that this box has not seen before, is managed in its place. If its cable comes from the mirror, name the managed port in nfr.txt, such as management = ${_all%% *}"
  else
    management=$(value management)
    if [ "$management" != none ] && ! is_there "$management"; then
      default_management
      fault_at "$(line_of management)" "management: there is no port $(value management) now; this box has: ${_all:-none}. It is taken as soon as it is there; until then ${management:-no port} is managed"
      _unmanaged=
    fi
  fi
  if [ -z "$_all" ]; then fault "no wired port was found: look at the cable of the USB adapter and at the power supply"
  elif [ -z "$management" ] && [ -n "$_unmanaged" ]; then
    fault "no port is managed, so the box is not reached by the network: $_unmanaged. No other is taken, since it may be the mirror's; it is taken when it appears, or name another in nfr.txt, such as management = ${_all%% *}"
  fi
  capture= _absent=
  for _one in $(value capture); do if is_there "$_one"; then capture="$capture $_one"; else _absent="$_absent $_one"; fi; done
  capture=$(trim "$capture")
  if [ -n "$capture" ]; then
    # Said in so many words, it is meant.
    case " $capture " in *" $management "*) printf '<5>%s\n' "the port $management captures and is managed: what the box itself sends is seen too" ;; esac
  else
    capture=$(trim "$(printf '%s\n' "$_ports" | grep -vx -- "${management:-none}" | tr '\n' ' ')")
    if [ -z "$capture" ] && [ -n "$management" ] && [ "$management" != none ]; then
      capture=$management
      # Where a line names ports that are away, its own fault says what captures.
      [ -n "$_absent" ] || fault "one port does both: $management is managed and captures, since there is no other, so the box records hardly more than its own traffic. Plug in a second network card for the mirror (it is taken within a minute), or write capture = $management in nfr.txt if that is meant"
    fi
  fi
  for _one in $_absent; do
    fault_at "$(line_of capture)" "capture: there is no port $_one now; this box has: ${_all:-none}. It is taken as soon as it is there; until then ${capture:-nothing} captures"
  done
}
remember_ports() {
  printf '%s\n' "$_list" > "$run/ports.new" && mv "$run/ports.new" "$run/ports"
  [ -n "$_all" ] || return 0
  _keep=$(
    printf '%s\n' "$_list" | while read -r _rank _one _mac; do
      if [ "$_one" = "$management" ]; then printf '%s\n' "$_mac management $_one"
      else
        case " $capture " in *" $_one "*) ;; *) continue ;; esac
        # While no port is managed a new one may be the one that will be: what it does meanwhile is nothing to go by.
        [ -n "$management" ] || [ -n "$(role "$_one")" ] || continue
        printf '%s\n' "$_mac capture $_one"
      fi
    done
    # Who is away now is who it was; but there is one managed port at most, and who stands in for it has its place.
    printf '%s\n' "$_remembered" | while read -r _mac _role _one; do
      [ -n "$_mac" ] && ! mac_is_there "$_mac" || continue
      [ -z "$_instead" ] || [ "$_role" != management ] || continue
      printf '%s\n' "$_mac $_role $_one"
    done
  )
  { said_of_ports; printf '%s\n' "$_keep" | head -n 8; } | replace "$store/ports" || not_kept "which port does what"
}

write_network() {
  wait_for_ports; choose_ports; remember_ports
  say_in_force "management = ${management:-none}"; say_in_force "capture = ${capture:-nothing yet}"

  rm -f "$net"/1?-nfr-*; uplink=$management
  # ARP=yes, since networkd takes a port that comes late for one that captures until this is written: that sets NOARP (90-nfr-capture.network), and a file that says
  # nothing of ARP leaves it as it is. A VLAN has it from the port below.
  [ -n "$management" ] && [ "$management" != none ] || { uplink=; return 0; }
  if has vlan; then
    uplink=nfr.$(value vlan)
    printf '[NetDev]\nName=%s\nKind=vlan\n\n[VLAN]\nId=%s\n' "$uplink" "$(value vlan)" > "$net/10-nfr-vlan.netdev"
    printf '[Match]\nName=%s\n\n[Link]\nARP=yes\n\n[Network]\nVLAN=%s\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\nLLMNR=no\nMulticastDNS=no\n' "$management" "$uplink" > "$net/11-nfr-trunk.network"
    say_in_force "vlan = $(value vlan)"
  fi
  {
    printf '[Match]\nName=%s\n\n[Link]\nARP=yes\n\n[Network]\nLLMNR=no\nMulticastDNS=no\nLLDP=no\n' "$uplink"
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
