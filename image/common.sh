# shellcheck shell=bash
# shellcheck disable=SC2034
# What the image's scripts share: where things are kept, how they speak, one at a time where two would disturb each other.
CACHE=${NFR_IMAGE_CACHE:-/var/cache/nfr-image}
# This host's own Debian sources, unless told otherwise: need_root fills in what is empty.
MIRROR=${NFR_IMAGE_MIRROR:-}
SECURITY_MIRROR=${NFR_IMAGE_SECURITY_MIRROR:-}
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
case $(uname -m) in
  x86_64)  HOST_ARCH=amd64; MULTIARCH=x86_64-linux-gnu ;;
  aarch64) HOST_ARCH=arm64; MULTIARCH=aarch64-linux-gnu ;;
  *) echo "image: this host is $(uname -m); the image is made on amd64 or arm64" >&2; exit 1 ;;
esac
# A mirror that stands still for some days is a good mirror: what is signed is what counts.
# shellcheck disable=SC2034
APT_OPTIONS=(--aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' --aptopt='APT::Install-Recommends "false"')
started=${NFR_IMAGE_STARTED:-$(date +%s)}
export NFR_IMAGE_STARTED=$started PATH=$PATH:/usr/sbin:/sbin LC_ALL=C.UTF-8 TZ=UTC

say()  { printf 'image %4d s  %s\n' $(($(date +%s) - started)) "$*" >&2; }
fail() { printf 'image: %s\n' "$*" >&2; exit 1; }
need_root() {
  [ "$(id -u)" -eq 0 ] || fail "making the image needs root: it unpacks Debian packages with their owners and registers an emulator. Run 'sudo ./build.sh --target=Image'"
  command -v apt-get >/dev/null || fail "making the image needs a Debian or Ubuntu host (apt-get is missing)"
  mkdir -p "$CACHE"
  mirrors
  [ -n "$MIRROR$SECURITY_MIRROR" ] || { apt-get update -qq </dev/null >/dev/null || true; mirrors; }
  [ -n "$MIRROR" ] || fail "apt names no Debian mirror here: set NFR_IMAGE_MIRROR to one (and NFR_IMAGE_SECURITY_MIRROR to one of Debian's security updates)"
  [ -n "$SECURITY_MIRROR" ] || fail "apt names no mirror of Debian's security updates here: set NFR_IMAGE_SECURITY_MIRROR to one"
}
# What apt fetches from: label and address of each source.
mirrors() {
  local sources
  # shellcheck disable=SC2016
  sources=$(apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' | sort -u) || return 0
  MIRROR=${MIRROR:-$(sed -n '/^Debian|Debian|/{s///;s|/*$||;p;q}' <<<"$sources")}
  SECURITY_MIRROR=${SECURITY_MIRROR:-$(sed -n '/^Debian|Debian-Security|/{s///;s|/*$||;p;q}' <<<"$sources")}
}
# public_keys DIR: every *.pem of it is shipped, and a private key that lay among them would be too.
public_keys() {
  compgen -G "$1/*.pem" >/dev/null || fail "there is no public key (*.pem) in $1"
  local private; private=$(grep -l -e 'PRIVATE KEY' "$1"/*.pem) || return 0
  fail "${private//$'\n'/, } has a private key, and every *.pem of $1 would be in the image: move it elsewhere"
}
# lock NAME: held until this script ends; another build waits, and says so.
lock() {
  exec {lock_fd}>"$CACHE/$1.lock"
  flock -n "$lock_fd" || { say "waiting for another build that works on $1"; flock "$lock_fd"; }
}
# quietly COMMAND…: what it said is shown only when it failed.
quietly() {
  local log; log=$(mktemp)
  if "$@" >"$log" 2>&1 </dev/null; then rm -f "$log"; else local code=$?; tail -n 40 "$log" >&2; rm -f "$log"; fail "'$1' ended with $code: see the lines above"; fi
}
