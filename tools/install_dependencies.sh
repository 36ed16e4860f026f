#!/bin/bash
# Installs what building and running Segue needs: Debian packages, and DuckDB
# from npm. Does nothing, in a second, where all is there.
#
#   tools/install_dependencies.sh [test] [bench] [format]
#
# test adds the players, clients and validators that the end-to-end tests speak with, and what
# the fuzzers need (without them these tests are skipped); bench and format what `make bench` and `make format` need.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(g++ make cmake ninja-build pkg-config python3 ca-certificates curl
          libtbb-dev libboost-dev nlohmann-json3-dev libsqlite3-dev libtomlplusplus-dev libcli11-dev
          libssl-dev libcurl4-openssl-dev libutf8proc-dev libarchive-dev zlib1g-dev libgtest-dev)
# A node from elsewhere is left alone.
command -v npm >/dev/null && command -v node >/dev/null || packages+=(nodejs npm)
npm_folders=(cmake/duckdb)
for extra in "$@"; do
  case "$extra" in
    test) packages+=(prometheus mpd mpdscribble openssl clang-16 libclang-rt-16-dev); npm_folders+=(tests/clients) ;;
    bench) packages+=(libbenchmark-dev wrk) ;;
    format) packages+=(clang-format) ;;
    *) echo "install_dependencies: unknown extra '$extra'; known: test, bench, format" >&2; exit 2 ;;
  esac
done

# Runs a command with its output in a log that is shown only if it fails.
quietly() {
  local log status=0
  log=$(mktemp)
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if [ $status -ne 0 ]; then tail -n 40 "$log" >&2; fi
  rm -f "$log"
  return $status
}

# Three tries: networks and mirrors fail for a moment.
patiently() {
  local try
  for try in 1 2 3; do
    if quietly "$@"; then return 0; fi
    [ $try -eq 3 ] || { echo "install_dependencies: trying again: $*" >&2; sleep $((try * 3)); }
  done
  return 1
}

missing=()
if command -v dpkg-query >/dev/null; then
  for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null || true)
    grep -qx installed <<<"$state" || missing+=("$package")
  done
else
  echo "install_dependencies: no dpkg here; these Debian packages, or what they are called on this system," >&2
  echo "have to be there already: ${packages[*]}" >&2
fi

if [ ${#missing[@]} -gt 0 ]; then
  as_root=(env)
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "install_dependencies: ${#missing[@]} Debian packages are missing, and installing them needs root or sudo." >&2
      echo "As root, run: apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    as_root=(sudo env)
  fi
  # sudo forgets the environment; apt needs the proxies.
  as_root+=(DEBIAN_FRONTEND=noninteractive)
  for name in http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || as_root+=("$name=${!name}")
  done
  apt=(apt-get -qq -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300)
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  patiently "${as_root[@]}" "${apt[@]}" update
  patiently "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  # Tests start one of their own; Debian's package starts a service.
  if grep -qw prometheus <<<"${missing[*]}"; then
    quietly "${as_root[@]}" sh -c 'if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then systemctl disable --now prometheus;
      elif [ -x /etc/init.d/prometheus ]; then /etc/init.d/prometheus stop; fi' || true
  fi
fi

# DuckDB's library and header, and the clients. The copy of the lock file is
# written last and says what is installed.
for folder in "${npm_folders[@]}"; do
  cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json" && continue
  echo "Installing what $folder needs from npm"
  (cd "$folder" && patiently npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error \
    --fetch-retries=5 --fetch-timeout=120000)
  cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
done
