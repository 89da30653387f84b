#!/usr/bin/env bash
# Runs every fuzz target for SECONDS (default 60) from its committed seeds.
# usage: tests/fuzz/run.sh [SECONDS] [TARGET ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
[ $# -gt 0 ] && shift
out=build/fuzz
mkdir -p "$out/objects"
flags=(-std=c++20 -O1 -g -I. -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)

objects=()
: >"$out/stale"
while read -r source; do
  object=$out/objects/${source//\//_}.o
  if [ ! -f "$object" ] || [ "$source" -nt "$object" ]; then echo "$source $object" >>"$out/stale"; fi
  objects+=("$object")
done < <(git ls-files 'protocol/*.cpp' 'storage/core/*.cpp' 'actors/core/quota*.cpp')
xargs -r -P2 -L1 sh -c 'clang++ '"${flags[*]}"' -c "$0" -o "$1"' < "$out/stale"

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$file" _fuzz.cpp)"); done
fi
for name in "${targets[@]}"; do
  clang++ "${flags[@]}" -fsanitize=fuzzer "tests/fuzz/${name}_fuzz.cpp" "${objects[@]}" -lsimdjson -o "$out/$name"
  mkdir -p "$out/corpus/$name"
  echo "== fuzzing $name for $seconds s" >&2
  "$out/$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$out/$name-" "$out/corpus/$name" "tests/fuzz/corpus/$name" 2>&1 | tail -4
done
