#!/usr/bin/env python3
"""What the store of truth costs: admin writes, imports, pages among many keys, and the share of
a serving node's CPU that storing takes.

usage: truth_bench.py --build build/release [--keys 100000]
"""
import argparse
import json
import pathlib
import statistics
import sys
import time
import http.client

import rig as r

AUTH = {"Authorization": f"Bearer {r.CREDENTIAL}"}
CHAT = "/v1/chat/completions"
ASK = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "x" * 560}]}


class Admin:
    """One kept-alive connection, so that what is timed is the node."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def call(self, method, path, body=None, kind="application/json"):
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        headers = {**AUTH, "Content-Type": kind} if data is not None else AUTH
        begun = time.perf_counter()
        self.connection.request(method, "/admin/v1" + path, data, headers)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        took = (time.perf_counter() - begun) * 1000
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:500]}")
        return took, json.loads(text) if text else None

    def job(self, path, body, kind):
        begun = time.perf_counter()
        _, ticket = self.call("POST", path, body, kind)
        number = ticket["job"]["id"]
        while True:
            _, job = self.call("GET", f"/jobs/{number}")
            job = job.get("job", job)
            if job["state"] != "running":
                break
            time.sleep(0.005)
        if job["state"] != "done":
            raise SystemExit(f"the job failed: {job}")
        return time.perf_counter() - begun, job


def median(name, times, limit):
    value = statistics.median(times)
    print(f"  {name:58} {value:9.2f} ms  (of {len(times)}; worst {max(times):.1f})  limit {limit}")
    return value


def threads_cpu(pid):
    """Seconds of CPU so far, by thread name."""
    used = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            name = (task / "comm").read_text().strip()
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        used[(task.name, name)] = (int(fields[11]) + int(fields[12])) / r.TICK
    return used


def text_of(first, count):
    return "\n".join(f"AIzaSy-bench-key-{n:012d}" for n in range(first, first + count))


def measure(build, keys):
    with r.Rig(build) as rig:
        _, upstream = rig.sandbox(rules=[{"text": "hi"}])
        process, port, admin_port = rig.troupe(upstream, name="bench", extra_env={"GEMINI_API_KEYS": ""})
        admin = Admin(admin_port)
        seconds, _ = admin.job("/keys:import", text_of(0, 10_000), "text/plain")
        print(f"  {'import of 10,000 keys':58} {seconds * 1000:9.0f} ms  limit 3000")
        for at in range(10_000, keys, 30_000):
            admin.job("/keys:import", text_of(at, min(30_000, keys - at)), "text/plain")
        total = admin.call("GET", "/keys?limit=1")[1]["total"]
        print(f"  memory with {total} keys: {process.memory_kib() / 1024:.0f} MiB")
        _, page = admin.call("GET", "/keys?limit=100")
        median(f"page of 100 among {total}", [admin.call("GET", "/keys?limit=100")[0] for _ in range(50)], 20)
        median("the same, sorted by state, with a filter",
               [admin.call("GET", "/keys?limit=100&sort=state&state=ready&q=key")[0] for _ in range(30)], 20)
        median("the next page", [admin.call("GET", "/keys?limit=100&after=" + page["next"])[0] for _ in range(30)], 20)
        number = keys
        writes = []
        for _ in range(200):
            number += 1
            writes.append(admin.call("POST", "/keys", {"secret": f"AIzaSy-bench-key-{number:012d}"})[0])
        median("a key added, acknowledged", writes, 20)
        one = page["keys"][0]["id"]
        median("a key edited, acknowledged",
               [admin.call("PATCH", f"/keys/{one}", {"note": str(n)})[0] for n in range(200)], 20)
        median("a setting changed, acknowledged",
               [admin.call("PATCH", "/settings", {"pool": {"attempts_max": 2 + n % 5}})[0] for n in range(100)], 20)
        assert process.stop() == 0
        begun = time.perf_counter()
        process, port, admin_port = rig.troupe(upstream, name="bench", extra_env={"GEMINI_API_KEYS": ""})
        print(f"  {f'start with {total} keys, to both ports':58} {(time.perf_counter() - begun) * 1000:9.0f} ms")
        process.stop()

        process, port, _ = rig.troupe(upstream, name="share")
        rig.load(port, CHAT, ASK, rate=2000, seconds=2, connections=64)
        before = threads_cpu(process.pid)
        told = rig.load(port, CHAT, ASK, rate=2000, seconds=20, connections=64)
        after = threads_cpu(process.pid)
        spent = {k: after[k] - before.get(k, 0) for k in after}
        whole = sum(spent.values())
        stored = sum(s for (_, name), s in spent.items() if name not in ("loop", "log"))
        print(f"  {'CPU of the threads that store, at 2,000 req/s':58} {100 * stored / whole:9.2f} %   limit 2"
              f"  ({told['requests']} requests; {', '.join(f'{name} {s:.2f} s' for (_, name), s in spent.items() if s >= 0.01)})")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--keys", type=int, default=100_000)
    options = arguments.parse_args()
    measure(options.build, options.keys)


if __name__ == "__main__":
    sys.exit(main())
