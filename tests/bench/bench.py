#!/usr/bin/env python3
"""Measures the figures of docs/performance.md side by side with nginx (as a plain reverse proxy
with upstream keep-alive) in one run, and prints them as a table with ratios.

Gateway on one core, load generator and upstream on the other. Processor time and memory come from
the operating system. Times on a shared machine are noisy: several rounds are taken in turn, and
medians and ratios are what counts.

Processor time per request is compared at the same offered rate. At saturation it would not be the
same work: the faster gateway keeps the other core so busy that its sends wake nobody, and waking a
sleeping peer is most of what a send costs. Throughput is what saturation is measured by.

Both write no access log: nginx has it off, troupe runs at log level warning.
"""
import argparse
import datetime
import json
import pathlib
import statistics
import sys
import time

import rig as r

GATEWAY, OTHERS = "0", "1"
NATIVE = "/v1beta/models/gemini-2.5-flash:generateContent"
NATIVE_STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
CHAT = "/v1/chat/completions"


def chat_stream():
    return {**r.CHAT_BODY, "stream": True}


class Bench:
    def __init__(self, rig, seconds, rounds, scheduler):
        self.rig, self.seconds, self.rounds = rig, seconds, rounds
        _, self.upstream = rig.sandbox(cores=OTHERS)
        self.nginx, self.nginx_port = rig.nginx(self.upstream, cores=GATEWAY)
        self.troupe, self.troupe_port, self.admin = rig.troupe(self.upstream, cores=GATEWAY, scheduler=scheduler,
                                                               extra_env={"TROUPE_LOG_LEVEL": "warning"})
        self.idle_memory = self.troupe.memory_kib()
        self.rows = []

    def row(self, what, ours, theirs, unit, must, target, ratio=None):
        self.rows.append({"what": what, "troupe": ours, "nginx": theirs, "unit": unit, "ratio": ratio,
                          "must": must, "target": target})
        shown = f"{ratio:.2f} x" if ratio is not None else ""
        other = f"{theirs:.1f}" if theirs is not None else "-"
        print(f"{what:52} {ours:12.1f} {other:>12} {unit:8} {shown:>8}   must {must}, target {target}", flush=True)

    def pair(self, run):
        """Runs both in turn, `rounds` times; medians of each and of the ratio pair by pair."""
        ours, theirs = [], []
        for _ in range(self.rounds):
            theirs.append(run(self.nginx, self.nginx_port, False))
            ours.append(run(self.troupe, self.troupe_port, True))
        ratio = statistics.median(a / b for a, b in zip(ours, theirs))
        return statistics.median(ours), statistics.median(theirs), ratio

    def cpu_us(self, process, units, run):
        before = process.cpu()
        result = run()
        if result["errors"] or set(result["statuses"]) != {"200"}:
            raise SystemExit(f"not a clean run: {result}")
        return (process.cpu() - before) / result[units] * 1e6

    def request_cost(self, what, ours, theirs, must, target, rate):
        def run(process, port, is_ours):
            path, body = ours if is_ours else theirs
            return self.cpu_us(process, "requests", lambda: self.rig.load(
                port, path, body, cores=OTHERS, connections=64, rate=rate, seconds=self.seconds))
        a, b, ratio = self.pair(run)
        self.row(f"{what}, {rate} req/s", a, b, "us CPU", must, target, ratio)

    def throughput(self):
        def run(_, port, is_ours):
            path, body = (CHAT, r.CHAT_BODY) if is_ours else (NATIVE, r.native_body())
            return self.rig.load(port, path, body, cores=OTHERS, connections=64, seconds=self.seconds)["rps"]
        a, b, ratio = self.pair(run)
        self.row("throughput, translated, 64 connections", a, b, "req/s", "0.50 x", "0.65 x", ratio)

    def latency(self):
        direct, ours, theirs = [], [], []
        for _ in range(self.rounds):
            for port, path, body, to in ((self.upstream, NATIVE, r.native_body(), direct),
                                         (self.nginx_port, NATIVE, r.native_body(), theirs),
                                         (self.troupe_port, CHAT, r.CHAT_BODY, ours)):
                to.append(self.rig.load(port, path, body, cores=OTHERS, connections=32, rate=500,
                                        seconds=self.seconds))
        for name, must, target in (("p50", "2 x", "1.3 x"), ("p99", "3 x", "1.5 x")):
            base = statistics.median(x[f"{name}_us"] for x in direct)
            a = statistics.median(x[f"{name}_us"] for x in ours) - base
            b = statistics.median(x[f"{name}_us"] for x in theirs) - base
            self.row(f"added latency at 500 req/s, {name} (direct {base:.0f} us)", a, b, "us", must, target,
                     a / b if b > 0 else None)

    def stream_cost(self):
        _, upstream = self.rig.sandbox(cores=OTHERS, rules=r.paced(500, 100))
        nginx, nginx_port = self.rig.nginx(upstream, cores=GATEWAY)
        troupe, port, _ = self.rig.troupe(upstream, cores=GATEWAY, name="streams")
        ours, theirs = [], []
        for _ in range(max(1, self.rounds // 2)):
            for process, p, path, body, to in ((nginx, nginx_port, NATIVE_STREAM, r.native_body(), theirs),
                                               (troupe, port, CHAT, chat_stream(), ours)):
                to.append(self.cpu_us(process, "events", lambda: self.rig.load(
                    p, path, body, cores=OTHERS, connections=200, requests=400, seconds=60)))
        a, b = statistics.median(ours), statistics.median(theirs)
        self.row("stream event, 200 streams x 100 events/s", a, b, "us CPU", "2 x", "1.3 x", a / b)

    def stream_memory(self, streams):
        _, upstream = self.rig.sandbox(rules=r.paced(20, 1))
        troupe, port, _ = self.rig.troupe(upstream, name="held")
        self.rig.load(port, CHAT, r.CHAT_BODY, connections=8, requests=100, seconds=30)
        before = troupe.memory_kib()
        body = self.rig.file("held.json", chat_stream())
        load = self.rig.start([str(self.rig.build / "troupe-load"), "--port", str(port), "--path", CHAT,
                               "--body", body, "--header", f"Authorization: Bearer {r.CREDENTIAL}",
                               "--connections", str(streams), "--requests", str(streams), "--seconds", "60"])
        peak = 0
        while load.child.poll() is None:
            peak = max(peak, troupe.memory_kib())
            time.sleep(0.25)
        self.row(f"memory per open stream at {streams} streams", (peak - before) / streams, None, "KiB", "40", "16")

    def many_keys(self):
        def cost(keys, name):
            listed = self.rig.file(f"{name}.keys", "".join(f"AIzaBench{i:030d}\n" for i in range(keys)))
            config = self.rig.file(f"{name}.json", {"upstreams": [
                {"name": "gemini", "base_url": f"http://127.0.0.1:{self.upstream}", "keys_file": listed}]})
            env = {"TROUPE_CONFIG": config, "GEMINI_API_KEYS": "", "BASE_URL": ""}
            begin = time.monotonic()
            process, port, _ = self.rig.troupe(self.upstream, cores=GATEWAY, name=name, extra_env=env)
            first = self.rig.load(port, CHAT, r.CHAT_BODY, connections=1, requests=1, seconds=10)
            started = time.monotonic() - begin
            if first["statuses"] != {"200": 1}:
                raise SystemExit(f"no first answer: {first}")
            return process, port, started
        few, few_port, _ = cost(10, "ten")
        many, many_port, started = cost(10_000, "ten-thousand")
        self.row("start with 10,000 keys to the first answer", started, None, "s", "1", "0.2")
        runs = {few.pid: [], many.pid: []}
        for _ in range(self.rounds):
            for process, port in ((few, few_port), (many, many_port)):
                runs[process.pid].append(self.cpu_us(process, "requests", lambda: self.rig.load(
                    port, CHAT, r.CHAT_BODY, cores=OTHERS, connections=64, seconds=self.seconds)))
        extra = statistics.median(runs[many.pid]) - statistics.median(runs[few.pid])
        self.row("choosing among 10,000 keys instead of 10", extra, None, "us CPU", "+5", "+1")

    def idle(self):
        self.row("idle memory, freshly started", self.idle_memory / 1024, None, "MiB", "60", "30")
        before, begin = self.troupe.cpu(), time.monotonic()
        time.sleep(10)
        part = (self.troupe.cpu() - before) / (time.monotonic() - begin) * 100
        self.row("idle processor time", part, None, "% core", "1", "0.2")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--seconds", type=float, default=4)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--streams", type=int, default=5000)
    arguments.add_argument("--scheduler", default="asio")
    arguments.add_argument("--json", help="also write the rows there")
    o = arguments.parse_args()
    print(f"{datetime.date.today()}  scheduler {o.scheduler}, {o.rounds} rounds of {o.seconds} s, medians\n")
    with r.Rig(o.build) as rig:
        bench = Bench(rig, o.seconds, o.rounds, o.scheduler)
        bench.idle()
        bench.request_cost("request, OpenAI chat translated", (CHAT, r.CHAT_BODY), (NATIVE, r.native_body()),
                           "2.0 x", "1.5 x", 10_000)
        bench.request_cost("request, Gemini native", (NATIVE, r.native_body()), (NATIVE, r.native_body()),
                           "1.6 x", "1.25 x", 10_000)
        bench.throughput()
        big = r.conversation(64 * 1024)
        bench.request_cost("64 KB conversation translated", (CHAT, big), (NATIVE, big), "5 x", "2.5 x", 3_000)
        bench.latency()
        bench.stream_cost()
        bench.stream_memory(o.streams)
        bench.many_keys()
        if o.json:
            pathlib.Path(o.json).write_text(json.dumps(bench.rows, indent=1))
    print("\nInstructions and system calls: python3 tests/bench/counted.py --build build/release")
    return 0


if __name__ == "__main__":
    sys.exit(main())
