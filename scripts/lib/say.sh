# Words on the terminal.

say() { printf '%s\n' "$*" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}
