# shellcheck shell=sh
# shellcheck disable=SC2154
# The sensor's config and scope, of nfr.txt and of config.yml and scope.yml beside it. Read by settings, whose variables and has/value/fault it uses.

# The sensor's answers, three at most, are waited for so long in all. The first may take most of it: a Pi 3 at its first start is busy with much else, and without an answer it would have
# neither engine nor broker until the next start.
check_patience=${NFR_CHECK_PATIENCE:-120}
# What belongs to the box, whatever lies on the card: where things are kept (alerts in memory, so their size too), what hangs on what, and what
# capture = says.
never='data panel.enabled panel.socket panel.leds panel.button status scope spool.dir log.file inputs.sniffer.enabled inputs.sniffer.interface outputs.file outputs.max_size outputs.keep'

write_scope() {
  if has networks; then
    awk -v networks="$(value networks)" '/^ *in_scope:/ { print; indent = $0; sub(/in_scope:.*/, "", indent); n = split(networks, list, " "); for (i = 1; i <= n; i++) print indent "  - \"" list[i] "\""; skip = 1; next }
      skip && /^ *[a-z_]+:/ { skip = 0 } !skip' "$share/scope.yml" | replace "$etc/scope.yml" || not_kept "the list of networks"
    say_in_force "networks = $(value networks)"
  else replace "$etc/scope.yml" < "$share/scope.yml" || not_kept "the list of networks"
  fi
  [ ! -e "$etc/scope.yml" ] || owner "$etc/scope.yml"
  if [ ! -s "$private/scope.yml" ]; then rm -f "$etc/scope.yml.card"
  elif ! { replace "$etc/scope.yml.card" < "$private/scope.yml" && owner "$etc/scope.yml.card"; }; then not_kept "scope.yml of the card"; rm -f "$private/scope.yml"
  elif has networks; then fault_at "$(line_of networks)" "networks is of no use beside scope.yml on the card, which says it; remove one of the two"
  fi
}

# A YAML string in double quotes.
quoted() { printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$/"/'; }
with() { case " $_parts " in *" $1 "*) true ;; *) false ;; esac; }
# Without an address the sensor would take the default one: a key, and all that is recorded, would go to an engine that nobody asked for. So a line engine.url
# that is right is what it takes that anything leaves the box, whatever key is kept.
engine_astray() { ! has engine.url && [ -e "$got/engine.url.wrong" ]; }
# The sensor's config as nfr.txt has it; $_parts names what may be in it, so that what is refused can be left out.
config_text() {
  echo "# Made from nfr.txt on the card at every start; change it there. What else can be set (/usr/share/nfr/config.yml shows all of it) goes into a file"
  echo "# config.yml beside nfr.txt: what stands in it is laid over this."
  if with engine && has engine.url; then
    echo 'engine:'; printf '  host: %s\n' "$(quoted "$(value engine.url)")"
    [ ! -s "$taken/engine.key" ] || [ "$(value engine.url)" = embedded ] || printf '  api_key: %s\n' "$(quoted "$(cat "$taken/engine.key")")"
    ! has engine.ca || printf '  tls:\n    ca: /etc/nfr/engine.ca\n'
  fi
  echo 'inputs:'; echo '  sniffer:'; echo '    enabled: true'
  [ -z "$capture" ] || printf '    interface: [%s]\n' "$(printf '%s' "$capture" | sed 's/  */, /g')"
  echo 'outputs:'; echo '  file: /run/nfr/alerts.jsonl'; echo '  max_size: 4MiB'; echo '  keep: 1'
  echo 'scope:'; echo "  file: /etc/nfr/scope.yml$(! with scope.yml || echo .card)"
  printf 'data:\n  dir: /var/lib/nfr\n'
  if with fleet && has broker; then
    echo 'fleet:'; printf '  broker: %s\n' "$(quoted "$(value broker)")"
    ! has site || printf '  site: %s\n' "$(quoted "$(value site)")"
    ! has broker.user || printf '  username: %s\n' "$(quoted "$(value broker.user)")"
    ! has broker.user || [ ! -s "$taken/broker.password" ] || printf '  password: %s\n' "$(quoted "$(cat "$taken/broker.password")")"
    if has broker.ca || has broker.certificate; then
      echo '  tls:'; ! has broker.ca || echo '    ca: /etc/nfr/broker.ca'
      ! has broker.certificate || printf '    certificate: /etc/nfr/broker.certificate\n    key: /etc/nfr/broker.key\n'
    fi
    _keys=; for _one in command.key command.key.2; do ! has $_one || _keys="$_keys${_keys:+, }/etc/nfr/$_one"; done
    [ -z "$_keys" ] || printf '  command_keys: [%s]\n' "$_keys"
    ! has homeassistant || printf '  homeassistant: %s\n' "$(value homeassistant)"
  fi
  if with update && has update.url; then printf 'update:\n  url: %s\n' "$(quoted "$(value update.url)")"; fi
}

# The config of nfr.txt with config.yml of the card laid over it. Fails where that cannot be understood, with the words in $_blamed_words.
merged_text() {
  config_text > "$private/base.yml" || return 1
  : > "$private/map"; : > "$private/refused"
  if ! with config.yml; then cat "$private/base.yml"; return; fi
  # Nor shall a key in that file go to the default engine because the address in nfr.txt is wrong, or gone.
  _never=$never; has engine.url || _never="$_never engine.host engine.api_key"; { with engine && ! engine_astray; } || _never="$_never engine"
  awk -v map="$private/map" -v refused="$private/refused" -v never="$_never" -f "$here/settings-merge.awk" "$private/base.yml" "$private/config.yml"
}
# blame WORDS: which parts the sensor's faults are about: what came of the card's files by its line, the rest by the name that each fault begins with.
blame() {
  printf '%s\n' "$1" | grep ':[0-9][0-9]*: ' | while IFS= read -r _line; do
    _words=$(printf '%s' "$_line" | sed 's/^[^:]*:[0-9]*: *//' | cut -c1-200); _at=$(printf '%s' "$_line" | sed 's/^[^:]*:\([0-9]*\):.*/\1/')
    case $_line in
      *scope.yml.card:*) printf 'scope.yml line %s: %s\n' "$_at" "$_words" ;;
      *)
        _from=$(awk -v at="$_at" '$1 == at { print $2; exit }' "$private/map")
        if [ -n "$_from" ]; then printf 'config.yml line %s: %s\n' "$_from" "$_words"
        else _first=${_words%%[!a-z_]*}; case $_first in engine|fleet|update) printf '%s : %s\n' "$_first" "$_words" ;; esac; fi ;;
    esac
  done > "$private/blamed"
  _blamed=$(cut -d' ' -f1 "$private/blamed" | sort -u | while read -r _one; do ! with "$_one" || echo "$_one"; done)
}
not_written() { not_kept "the sensor's config"; rm -f "$etc/config.yml.new" 2>/dev/null; }
put_config() { { sync "$etc/config.yml.new" && mv "$etc/config.yml.new" "$etc/config.yml"; } 2>/dev/null || { not_written; return 1; }; }
without() { _left=; for _one in $_parts; do case " $(echo $1) " in *" $_one "*) ;; *) _left="$_left $_one" ;; esac; done; _parts=$(trim "$_left"); }
# The config is asked of the sensor itself before it is used, each time that it or the program changed; what it refuses is left out, and said.
write_config() {
  ! has engine.url || say_in_force "engine.url = $(value engine.url)"; ! engine_astray || say_in_force "no engine, until engine.url is right"; ! has broker || say_in_force "broker = $(value broker)"
  ! has homeassistant || say_in_force "homeassistant = $(value homeassistant)"; ! has update.url || say_in_force "update.url = $(value update.url)"
  _checker=${NFR_CHECK:-/usr/bin/nfr}
  _stamp=$(cat "$share/image.json" 2>/dev/null) _asked=0 _less= _refused= _until=$(($(uptime_s) + check_patience))
  _parts='engine fleet update'
  for _one in config.yml scope.yml; do [ ! -s "$private/$_one" ] || _parts="$_parts $_one"; done
  while :; do
    # By way of cat, which knows whether every byte was taken.
    merged_text > "$private/config.new"; _code=$?
    if [ $_code -eq 3 ]; then
      fault "config.yml line $(tail -n 1 "$private/refused") (config.yml of the card is not used at all until that is mended)"; without config.yml; continue
    fi
    if [ $_code -ne 0 ] || ! { cat "$private/config.new" | (umask 077; cat > "$etc/config.yml.new") && owner "$etc/config.yml.new"; } 2>/dev/null; then not_written; return; fi
    _state="$_stamp $(cksum < "$etc/config.yml.new") $(cat "$etc"/*.ca "$etc"/broker.certificate "$etc"/command.key* "$etc"/scope.yml* 2>/dev/null | cksum)"
    if [ -s "$etc/config.yml" ] && cmp -s "$etc/config.yml.new" "$etc/config.yml" && [ "$_state" = "$(cat "$store/checked" 2>/dev/null)" ]; then rm -f "$etc/config.yml.new"; break; fi
    _said= _code=0
    # What is left when nothing else is: nobody is asked, since there is nothing to leave out.
    if [ -n "$_parts" ]; then
      _wait=$((_until - $(uptime_s)))
      if [ $_wait -le 0 ]; then _code=124
      else _said=$(timeout -k 5 $_wait "$_checker" config check --config "$etc/config.yml.new" 2>&1); _code=$?; _asked=$((_asked + 1)); fi
    fi
    case $_code in
      0)
        put_config || return
        # What nobody was asked about is asked about at the next start.
        if [ -n "$_parts" ]; then printf '%s' "$_state" > "$store/checked"; else rm -f "$store/checked"; fi
        sync; break ;;
      124|137)
        # That says nothing of the config. The one that was taken last is no worse than capture alone, if it captures where this one does.
        if [ -s "$etc/config.yml" ] && [ "$(grep '^    interface:' "$etc/config.yml")" = "$(grep '^    interface:' "$etc/config.yml.new")" ]; then
          fault "the sensor did not say within $check_patience s whether it takes the settings, so it runs with those of the last start; they are asked about again at the next one"; rm -f "$etc/config.yml.new"; return
        fi
        fault "the sensor did not say within $check_patience s whether it takes the settings, so it runs with capture alone; they are asked about again at the next start"; _parts= ; continue ;;
    esac
    blame "$_said"
    # The first refusal is the one of what was asked for.
    case " $(echo $_blamed) " in *' config.yml '*|*' scope.yml '*)
      for _one in config.yml scope.yml; do
        case " $(echo $_blamed) " in *" $_one "*) grep "^$_one line" "$private/blamed" | head -n 3 > "$private/words"
          while IFS= read -r _line; do fault "$_line ($_one of the card is not used at all until that is mended)"; done < "$private/words" ;; esac
      done ;;
    esac
    _why=$(grep -v '^\(config\|scope\)\.yml line' "$private/blamed" | head -n 1 | sed 's/^[a-z]* : //')
    [ -n "$_why" ] || [ -n "$_blamed" ] || _why=$(printf '%s\n' "$_said" | grep ':[0-9]' | head -n 1 | sed 's/.*config\.yml\.new:[0-9]*: *//' | cut -c1-200)
    [ -z "$_why$( [ -n "$_blamed" ] || echo x)" ] || { _less=1; _refused=${_refused:-$_why}; }
    if [ $_asked -ge 3 ]; then _parts=
    elif [ -n "$_blamed" ]; then without "$_blamed"
    elif with config.yml || with scope.yml; then without 'config.yml scope.yml'
    else _parts=
    fi
  done
  [ -z "$_less" ] || fault "the sensor refused a setting (${_refused:-see its log}), so it runs with less: ${_parts:-capture alone}"
  if with config.yml; then
    say_in_force "config.yml of the card: $(grep -Eo '^["'\'']?[a-z_]+["'\'']? *:' "$private/config.yml" | tr -d "\"': " | tr '\n' ' ')"
    while read -r _at _path; do fault "config.yml line $_at: $_path is not for this file and was left out: $(whose "$_path")"; done < "$private/refused"
  fi
  ! with scope.yml || say_in_force "scope.yml of the card"
}
whose() {
  case $1 in
    inputs.sniffer.*) echo 'capture = in nfr.txt says which ports are recorded' ;;
    scope|scope.*) echo 'put a file scope.yml beside it' ;;
    engine|engine.*) echo 'engine.url in nfr.txt has to be there and right first, else a key could go to another engine' ;;
    *) echo 'the box keeps it where it has to be' ;;
  esac
}
