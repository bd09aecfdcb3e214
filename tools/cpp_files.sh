#!/usr/bin/env bash
# Lists the C++ files of the repository, or of the given folders, one a line. Needs no git.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# == 0)); then
  set -- cpp python tests bench examples
fi
find "$@" -type f \( -name '*.cc' -o -name '*.h' \) | sort
