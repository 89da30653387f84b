#!/usr/bin/env python3
"""Checks that rooms do not leak: who may include what. Runs with the tests.

Every rule is a row. System headers make every library visible everywhere, so the linker
alone cannot see what this sees.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("actors", "http", "storage", "cluster", "protocol")

# Which rooms a room may include.
MAY_INCLUDE = {
    "protocol": {"protocol"},
    "http": {"http", "protocol"},
    "storage": {"storage", "protocol"},
    "cluster": {"cluster", "protocol"},
    "actors": set(ROOMS),
}

# Library: (pattern of its headers, paths that may name it).
LIBRARIES = {
    "Asio and Beast": (r"<boost/", ("http/",)),
    "RocksDB": (r"<rocksdb/", ("storage/",)),
    "CAF": (r"<caf/", ("actors/", "cluster/")),
    "spdlog": (r"<spdlog/", ("actors/log.cpp",)),
    "nlohmann/json": (r"<nlohmann/", ("protocol/",)),
    "simdjson": (r"<simdjson", ("protocol/",)),
    "OpenSSL": (r"<openssl/", ("http/", "storage/", "cluster/")),
    "zlib": (r"<zlib\.h>", ("http/",)),
    "CLI11": (r"<CLI/", ("actors/cli/",)),
    "date": (r"<date/", ("actors/",)),
}

# Never in a header: each would be compiled into every file that includes it.
HEAVY = re.compile(r'#include\s*<(caf/all\.hpp|boost/beast\.hpp|boost/asio\.hpp|'
                   r'nlohmann/json\.hpp|spdlog/spdlog\.h)>')

# What a core may not touch: clocks, disks, threads, randomness, logs.
IMPURE = re.compile(r"#include\s*<(thread|mutex|fstream|random|iostream|filesystem|atomic|"
                    r"condition_variable|future|sys/|unistd|fcntl)"
                    r"|::now\(\)|\bstd::rand\b|\bgetenv\b|\btime\(nullptr\)")

INCLUDE = re.compile(r'^\s*#include\s*([<"])([^>"]+)[>"]', re.M)


def room_of(path):
    return path.split("/", 1)[0]


def problems_of(path, text):
    room = room_of(path)
    is_header = path.endswith(".hpp")
    in_core = "/core/" in path
    for match in INCLUDE.finditer(text):
        kind, name = match.groups()
        line = text.count("\n", 0, match.start()) + 1
        where = f"{path}:{line}"
        if kind == '"':
            other = room_of(name)
            if other in ROOMS and other not in MAY_INCLUDE[room]:
                yield f"{where}: {room}/ may not include {name}"
            if in_core and other in ROOMS:
                own_core = other == room and "/core/" in name
                if not own_core and other != "protocol":
                    yield f"{where}: a core includes only cores of its room and protocol, not {name}"
        for library, (pattern, allowed) in LIBRARIES.items():
            if re.match(pattern, f"<{name}>") and not path.startswith(allowed):
                yield f"{where}: {library} belongs in {', '.join(allowed)}"
    if is_header and (match := HEAVY.search(text)):
        yield f"{path}: a header may not include <{match.group(1)}>"
    if is_header and "#pragma once" not in text:
        yield f"{path}: no #pragma once"
    if in_core:
        for number, line in enumerate(text.splitlines(), 1):
            code = line.split("//", 1)[0]
            if match := IMPURE.search(code):
                yield f"{path}:{number}: a core is pure, but this uses {match.group(0)}"
    if room == "http" and is_header and "/detail/" not in path and "boost::" in text:
        yield f"{path}: headers of http/ name no Asio type"


def main():
    problems = []
    count = 0
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.[ch]pp")):
            path = file.relative_to(ROOT).as_posix()
            count += 1
            problems += problems_of(path, file.read_text(encoding="utf-8"))
    if count == 0:
        problems.append("no source found: the check looked in the wrong place")
    for problem in problems:
        print(problem)
    print(f"layers: {count} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
