#!/usr/bin/env python3
"""What an operator does to a node, done to the real binary: start, stop, kill, mistakes, secrets.

usage: operations.py --build build/release [--scheduler asio,sharing]
"""
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import rig as r  # noqa: E402
from checks import ASK, AUTH, CHAT, NATIVE, keys_of, run, script, status_of, until  # noqa: E402


def metrics_are_valid_prometheus_text(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler)
    r.post(port, CHAT, ASK, AUTH)
    page = r.get(admin, "/metrics", AUTH)
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "troupe_requests_total{surface=\"openai\",class=\"2xx\"} 1\n" in page, page
    assert status_of(lambda: r.get(admin, "/metrics"))[0] == 401


def no_secret_is_written_anywhere(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    script(upstream, r.KEYS[0], [{"error": "suspended"}])
    script(upstream, r.KEYS[1], [{"error": "key_invalid"}])
    script(upstream, r.KEYS[2], [{"error": "leaked"}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="secrets",
                                      extra_env={"TROUPE_LOG_LEVEL": "debug", "TROUPE_POOL_ATTEMPTS_MAX": "4"})
    answers = ""
    wrong = "sk-wrong-credential-0123456789"
    for _ in range(8):
        answers += r.post(port, CHAT, ASK, AUTH)
        answers += status_of(lambda: r.post(port, NATIVE + "?key=" + wrong, {}))[2]
        answers += status_of(lambda: r.post(port, CHAT, ASK, {"Authorization": "Bearer " + wrong}))[2]
        answers += r.post(port, NATIVE + "?key=" + r.CREDENTIAL, {"contents": [{"parts": [{"text": "x"}]}]})
    script(upstream, r.KEYS[3], [{"error": "suspended"}])
    answers += status_of(lambda: r.post(port, CHAT, ASK, AUTH))[2]
    answers += status_of(lambda: r.post(port, NATIVE, {}, AUTH))[2]
    answers += r.get(admin, "/admin/v1/keys", AUTH) + r.get(admin, "/metrics", AUTH)
    answers += status_of(lambda: r.get(admin, "/admin/v1/keys?key=" + wrong))[2]
    assert process.stop() == 0
    written = 0
    for file in rig.folder.rglob("*"):
        if not file.is_file() or "secrets" not in str(file):
            continue
        written += 1
        content = file.read_bytes()
        for name in [*r.KEYS, r.CREDENTIAL, wrong]:
            assert name.encode() not in content, f"{name} stands in {file}"
    assert written >= 3, "nothing was looked at"
    for name in [*r.KEYS, r.CREDENTIAL, wrong]:
        assert name not in answers, f"{name} was told to a client"


def what_is_known_of_keys_survives_kill_9(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    script(upstream, r.KEYS[0], [{"error": "key_invalid"}])
    script(upstream, r.KEYS[1], [{"error": "quota_minute", "retry_s": 3000}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="killed")
    for _ in range(8):
        r.post(port, CHAT, ASK, AUTH)

    def known(keys):
        return sorted((k["id"], k["state"], k["reason"], k["models"][0]["until"][:18] if k["models"] else None)
                      for k in keys)
    until(lambda: {"disabled", "cooling"} <= {k["state"] for k in keys_of(admin)})
    time.sleep(0.5)  # a refusal is stored at once, but by another thread
    before = known(keys_of(admin))
    process.stop(signal.SIGKILL)
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, name="killed")
    assert known(keys_of(admin)) == before, (before, known(keys_of(admin)))
    arrivals = json.loads(r.get(upstream, "/_sandbox/judge"))
    for _ in range(6):
        r.post(port, CHAT, ASK, AUTH)
    after = json.loads(r.get(upstream, "/_sandbox/judge"))
    assert after["early"] == arrivals["early"] == 0, after


def a_taken_port_and_a_taken_directory_are_named(rig, scheduler):
    _, upstream = rig.sandbox()
    _, port, _ = rig.troupe(upstream, scheduler=scheduler, name="first")
    env = {**os.environ, "GEMINI_API_KEYS": "k-1234567890", "AUTH_TOKEN": r.CREDENTIAL,
           "TROUPE_ADMIN_LISTEN": "127.0.0.1:0", "TROUPE_SCHEDULER": scheduler}
    troupe = str(rig.build / "troupe")
    second = subprocess.run([troupe, "serve"], capture_output=True, text=True, timeout=30,
                            env={**env, "TROUPE_LISTEN": f"127.0.0.1:{port}", "TROUPE_DATA_DIR": str(rig.folder / "other")})
    assert second.returncode == 1 and str(port) in second.stderr, second
    third = subprocess.run([troupe, "serve"], capture_output=True, text=True, timeout=30,
                           env={**env, "TROUPE_LISTEN": "127.0.0.1:0", "TROUPE_DATA_DIR": str(rig.folder / "first-data")})
    assert third.returncode == 1 and "first-data" in third.stderr, third


def sigterm_lets_a_running_stream_finish(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"events": 20, "events_per_second": 10, "event_bytes": 20}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="drained")
    assert status_of(lambda: r.get(admin, "/readyz"))[0] == 200
    body = json.dumps({**ASK, "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        s.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + r.CREDENTIAL.encode()
                  + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        got = s.recv(4096)
        process.child.send_signal(signal.SIGTERM)
        until(lambda: status_of(lambda: r.get(admin, "/readyz"))[0] == 503)
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2).close()
            refused = False
        except ConnectionRefusedError:
            refused = True
        assert refused, "a draining node took a connection"
        while piece := s.recv(65536):
            got += piece
    assert b"data: [DONE]" in got, got[-300:]
    assert process.child.wait(10) == 0, process.child.returncode


def an_env_file_of_gemini_balance_starts_it(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    env_file = rig.file("balance.env", f"""
# as gemini-balance wants it
DATABASE_TYPE=mysql
MYSQL_HOST=localhost
API_KEYS=["{r.KEYS[0]}","{r.KEYS[1]}"]
ALLOWED_TOKENS=["sk-client-0123456789"]
AUTH_TOKEN={r.CREDENTIAL}
BASE_URL=http://127.0.0.1:{upstream}/v1beta
MAX_FAILURES=10
MAX_RETRIES=3
TIME_OUT=300
PROXIES=[]
""")
    out = str(rig.folder / "balance.log")
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TROUPE_", "GEMINI", "GOOGLE"))}
    env.update(TROUPE_LISTEN="127.0.0.1:0", TROUPE_ADMIN_LISTEN="127.0.0.1:0",
               TROUPE_DATA_DIR=str(rig.folder / "balance"), TROUPE_SCHEDULER=scheduler)
    process = rig.start([str(rig.build / "troupe"), "serve", "--env-file", env_file], env=env, log=out)
    until(lambda: "admin on" in pathlib.Path(out).read_text() or process.child.poll() is not None)
    text = pathlib.Path(out).read_text()
    port = int([l for l in text.splitlines() if l.startswith("troupe listens")][0].rsplit(":", 1)[1])
    for token in ("sk-client-0123456789", r.CREDENTIAL):
        assert "hi" in r.post(port, CHAT, ASK, {"Authorization": "Bearer " + token})
    assert text.count("MYSQL_HOST") == 1, text


def credentials_are_made_once_and_shown_once(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    no_token = {"AUTH_TOKEN": ""}
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="fresh", extra_env=no_token)
    shown = pathlib.Path(rig.folder / "fresh.log").read_text()
    client, owner = (line.rsplit(" ", 1)[1] for line in shown.splitlines() if "credential (shown once)" in line)
    assert status_of(lambda: r.post(port, CHAT, ASK))[0] == 401
    assert status_of(lambda: r.post(port, CHAT, ASK, {"Authorization": "Bearer "}))[0] == 401
    assert status_of(lambda: r.get(admin, "/admin/v1/keys", {"Authorization": "Bearer " + client}))[0] == 401
    process.stop()
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, name="fresh", extra_env=no_token)
    assert "shown once" not in pathlib.Path(rig.folder / "fresh.log").read_text()
    assert "hi" in r.post(port, CHAT, ASK, {"x-api-key": client})
    assert "keys" in r.get(admin, "/admin/v1/keys", {"Authorization": "Bearer " + owner})


def resting_keys_tell_the_true_wait(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"error": "quota_minute", "retry_s": 77.5}])
    _, port, _ = rig.troupe(upstream, scheduler=scheduler, name="resting")
    for _ in range(3):
        status, headers, _ = status_of(lambda: r.post(port, CHAT, ASK, AUTH))
        assert status == 429, status
    assert 70 <= int(headers["retry-after"]) <= 78, headers["retry-after"]
    status, headers, body = status_of(lambda: r.post(port, NATIVE, {"contents": [{"parts": [{"text": "x"}]}]}, AUTH))
    assert status == 429 and "RetryInfo" in body, body
    judged = json.loads(r.get(upstream, "/_sandbox/judge"))
    assert judged["early"] == 0 and judged["refusals_with_a_time"] == 4, judged
    r.post(upstream, "/_sandbox/judge/plant", {"violation": True, "early": True})
    judged = json.loads(r.get(upstream, "/_sandbox/judge"))
    assert judged["planted"]["early"] == {"planted": 1, "found": 1}, judged
    assert judged["planted"]["violations"] == {"planted": 1, "found": 1}, judged


def faults_of_clients_and_outages_cost_no_key(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"error": "overloaded"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, name="outage",
                                extra_env={"TROUPE_POOL_ATTEMPTS_MAX": "2"})
    for _ in range(3):
        assert status_of(lambda: r.post(port, CHAT, ASK, AUTH))[0] == 503
    script(upstream, "*", [{"error": "bad_argument"}])
    for _ in range(20):
        assert status_of(lambda: r.post(port, CHAT, ASK, AUTH))[0] == 400
    assert {k["state"] for k in keys_of(admin)} == {"ready"}
    script(upstream, "*", [{"text": "hi"}])
    r.post(upstream, "/_sandbox/reset", {"counters": True})
    for _ in range(40):
        r.post(port, CHAT, ASK, AUTH)
    counters = json.loads(r.get(upstream, "/_sandbox/counters"))
    arrivals = sorted(sum(m["arrivals"] for m in k["models"].values()) if "models" in k else k["arrivals"]
                      for k in (counters["keys"].values() if isinstance(counters["keys"], dict) else counters["keys"]))
    assert arrivals == [10, 10, 10, 10], arrivals


def a_success_without_an_answer_is_the_upstream_s_fault(rig, scheduler):
    nothing = {"status": 204, "body": "", "content_type": "application/json", "headers": {}}
    _, upstream = rig.sandbox(rules=[{"error": nothing}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, name="nothing")
    for path, body in ((CHAT, ASK), (NATIVE, {"contents": [{"parts": [{"text": "x"}]}]})):
        status, _, text = status_of(lambda: r.post(port, path, body, AUTH))
        assert status == 502, (status, text)
    assert {k["state"] for k in keys_of(admin)} == {"ready"}


def a_disk_that_refuses_is_told_and_fails_no_request(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    script(upstream, r.KEYS[0], [{"error": "key_invalid"}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="full")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, 1))
    for _ in range(8):
        assert "hi" in r.post(port, CHAT, ASK, AUTH)

    def refused():
        page = r.get(admin, "/metrics", AUTH)
        return "\ntroupe_storage_failures_total 0\n" not in page and "\ntroupe_storage_pending_rows 0\n" not in page
    until(refused)
    assert status_of(lambda: r.get(admin, "/readyz"))[0] == 200
    code = process.stop()
    assert code == 4, f"a lost state ended with {code}"


def an_idle_node_does_not_poll(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    process, port, _ = rig.troupe(upstream, scheduler=scheduler, name="idle", loops=2)
    r.post(port, CHAT, ASK, AUTH)
    time.sleep(7)  # counts are stored after five seconds, then all is done

    def switches():
        return sum(int(line.split()[1]) for t in pathlib.Path(f"/proc/{process.pid}/task").iterdir()
                   for line in (t / "status").read_text().splitlines() if line.startswith("voluntary"))
    before = switches()
    time.sleep(4)
    woken = switches() - before
    assert woken <= 4, f"{woken} wake-ups in four idle seconds"


def mistakes_in_a_file_are_named(rig, scheduler):
    path = rig.file("wrong.json", '{\n  // a comment\n  "lissten": "127.0.0.1:1",\n  "loops": "many"\n}\n')
    done = subprocess.run([str(rig.build / "troupe"), "check", "--config", path], capture_output=True, text=True)
    text = done.stdout + done.stderr
    assert done.returncode == 1, done
    assert "wrong.json:3" in text and "listen" in text and "wrong.json:4" in text and "loops" in text, text


CHECKS = [metrics_are_valid_prometheus_text, no_secret_is_written_anywhere, what_is_known_of_keys_survives_kill_9,
          a_taken_port_and_a_taken_directory_are_named, sigterm_lets_a_running_stream_finish,
          an_env_file_of_gemini_balance_starts_it, credentials_are_made_once_and_shown_once,
          resting_keys_tell_the_true_wait, faults_of_clients_and_outages_cost_no_key,
          a_success_without_an_answer_is_the_upstream_s_fault,
          a_disk_that_refuses_is_told_and_fails_no_request, an_idle_node_does_not_poll,
          mistakes_in_a_file_are_named]


if __name__ == "__main__":
    sys.exit(run(CHECKS))
