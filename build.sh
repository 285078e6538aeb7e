#!/usr/bin/env bash
# The only bootstrap: checks what the build needs, installs what it may, then runs build.cake.
#   ./build.sh [--target=Build|Test|Bench|Publish|Package|Image|Demo|Clean] [--rid=linux-x64] [other Cake arguments]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export PATH="$PATH:/usr/sbin:/sbin"

fail() { printf 'build.sh: %s\n' "$1" >&2; exit 1; }

# 1. The SDK that global.json names.
sdk=$(sed -n 's/.*"version": *"\([^"]*\)".*/\1/p' global.json | head -n 1)
command -v dotnet >/dev/null 2>&1 ||
  fail "the .NET SDK $sdk is missing: install the package dotnet-sdk-10.0 of your distribution, or put an unpacked .NET SDK $sdk on the PATH"
if ! said=$(dotnet --version 2>&1); then
  case "$said" in
    *HOME*) fail "dotnet needs a home directory that it can write to: set HOME or DOTNET_CLI_HOME" ;;
    *) fail "the .NET SDK $sdk (or a later patch of it) is missing; installed: $(cd / && dotnet --list-sdks | cut -d' ' -f1 | tr '\n' ' ')" ;;
  esac
fi

# The image needs root, and says so before an hour of building rather than after it.
case " $* " in *"=Image "*)
  [ "$(id -u)" -eq 0 ] || fail "making the image needs root: Debian's packages are unpacked with their owners, and an emulator for arm64 is registered. Run 'sudo ./build.sh $*'"
  command -v apt-get >/dev/null 2>&1 || fail "making the image needs a Debian or Ubuntu host: apt-get is missing" ;;
esac

# 2. Shared libraries that the sensor binds to, the tools that the demo's private network needs, and words.
libraries=$(ldconfig -p 2>/dev/null || true)
has_library() {
  case "$libraries" in *"$1 "*) return 0 ;; esac
  compgen -G "/lib/*/$1" >/dev/null || compgen -G "/usr/lib/*/$1" >/dev/null || compgen -G "/usr/lib/$1" >/dev/null
}
packages=()
has_library libpcap.so.0.8    || packages+=(libpcap0.8)
has_library libsqlite3.so.0   || packages+=(libsqlite3-0)
has_library libmosquitto.so.1 || packages+=(libmosquitto1)
command -v ip >/dev/null 2>&1      || packages+=(iproute2)
command -v unshare >/dev/null 2>&1 || packages+=(util-linux)
# The quality report trains models that leave families out, and they learn from everyday words.
case " $* " in *=Hardware*|*=Image*) command -v dtc >/dev/null 2>&1 && command -v fdtoverlay >/dev/null 2>&1 || packages+=(device-tree-compiler) ;; esac
case " $* " in *=Evaluate*) [ -f /usr/share/dict/american-english ] || packages+=(wamerican) ;; esac

# The boot test of the image has a real broker and a real SSH client outside of the box.
case " $* " in *=ImageTest*)
  [ "$(id -u)" -eq 0 ] || fail "the boot test needs root, for a network of its own: run 'sudo ./build.sh --target=ImageTest'"
  [ -x /usr/sbin/mosquitto ] || packages+=(mosquitto)
  command -v mosquitto_sub >/dev/null 2>&1 || packages+=(mosquitto-clients)
  command -v ssh >/dev/null 2>&1     || packages+=(openssh-client)
  command -v openssl >/dev/null 2>&1 || packages+=(openssl)
  command -v python3 >/dev/null 2>&1 || packages+=(python3) ;;
esac

if [ ${#packages[@]} -gt 0 ]; then
  command="apt-get install -y ${packages[*]}"
  if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    install() { apt-get install -qq -y --no-install-recommends "${packages[@]}" </dev/null >/dev/null; }
    refresh() { apt-get update -qq </dev/null >/dev/null; }
    { refresh && install; } || { sleep 5; refresh && install; } || fail "could not install packages: run '$command' and look at its errors"
  else
    fail "missing Debian packages: run 'sudo apt-get update && sudo $command'"
  fi
fi

# Tools of others that some tests hold the sensor against; where they cannot be had, those tests say so and are left out.
tools=()
case " $* " in *=Test*)
  command -v iodine >/dev/null 2>&1 && command -v iodined >/dev/null 2>&1   || tools+=(iodine)
  command -v dns2tcpc >/dev/null 2>&1 && command -v dns2tcpd >/dev/null 2>&1 || tools+=(dns2tcp)
  command -v ptunnel >/dev/null 2>&1    || tools+=(ptunnel)
  command -v ptunnel-ng >/dev/null 2>&1 || tools+=(ptunnel-ng)
  command -v fping >/dev/null 2>&1   || tools+=(fping)
  command -v ping >/dev/null 2>&1    || tools+=(iputils-ping)
  /usr/bin/python3 -c 'import aiosmtpd' >/dev/null 2>&1 || tools+=(python3-aiosmtpd)
  /usr/bin/python3 -c 'import jinja2' >/dev/null 2>&1 || tools+=(python3-jinja2)
  [ -x /usr/sbin/rsyslogd ] && compgen -G "/usr/lib/*/rsyslog/lmnsd_gtls.so" >/dev/null || tools+=(rsyslog rsyslog-gnutls)
  [ -x /usr/sbin/named ]   || tools+=(bind9)
  [ -x /usr/sbin/dnsmasq ] || tools+=(dnsmasq-base)
  [ -x /usr/sbin/unbound ] || tools+=(unbound)
  command -v python3 >/dev/null 2>&1 || tools+=(python3)
  command -v fdtoverlay >/dev/null 2>&1 || tools+=(device-tree-compiler)
  [ -x /usr/sbin/mosquitto ] || tools+=(mosquitto)
  for shell in zsh fish shellcheck; do command -v $shell >/dev/null 2>&1 || tools+=("$shell"); done
  [ -x /usr/sbin/nft ] || tools+=(nftables)
  command -v zbarimg >/dev/null 2>&1 || tools+=(zbar-tools)
  command -v go >/dev/null 2>&1 && [ -d /usr/share/gocode/src/github.com/Graylog2/go-gelf ] || tools+=(golang-go golang-github-graylog2-go-gelf-dev)
esac
if [ ${#tools[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing ${tools[*]} for the tests"
  export DEBIAN_FRONTEND=noninteractive
  missing=()
  add() { apt-get install -qq -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1; }
  # All at once is quicker; one that a distribution does not have shall not cost the others.
  { apt-get update -qq </dev/null >/dev/null 2>&1 && add "${tools[@]}"; } ||
    for tool in "${tools[@]}"; do add "$tool" || missing+=("$tool"); done
  [ ${#missing[@]} -eq 0 ] || echo "Not installed: ${missing[*]}; the tests that need them are left out"
fi

# 3. Cake, at the version that .config/dotnet-tools.json pins.
restored=$(dotnet tool restore 2>&1) || { sleep 2; restored=$(dotnet tool restore 2>&1); } || fail "dotnet tool restore failed: $restored"
exec dotnet cake build.cake --verbosity=quiet "$@"
