"""Which key serves, who waits, what is tried instead, and that a request can be explained."""
import json
import random
import time

import rig as r
from checks import NATIVE, Meanwhile, admin_call, counted, judged, until
from pool_support import FLASH, PRO, SHORT, Node, secret, statuses

NO_WAIT = {"pool": {"wait_max": "0s"}}
# The refusals of these scripts name a limit of ten a minute, which is not the scripts' point.
UNTAUGHT = {"pool": {"learn_limits": False}}


def shares(node, count):
    """Arrivals of the keys 1 to `count`."""
    seen = counted(node.upstream)
    return [seen.get(secret(n), {"arrivals": 0})["arrivals"] for n in range(1, count + 1)]


def fresh(node):
    r.post(node.upstream, "/_sandbox/reset", {"counters": True})


def each_strategy_spreads_as_its_name_says(rig, scheduler):
    node = Node(rig, scheduler)
    keys = [node.key(n, weight=weight) for n, weight in ((1, 1), (2, 1), (3, 1), (4, 5))]
    told = {}
    for strategy in ("round_robin", "weighted", "least_busy", "p2c_ewma", "most_headroom"):
        node.settings({"pool": {"strategy": strategy, "affinity": False}})
        fresh(node)
        assert statuses(node.ask_many(400, at_once=8)) == {200: 400}
        told[strategy] = shares(node, 4)
    print(f"        {told}")
    assert max(told["round_robin"]) - min(told["round_robin"]) <= 2, told
    assert 220 <= told["weighted"][3] <= 280, told
    assert all(sum(one) == 400 and min(one) > 0 for one in told.values()), told
    # A slow key gets less of what looks at how busy or how fast keys are.
    node.script(1, [{"text": "hi", "delay_ms": 100}])
    for strategy in ("least_busy", "p2c_ewma"):
        node.settings({"pool": {"strategy": strategy}})
        fresh(node)
        node.ask_many(300, at_once=6)
        assert shares(node, 4)[0] < 45, (strategy, shares(node, 4))
    node.script(1)
    node.settings({"pool": {"strategy": "most_headroom"}})
    for key, rpm in zip(keys, (20, 40, 60, 80)):
        node.change(key, limits={"rpm": rpm})
    fresh(node)
    node.ask_many(100, at_once=4)
    used = shares(node, 4)
    assert used == sorted(used) and used[3] >= 2 * used[0], used


def lower_tiers_serve_only_when_the_higher_cannot(rig, scheduler):
    node = Node(rig, scheduler, settings=NO_WAIT)
    for n, tier in ((1, 0), (2, 0), (3, 1)):
        node.key(n, tier=tier, limits={"rpm": 10} if tier == 0 else {})
    assert statuses(node.ask_many(20)) == {200: 20}
    assert shares(node, 3) == [10, 10, 0]
    assert statuses(node.ask_many(5)) == {200: 5}
    assert shares(node, 3) == [10, 10, 5]


def models_take_the_keys_of_their_routes(rig, scheduler):
    node = Node(rig, scheduler, settings={"models": {"routes": [{"models": [PRO], "groups": ["paid"]}]}})
    node.key(1)
    node.key(2, groups=["paid"])
    assert statuses(node.ask_many(10, body={**SHORT, "model": PRO})) == {200: 10}
    assert shares(node, 2) == [0, 10]


def requests_wait_while_every_key_rests_briefly(rig, scheduler):
    node = Node(rig, scheduler, settings=UNTAUGHT)
    for n in (1, 2):
        node.script(n, [{"when": {"first": 1}, "error": "quota_minute", "retry_s": 2}])
        node.key(n)
    answers = node.ask_many(30, at_once=30)
    assert statuses(answers) == {200: 30}, statuses(answers)
    waited = [a[3] for a in answers]
    assert 1.9 <= max(waited) <= 4, waited
    judged(node.upstream)
    page = r.get(node.admin, "/metrics", {"Authorization": f"Bearer {r.CREDENTIAL}"})
    assert "wait" in page, "waiting is not in the metrics"


def a_wait_beyond_the_deadline_is_told_at_once(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "5s"}})
    node.script("*", [{"error": "quota_minute", "retry_s": 100}])
    node.key(1)
    node.key(2)
    node.ask()
    for _ in range(3):
        status, headers, _, seconds = node.ask()
        assert status == 429 and seconds < 1 and 95 <= int(headers["retry-after"]) <= 101, (status, seconds, headers["retry-after"])
    judged(node.upstream)


def put_to_rest(node, key):
    """A request that the upstream refuses with a time, and that waits for it from now on."""
    waiting = Meanwhile(node.ask)
    until(lambda: node.shown(key)["state"] == "cooling")
    return waiting


def a_full_waiting_room_refuses_and_a_left_place_is_free(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"waiting_max": 10, "wait_max": "20s"}})
    node.script("*", [{"when": {"first": 1}, "error": "quota_text_only", "retry_s": 3}])
    first = put_to_rest(node, node.key(1))
    told = statuses(node.ask_many(40, at_once=40))
    assert told in ({200: 9, 429: 31}, {200: 9, 503: 31}) and first.result[0] == 200, told
    judged(node.upstream)


def a_flood_of_one_credential_does_not_keep_another_waiting(rig, scheduler):
    """One key, two at a time, 50 ms each: 40 a second. 64 connections flood it."""
    node = Node(rig, scheduler, rules=[{"text": "hi", "delay_ms": 50}], settings={"pool": {"wait_max": "30s"}})
    node.key(1, limits={"concurrency": 2})
    node.script(1, [{"text": "hi", "delay_ms": 50}], limits=[{"concurrency": 2}])
    flood, quiet = node.client("flood"), node.client("quiet")
    loud = Meanwhile(node.load, seconds=8, connections=64, credential=flood)
    time.sleep(1)
    still = node.load(rate=5, seconds=5, connections=4, credential=quiet)
    loud = loud.result
    assert set(still["statuses"]) == {"200"} and set(loud["statuses"]) == {"200"}, (still, loud)
    assert still["p50_us"] * 4 < loud["p50_us"], (still["p50_us"], loud["p50_us"])
    judged(node.upstream)
    print(f"        the quiet one waited {still['p50_us'] / 1000:.0f} ms, the flood {loud['p50_us'] / 1000:.0f} ms")


def eight_thousand_connections_wait_and_are_served(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"wait_max": "1m", "learn_limits": False}})
    node.script("*", [{"when": {"first": 1}, "error": "quota_minute", "retry_s": 8}, {"text": "hi"}])
    first = put_to_rest(node, node.key(1))
    before = node.process.memory_kib()
    load = Meanwhile(node.load, requests=8000, seconds=60, connections=8000)
    time.sleep(3)
    most = node.process.memory_kib()
    told = load.result
    assert first.result[0] == 200
    assert told["requests"] == 8000 and told["statuses"] == {"200": 8000} and told["errors"] == 0, told
    judged(node.upstream)
    print(f"        8,000 waiting took {(most - before) / 8000:.1f} KiB each; the last left after {told['max_us'] / 1e6:.1f} s")


def aliases_rename_and_fallbacks_serve_instead(rig, scheduler):
    node = Node(rig, scheduler, settings={**NO_WAIT, "models": {"aliases": {"fast": FLASH}, "fallbacks": {PRO: [FLASH]}}})
    node.key(1)
    status, _, text, _ = node.ask({**SHORT, "model": "fast"})
    assert status == 200, text
    assert counted(node.upstream)[secret(1)]["models"] == {FLASH: 1}
    node.script("*", [{"when": {"model": PRO}, "error": "quota_zero"}, {"text": "hi"}])
    status, _, text, _ = node.ask({**SHORT, "model": PRO})
    assert status == 200 and "hi" in text, text
    for path in (NATIVE.replace(FLASH, PRO), NATIVE.replace(FLASH, "fast")):
        status, _, text, _ = node.ask({"contents": [{"parts": [{"text": "x"}]}]}, path=path)
        assert status == 200, (path, text)
    assert node.ask({**SHORT, "model": "gemini-9-none"})[0] == 404


def an_empty_answer_is_tried_again_if_it_may_be(rig, scheduler):
    node = Node(rig, scheduler)
    node.key(1)
    node.key(2)
    for stream in (False, True):
        node.script("*", [{"when": {"first": 1}, "empty": True}, {"text": "full", "events": 1}])
        status, _, text, _ = node.ask({**SHORT, "stream": stream})
        assert status == 200 and "full" in text, (stream, text)
    node.settings({"pool": {"retry_empty": False}})
    node.script("*", [{"empty": True}])
    fresh(node)
    node.ask()
    assert sum(shares(node, 2)) == 1
    assert {k["state"] for k in admin_call(node.admin, "GET", "/keys").json["keys"]} == {"ready"}


def conversations(node, name, sessions=20, turns=5):
    """Cached share of the prompts of so many conversations, a turn of each at a time."""
    talks, order = [], random.Random(7)
    for n in range(sessions):
        opening = f"{name} {n} " + "x" * 5000
        talks.append([{"role": "system", "content": opening}, {"role": "user", "content": "go"}])
    fresh(node)
    for turn in range(turns):
        order.shuffle(talks)
        for talk in talks:
            assert node.ask({**SHORT, "messages": talk})[0] == 200
            talk += [{"role": "assistant", "content": "hi"}, {"role": "user", "content": f"more {turn}"}]
    seen = counted(node.upstream).values()
    return sum(k["cached_tokens"] for k in seen) / sum(k["prompt_tokens"] for k in seen)


def affinity_keeps_the_prompt_cache_warm(rig, scheduler):
    node = Node(rig, scheduler, settings={"pool": {"affinity": False}})
    for n in range(1, 9):
        node.key(n)
    without = conversations(node, "anywhere")
    node.settings({"pool": {"affinity": True}})
    with_it = conversations(node, "at home")
    print(f"        cached share of prompts: {with_it:.0%} with affinity, {without:.0%} without")
    assert with_it > 0.6 and with_it > 2 * without, (with_it, without)


def a_session_header_keeps_to_one_key_while_it_has_room(rig, scheduler):
    node = Node(rig, scheduler)
    keys = {n: node.key(n) for n in range(1, 7)}
    for _ in range(12):
        assert node.ask(headers={"x-session-id": "talk-1"})[0] == 200
    used = shares(node, 6)
    assert sorted(used) == [0, 0, 0, 0, 0, 12], used
    mine = used.index(12) + 1
    admin_call(node.admin, "POST", f"/keys/{keys[mine]}:disable")
    assert node.ask(headers={"x-session-id": "talk-1"})[0] == 200, "a preference is no fetter"


def cached_contents_go_to_the_key_that_made_them(rig, scheduler):
    node = Node(rig, scheduler)
    for n in range(1, 7):
        node.key(n)
    names = []
    for n in range(4):
        status, _, text, _ = node.ask({"model": f"models/{FLASH}", "contents": [{"role": "user", "parts": [{"text": f"book {n}"}]}]},
                                      path="/v1beta/cachedContents")
        assert status == 200, (status, text)
        names.append(json.loads(text)["name"])

    def use():
        for name in names * 3:
            body = {"cachedContent": name, "contents": [{"role": "user", "parts": [{"text": "and?"}]}]}
            status, _, text, _ = node.ask(body, path=NATIVE)
            assert status == 200 and "cachedContentTokenCount" in text, (status, text)
            chat = {"model": FLASH, "messages": [{"role": "user", "content": "and?"}], "google": {"cached_content": name}}
            status, _, text, _ = node.ask(chat)
            assert status == 200, (status, text)
        chat["google"] = {"cached_content": "cachedContents/of-somebody-else"}
        assert node.ask(chat)[0] == 404, "a content that this credential did not make"
    use()
    node.process.stop()
    node.start()
    use()


def responses_go_on_with_the_key_that_began(rig, scheduler):
    node = Node(rig, scheduler)
    node.settings({"upstreams": [{"name": "oa", "kind": "openai", "base_url": f"http://127.0.0.1:{node.upstream}"}]})
    for n in range(1, 7):
        node.key(n, upstream="oa")

    def chain(previous, length):
        for _ in range(length):
            body = {"model": "gpt-4o", "input": "on", **({"previous_response_id": previous} if previous else {})}
            status, _, text, _ = node.ask(body, path="/v1/responses")
            assert status == 200, (status, text)
            previous = json.loads(text)["id"]
        return previous
    chains = [chain(None, 4) for _ in range(3)]
    time.sleep(1.5)
    node.process.stop()
    node.start()
    for one in chains:
        chain(one, 2)
    status, _, text, _ = node.ask({"model": "gpt-4o", "input": "x", "previous_response_id": "resp_none"}, path="/v1/responses")
    assert status in (400, 404), text


def openai_and_anthropic_upstreams_are_forwarded_as_they_are(rig, scheduler):
    node = Node(rig, scheduler)
    base = f"http://127.0.0.1:{node.upstream}"
    node.settings({"upstreams": [{"name": "oa", "kind": "openai", "base_url": base},
                                 {"name": "an", "kind": "anthropic", "base_url": base}],
                   "models": {"routes": [{"models": ["claude-*"], "upstreams": ["an"]}, {"models": ["gpt-*"], "upstreams": ["oa"]}]}})
    node.key(1, upstream="oa")
    node.key(2, upstream="an")
    status, _, text, _ = node.ask({**SHORT, "model": "gpt-4o"})
    assert status == 200 and json.loads(text)["id"].startswith("chatcmpl-sandbox"), text
    status, _, text, _ = node.ask({**SHORT, "model": "gpt-4o", "stream": True})
    assert status == 200 and text.rstrip().endswith("[DONE]"), text
    asked = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    status, _, text, _ = node.ask(asked, path="/v1/messages")
    assert status == 200 and json.loads(text)["id"].startswith("msg_sandbox"), text
    status, _, text, _ = node.ask({**asked, "stream": True}, path="/v1/messages")
    assert status == 200 and "event: message_stop" in text, text
    assert shares(node, 2) == [2, 2]


def a_request_can_be_explained(rig, scheduler):
    node = Node(rig, scheduler)
    rested = node.key(1)
    node.key(2)
    node.script(1, [{"when": {"first": 1}, "error": "quota_minute", "retry_s": 50}])
    ids = []
    for _ in range(6):
        status, headers, _, _ = node.ask()
        assert status == 200
        ids.append(headers["x-request-id"])
    told = [admin_call(node.admin, "GET", f"/requests/{one}/explain") for one in ids]
    assert all(one.status == 200 for one in told), told[0].text
    text = "".join(one.text for one in told)
    assert rested in text and secret(1) not in text, text
    assert any(len(one.json.get("attempts", [])) == 2 for one in told), told[0].text
    assert admin_call(node.admin, "GET", "/requests/none/explain").status == 404
    shown = node.shown(rested)
    assert shown["state"] == "cooling" or shown["models"], shown


CHECKS = [each_strategy_spreads_as_its_name_says, lower_tiers_serve_only_when_the_higher_cannot,
          models_take_the_keys_of_their_routes, requests_wait_while_every_key_rests_briefly,
          a_wait_beyond_the_deadline_is_told_at_once, a_full_waiting_room_refuses_and_a_left_place_is_free,
          a_flood_of_one_credential_does_not_keep_another_waiting, eight_thousand_connections_wait_and_are_served,
          aliases_rename_and_fallbacks_serve_instead, an_empty_answer_is_tried_again_if_it_may_be,
          affinity_keeps_the_prompt_cache_warm, a_session_header_keeps_to_one_key_while_it_has_room,
          cached_contents_go_to_the_key_that_made_them, responses_go_on_with_the_key_that_began,
          openai_and_anthropic_upstreams_are_forwarded_as_they_are, a_request_can_be_explained]
