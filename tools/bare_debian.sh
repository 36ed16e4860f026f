#!/bin/bash
# Tries Segue the way a newcomer does: makes a bare Debian 12 in a folder, with
# git, make and ca-certificates only, clones this repository's HEAD into it, and
# runs `make demo` twice, the request that it prints, `make demo-stop` and
# `make test`. Prints what each took. Needs root, debootstrap and about 10 GB.
#
#   tools/bare_debian.sh [--data DIR] [--skip-test] [--base-only] [DIR]
#
#   --data DIR    real data for the tests (SEGUE_TEST_DATA), mounted read-only
#   --skip-test   without `make test`
#   --base-only   only the bare Debian and the clone
#   DIR           where; has to be empty or missing, and is kept. Else a
#                 temporary folder, removed at the end
#
# The Debian mirror, proxies, certificates and npm's settings are this
# machine's. Everything runs in namespaces of its own: mounts and processes end
# with the script, however it ends.
set -euo pipefail

usage() { sed -n '2,17s/^# \{0,1\}//p' "$0"; exit "${1:-0}"; }
fail() { echo "bare_debian: $*" >&2; exit 1; }

release=bookworm
arguments=("$@")
data='' skip_test='' base_only='' folder=''
while [ $# -gt 0 ]; do
  case "$1" in
    --data) data=$(realpath "${2:?--data wants a folder}"); shift ;;
    --skip-test) skip_test=yes ;;
    --base-only) base_only=yes ;;
    -h|--help) usage ;;
    -*) usage 2 >&2 ;;
    *) folder=$(realpath -m "$1") ;;
  esac
  shift
done
repository=$(cd "$(dirname "$0")/.." && pwd)

if [ -z "${SEGUE_BARE_FOLDER:-}" ]; then  # outside: make the folder, go into namespaces, clean up
  [ "$(id -u)" -eq 0 ] || fail "needs root: sudo tools/bare_debian.sh"
  command -v debootstrap >/dev/null || fail "needs debootstrap: apt-get install debootstrap"
  [ -z "$data" ] || [ -d "$data" ] || fail "--data $data: no such folder"
  if (exec 3<>/dev/tcp/127.0.0.1/7348) 2>/dev/null; then
    fail "something listens on port 7348, where the demo's server would; stop it first (make demo-stop)"
  fi
  if [ -n "$folder" ]; then
    mkdir -p "$folder"
    [ -z "$(ls -A "$folder")" ] || fail "$folder is not empty"
  else
    folder=$(mktemp -d)
    trap 'rm -rf --one-file-system "$folder"' EXIT
  fi
  SEGUE_BARE_FOLDER=$folder unshare --mount --pid --fork --kill-child \
    "$BASH" "$repository/tools/bare_debian.sh" ${arguments[@]+"${arguments[@]}"}
  exit
fi

root=$SEGUE_BARE_FOLDER
timings=()
timed() {  # timed NAME COMMAND...
  local name=$1 start=$SECONDS
  shift
  echo "== $name"
  "$@" || fail "$name failed after $((SECONDS - start)) s"
  timings+=("$(printf '%-32s %5d s' "$name" $((SECONDS - start)))")
}

# "URI SUITE" of the main components of this release that apt reads here.
sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
    awk -v release=$release '($2 == release || index($2, release "-") == 1) && $3 == "main" {print $1, $2}' | sort -u
}

# This machine's settings: only what concerns how to reach the network.
environment=(HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
for name in $(compgen -e); do
  case "$name" in
    http_proxy|https_proxy|no_proxy|HTTP_PROXY|HTTPS_PROXY|NO_PROXY|npm_config_*) environment+=("$name=${!name}") ;;
    *) case "${!name}" in /etc/ssl/certs|/etc/ssl/certs/*) environment+=("$name=${!name}") ;; esac ;;
  esac
done
inside() { chroot "$root" env -i "${environment[@]}" "$@"; }

bootstrap() {
  local mirror
  mirror=$(sources | awk -v release=$release '$2 == release {print $1; exit}')
  debootstrap --variant=minbase --include=git,make,ca-certificates $release "$root" ${mirror:+"$mirror"} \
    >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; return 1; }
  rm -f "$root.log"
}

settle() {
  chmod 755 "$root"  # a temporary folder is its maker's only; / is everybody's
  if [ -n "$(sources)" ]; then sources | sed 's/^/deb /; s/$/ main/' >"$root/etc/apt/sources.list"; fi
  apt-config dump | grep -E '^Acquire::(https?::(Proxy|CaInfo|Verify)|Check-)' >"$root/etc/apt/apt.conf.d/90host" || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  local certificates=(/usr/local/share/ca-certificates/*.crt)
  if [ -e "${certificates[0]}" ]; then
    cp "${certificates[@]}" "$root/usr/local/share/ca-certificates/"
    inside update-ca-certificates >/dev/null 2>&1
  fi
  [ ! -f /etc/npmrc ] || cp /etc/npmrc "$root/etc/npmrc"
  [ ! -f "$HOME/.npmrc" ] || cp "$HOME/.npmrc" "$root/root/.npmrc"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  git clone -q --no-hardlinks "$repository" "$root/srv/segue"
  if [ -n "$data" ]; then
    local part
    for part in "$data" "$(dirname "$data")/splits"; do  # some tests look for splits beside the data
      [ -d "$part" ] || continue
      mkdir -p "$root/srv/shared/$(basename "$part")"
      mount --bind "$part" "$root/srv/shared/$(basename "$part")"
      mount -o remount,bind,ro "$root/srv/shared/$(basename "$part")"
    done
    environment+=("SEGUE_TEST_DATA=/srv/shared/$(basename "$data")")
  fi
}

make_target() { inside make -C /srv/segue "$@" 2>&1 | tee "$root/srv/make.log"; }

request() {
  local url answer
  url=$(grep -o "http://127\.0\.0\.1:[0-9]*/v1/listeners/[^' ]*" "$root/srv/make.log" | head -n 1)
  [ -n "$url" ] || { echo "make demo printed no request to try" >&2; return 1; }
  answer=$(inside curl -fsS "$url") || return 1
  echo "$url: ${answer:0:300}"
  grep -q '"track_id"' <<<"$answer"
}

mount --make-rprivate /
[ -z "$(git -C "$repository" status --porcelain)" ] || echo "bare_debian: uncommitted changes are not part of what is tried"
timed "debootstrap" bootstrap
timed "settings and clone" settle
if [ -z "$base_only" ]; then
  timed "make demo" make_target demo
  timed "the request it prints" request
  timed "make demo, again" make_target demo
  timed "make demo-stop" make_target demo-stop
  [ -n "$skip_test" ] || timed "make test" make_target test
fi
echo
printf '%s\n' "${timings[@]}"
inside nproc | sed 's/$/ cores/'
