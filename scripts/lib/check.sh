# Tests, lints, and what runs before a release.

sources() {
  git ls-files --cached --others --exclude-standard -- '*.cpp' '*.hpp'
}

dev_format() {
  need_packages clang-format
  sources | xargs -r clang-format -i
}

dev_lint() {
  need_packages clang-format python3
  step "layout (clang-format)"
  sources | xargs -r clang-format --dry-run --Werror
  step "layers"
  python3 scripts/check_layers.py
  step "coroutine shapes"
  python3 scripts/check_coroutines.py
  step "tidiness"
  python3 scripts/check_tidy.py
}

# clang-tidy takes minutes for heavy units; it is part of `check`, and here of whoever asks.
dev_tidy() {
  need_packages clang-tidy
  build_preset dev troupe
  step "clang-tidy"
  sources | grep '\.cpp$' | grep -v '^tests/' | xargs -r -P2 -n4 clang-tidy -p build/dev --quiet --warnings-as-errors='*'
}

dev_test() {
  need_packages "${packages_build[@]}" "${packages_test[@]}"
  need_node
  dev_lint
  build_preset dev
  build_preset release troupe troupe-sandbox troupe-load
  step "tests (dev)"
  ctest --test-dir build/dev --output-on-failure -j2
  build_preset asan http_test actors_test
  step "tests of http/ and actors/ under the address sanitizer"
  ASAN_OPTIONS=detect_leaks=1 ctest --test-dir build/asan --output-on-failure -j2 -R '^(http|actors)\.'
  step "real clients against the release"
  TROUPE_BIN=$root/build/release/troupe SANDBOX_BIN=$root/build/release/troupe-sandbox \
    tests/e2e/run.sh
  step "what operators do, on the release"
  python3 tests/e2e/operations.py --build build/release
  step "the store of truth on bad days, on the release"
  python3 tests/e2e/truth.py --build build/release
  step "the key pool before the judge, on the release"
  python3 tests/e2e/pool.py --build build/release --quick
  step "commands against a running node, on the release"
  python3 tests/e2e/commands.py --build build/release
  step "counted figures"
  python3 tests/bench/counted.py --build build/release
}

dev_check() {
  dev_test
  dev_tidy
  step "the key pool before the judge, with windows of a minute"
  python3 tests/e2e/pool.py --build build/release --rounds 200
  build_preset tsan protocol_test http_test crossing_test
  step "tests under the thread sanitizer"
  ctest --test-dir build/tsan --output-on-failure -j2 -R '^(protocol|http|crossing)\.'
  build_preset clang http_test
  step "tests of http/, compiled by clang"
  ctest --test-dir build/clang --output-on-failure -j2 -R '^http\.'
  step "fuzzers, a minute each"
  tests/fuzz/run.sh "${TROUPE_FUZZ_SECONDS:-60}"
}
