"""Limits of keys, of projects and of credentials, as the upstream's judge counts them."""
import json
import os
import random
import resource
import signal
import subprocess
import time

import rig as r
from checks import CHAT, Meanwhile, counted, judged, until
from pool_support import FLASH, PRO, SHORT, Node, secret, statuses

MINUTE = 60
TWO_WINDOWS = 128  # seconds: two whole windows with their margins, and the beginning of a third


def limited(node, number, limits, group, sandbox=None, **fields):
    """A key of that group with limits, which the sandbox knows too."""
    node.script(number, limits=sandbox or [{name: amount} for name, amount in limits.items()])
    return node.key(number, groups=[group], limits=limits, **fields)


def limits_of_every_kind_are_exact(rig, scheduler):
    """Five kinds beside each other, each offered more than it allows, for two minutes."""
    node = Node(rig, scheduler, rules=[{"text": "four tokens here"}], settings={"pool": {"wait_max": "1s"}})
    for n in (1, 2):
        limited(node, n, {"rpm": 60}, "minute")
    for n in (3, 4):
        limited(node, n, {"rpm": 40, "rpd": 70}, "both")
    limited(node, 5, {"models": {FLASH: {"rpm": 30}}}, "model", [{"rpm": 30, "model": FLASH}])
    node.script(6, [{"text": "slow", "delay_ms": 200}], limits=[{"concurrency": 2}])
    node.key(6, groups=["flight"], limits={"concurrency": 2})
    for n in (7, 8):
        limited(node, n, {"tpm": 1500, "input_tpm": 1000}, "tokens")
    offered = {"minute": 4, "both": 3, "model": 2, "flight": 30, "tokens": 5}
    loads = {group: Meanwhile(node.load, rate=rate, seconds=TWO_WINDOWS, connections=16,
                              credential=node.client(group, groups=[group]))
             for group, rate in offered.items()}
    loads["pro"] = Meanwhile(node.load, rate=2, seconds=TWO_WINDOWS, connections=4, body={**SHORT, "model": PRO},
                             credential=node.client("pro", groups=["model"]))
    told = {group: load.result for group, load in loads.items()}
    report, seen = judged(node.upstream), counted(node.upstream)
    at = {n: seen[secret(n)] for n in range(1, 9)}
    assert all("limit" not in one["scripted"] for one in seen.values()), "the upstream had to refuse"
    assert report["overruns"] == 0, report
    assert all(2 * 60 + 10 <= at[n]["arrivals"] <= 3 * 60 for n in (1, 2)), at
    assert all(at[n]["arrivals"] == 70 for n in (3, 4)), "a day's allowance is used whole and no more"
    assert 2 * 30 + 10 <= at[5]["models"][FLASH] <= 3 * 30 and told["pro"]["statuses"] == {"200": told["pro"]["requests"]}, at[5]
    assert at[6]["in_flight_max"] == 2 and at[6]["arrivals"] >= 0.8 * TWO_WINDOWS / 0.2 * 2, at[6]
    print(f"        {sum(one['arrivals'] for one in at.values())} arrivals; of tokens, in a minute at most "
          f"{[one['most_in_a_window'] for one in report['limits'] if 'tokens' in one['domain']]}")


def keys_of_one_project_share_its_limits(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    for n in (1, 2, 3):
        node.script(n, project="p1", limits=[{"rpm": 30, "scope": "project+model"}])
        node.key(n, domain="p1", limits={"rpm": 30})
    node.script(4, limits=[{"rpm": 30}])
    node.key(4, limits={"rpm": 30})
    node.load(rate=4, seconds=MINUTE + 5, connections=8)
    judged(node.upstream)
    seen = counted(node.upstream)
    shared = sum(seen.get(secret(n), {"arrivals": 0})["arrivals"] for n in (1, 2, 3))
    assert 30 < shared <= 60 and 30 < seen[secret(4)]["arrivals"] <= 60, seen


def a_credential_that_used_its_limit_is_told_the_true_wait(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    node.key(1)
    mine = node.client("mine", limits={"rpm": 5})
    other = node.client("other")
    begun = time.monotonic()
    assert [node.ask(credential=mine)[0] for _ in range(7)] == [200] * 5 + [429] * 2
    status, headers, _, _ = node.ask(credential=mine)
    wait = int(headers["retry-after"])
    assert status == 429 and 50 <= wait <= MINUTE + 1, (status, wait)
    assert node.ask(credential=other)[0] == 200, "one credential's limit is nobody else's"
    assert counted(node.upstream)[secret(1)]["arrivals"] == 6
    time.sleep(max(0, wait - 4 - (time.monotonic() - begun)))
    assert node.ask(credential=mine)[0] == 429, "the wait was too long a one"
    time.sleep(wait + 0.5 - (time.monotonic() - begun))
    assert node.ask(credential=mine)[0] == 200, "the wait was not the true one"


def credentials_have_limits_of_tokens_days_and_concurrency(rig, scheduler):
    node = Node(rig, scheduler, rules=[{"text": "four tokens here", "delay_ms": 100}], settings={"pool": {"wait_max": "0s"}})
    node.key(1)
    day = node.client("day", limits={"rpd": 3})
    assert statuses(node.ask_many(6, credential=day)) == {200: 3, 429: 3}
    tokens = node.client("tokens", limits={"tpm": 30})
    assert 200 in statuses(node.ask_many(1, credential=tokens))
    assert node.ask(credential=tokens)[0] == 429
    one = node.client("one", limits={"concurrency": 1})
    told = statuses(node.ask_many(8, at_once=8, credential=one))
    assert counted(node.upstream)[secret(1)]["in_flight_max"] <= 4 and told.get(200, 0) >= 1, told
    node.process.stop(signal.SIGKILL)
    node.start()
    assert node.ask(credential=day)[0] == 429, "a day's allowance came back with a restart"


def limits_are_learnt_from_what_the_upstream_says(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    node.script(1, limits=[{"rpm": 5}])
    key = node.key(1)
    told = statuses(node.ask_many(6, at_once=1))
    assert told == {200: 5, 429: 1}, told
    learnt = [q for q in node.shown(key)["quota"] if q["source"] == "told"]
    assert [(q["kind"], q["limit"], q["model"]) for q in learnt] == [("rpm", 5, FLASH)], node.shown(key)["quota"]
    node.load(rate=2, seconds=2 * MINUTE + 8, connections=4)
    report = json.loads(r.get(node.upstream, "/_sandbox/judge"))
    assert report["early"] == 0 and report["violations"] == 1, report  # the one that taught it
    assert counted(node.upstream)[secret(1)]["arrivals"] >= 14


def limits_are_learnt_from_the_headers_of_openai(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    node.settings({"upstreams": [{"name": "oa", "kind": "openai", "base_url": f"http://127.0.0.1:{node.upstream}"}]})
    node.script(1, limits=[{"rpm": 5}, {"tpm": 100000}], tell_limits=True)
    key = node.key(1, upstream="oa")
    told = [node.ask({**SHORT, "model": "gpt-4o"})[0] for _ in range(8)]
    assert told == [200] * 5 + [429] * 3, told
    report = json.loads(r.get(node.upstream, "/_sandbox/judge"))
    # What was sent before the first answer came is not in the account of what that answer tells.
    assert report["early"] == 0 and report["violations"] <= 1, report
    learnt = {q["kind"]: q["limit"] for q in node.shown(key)["quota"] if q["source"] == "told"}
    assert learnt == {"rpm": 5, "tpm": 100000}, learnt


def limits_lowered_under_load_hold_at_once(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    keys = [node.key(n, limits={"rpm": 600}) for n in (1, 2)]
    load = Meanwhile(node.load, rate=20, seconds=MINUTE + 12, connections=16)
    time.sleep(5)
    for n, key in zip((1, 2), keys):
        node.change(key, limits={"rpm": 20})
        node.script(n, limits=[{"rpm": 20}])
    load.result
    judged(node.upstream)
    assert all(node.shown(key)["quota"][0]["limit"] == 20 for key in keys)


def tokens_far_above_the_reservation_hold_the_key_back(rig, scheduler):
    node = Node(rig, scheduler, rules=[{"events": 50, "event_bytes": 400}], settings={"pool": {"wait_max": "0s"}})
    node.script(1, limits=[{"tpm": 2000}])
    key = node.key(1, limits={"tpm": 2000})
    told = [node.ask()[0] for _ in range(4)]  # 5,000 tokens where 20 were allowed
    assert told == [200, 429, 429, 429], told
    report = judged(node.upstream)
    assert report["overruns"] == 1, report
    assert node.shown(key)["quota"][0]["left"] == 0


def a_full_disk_lets_limited_keys_rest_and_the_others_go_on(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "0s"}})
    day, free = node.client("day", groups=["day"]), node.client("free", groups=["free"])
    limited(node, 1, {"rpd": 5000}, "day")
    node.key(2, groups=["free"])
    assert node.ask(credential=day)[0] == 200
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    told = statuses(node.ask_many(3000, credential=day))
    assert set(told) <= {200, 429, 503} and told.get(200, 0) < 3000, told
    assert statuses(node.ask_many(200, credential=free)) == {200: 200}
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    until(lambda: node.ask(credential=day)[0] == 200)
    judged(node.upstream)
    print(f"        {told.get(200, 0)} served from what was on the disk")


def limits_and_announced_waits_hold_across_kills(rig, scheduler):
    """kill -9 at random under load: keys with minutes, with days, and keys without limits that the
    upstream refuses now and then for two seconds."""
    seed = int.from_bytes(os.urandom(4), "big")
    chance = random.Random(seed)
    rounds = getattr(rig.options, "rounds", 12)
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "500ms", "learn_limits": False}})
    for n in range(4):
        limited(node, n, {"rpm": 120}, "all")
    for n in range(4, 8):
        limited(node, n, {"rpd": 150 * rounds}, "all")
    for n in range(8, 12):
        node.script(n, [{"when": {"probability": 0.03}, "error": "quota_text_only", "retry_s": 2}, {"text": "hi"}])
        node.key(n, groups=["all"])
    up, deaths = 0.0, []
    for _ in range(rounds):
        load = subprocess.Popen(node.rig.load_command(node.port, CHAT, SHORT, rate=300, seconds=30, connections=24),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        life = chance.uniform(0.05, 3.0)
        time.sleep(life)
        up += life
        deaths.append(time.time() * 1000)
        node.process.stop(signal.SIGKILL)
        load.wait(60)
        node.start()
    time.sleep(1)
    for one in json.loads(r.get(node.upstream, "/_sandbox/judge"))["evidence"]:
        if one["kind"] == "early":
            death = next((at for at in deaths if at > one["refused_at_ms"] - 5), 0)
            print(f"        early by {one['early_by_ms']:.3f} ms; the node died {death - one['refused_at_ms']:.1f} ms after "
                  f"the refusal, the call came {one['arrived_at_ms'] - one['refused_at_ms']:.0f} ms after it")
    report, seen = judged(node.upstream), counted(node.upstream)
    used = [sum(seen.get(secret(n), {"arrivals": 0})["arrivals"] for n in range(first, first + 4)) for first in (0, 4, 8)]
    print(f"        seed {seed}: {rounds} kills in {up:.0f} s under load; arrivals {used[0]} by the minute, "
          f"{used[1]} by the day, {used[2]} without; {report['refusals_with_a_time']} refusals kept")
    assert report["refusals_with_a_time"] > 0 and min(used) > 0, used


CHECKS = [limits_of_every_kind_are_exact, keys_of_one_project_share_its_limits,
          a_credential_that_used_its_limit_is_told_the_true_wait,
          credentials_have_limits_of_tokens_days_and_concurrency,
          limits_are_learnt_from_what_the_upstream_says, limits_are_learnt_from_the_headers_of_openai,
          limits_lowered_under_load_hold_at_once, tokens_far_above_the_reservation_hold_the_key_back,
          a_full_disk_lets_limited_keys_rest_and_the_others_go_on, limits_and_announced_waits_hold_across_kills]
