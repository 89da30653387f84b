"""What the checks of the real binary have in common."""
import argparse
import json
import pathlib
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import rig as r  # noqa: E402

CHAT = "/v1/chat/completions"
NATIVE = "/v1beta/models/gemini-2.5-flash:generateContent"
AUTH = {"Authorization": f"Bearer {r.CREDENTIAL}"}
ASK = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": "hello"}]}


def keys_of(admin):
    return json.loads(r.get(admin, "/admin/v1/keys", AUTH))["keys"]


def status_of(call):
    try:
        call()
        return 200, {}, ""
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read().decode()


def script(port, key, rules, **more):
    r.post(port, "/_sandbox/scripts", {"key": key, "rules": rules, **more})


def until(what, limit=10):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self):
        return json.loads(self.text)


def admin_call(port, method, path, body=None, headers=None, credential=r.CREDENTIAL, kind="application/json"):
    """One call of the admin API; refusals are answers too."""
    data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    fields = {"Authorization": f"Bearer {credential}", **(headers or {})}
    if data is not None:
        fields["Content-Type"] = kind
    request = urllib.request.Request(f"http://127.0.0.1:{port}/admin/v1{path}", data=data, headers=fields, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Answer(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as e:
        return Answer(e.code, e.headers, e.read().decode())


def finished(port, begun, limit=60):
    """The job that an answer of 202 names, once it has ended."""
    assert begun.status == 202, (begun.status, begun.text)
    path = begun.headers["location"].removeprefix("/admin/v1")
    end = time.monotonic() + limit
    while time.monotonic() < end:
        job = admin_call(port, "GET", path).json
        job = job.get("job", job)
        if job["state"] != "running":
            return job
        time.sleep(0.02)
    raise AssertionError("the job does not end")


def judged(upstream):
    """The judge's report: nothing over a limit, nothing too early, and the judge was awake."""
    r.post(upstream, "/_sandbox/judge/plant", {"violation": True, "early": True})
    report = json.loads(r.get(upstream, "/_sandbox/judge"))
    assert report["planted"]["violations"]["found"] >= 1 and report["planted"]["early"]["found"] >= 1, report
    assert not report["blind"], report
    assert report["violations"] == 0 and report["early"] == 0, {**report, "limits": report["limits"][:8],
                                                                "evidence": report["evidence"][:8]}
    return report


def counted(upstream):
    """By the key's characters: arrivals, answers by status and sources, over all models."""
    told = {}
    for one in json.loads(r.get(upstream, "/_sandbox/counters"))["keys"]:
        mine = told.setdefault(one["key"], {"arrivals": 0, "in_flight_max": 0, "answers": {}, "scripted": {},
                                            "sources": {}, "prompt_tokens": 0, "cached_tokens": 0, "models": {}})
        for name in ("arrivals", "prompt_tokens", "cached_tokens"):
            mine[name] += one[name]
        mine["in_flight_max"] = max(mine["in_flight_max"], one["in_flight_max"])
        mine["models"][one["model"]] = one["arrivals"]
        for name in ("answers", "scripted", "sources"):
            for word, count in one[name].items():
                mine[name][word] = mine[name].get(word, 0) + count
    return told


def patched(admin, change):
    answer = admin_call(admin, "PATCH", "/settings", change)
    assert answer.status == 200, answer.text
    return answer.json


class Meanwhile:
    """Runs a call in a thread; `result` waits for what it returned, and raises what it raised."""

    def __init__(self, call, *where, **how):
        self.told = self.trouble = None
        self.thread = threading.Thread(target=self.work, args=(call, where, how))
        self.thread.start()

    def work(self, call, where, how):
        try:
            self.told = call(*where, **how)
        except BaseException as e:  # noqa: BLE001: it belongs to whoever asks for the result
            self.trouble = e

    @property
    def result(self):
        self.thread.join()
        if self.trouble:
            raise self.trouble
        return self.told


def run(checks, more=lambda arguments: None):
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--build", required=True)
    arguments.add_argument("--scheduler", default="asio,sharing")
    arguments.add_argument("--only", default="")
    more(arguments)
    options = arguments.parse_args()
    passed = failed = 0
    for scheduler in options.scheduler.split(","):
        for check in checks:
            if options.only not in check.__name__:
                continue
            if getattr(options, "quick", False) and getattr(check, "slow", False):
                continue
            begun = time.monotonic()
            try:
                with r.Rig(options.build) as rig:
                    rig.options = options
                    check(rig, scheduler)
                passed += 1
                print(f"ok      {scheduler:8} {check.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
            except (Exception, SystemExit):  # noqa: BLE001: every failure is told, the rest still runs
                failed += 1
                print(f"FAILED  {scheduler:8} {check.__name__}", flush=True)
                traceback.print_exc()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
