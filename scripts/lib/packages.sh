# Debian packages: what each job needs, and how what is missing gets installed.

packages_build=(g++ cmake ninja-build ccache pkg-config libcaf-dev libboost1.81-dev
  librocksdb-dev nlohmann-json3-dev libspdlog-dev libfmt-dev libsimdjson-dev libcli11-dev
  libssl-dev libmimalloc-dev zlib1g-dev libhowardhinnant-date-dev tzdata libgtest-dev libbenchmark-dev python3
  openssl)
packages_up=(curl) # what `up` tells a newcomer to try
packages_test=(clang-format clang-tidy clang valgrind strace nginx-light prometheus procps curl)
packages_bench=(nginx-light valgrind strace procps)

# Prints the packages of "$@" that are not installed.
missing_packages() {
  local name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || echo "$name"
  done
}

# nginx and prometheus are tools here: installing them must start no service.
without_services() {
  local policy=/usr/sbin/policy-rc.d made=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    made=yes
  fi
  local status=0
  "$@" || status=$?
  [ -n "$made" ] && rm -f "$policy"
  return $status
}

# Installs what is missing of "$@", saying what.
need_packages() {
  command -v dpkg-query >/dev/null || fail "This script installs Debian packages; here there is no dpkg. Install by hand: $*"
  local wanted=("$@") missing
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  [ ${#missing[@]} -eq 0 ] && return 0
  step "installing ${#missing[@]} Debian packages: ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    fail "Not root, so nothing was installed. Run:  sudo apt-get install --no-install-recommends ${missing[*]}
then start this command again."
  fi
  export DEBIAN_FRONTEND=noninteractive
  local log
  log=$(mktemp)
  if ! { apt-get update && without_services apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    fail "apt-get could not install them; its last words are above, all of them in $log"
  fi
  rm -f "$log"
}

# The client tests need Node and npm from anywhere.
need_node() {
  command -v node >/dev/null && command -v npm >/dev/null && return 0
  need_packages nodejs npm
}
