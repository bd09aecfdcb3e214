#!/usr/bin/env bash
# Fuzzes every target of tests/fuzz under ASan and UBSan, starting from its corpus.
#
#   tools/run_fuzzers.sh [SECONDS_EACH] [TARGET...]      default: 60 s, all targets
#
# New inputs stay in build/fuzz/found/TARGET; a crash is written to build/fuzz/crashes and fails the
# run. Merge what is worth keeping into the corpus with -merge=1, and make each crash a corpus file
# and a unit test. REQUIRES: tools/deps.sh --long ran.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly seconds=${1:-60}
shift $(($# > 0))
targets=("$@")
if ((${#targets[@]} == 0)); then
  for source in tests/fuzz/*_fuzz.cc; do
    targets+=("$(basename "$source" _fuzz.cc)")
  done
fi

cmake --preset fuzz --log-level=WARNING >/dev/null
cmake --build --preset fuzz -j"${JOBS:-$(nproc)}" --target "${targets[@]/#/fuzz_}" -- --quiet
mkdir -p build/fuzz/crashes

# fuzz TARGET: one line with what was done, or the report of the crash.
fuzz() {
  local target=$1 binary
  local found=build/fuzz/found/$target log=build/fuzz/$target.log
  binary=$(find build/fuzz -name "fuzz_$target" -type f -executable | head -n 1)
  mkdir -p "$found"
  if ! "$binary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/crashes/$target-" "$found" "tests/fuzz/corpus/$target" \
    >"$log" 2>&1 </dev/null; then
    printf 'fuzz %s: FAILED\n' "$target"
    tail -n 60 "$log"
    return 1
  fi
  printf 'fuzz %s: %s runs, %s new inputs\n' "$target" \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$(find "$found" -type f | wc -l)"
}
export -f fuzz
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'fuzz {}'
