#!/usr/bin/env bash
# Runs clang-tidy (.clang-tidy) over the C++ of the engine. A finding is an error.
# REQUIRES: tools/deps.sh --long ran. Takes some seconds a file.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly jobs=${JOBS:-$(nproc)}
cmake --preset dev --log-level=WARNING >/dev/null
tools/cpp_files.sh cpp | grep '\.cc$' | xargs -r -n 1 -P "$jobs" clang-tidy -p build/dev --quiet 2>/dev/null
