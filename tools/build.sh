#!/bin/bash
# Configures a preset where needed, and builds it.
#
#   tools/build.sh PRESET [TARGET...]
set -euo pipefail

main() {
cd "$(dirname "$0")/.."

preset=${1:?usage: tools/build.sh PRESET [TARGET...]}
shift
folder=build/$preset
mkdir -p "$folder"

if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER:-ccache}
  # Several clones on one machine share what they have compiled.
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}
  # Without which it never knows a precompiled header again.
  export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
fi
# Ninja configures again by itself when a CMake file changes; a new DuckDB it cannot see.
if [ ! -f "$folder/build.ninja" ] || [ cmake/duckdb/node_modules/.installed-lock.json -nt "$folder/build.ninja" ] ||
   [ CMakePresets.json -nt "$folder/build.ninja" ]; then
  if ! cmake --preset "$preset" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    exit 1
  fi
  touch "$folder/build.ninja"
fi

quiet=()
if [ ! -t 1 ]; then
  quiet=(-- --quiet)
  echo "Building $folder"  # a word before a long silence
fi
cmake --build "$folder" ${@:+--target "$@"} "${quiet[@]}"
}

# Read whole before it runs, so that an edit during a long build does no harm.
main "$@"; exit
