#!/usr/bin/env bash
# Builds tercel with the given interpreter and installs it in that interpreter's environment,
# incrementally: objects stay in BUILD_DIR.
#
#   tools/build_extension.sh PYTHON BUILD_DIR [PIP_OPTION...]
#
# REQUIRES: requirements/build.txt is installed for PYTHON. Uses ccache when it is there.
# The pip of Debian 12 knows --config-settings, but not yet its short form.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly python=$1 build_dir=$2
shift 2
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=ccache
fi
exec "$python" -m pip install --quiet --disable-pip-version-check --no-input \
  --no-build-isolation --no-deps --force-reinstall \
  --config-settings=build-dir="$build_dir" "$@" . </dev/null
