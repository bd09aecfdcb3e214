#!/usr/bin/env bash
# Runs the tests, one step after the other, and stops at the first step that fails.
#
#   tools/run_tests.sh           what a change must pass
#   tools/run_tests.sh --lint    only the checks that need no build
#   tools/run_tests.sh --long    everything, the slow ones included
#
# The C++ layers are tested four ways: plain, under ASan+UBSan, under TSan, and through the Python
# extension; the extension both optimised and under ASan+UBSan, and with I/O threads. REQUIRES: tools/deps.sh ran.
# Reads $VENV (default .venv) and $JOBS (default: the number of processors).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=${VENV:-.venv}
readonly BIN=$VENV/bin
readonly JOBS=${JOBS:-$(nproc)}
readonly mode=${1:-}
case $mode in
  "" | --lint | --long) ;;
  *) printf 'run_tests: unknown option %s; known are --lint and --long\n' "$mode" >&2; exit 2 ;;
esac
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi

# Tests of one file share servers, so they stay together. Most of their time is waiting.
readonly parallel=(-n "$JOBS" --dist loadfile)

current="starting"
step() {
  current=$1
  printf '\n=== %s (%d s so far)\n' "$current" "$SECONDS"
  shift
  "$@"
}
trap 'status=$?; ((status == 0)) || printf "\nrun_tests: FAILED at: %s\n" "$current" >&2' EXIT

check_cpp_format() {
  tools/cpp_files.sh | xargs -r "$BIN/clang-format" --dry-run -Werror ||
    { printf 'run "make fmt"\n' >&2; return 1; }
}

lint() {
  step "layers: which folder includes which" "$BIN/python" tools/check_layers.py
  step "format: C++" check_cpp_format
  step "format and lint: Python" bash -c \
    "'$BIN/ruff' format --check --quiet . && '$BIN/ruff' check --quiet ."
  step "documents: code regions are those of examples/" "$BIN/python" tools/sync_docs.py --check
  step "types: src/tercel" "$BIN/mypy" --no-error-summary src/tercel
}

# cpp_tests PRESET TITLE [LAYER...]: the tests of these layers, or all.
cpp_tests() {
  local preset=$1 title=$2
  shift 2
  local targets=() only=()
  if (($#)); then
    targets=(--target "${@/#/tests_}")
    only=(-L "^unit-($(IFS='|' && printf '%s' "$*"))\$")
  fi
  step "C++ $title: configure" cmake --preset "$preset" --log-level=WARNING
  step "C++ $title: build" cmake --build --preset "$preset" -j"$JOBS" "${targets[@]}" -- --quiet
  step "C++ $title: tests" ctest --preset "$preset" -j"$JOBS" --no-tests=error "${only[@]}"
}

# Extension and interpreter in one sanitised process. The allocator of Python must not hide what is
# done to its blocks, and libasan must be there before anything else allocates.
sanitized_python_tests() {
  local site=$PWD/build/extension-asan/site
  step "extension under ASan+UBSan: build" tools/build_extension.sh "$BIN/python" \
    build/extension-asan --target "$site" --upgrade \
    --config-settings=cmake.build-type=RelWithDebInfo \
    --config-settings=cmake.define.TERCEL_SANITIZE=address,undefined \
    --config-settings=cmake.define.CMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF \
    --config-settings=install.strip=false
  step "extension under ASan+UBSan: tests" env PYTHONPATH="$site" PYTHONMALLOC=malloc \
    LD_PRELOAD="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1 \
    UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 \
    "$BIN/python" -m pytest -q -p no:cacheprovider "${parallel[@]}" "$@"
}

python_tests() {
  step "extension, optimised: build" tools/build_extension.sh "$BIN/python" build/extension
  step "Python tests" "$BIN/python" -m pytest "${parallel[@]}" "$@"
}

# What an application sees must not depend on the threads.
python_tests_with_io_threads() {
  step "Python tests with I/O threads" "$BIN/python" -m pytest --io-threads 2 "${parallel[@]}" "$@"
}

lint
[[ $mode == --lint ]] && exit 0
# The preset with the strictest build: what a layer does not declare, it cannot include.
cpp_tests layers "plain"
step "C++ headers: each compiles alone" \
  cmake --build --preset layers -j"$JOBS" --target all_verify_interface_header_sets -- --quiet
cpp_tests asan "under ASan+UBSan"
if [[ $mode == --long ]]; then
  cpp_tests tsan "under TSan"
  step "clang-tidy" tools/run_tidy.sh
  step "fuzzers, 60 s each" tools/run_fuzzers.sh 60
  sanitized_python_tests tests/python
  python_tests tests/python tests/long
  step "Autobahn: WebSocket compression" tools/conformance_autobahn.sh 12 13
  step "Python tests on every other CPython that is here" tools/test_versions.sh
  python_tests_with_io_threads tests/python
else
  # The layers that several threads may be in. A test of one thread cannot race.
  cpp_tests tsan "under TSan" base net edge server gateway
  sanitized_python_tests -m sanitize tests/python
  python_tests tests/python
  python_tests_with_io_threads -m io_threads tests/python
fi
