#!/usr/bin/env python3
"""A long run under load with upstream faults. Prints memory, descriptors and answers over time, and
fails on a crash, a leaked connection, memory that grows, or a stream that was cut in silence.

One part in ten of the upstream's answers is a fault: overload, internal error, reset connection,
truncated stream. Half of the load are streams.
"""
import argparse
import datetime
import json
import pathlib
import statistics
import sys
import threading
import time

import rig as r

CHAT = "/v1/chat/completions"
FAULTS = [{"when": {"probability": 0.04}, "error": "overloaded"},
          {"when": {"probability": 0.03}, "error": "internal"},
          {"when": {"probability": 0.02}, "break": "reset"},
          {"when": {"probability": 0.01}, "break": "fin"}]


class Soak:
    def __init__(self, rig, scheduler, minutes, rate, loops):
        self.rig, self.scheduler, self.minutes, self.rate = rig, scheduler, minutes, rate
        self.sandbox, self.upstream = rig.sandbox(rules=FAULTS)
        self.troupe, self.port, self.admin = rig.troupe(
            self.upstream, loops=loops, scheduler=scheduler, name=f"soak-{scheduler}",
            extra_env={"TROUPE_LOG_LEVEL": "error"})
        self.results = {}
        self.samples = []

    def run_load(self, name, body, stream):
        self.results[name] = self.rig.load(self.port, CHAT, body, connections=64, rate=self.rate / 2,
                                           seconds=self.minutes * 60, stream=stream)

    def sample(self, begin):
        self.samples.append((time.monotonic() - begin, self.troupe.memory_kib(), self.troupe.descriptors()))

    def run(self):
        threads = [threading.Thread(target=self.run_load, args=("whole", r.CHAT_BODY, False)),
                   threading.Thread(target=self.run_load, args=("streams", {**r.CHAT_BODY, "stream": True}, True))]
        begin = time.monotonic()
        for thread in threads:
            thread.start()
        next_print = 60
        while any(thread.is_alive() for thread in threads):
            time.sleep(5)
            self.sample(begin)
            at, memory, descriptors = self.samples[-1]
            if at >= next_print:
                print(f"  {at / 60:5.1f} min  memory {memory / 1024:7.1f} MiB  descriptors {descriptors}", flush=True)
                next_print += 60
        for thread in threads:
            thread.join()

    def judge(self):
        problems = []
        if self.troupe.child.poll() is not None:
            return [f"troupe ended with {self.troupe.child.returncode}"]
        # The first tenth warms caches and pools up; after it memory must be flat.
        settled = self.samples[len(self.samples) // 10:]
        third = max(1, len(settled) // 3)
        early = statistics.median(m for _, m, _ in settled[:third])
        late = statistics.median(m for _, m, _ in settled[-third:])
        print(f"memory {early / 1024:.1f} MiB early, {late / 1024:.1f} MiB late ({(late / early - 1) * 100:+.1f} %)")
        if late > early * 1.05 + 1024:
            problems.append("memory grew by more than 5 % and 1 MiB")
        time.sleep(3)
        exchanges = metric(self.admin, "troupe_exchanges_open")
        streams = metric(self.admin, "troupe_streams_open")
        leases = metric(self.admin, "troupe_leases")
        print(f"open after the load: exchanges {exchanges:.0f}, streams {streams:.0f}, leases {leases:.0f}, "
              f"descriptors {self.troupe.descriptors()}")
        if exchanges or streams or leases:
            problems.append("something is still open after the load ended")
        for name, result in self.results.items():
            print(f"{name}: {json.dumps(result)}")
            good = result["statuses"].get("200", 0)
            if good < 0.98 * result["requests"]:
                problems.append(f"{name}: only {good} of {result['requests']} answers were 200")
            if name == "whole" and result["errors"]:
                problems.append("a whole answer was cut")
            if result["cut"] > result["errors"]:
                problems.append(f"{name}: a broken stream had a clean end")
            if result["requests"] + result["errors"] < 0.95 * self.rate / 2 * self.minutes * 60:
                problems.append(f"{name}: too few answers")
        if (code := self.troupe.stop()) != 0:
            problems.append(f"troupe did not end cleanly: {code}")
        return problems


def metric(admin, name):
    page = r.get(admin, "/metrics", {"Authorization": f"Bearer {r.CREDENTIAL}"})
    for line in page.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise SystemExit(f"no metric {name}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--rate", type=float, default=1000)
    arguments.add_argument("--loops", type=int, default=2)
    arguments.add_argument("--schedulers", default="asio,sharing")
    o = arguments.parse_args()
    failed = 0
    for scheduler in o.schedulers.split(","):
        print(f"== {datetime.datetime.now():%F %T}  {o.minutes} min at {o.rate:.0f} req/s, 10 % faults, "
              f"scheduler {scheduler}", flush=True)
        with r.Rig(o.build) as rig:
            soak = Soak(rig, scheduler, o.minutes, o.rate, o.loops)
            soak.run()
            problems = soak.judge()
            for problem in problems:
                print("PROBLEM:", problem)
            failed += bool(problems)
    print(f"{len(o.schedulers.split(',')) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
