#!/usr/bin/env bash
# Installs what building and testing tercel needs and this machine lacks: Debian 12 or Ubuntu 24.04
# packages as root or through sudo, Python packages in a virtual environment.
#
#   tools/deps.sh            what `make run` needs, and most of what `make test` does
#   tools/deps.sh --test     also nginx and HAProxy, which `make test` puts in front of tercel, and Redis. Their
#                            packages start services where systemd runs. And clients of S3, and versitygw if
#                            there is Go
#   tools/deps.sh --long     also what `make test-long` needs (clang, slowhttptest, Chromium)
#   tools/deps.sh --bench    also what `make bench` needs (wrk, nginx, h2o, nghttpd, valgrind, the compared servers;
#                            uWebSockets if there is cargo)
#
# Looks before it installs, so a second run takes a fraction of a second and needs neither root nor
# the network. Reads $PYTHON (an interpreter, 3.11 or later) and $VENV (default .venv).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=${VENV:-.venv}
readonly PYTHON_MINIMUM="(3, 11)"

say() { printf 'deps: %s\n' "$*"; }
die() { printf 'deps: %s\n' "$*" >&2; exit 1; }

proxies=no long=no bench=no
for option in "$@"; do
  case $option in
    --test) proxies=yes ;;
    --long) proxies=yes long=yes ;;
    --bench) bench=yes ;;
    *) die "unknown option $option; known are --test, --long and --bench" ;;
  esac
done

# --- system packages

missing=() updated=no
# want PACKAGE TEST...: PACKAGE is missing when TEST fails.
want() {
  local package=$1
  shift
  "$@" >/dev/null 2>&1 || missing+=("$package")
}
has() { command -v "$1"; }
# Of those that are not on everybody's path.
has_service() { PATH=$PATH:/usr/sbin command -v "$1"; }
has_header() { [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]]; }

install_missing() {
  ((${#missing[@]})) || return 0
  local list="${missing[*]}"
  has apt-get >/dev/null || die "this is not Debian or Ubuntu; install the equivalents of: $list"
  local sudo=()
  if ((EUID != 0)); then
    has sudo >/dev/null || die "run as root, or install these packages first: $list"
    sudo=(sudo)
  fi
  say "installing with apt: $list"
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get
             -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -qq)
  if [[ $updated == no ]]; then
    "${apt[@]}" update </dev/null
    updated=yes
  fi
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null >/dev/null
  missing=()
}

want g++ has g++
want make has make
want cmake has cmake
want ninja-build has ninja
want curl has curl
want libc-ares-dev has_header ares.h
want libssl-dev has_header openssl/ssl.h
want zlib1g-dev has_header zlib.h
want pkg-config has pkg-config
want libnghttp2-dev has_header nghttp2/nghttp2.h
want libsimdjson-dev has_header simdjson.h
want libre2-dev has_header re2/re2.h
want nghttp2-client has h2load
want libgtest-dev has_header gtest/gtest.h
want libbenchmark-dev has_header benchmark/benchmark.h
if [[ $proxies == yes ]]; then
  want nginx-light has_service nginx
  want haproxy has_service haproxy
  want redis-server has_service redis-server
  want rclone has rclone
fi
if [[ $long == yes ]]; then
  want clang has clang++
  want clang-tidy has clang-tidy
  want slowhttptest has slowhttptest
  want testssl.sh has testssl
  want bsdextrautils has hexdump
  want chromium bash -c 'command -v chromium || command -v google-chrome'
  install_missing
  # libFuzzer and the sanitizers of clang are in a package named after its version.
  want "libclang-rt-$(clang++ -dumpversion | cut -d. -f1)-dev" \
    bash -c 'compgen -G "/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a"'
fi
if [[ $bench == yes ]]; then
  want wrk has wrk
  want redis-server has_service redis-server
  want nginx-light has_service nginx
  want h2o has h2o
  want nghttp2-server has nghttpd
  want openssl has openssl
  want valgrind has callgrind_control
fi

# --- the interpreter

is_new_enough() { "$1" -c "import sys; sys.exit(sys.version_info < $PYTHON_MINIMUM)" 2>/dev/null; }

find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    is_new_enough "$PYTHON" || die "PYTHON=$PYTHON is not a Python 3.11 or later"
    command -v "$PYTHON"
    return
  fi
  # The plain name first: it is the one the user chose (a virtual environment, pyenv, the system).
  for candidate in python3 python3.13 python3.12 python3.11 python3.14 python; do
    if is_new_enough "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
}

python=$(find_python)
if [[ -z $python ]]; then
  missing+=(python3)
  install_missing
  python=$(find_python)
  [[ -n $python ]] || die "no Python 3.11 or later; install one and set PYTHON to its path"
fi

# Only the distribution's interpreter keeps venv and the headers in packages of their own.
facts=$("$python" - <<'PY'
import importlib.util, os, sys, sysconfig
print(f"{sys.version_info[0]}.{sys.version_info[1]}")
print("distribution" if os.path.realpath(sys.executable).startswith("/usr/bin/") else "own")
print("venv" if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv") else "-")
header = os.path.join(sysconfig.get_paths()["include"], "Python.h")
print("headers" if os.path.exists(header) else "-")
PY
)
{ read -r version; read -r origin; read -r venv_module; read -r headers; } <<<"$facts"
if [[ $origin == distribution ]]; then
  [[ $venv_module == venv ]] || missing+=("python$version-venv")
  [[ $headers == headers ]] || missing+=("python$version-dev")
elif [[ $venv_module != venv || $headers != headers ]]; then
  die "$python lacks its venv module or its headers (Python.h); set PYTHON to a complete one"
fi
install_missing

cmake_version=$(cmake --version | sed -n 's/^cmake version //p')
[[ $(printf '3.25\n%s\n' "$cmake_version" | sort -V | head -n 1) == 3.25 ]] ||
  die "CMake $cmake_version is too old; 3.25 or later is needed"

# --- the virtual environment

requirements=(requirements/test.txt requirements/lint.txt)
[[ $proxies == yes ]] && requirements+=(requirements/s3.txt)
[[ $bench == yes ]] && requirements+=(requirements/bench.txt)

if [[ -x $VENV/bin/python ]]; then
  have=$("$VENV/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || :)
  # A version asked for by name wins over what the environment was made with.
  if [[ -z $have || (-n ${PYTHON:-} && $have != "$version") ]]; then
    say "$VENV holds Python ${have:-that does not start}; making it anew"
    rm -rf "$VENV"
  fi
fi
if [[ ! -x $VENV/bin/python ]]; then
  say "making the virtual environment $VENV with $python (Python $version)"
  "$python" -m venv "$VENV"
fi

# One stamp for each file: its contents decide whether pip has anything to do.
stamps=$VENV/.tercel-deps
mkdir -p "$stamps"
for file in "${requirements[@]}"; do
  digest=$(cat requirements/build.txt "$file" | sha256sum | cut -d' ' -f1)
  stamp=$stamps/$(basename "$file")
  [[ -e $stamp && $(<"$stamp") == "$digest" ]] && continue
  say "installing the Python packages of $file in $VENV"
  "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --retries 5 -r "$file" </dev/null
  printf '%s\n' "$digest" >"$stamp"
done
# --- the client of Node.js for WebSockets, where Node.js is

# Beside the tree, as no part of tercel is made with it. tests/python/test_node_clients.py looks here.
readonly NODE_PACKAGES=${XDG_CACHE_HOME:-$HOME/.cache}/tercel/node
readonly WS=ws@8.18.0
if has node >/dev/null && has npm >/dev/null && [[ ! -e $NODE_PACKAGES/node_modules/ws ]]; then
  say "installing $WS from npm in $NODE_PACKAGES"
  mkdir -p "$NODE_PACKAGES"
  npm install --silent --no-audit --no-fund --prefix "$NODE_PACKAGES" "$WS" </dev/null >/dev/null ||
    say "npm could not install $WS: its tests will be skipped"
fi

# --- versitygw, an S3 server that verifies signatures, where Go is

# tests/python/support/versitygw.py looks here, and wherever else it usually is.
readonly VERSITYGW=github.com/versity/versitygw/cmd/versitygw@v1.8.0 VERSITYGW_FOLDER=$PWD/build/go/bin
has_go() { PATH=$PATH:/usr/local/go/bin command -v go; }
if [[ $proxies == yes && ! -x $VERSITYGW_FOLDER/versitygw && -z ${TERCEL_VERSITYGW:-} ]] &&
  ! has versitygw >/dev/null && [[ ! -x ~/go/bin/versitygw ]] && has_go >/dev/null; then
  say "installing $VERSITYGW with Go in $VERSITYGW_FOLDER"
  mkdir -p "$VERSITYGW_FOLDER"
  GOBIN=$VERSITYGW_FOLDER timeout 600 "$(has_go)" install "$VERSITYGW" </dev/null ||
    say "Go could not install it: its tests will be skipped"
fi

# --- uWebSockets, which is compared with programs in C++

# Beside the tree. It is in no distribution, and a crate brings its sources. bench/CMakeLists.txt looks here.
readonly UWEBSOCKETS=${XDG_CACHE_HOME:-$HOME/.cache}/tercel/uwebsockets
readonly UWEBSOCKETS_CRATE=libuwebsockets-sys UWEBSOCKETS_VERSION=0.0.10
fetch_uwebsockets() {
  mkdir -p "$UWEBSOCKETS/crate/src"
  : >"$UWEBSOCKETS/crate/src/lib.rs"
  cat >"$UWEBSOCKETS/crate/Cargo.toml" <<TOML
[package]
name = "fetch"
version = "0.0.0"
edition = "2021"
[dependencies]
$UWEBSOCKETS_CRATE = "=$UWEBSOCKETS_VERSION"
TOML
  local manifest
  manifest=$(cd "$UWEBSOCKETS/crate" && cargo metadata --quiet --format-version 1 </dev/null |
    "$python" -c 'import json, sys
print(*(one["manifest_path"] for one in json.load(sys.stdin)["packages"] if one["name"] == sys.argv[1]))' \
      "$UWEBSOCKETS_CRATE") && [[ -n $manifest ]] &&
    cp -r "$(dirname "$manifest")/uWebSockets" "$UWEBSOCKETS/"
}
if [[ $bench == yes && ! -e $UWEBSOCKETS/uWebSockets ]] && has cargo >/dev/null; then
  say "fetching uWebSockets from crates.io ($UWEBSOCKETS_CRATE $UWEBSOCKETS_VERSION) into $UWEBSOCKETS"
  fetch_uwebsockets || say "cargo could not fetch it: the bench will be without it"
fi
say "ready ($("$VENV/bin/python" --version), CMake $cmake_version, $(g++ --version | head -n 1))"
