#!/usr/bin/env bash
# Runs the conformance suites of others against a tercel server of its own.
#
#   tools/conformance.sh [http2|websocket|s3]...    default: all that are known
#
# A suite that cannot be had on this machine is skipped, with the reason; one that fails, fails the
# run. Results stay in build/conformance. REQUIRES: `make build` ran. Reads $VENV (default .venv) and
# $CONFORMANCE_RUNS (default 1): some cases of h2spec race, so a single pass says little.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=${VENV:-.venv}
readonly RUNS=${CONFORMANCE_RUNS:-1}
readonly OUT=$PWD/build/conformance
readonly H2SPEC=github.com/summerwind/h2spec/cmd/h2spec@v2.6.0
readonly H2SPEC_CASES=147

say() { printf 'conformance: %s\n' "$*"; }
mkdir -p "$OUT/bin"

server_pid=
stop_server() {
  [[ -n $server_pid ]] || return 0
  kill "$server_pid" 2>/dev/null || :
  wait "$server_pid" 2>/dev/null || :
  server_pid=
}
trap stop_server EXIT

# start_server APP [OPTION...]: serves on a free port, which is left in $port.
start_server() {
  local log=$OUT/server.log
  "$VENV/bin/tercel" serve --app-dir tests/python/apps --port 0 --no-access-log "$@" >"$log" 2>&1 &
  server_pid=$!
  for _ in $(seq 100); do
    port=$(sed -n 's|.*https\{0,1\}://127\.0\.0\.1:\([0-9]*\).*|\1|p' "$log" | head -n 1)
    [[ -n $port ]] && return 0
    kill -0 "$server_pid" 2>/dev/null || break
    sleep 0.1
  done
  cat "$log" >&2
  return 1
}

# --- HTTP/2: h2spec

install_h2spec() {
  [[ -x $OUT/bin/h2spec ]] && return 0
  if ! command -v go >/dev/null; then
    say "http2: skipped: h2spec needs Go (apt-get install golang), which is not installed"
    return 1
  fi
  local log=$OUT/h2spec-install.log
  if ! GOBIN=$OUT/bin timeout 300 go install "$H2SPEC" >"$log" 2>&1; then
    say "http2: skipped: 'go install $H2SPEC' failed: $(tail -n 2 "$log" | tr -s '[:space:]' ' ')"
    return 1
  fi
}

# h2spec_run NAME OPTION...: all cases, strictly, as often as asked.
h2spec_run() {
  local name=$1 run
  shift
  for run in $(seq "$RUNS"); do
    if ! "$OUT/bin/h2spec" -h 127.0.0.1 -p "$port" -S -o 2 -j "$OUT/h2spec-$name.xml" "$@" \
      >"$OUT/h2spec-$name.log" 2>&1; then
      sed -n '/Failures:/,$p' "$OUT/h2spec-$name.log" >&2
      say "http2: $name: FAILED in run $run of $RUNS"
      return 1
    fi
    grep -q "^$H2SPEC_CASES tests, $H2SPEC_CASES passed" "$OUT/h2spec-$name.log" || {
      say "http2: $name: not all of $H2SPEC_CASES cases passed: $(tail -n 1 "$OUT/h2spec-$name.log")"
      return 1
    }
  done
  say "http2: $name: $H2SPEC_CASES of $H2SPEC_CASES, $RUNS times"
}

suite_http2() {
  install_h2spec || return 0
  start_server conformance:app
  h2spec_run cleartext
  stop_server
  "$VENV/bin/python" -m trustme --quiet -d "$OUT" -i 127.0.0.1
  start_server conformance:app --ssl-certfile "$OUT/server.pem" --ssl-keyfile "$OUT/server.key"
  h2spec_run tls -t -k
  stop_server
}

# --- WebSocket: Autobahn, sections 1 to 10; 12 and 13 take half an hour and are in make test-long

suite_websocket() {
  tools/conformance_autobahn.sh
}

# --- S3: versitygw's client, against versitygw and through a gateway; some minutes

suite_s3() {
  local status=0
  "$VENV/bin/python" tools/s3_full_flow.py --work "$OUT" --out "$OUT/s3-full-flow.json" || status=$?
  ((status == 0 || status == 77))  # 77: skipped, which it has said.
}

# --- which

(($#)) || set -- http2 websocket s3
for suite in "$@"; do
  declare -F "suite_$suite" >/dev/null || { say "unknown suite $suite; known: http2, websocket, s3"; exit 2; }
  "suite_$suite"
done
