# Configure and build presets.

build_preset() {
  local preset=$1
  shift
  local log="build/$preset.configure.log"
  mkdir -p build
  if [ ! -f "build/$preset/build.ninja" ]; then
    step "configuring $preset"
    cmake --preset "$preset" >"$log" 2>&1 || {
      tail -30 "$log" >&2
      fail "cmake could not configure; the whole log is $log"
    }
  fi
  step "building $preset${*:+: $*}"
  cmake --build --preset "$preset" --parallel "${TROUPE_JOBS:-2}" ${@:+--target "$@"} >&2
}

dev_build() {
  need_packages "${packages_build[@]}"
  local preset=${1:-dev}
  [ $# -gt 0 ] && shift
  build_preset "$preset" "$@"
}
