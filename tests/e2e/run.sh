#!/usr/bin/env bash
# The official clients against the real binary, once under each scheduler.
#   TROUPE_BIN=... SANDBOX_BIN=... tests/e2e/run.sh [asio|sharing ...]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${TROUPE_BIN:?names the troupe binary}" "${SANDBOX_BIN:?names the troupe-sandbox binary}"
export TROUPE_BIN SANDBOX_BIN
TROUPE_BIN=$(realpath "$TROUPE_BIN")
SANDBOX_BIN=$(realpath "$SANDBOX_BIN")

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "e2e: node and npm are needed (Debian: apt-get install nodejs npm)" >&2
  exit 1
fi

schedulers=("$@")
[ ${#schedulers[@]} -gt 0 ] || schedulers=(asio sharing)
for scheduler in "${schedulers[@]}"; do
  echo "e2e: scheduler $scheduler"
  TROUPE_SCHEDULER=$scheduler node "$here/run.mjs"
done
