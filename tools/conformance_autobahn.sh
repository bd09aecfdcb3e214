#!/usr/bin/env bash
# Runs Autobahn|Testsuite's fuzzing client against a WebSocket echo application.
#
#   tools/conformance_autobahn.sh            sections 1 to 10, a minute
#   tools/conformance_autobahn.sh 12 13      these sections; 12 and 13 take up to an hour
#
# Every case has to be OK or INFORMATIONAL. Autobahn|Testsuite is Python 2.7 only, so that is needed:
# as python2.7, or of pyenv; without it nothing runs, and that is said. It is installed into
# build/autobahn, with the versions that are known to work together. REQUIRES: make build.
# Reads $VENV (default .venv). Called by tools/conformance.sh, too.
set -euo pipefail

readonly AUTOBAHN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

autobahn_python() {
  local python
  for python in "$(command -v python2.7 || true)" "$HOME"/.pyenv/versions/2.7.*/bin/python2.7; do
    if [[ -x $python ]] && "$python" -c 'import sys; assert sys.version_info[:2] == (2, 7)' \
      2>/dev/null; then
      printf '%s' "$python"
      return
    fi
  done
  return 1
}

# Without autobahn[accelerate], whose wsaccel has left Python 2.7. The TLS packages are imported even
# for ws://.
autobahn_install() {
  local python=$1 target=$2
  [[ -e $target/installed ]] && return
  printf 'autobahn: installing the test suite into %s\n' "$target"
  "$python" -m pip install -q --disable-pip-version-check --no-deps --target "$target" \
    autobahntestsuite autobahn==0.10.9 txaio==2.1.0 Twisted==19.10.0 zope.interface==4.6.0 \
    incremental==16.10.1 constantly==15.1.0 Automat==0.7.0 hyperlink==18.0.0 attrs==19.3.0 \
    PyHamcrest==1.9.0 six==1.16.0 idna==2.8 klein==17.10.0 Werkzeug==1.0.1 Jinja2==2.11.3 \
    MarkupSafe==1.1.1 unittest2==1.1.0 argparse==1.4.0 traceback2==1.4.0 linecache2==1.0.0 \
    cryptography==3.3.2 pyOpenSSL==19.1.0 service_identity==18.1.0 cffi==1.14.6 pycparser==2.20 \
    enum34==1.1.10 ipaddress==1.0.23 pyasn1==0.4.8 pyasn1-modules==0.2.8 >"$target.log" 2>&1 ||
    { tail -n 20 "$target.log" >&2; return 1; }
  touch "$target/zope/__init__.py" "$target/installed"
}

conformance_autobahn() (
  cd "$AUTOBAHN_ROOT"
  local python target=build/autobahn/site work=build/autobahn bin=${VENV:-.venv}/bin
  if ! python=$(autobahn_python); then
    printf 'autobahn: SKIPPED: Autobahn|Testsuite needs a python2.7, and there is none\n'
    return 0
  fi
  mkdir -p "$work"
  autobahn_install "$python" "$target"
  local sections=("$@")
  ((${#sections[@]})) || sections=(1 2 3 4 5 6 7 9 10)
  exec "$bin/python" tools/autobahn.py --python "$python" --site "$target" --work "$work" \
    "${sections[@]}"
)

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  conformance_autobahn "$@"
fi
