# `up`: a running gateway for a newcomer; `bench` and `soak`.

# A credential of this checkout, made once, readable by its owner only.
development_credential() {
  local file=$1
  if [ ! -s "$file" ]; then
    (umask 077 && printf 'sk-troupe-%s\n' "$(openssl rand -hex 16)" >"$file")
  fi
  cat "$file"
}

keys_given() {
  [ -n "${GEMINI_API_KEYS:-}${GEMINI_API_KEY:-}${GOOGLE_API_KEY:-}${API_KEYS:-}${TROUPE_CONFIG:-}" ]
}

dev_up() {
  need_packages "${packages_build[@]}" "${packages_up[@]}"
  build_preset release troupe troupe-sandbox
  local data=${TROUPE_DATA_DIR:-$root/data}
  mkdir -p "$data"
  export TROUPE_DATA_DIR=$data

  if [ -f .env ] && ! keys_given; then
    set -- --env-file .env "$@"
  fi
  local credential=""
  if [ -z "${AUTH_TOKEN:-}${ALLOWED_TOKENS:-}${TROUPE_CONFIG:-}" ] && [ ! -f .env ]; then
    credential=$(development_credential "$data/development-credential")
    export AUTH_TOKEN=$credential
  fi

  children=()
  trap stop_children EXIT
  trap 'exit 0' INT TERM
  if ! keys_given && [ ! -f .env ] && [ $# -eq 0 ]; then
    start_sandbox
  fi
  step "starting troupe"
  build/release/troupe serve "$@" &
  children+=($!)
  wait_ready "${TROUPE_ADMIN_LISTEN:-127.0.0.1:8081}" "${children[-1]}"
  what_to_try "${TROUPE_LISTEN:-127.0.0.1:8080}" "${TROUPE_ADMIN_LISTEN:-127.0.0.1:8081}" "$credential" "$data"
  wait "${children[-1]}"
}

start_sandbox() {
  local port_file
  port_file=$(mktemp)
  step "no keys given (GEMINI_API_KEYS): starting the bundled sandbox upstream"
  build/release/troupe-sandbox --listen 127.0.0.1:0 --port-file "$port_file" >/dev/null &
  children+=($!)
  local i
  for i in $(seq 100); do
    [ -s "$port_file" ] && break
    kill -0 "${children[-1]}" 2>/dev/null || fail "the sandbox did not start"
    read -r -t 0.05 <> <(:) || true
  done
  export TROUPE_SANDBOX=http://127.0.0.1:$(cat "$port_file")
  rm -f "$port_file"
  export GEMINI_API_KEYS=sandbox-key-one,sandbox-key-two,sandbox-key-three
  export BASE_URL=$TROUPE_SANDBOX/v1beta
  say "Answers will come from the sandbox, not from a model. Give GEMINI_API_KEYS to reach Gemini."
}

wait_ready() {
  local admin=$1 pid=$2 i
  for i in $(seq 200); do
    kill -0 "$pid" 2>/dev/null || fail "troupe did not start; its words are above"
    if (exec 3<>"/dev/tcp/${admin%:*}/${admin##*:}") 2>/dev/null; then return 0; fi
    read -r -t 0.05 <> <(:) || true
  done
  fail "troupe does not answer on $admin"
}

what_to_try() {
  local listen=$1 admin=$2 credential=${3:-YOUR_CREDENTIAL} data=$4
  cat <<TXT

troupe answers on http://$listen (OpenAI under /v1, Gemini under /v1beta); admin on http://$admin
Try:

  curl http://$listen/v1/chat/completions \\
    -H 'Authorization: Bearer $credential' -H 'Content-Type: application/json' \\
    -d '{"model":"gemini-2.5-flash","messages":[{"role":"user","content":"Say hello"}]}'

  curl http://$admin/admin/v1/keys -H 'Authorization: Bearer $credential'

With the OpenAI SDK: base_url http://$listen/v1, api_key $credential
Data and logs are in $data. Ctrl-C stops everything.
TXT
}

stop_children() {
  local pid
  for pid in "${children[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${children[@]}"; do wait "$pid" 2>/dev/null || true; done
}

dev_bench() {
  need_packages "${packages_build[@]}" "${packages_bench[@]}"
  build_preset release troupe troupe-sandbox troupe-load
  python3 tests/bench/bench.py --build build/release "$@"
  python3 tests/bench/truth_bench.py --build build/release
  python3 tests/bench/pool_bench.py --build build/release
}

dev_soak() {
  need_packages "${packages_build[@]}" "${packages_bench[@]}"
  build_preset release troupe troupe-sandbox troupe-load
  python3 tests/bench/soak.py --build build/release --minutes "${1:-30}" --rate "${2:-1000}"
}
