#!/usr/bin/env python3
"""What the key pool promises in figures: limits kept before the upstream's judge over a million
requests, capacity used, fairness, what limits cost, ten thousand keys, prompt caches.

usage: pool_bench.py --build build/release [--only part] [--requests 1000000] [--rpm 6000] [--over-rpm 3000]

Prints a table for docs/performance.md. Parts: million, over, cost, many, dead, cache.
"""
import argparse
import json
import random
import re
import statistics
import sys
import time

import rig as r
from counted import per_unit
from truth_bench import CHAT, Admin, text_of

KEYS = 100
MARGIN = 0.25  # seconds added to each window, as configured by default
NO_KEYS = {"GEMINI_API_KEYS": "", "TROUPE_LOG_LEVEL": "warning"}


def secret(number):
    return text_of(number, 1)


class Bench:
    def __init__(self, rig, options):
        self.rig, self.options, self.rows, self.nodes = rig, options, [], 0

    def row(self, what, value, must, kept):
        self.rows.append((what, value, must))
        print(f"  {what:72} {value:>22}   must {must}{'' if kept else '   MISSED'}", flush=True)

    def sandbox(self, rules=None, limits=(), **more):
        _, port = self.rig.sandbox(rules=rules)
        r.post(port, "/_sandbox/scripts", {"key": "*", "rules": rules or [{"fixed": True}], "limits": list(limits), **more})
        return port

    def node(self, upstream, keys, limits=None, settings=None, first=0, **how):
        self.nodes += 1
        process, port, admin_port = self.rig.troupe(upstream, name=f"node{self.nodes}", loops=1, extra_env=NO_KEYS, **how)
        admin = Admin(admin_port)
        for at in range(first, first + keys, 10_000):
            body = {"text": text_of(at, min(10_000, first + keys - at)), "fields": {"limits": limits} if limits else {}}
            admin.job("/keys:import", body, "application/json")
        if settings:
            admin.call("PATCH", "/settings", settings)
        return process, port, admin

    def load(self, port, **how):
        return self.rig.load(port, CHAT, how.pop("body", r.CHAT_BODY), connections=how.pop("connections", 128), **how)


def keys_seen(upstream):
    return json.loads(r.get(upstream, "/_sandbox/counters"))["keys"]


def arrivals(upstream):
    return {one["key"]: one["arrivals"] for one in keys_seen(upstream)}


def judged(upstream):
    r.post(upstream, "/_sandbox/judge/plant", {"violation": True, "early": True})
    report = json.loads(r.get(upstream, "/_sandbox/judge"))
    planted = report["planted"]
    if report["blind"] or planted["violations"]["found"] != 1 or planted["early"]["found"] != 1:
        raise SystemExit(f"the judge did not see everything: {planted}, blind: {report['blind']}")
    return report


def refused_share(upstream):
    seen = keys_seen(upstream)
    return sum(one["answers"].get("429", 0) for one in seen) / max(1, sum(one["arrivals"] for one in seen))


def a_million_at_nine_tenths(bench):
    rpm = bench.options.rpm
    rate = KEYS * rpm / 60 * 0.9
    upstream = bench.sandbox(limits=[{"rpm": rpm}])
    _, port, _ = bench.node(upstream, KEYS, {"rpm": rpm})
    told = bench.load(port, rate=rate, requests=bench.options.requests, seconds=bench.options.requests / rate * 2 + 30)
    report = judged(upstream)
    used = list(arrivals(upstream).values())
    print(f"  {told['requests']:,} requests at {told['rps']:,.0f}/s offered {rate:,.0f}/s: {told['statuses']}, {told['errors']} errors, "
          f"p50 {told['p50_us'] / 1000:.2f} ms, p99 {told['p99_us'] / 1000:.1f} ms")
    name = f"one million requests, {KEYS} keys at 90 % of {rpm} rpm"
    bench.row(f"{name}: over a limit", f"{report['violations']}", "0", report["violations"] == 0)
    bench.row(f"{name}: too early", f"{report['early']}", "0", report["early"] == 0)
    share = refused_share(upstream)
    bench.row(f"{name}: wasted upstream 429", f"{share:.4%}", "0.1 %", share < 0.001)
    fair = max(used) * len(used) / sum(used)
    bench.row(f"{name}: fairness, max / mean", f"{fair:.3f}", "1.05", fair <= 1.05)


def capacity_at_a_fifth_too_much(bench):
    rpm = bench.options.over_rpm
    rate = KEYS * rpm / 60 * 1.2
    window = 60 + MARGIN
    upstream = bench.sandbox(limits=[{"rpm": rpm}])
    _, port, _ = bench.node(upstream, KEYS, {"rpm": rpm}, {"pool": {"wait_max": "1s"}})
    process = bench.rig.start(bench.rig.load_command(port, CHAT, r.CHAT_BODY, rate=rate, seconds=3 * window + 5, connections=256),
                              log=str(bench.rig.folder / "over.json"))
    time.sleep(window)
    begun, before = time.monotonic(), arrivals(upstream)
    time.sleep(2 * window - (time.monotonic() - begun))
    after, seconds = arrivals(upstream), time.monotonic() - begun
    process.child.wait(120)
    report = judged(upstream)
    used = [after[k] - before.get(k, 0) for k in after]
    share = sum(used) / (KEYS * rpm * seconds / 60)
    print(f"  {sum(used):,} arrivals in {seconds:.1f} s; the load saw {(bench.rig.folder / 'over.json').read_text().strip()}")
    name = f"120 % of {KEYS} keys x {rpm} rpm offered"
    bench.row(f"{name}: share of the capacity used", f"{share:.2%}", "97 %", share >= 0.97)
    fair = max(used) * len(used) / sum(used)
    bench.row(f"{name}: fairness, max / mean", f"{fair:.3f}", "1.05", fair <= 1.05)
    bench.row(f"{name}: over a limit, too early", f"{report['violations']}, {report['early']}", "0, 0",
              report["violations"] == report["early"] == 0)
    waste = refused_share(upstream)
    bench.row(f"{name}: wasted upstream 429", f"{waste:.4%}", "0.1 %", waste < 0.001)


def instructions(limits, settings=None):
    """A measure for `per_unit`: callgrind's count of a run with these limits."""
    def measure(bench, upstream, requests, stream, connections):
        out = bench.rig.folder / f"callgrind-{requests}-{bool(limits)}-{bench.nodes}"
        process, port, _ = bench.node(upstream, KEYS, limits, settings,
                                      prefix=["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}"])
        told = bench.load(port, requests=requests, seconds=600, connections=connections)
        process.stop(limit=120)
        return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M).group(1)), told
    return measure


def limits_on_against_off(bench):
    """Two nodes before one upstream, in turn, at one rate; no limit is ever reached."""
    upstream = bench.sandbox()
    limits = {"rpm": 60_000, "rpd": 100_000_000}
    nodes = {"off": bench.node(upstream, KEYS), "on": bench.node(upstream, KEYS, limits)}
    spent = {"off": [], "on": []}
    for number in range(2 * bench.options.rounds + 2):
        name = ("off", "on", "on", "off")[number % 4]
        process, port, _ = nodes[name]
        before = process.cpu()
        told = bench.load(port, rate=bench.options.rate, seconds=3, connections=64)
        if set(told["statuses"]) != {"200"} or told["errors"]:
            raise SystemExit(f"not a clean run: {told}")
        if number > 1:  # one round each to grow warm
            spent[name].append((process.cpu() - before) / told["requests"] * 1e6)
    off, on = (statistics.median(spent[name]) for name in ("off", "on"))
    bench.row(f"CPU per request at {bench.options.rate}/s, limits off", f"{off:.1f} us", "-", True)
    bench.row("the same with rpm and rpd on every key", f"{on:.1f} us ({on / off - 1:+.1%})", "+15 %", on / off <= 1.15)
    for name, given in (("off", None), ("on", limits)):
        count = per_unit(instructions(given), bench, upstream, 300, 1300, False, 4)
        bench.row(f"instructions per request, limits {name}", f"{count:,.0f}", "-", True)


def ten_thousand_keys(bench):
    upstream = bench.sandbox()
    for limits, told in ((None, "10,000 keys without limits"), ({"rpm": 10, "rpd": 500}, "10,000 keys with rpm and rpd")):
        process, port, _ = bench.node(upstream, 10_000, limits)
        bench.load(port, rate=1000, seconds=5)
        memory = process.memory_kib() / 1024
        bench.row(f"{told}, after 5,000 requests: memory", f"{memory:.1f} MiB", "60 MiB", memory < 60)
        process.stop()
        begun = time.monotonic()
        process, port, _ = bench.rig.troupe(upstream, name=f"node{bench.nodes}", loops=1, extra_env=NO_KEYS)
        r.post(port, CHAT, r.CHAT_BODY, {"Authorization": f"Bearer {r.CREDENTIAL}"})
        seconds = time.monotonic() - begun
        bench.row(f"{told}: from start to the first answer", f"{seconds:.2f} s", "1 s", seconds < 1)
        memory = process.memory_kib() / 1024
        bench.row(f"{told}: memory after the start", f"{memory:.1f} MiB", "60 MiB", memory < 60)
        process.stop()


def nearly_all_keys_dead(bench):
    good, keys = 10, 10_000
    upstream = bench.sandbox(rules=[{"error": "key_invalid"}])
    r.post(upstream, "/_sandbox/scripts", [{"key": secret(n), "rules": [{"fixed": True}]} for n in range(good)])
    _, few_port, _ = bench.node(upstream, good)
    process, port, admin = bench.node(upstream, keys, settings={"pool": {"attempts_max": 10, "recheck_min": "10m"}})
    begun, failed, asked = time.monotonic(), 0, 0
    while sum(1 for key in arrivals(upstream)) < keys and time.monotonic() - begun < 120:
        told = bench.load(port, rate=1000, seconds=2)
        failed += told["requests"] - told["statuses"].get("200", 0)
        asked += told["requests"]
    seen = arrivals(upstream)
    dead = [count for key, count in seen.items() if key not in {secret(n) for n in range(good)}]
    bench.row("9,990 dead of 10,000: found after", f"{time.monotonic() - begun:.0f} s, {asked:,} requests", "-", True)
    bench.row("calls with a dead key, most and mean", f"{max(dead)}, {sum(dead) / len(dead):.2f}", "-", True)
    bench.row("clients that were refused meanwhile", f"{failed}", "-", True)
    costs = []
    for one in (few_port, port):
        told = bench.load(one, rate=1000, seconds=3)
        costs.append(told["p50_us"])
        if set(told["statuses"]) != {"200"}:
            raise SystemExit(f"not a clean run: {told}")
    bench.row("latency then, beside a node of the 10 good ones, p50", f"{costs[1]:.0f} us, {costs[0]:.0f} us", "-", True)


def cache_with_affinity_and_without(bench):
    """50 conversations of 6 turns with long beginnings over 20 keys."""
    for affinity in (True, False):
        upstream = bench.sandbox(rules=[{"text": "hi"}])
        _, port, _ = bench.node(upstream, 20, settings={"pool": {"affinity": affinity}})
        order, chance = list(range(50)), random.Random(7)
        for turn in range(6):
            chance.shuffle(order)
            for number in order:
                talk = [{"role": "system", "content": f"conversation {number} " + r.text_of(6000)}]
                for before in range(turn):
                    talk += [{"role": "user", "content": f"turn {before}"}, {"role": "assistant", "content": "hi"}]
                body = {"model": "gemini-2.5-flash", "messages": [*talk, {"role": "user", "content": f"turn {turn}"}]}
                r.post(port, CHAT, body, {"Authorization": f"Bearer {r.CREDENTIAL}"})
        seen = keys_seen(upstream)
        share = sum(one["cached_tokens"] for one in seen) / sum(one["prompt_tokens"] for one in seen)
        bench.row(f"cached share of prompt tokens, affinity {'on' if affinity else 'off'}", f"{share:.1%}", "-", True)


PARTS = {"million": a_million_at_nine_tenths, "over": capacity_at_a_fifth_too_much, "cost": limits_on_against_off,
         "many": ten_thousand_keys, "dead": nearly_all_keys_dead, "cache": cache_with_affinity_and_without}


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--only", default="", help="one of " + ", ".join(PARTS))
    arguments.add_argument("--requests", type=int, default=1_000_000)
    arguments.add_argument("--rpm", type=int, default=6000, help="of each key, for the million")
    arguments.add_argument("--over-rpm", type=int, default=3000, help="of each key, for 120 %%")
    arguments.add_argument("--rate", type=int, default=4000, help="requests per second for the cost of limits")
    arguments.add_argument("--rounds", type=int, default=9)
    options = arguments.parse_args()
    rows = []
    for name, part in PARTS.items():
        if options.only in ("", name):
            with r.Rig(options.build) as rig:
                bench = Bench(rig, options)
                part(bench)
                rows += bench.rows
    print("\n| what | measured | must |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    sys.exit(main())
