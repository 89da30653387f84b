#!/usr/bin/env python3
"""The store of truth on bad days: the real binary, changed by admins while it runs, killed, full.

usage: truth.py --build build/release [--scheduler asio,sharing]
"""
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "bench"))
import rig as r  # noqa: E402
from checks import ASK, AUTH, CHAT, admin_call, finished, run, status_of  # noqa: E402

NO_KEYS = {"GEMINI_API_KEYS": ""}


def characters(number):
    return f"AIzaSy-truth-key-{number:012d}"


def arrivals(upstream):
    return sum(k["arrivals"] for k in json.loads(r.get(upstream, "/_sandbox/counters"))["keys"])


def all_ids(admin):
    ids, after = set(), ""
    while True:
        page = admin_call(admin, "GET", f"/keys?limit=1000&after={after}").json
        ids |= {k["id"] for k in page["keys"]}
        if not page["next"]:
            return ids
        after = page["next"]


def a_key_serves_from_its_answer_on_and_not_after_its_end(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, extra_env=NO_KEYS)
    assert status_of(lambda: r.get(admin, "/readyz"))[0] == 503
    assert status_of(lambda: r.post(port, CHAT, ASK, AUTH))[0] == 503
    for number in range(20):
        added = admin_call(admin, "POST", "/keys", {"secret": characters(number)})
        assert added.status == 201, added.text
        assert "hi" in r.post(port, CHAT, ASK, AUTH)
        before = arrivals(upstream)
        gone = admin_call(admin, "DELETE", f"/keys/{added.json['id']}")
        assert gone.status == 204, gone.text
        assert status_of(lambda: r.post(port, CHAT, ASK, AUTH))[0] == 503
        assert arrivals(upstream) == before, "a deleted key was used"


def a_credential_ends_with_the_answer_that_revokes_it(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, loops=2)
    for number in range(20):
        made = admin_call(admin, "POST", "/credentials", {"name": f"app-{number}", "role": "client"})
        assert made.status == 201, made.text
        bearer = {"Authorization": f"Bearer {made.json['secret']}"}
        assert "hi" in r.post(port, CHAT, ASK, bearer)
        assert admin_call(admin, "DELETE", f"/credentials/{made.json['credential']['id']}").status == 204
        for _ in range(4):
            assert status_of(lambda: r.post(port, CHAT, ASK, bearer))[0] == 401
    viewer = admin_call(admin, "POST", "/credentials", {"name": "eyes", "role": "viewer"}).json["secret"]
    assert admin_call(admin, "GET", "/keys", credential=viewer).status == 200
    assert admin_call(admin, "POST", "/keys", {"secret": characters(1)}, credential=viewer).status == 403


def a_credential_uses_the_keys_and_models_that_it_may(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler)
    mine = admin_call(admin, "POST", "/keys", {"secret": characters(1), "groups": ["team-a"]})
    assert mine.status == 201, mine.text
    made = admin_call(admin, "POST", "/credentials", {"name": "a", "role": "client", "groups": ["team-a"],
                                                      "models": ["gemini-2.5-*"]}).json
    bearer = {"Authorization": f"Bearer {made['secret']}"}
    for _ in range(8):
        assert "hi" in r.post(port, CHAT, ASK, bearer)
    assert admin_call(admin, "GET", f"/keys/{mine.json['id']}").json["counts"]["granted"] == 8
    assert status_of(lambda: r.post(port, CHAT, {**ASK, "model": "gemini-2.0-flash"}, bearer))[0] == 403
    admin_call(admin, "PATCH", f"/keys/{mine.json['id']}", {"groups": ["team-b"]})
    assert status_of(lambda: r.post(port, CHAT, ASK, bearer))[0] == 503
    assert "hi" in r.post(port, CHAT, ASK, AUTH)


def settings_change_under_load_and_no_request_is_lost(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, loops=2)
    changed = []

    def change():
        for number in range(60):
            patch = {"pool": {"attempts_max": 2 + number % 3}, "log": {"level": ["info", "warning"][number % 2]}}
            if number % 10 == 9:
                patch["models"] = {"hidden": [f"model-{number}"]}
            answer = admin_call(admin, "PATCH", "/settings", patch)
            changed.append(answer.status)
            time.sleep(0.03)
    worker = threading.Thread(target=change)
    worker.start()
    told = rig.load(port, CHAT, ASK, rate=1000, seconds=5, connections=32)
    worker.join()
    assert changed == [200] * 60, changed
    assert told["errors"] == 0 and told["statuses"] == {"200": told["requests"]}, told
    assert admin_call(admin, "GET", "/settings").json["revision"] == 60


def of_two_admins_one_is_told(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, _, admin = rig.troupe(upstream, scheduler=scheduler)
    key = admin_call(admin, "POST", "/keys", {"secret": characters(1)}).json
    for _ in range(25):
        revision = admin_call(admin, "GET", f"/keys/{key['id']}").json["revision"]
        told = []
        start = threading.Barrier(2)

        def change(who):
            start.wait()
            told.append(admin_call(admin, "PATCH", f"/keys/{key['id']}", {"note": f"{who} at {revision}"},
                                   headers={"If-Match": f'"{revision}"'}).status)
        both = [threading.Thread(target=change, args=(who,)) for who in ("one", "two")]
        for t in both:
            t.start()
        for t in both:
            t.join()
        assert sorted(told) == [200, 412], told


def what_was_acknowledged_survives_kill_9(rig, scheduler):
    seed = int.from_bytes(os.urandom(4), "big")
    print(f"        seed {seed}")
    chance = random.Random(seed)
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    keys, credentials, revision, number = set(), set(), 0, 0
    for _ in range(20):
        process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="killed", extra_env=NO_KEYS)
        have = all_ids(admin)
        assert keys <= have, f"{len(keys - have)} keys lost"
        named = {c["id"] for c in admin_call(admin, "GET", "/credentials").json["credentials"]}
        assert credentials <= named, f"{len(credentials - named)} credentials lost"
        assert admin_call(admin, "GET", "/settings").json["revision"] >= revision, "settings lost"
        threading.Timer(chance.uniform(0.02, 0.4), lambda p=process: p.child.send_signal(signal.SIGKILL)).start()
        try:
            while True:
                number += 1
                answer = admin_call(admin, "POST", "/keys", {"secret": characters(number)})
                keys.add(answer.json["id"])
                if number % 3 == 0:
                    gone = chance.choice(sorted(keys))
                    keys.discard(gone)  # acknowledged or not, it may be gone now
                    admin_call(admin, "DELETE", f"/keys/{gone}")
                if number % 4 == 0:
                    made = admin_call(admin, "POST", "/credentials", {"name": f"c{number}", "role": "client"})
                    credentials.add(made.json["credential"]["id"])
                if number % 5 == 0:
                    patch = {"pool": {"attempts_max": 1 + number % 9}}
                    revision = max(revision, admin_call(admin, "PATCH", "/settings", patch).json["revision"])
        except (OSError, ValueError, KeyError):
            process.child.wait(10)
    assert len(keys) > 20, "too few writes to tell anything"


def ten_thousand_keys_come_in_while_a_thousand_requests_a_second_run(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler)
    text = "\n".join(characters(n) for n in range(10_000))
    took = []

    def bring_in():
        time.sleep(1)
        begun = time.monotonic()
        job = finished(admin, admin_call(admin, "POST", "/keys:import", text, kind="text/plain"))
        took.append((time.monotonic() - begun, job))
    worker = threading.Thread(target=bring_in)
    worker.start()
    told = rig.load(port, CHAT, ASK, rate=1000, seconds=6, connections=32)
    worker.join()
    seconds, job = took[0]
    assert job["state"] == "done" and job["report"]["added"] == 10_000, job
    assert told["errors"] == 0 and told["statuses"] == {"200": told["requests"]}, told
    page = admin_call(admin, "GET", "/keys?limit=3").json
    assert page["total"] == 10_000 + len(r.KEYS), page["total"]
    print(f"        {seconds:.2f} s")


def a_full_disk_refuses_admins_and_serves_clients(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler)
    key = admin_call(admin, "POST", "/keys", {"secret": characters(1)})
    assert key.status == 201
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    for _ in range(3):
        for method, path, body in (("POST", "/keys", {"secret": characters(2)}),
                                   ("DELETE", f"/keys/{key.json['id']}", None),
                                   ("POST", "/credentials", {"name": "x", "role": "client"}),
                                   ("PATCH", "/settings", {"pool": {"attempts_max": 7}})):
            answer = admin_call(admin, method, path, body)
            assert answer.status == 507 and answer.json["error"]["code"] == "storage_full", (method, path, answer.text)
        assert "hi" in r.post(port, CHAT, ASK, AUTH)
    assert admin_call(admin, "GET", f"/keys/{key.json['id']}").status == 200
    assert admin_call(admin, "GET", "/keys").json["total"] == 1 + len(r.KEYS)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert admin_call(admin, "POST", "/keys", {"secret": characters(2)}).status == 201, "there is room again"
    assert process.stop() == 0


def a_read_only_data_directory_is_named(rig, scheduler):
    data = rig.folder / "read-only"
    data.mkdir()
    env = {**os.environ, "TROUPE_DATA_DIR": str(data), "TROUPE_LISTEN": "127.0.0.1:0", "GEMINI_API_KEYS": r.KEYS[0],
           "TROUPE_ADMIN_LISTEN": "127.0.0.1:0", "AUTH_TOKEN": r.CREDENTIAL, "TROUPE_SCHEDULER": scheduler}
    command = f"mount --bind '{data}' '{data}' && mount -o remount,ro,bind '{data}' && exec '{rig.build}/troupe' serve"
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode != 0:
        print("        not tried: this user may not mount")
        return
    done = subprocess.run(["unshare", "-m", "sh", "-c", command], env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and str(data) in done.stderr and "ead-only" in done.stderr, done


def a_wrong_master_key_is_said_and_nothing_is_overwritten(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    data = rig.folder / "sealed-data"
    process, _, admin = rig.troupe(upstream, scheduler=scheduler, name="sealed", extra_env=NO_KEYS)
    assert admin_call(admin, "POST", "/keys", {"secret": characters(1)}).status == 201
    assert (data / "master.key").stat().st_mode & 0o777 == 0o600
    assert process.stop() == 0
    shutil.move(data / "master.key", rig.folder / "kept")

    def refused(extra):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("TROUPE_", "GEMINI", "GOOGLE"))}
        env.update({"TROUPE_DATA_DIR": str(data), "TROUPE_LISTEN": "127.0.0.1:0", "TROUPE_ADMIN_LISTEN": "127.0.0.1:0",
                    "AUTH_TOKEN": r.CREDENTIAL, "TROUPE_SCHEDULER": scheduler, **extra})
        done = subprocess.run([str(rig.build / "troupe"), "serve"], env=env, capture_output=True, text=True, timeout=30)
        assert done.returncode == 1 and "master key" in done.stderr, done
        assert not (data / "master.key").exists(), "a new key was made over sealed data"
    refused({})
    refused({"TROUPE_MASTER_KEY": "ab" * 32})
    shutil.move(rig.folder / "kept", data / "master.key")
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, name="sealed", extra_env=NO_KEYS)
    assert "hi" in r.post(port, CHAT, ASK, AUTH)


def no_secret_lies_in_the_data_the_logs_or_a_backup(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    process, port, admin = rig.troupe(upstream, scheduler=scheduler, name="searched", extra_env={"TROUPE_LOG_LEVEL": "debug"})
    secrets, answers = [], []
    for number in range(5):
        secrets.append(characters(number))
        answers.append(admin_call(admin, "POST", "/keys", {"secret": characters(number), "note": "n"}).text)
    imported = [characters(n) for n in range(100, 160)]
    secrets += imported
    answers.append(json.dumps(finished(admin, admin_call(admin, "POST", "/keys:import", " ".join(imported), kind="text/plain"))))
    made = admin_call(admin, "POST", "/credentials", {"name": "app", "role": "client"}).json
    secrets.append(made["secret"])
    header = "very-secret-header-value"
    secrets.append(header)
    now = admin_call(admin, "GET", "/settings").json
    base = next(o["value"] for o in now["options"] if o["path"] == "upstreams[0].base_url")
    changed = admin_call(admin, "PATCH", "/settings", {"upstreams": [{"name": "gemini", "base_url": base, "headers": {"x-team": header}}]})
    answers.append(changed.text)
    proxy = "pr0xy-passw0rd"
    secrets.append(proxy)
    some = admin_call(admin, "GET", "/keys?q=AIza&limit=1").text + admin_call(admin, "GET", "/keys?limit=200").text
    answers.append(some)
    key = admin_call(admin, "POST", "/keys", {"secret": characters(7), "proxy": f"http://u:{proxy}@127.0.0.1:9"})
    answers.append(key.text)
    secrets.append(characters(7))
    for _ in range(3):
        r.post(port, CHAT, ASK, {"Authorization": f"Bearer {made['secret']}"})
    answers.append(admin_call(admin, "GET", "/audit?limit=100").text + admin_call(admin, "GET", "/settings/history").text)
    wrong = "sk-a-wrong-credential-000"
    secrets.append(wrong)
    admin_call(admin, "GET", "/keys", credential=wrong)
    backup = rig.folder / "searched-backup"
    job = finished(admin, admin_call(admin, "POST", "/backup", {"directory": str(backup)}))
    assert job["state"] == "done", job
    assert not any(f.name.startswith("master") for f in backup.rglob("*")), "a backup holds the master key"
    assert process.stop() == 0
    files = [f for f in rig.folder.rglob("*") if f.is_file() and "searched" in str(f)]
    assert len(files) > 10, files
    for f in files:
        content = f.read_bytes()
        for one in [*secrets, *r.KEYS, r.CREDENTIAL]:
            assert one.encode() not in content, f"{one} stands in {f}"
    for one in secrets:
        assert all(one not in a for a in answers), f"{one} was told"


def a_backup_is_made_and_restored_while_it_serves(rig, scheduler):
    _, upstream = rig.sandbox(rules=[{"text": "hi"}])
    _, port, admin = rig.troupe(upstream, scheduler=scheduler, extra_env=NO_KEYS)
    ids = [admin_call(admin, "POST", "/keys", {"secret": characters(n)}).json["id"] for n in range(3)]
    backup = str(rig.folder / "backup")
    assert finished(admin, admin_call(admin, "POST", "/backup", {"directory": backup}))["state"] == "done"
    admin_call(admin, "DELETE", f"/keys/{ids[0]}")
    admin_call(admin, "POST", "/keys", {"secret": characters(9)})
    admin_call(admin, "PATCH", "/settings", {"pool": {"attempts_max": 9}})
    job = finished(admin, admin_call(admin, "POST", "/restore", {"directory": backup}))
    assert job["state"] == "done", job
    assert job["report"]["keys_added"] == 1 and job["report"]["keys_deleted"] == 1, job
    assert {k["id"] for k in admin_call(admin, "GET", "/keys").json["keys"]} == set(ids)
    assert "hi" in r.post(port, CHAT, ASK, AUTH)
    assert admin_call(admin, "POST", "/restore", {"directory": "relative"}).status == 400


def failed_logins_make_an_address_wait(rig, scheduler):
    _, upstream = rig.sandbox()
    process, _, admin = rig.troupe(upstream, scheduler=scheduler, name="guessed")
    told = [admin_call(admin, "GET", "/keys", credential="sk-guess-0000000").status for _ in range(12)]
    assert told[0] == 401 and told[-1] == 429, told
    process.stop()
    log = pathlib.Path(rig.folder / "guessed-data" / "logs" / "security.log").read_text()
    assert "127.0.0.1" in log and "sk-guess" not in log, log[-500:]


CHECKS = [a_key_serves_from_its_answer_on_and_not_after_its_end, a_credential_ends_with_the_answer_that_revokes_it,
          a_credential_uses_the_keys_and_models_that_it_may, settings_change_under_load_and_no_request_is_lost, of_two_admins_one_is_told,
          what_was_acknowledged_survives_kill_9, ten_thousand_keys_come_in_while_a_thousand_requests_a_second_run,
          a_full_disk_refuses_admins_and_serves_clients, a_read_only_data_directory_is_named,
          a_wrong_master_key_is_said_and_nothing_is_overwritten, no_secret_lies_in_the_data_the_logs_or_a_backup,
          a_backup_is_made_and_restored_while_it_serves, failed_logins_make_an_address_wait]

if __name__ == "__main__":
    sys.exit(run(CHECKS))
