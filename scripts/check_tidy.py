#!/usr/bin/env python3
"""Small rules of the house that no other tool sees: sizes, left-overs, repeated includes."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINES_MAX = 600
LEFT_OVERS = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\(#\d+\))")
SLEEPS = re.compile(r"sleep_for|sleep_until|\busleep\(|\bnanosleep\(")


def tracked():
    names = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.splitlines():
        if (ROOT / name).is_file():
            yield name


def problems_of(name, text):
    lines = text.splitlines()
    code = name.endswith((".cpp", ".hpp"))
    if code and len(lines) > LINES_MAX:
        yield f"{name}: {len(lines)} lines; never above {LINES_MAX}"
    seen = set()
    for number, line in enumerate(lines, 1):
        where = f"{name}:{number}"
        if line != line.rstrip() and not name.endswith(".md"):
            yield f"{where}: blanks at the end of the line"
        if code and LEFT_OVERS.search(line):
            yield f"{where}: a left-over without an issue number"
        if code and name.startswith("tests/") and SLEEPS.search(line):
            yield f"{where}: a test may not sleep"
        if code and line.startswith("#include"):
            if line in seen:
                yield f"{where}: included twice"
            seen.add(line)


def main():
    problems = []
    count = 0
    for name in tracked():
        if not name.endswith((".cpp", ".hpp", ".py", ".sh", ".txt", ".cmake", ".mjs")) or "/corpus/" in name:
            continue
        count += 1
        problems += problems_of(name, (ROOT / name).read_text(encoding="utf-8", errors="replace"))
    print("\n".join(problems), end="\n" if problems else "")
    print(f"tidiness: {count} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
