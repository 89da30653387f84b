#!/usr/bin/env python3
"""Counts user instructions (callgrind) and system calls (strace) per request and per stream event
of the release binary, and fails above the `must` column of docs/performance.md.

Each figure is a difference between two runs of different length divided by the difference in
requests, so that start and stop do not count. No noise of the machine touches it.
"""
import argparse
import json
import pathlib
import re
import sys
import time

import rig as r

STREAM_EVENTS = 50

# what: (must, target)
FIGURES = {
    "instructions per request, chat translated": (90_000, 60_000),
    "system calls per request, chat translated": (8, 6),
    "instructions per stream event, translated": (30_000, 12_000),
    "system calls per stream event, translated": (5, 3.2),
}


def chat(stream):
    body = dict(r.CHAT_BODY)
    if stream:
        body["stream"] = True
    return body


def drive(rig, port, requests, stream, connections):
    result = rig.load(port, "/v1/chat/completions", chat(stream), requests=requests, seconds=600,
                      connections=connections, stream=stream)
    if result["errors"] or result["statuses"] != {"200": requests} or result["cut"]:
        raise SystemExit(f"the run was not clean: {result}")
    return result


def instructions(rig, sandbox_port, requests, stream, connections):
    out = rig.folder / f"callgrind-{requests}-{stream}"
    process, port, _ = rig.troupe(sandbox_port, prefix=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"],
                                  name=f"cg{requests}{stream}")
    result = drive(rig, port, requests, stream, connections)
    process.stop(limit=120)
    total = re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)
    return int(total.group(1)), result


def system_calls(rig, sandbox_port, requests, stream, connections):
    out = rig.folder / f"strace-{requests}-{stream}"
    # -D: strace watches from aside, so that the signal to stop reaches troupe itself.
    process, port, _ = rig.troupe(sandbox_port, prefix=["strace", "-D", "-f", "-c", "-o", str(out)],
                                  name=f"st{requests}{stream}")
    result = drive(rig, port, requests, stream, connections)
    process.stop(limit=120)
    for _ in range(100):
        for line in out.read_text().splitlines() if out.exists() else ():
            words = line.split()
            if words and words[-1] == "total":
                return int(words[3]), result
        time.sleep(0.1)
    raise SystemExit("strace gave no total")


def per_unit(measure, rig, sandbox_port, small, large, stream, connections):
    few, few_result = measure(rig, sandbox_port, small, stream, connections)
    many, many_result = measure(rig, sandbox_port, large, stream, connections)
    units = (many_result["events"] - few_result["events"]) if stream else (large - small)
    return (many - few) / units


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--json")
    options = arguments.parse_args()
    figures = {}
    with r.Rig(options.build) as rig:
        _, plain = rig.sandbox()
        _, streams = rig.sandbox(rules=r.paced(STREAM_EVENTS, 100))
        figures["instructions per request, chat translated"] = per_unit(instructions, rig, plain, 200, 1200, False, 4)
        figures["system calls per request, chat translated"] = per_unit(system_calls, rig, plain, 500, 4500, False, 16)
        figures["instructions per stream event, translated"] = per_unit(instructions, rig, streams, 8, 72, True, 8)
        figures["system calls per stream event, translated"] = per_unit(system_calls, rig, streams, 16, 144, True, 16)
    failed = 0
    print(f"{'':46} {'measured':>10} {'target':>8} {'must':>8}")
    for name, (must, target) in FIGURES.items():
        value = figures[name]
        verdict = "ok" if value <= target else "within must" if value <= must else "TOO MUCH"
        failed += value > must
        print(f"{name:46} {value:10.1f} {target:8} {must:8}  {verdict}")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=1))
    print(f"{len(FIGURES) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
