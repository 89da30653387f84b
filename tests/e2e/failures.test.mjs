// What clients see when upstreams fail: a retry on another key is invisible, a
// cut stream never ends as if complete, errors keep their meaning.

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import OpenAI from "openai";

import {
  collect,
  collectUntilError,
  credential,
  eventually,
  keys,
  model,
  startBoth,
} from "./support.mjs";

let sandbox, troupe, stop, client;

async function begin() {
  ({ sandbox, troupe, stop } = await startBoth());
  client = new OpenAI({ apiKey: credential, baseURL: `${troupe.url}/v1`, maxRetries: 0 });
}
const ask = (more = {}) => ({ model, messages: [{ role: "user", content: "hi" }], ...more });

describe("a failure of one attempt", () => {
  before(begin);
  beforeEach(() => sandbox.reset());
  after(() => stop?.());

  const first = { when: { first: 1 } };
  const answered = {
    "an internal error": { ...first, error: "internal" },
    "an overload": { ...first, error: "overloaded" },
    "a page of HTML": { ...first, error: "bad_gateway" },
    "bytes that are no HTTP": { ...first, break: "not_http" },
    "a cut body": { ...first, break: "fin" },
    "a body that is no JSON": { ...first, break: "garbage" },
  };
  for (const [name, rule] of Object.entries(answered))
    test(`${name} is retried on another key and not seen`, async () => {
      await sandbox.rules(rule);
      const answer = await client.chat.completions.create(ask());
      assert.match(answer.choices[0].message.content, /troupe sandbox/);
      assert.equal(await sandbox.total("arrivals"), 2);
      assert.equal((await sandbox.counters()).length, 2);
    });

  // On a connection that was used before, these two look like one that had gone
  // stale: the call may be repeated with the same key.
  for (const kind of ["reset", "fin"])
    test(`a ${kind} before the head is retried and not seen`, async () => {
      await sandbox.rules({ ...first, break: kind, at: "before_head" });
      const answer = await client.chat.completions.create(ask());
      assert.match(answer.choices[0].message.content, /troupe sandbox/);
      assert.equal(await sandbox.total("arrivals"), 2);
    });

  test("a reset of a stream before its first event is retried and not seen", async () => {
    await sandbox.rules({ ...first, break: "reset", at: "after_head" });
    const chunks = await collect(await client.chat.completions.create(ask({ stream: true })));
    assert.equal(chunks.map((c) => c.choices[0]?.finish_reason).find(Boolean), "stop");
    assert.equal(await sandbox.total("arrivals"), 2);
  });

  test("a connection that the upstream closed silently is no failure", async () => {
    await sandbox.rules({ close_after: 1, close_silently: true });
    for (let i = 0; i < 5; ++i) await client.chat.completions.create(ask());
    assert.equal(await sandbox.total("arrivals"), 5);
  });

  test("gzip that nobody asked for is read all the same", async () => {
    await sandbox.rules({ gzip: true });
    const answer = await client.chat.completions.create(ask());
    assert.match(answer.choices[0].message.content, /troupe sandbox/);
    const chunks = await collect(await client.chat.completions.create(ask({ stream: true })));
    assert.match(chunks.map((c) => c.choices[0]?.delta?.content ?? "").join(""), /sandbox/);
  });

  test("a dripping answer is read all the same", async () => {
    await sandbox.rules({ drip_bytes: 11, drip_ms: 0 });
    const chunks = await collect(await client.chat.completions.create(ask({ stream: true })));
    assert.match(chunks.map((c) => c.choices[0]?.delta?.content ?? "").join(""), /sandbox/);
  });
});

describe("a failure in mid-stream", () => {
  before(begin);
  beforeEach(() => sandbox.reset());
  after(() => stop?.());

  for (const kind of ["reset", "fin", "half_event", "no_finish", "garbage", "error"])
    test(`${kind} raises and never ends cleanly`, async () => {
      await sandbox.rules({ break: kind, after_events: 2, events: 10, event_bytes: 20 });
      const { before: seen, error } = await collectUntilError(() =>
        client.chat.completions.create(ask({ stream: true })),
      );
      assert.ok(error, "the stream ended as if it were complete");
      assert.ok(seen.some((c) => c.choices[0]?.delta?.content));
      assert.ok(!seen.some((c) => c.choices[0]?.finish_reason));
      assert.equal(await sandbox.total("arrivals"), 1);
    });

  test("the text before the break comes once, and [DONE] never", async () => {
    await sandbox.rules({ break: "error", after_events: 2, events: 10, event_bytes: 20 });
    const answer = await fetch(`${troupe.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${credential}` },
      body: JSON.stringify(ask({ stream: true })),
    });
    const text = await answer.text().catch((error) => String(error));
    assert.doesNotMatch(text, /\[DONE\]/);
  });
});

describe("a refusal", () => {
  before(begin);
  beforeEach(() => sandbox.reset());
  after(() => stop?.());

  test("of one key is served by another, and the key rests as long as it was told", async () => {
    const [tired] = keys;
    await sandbox.control("scripts", {
      key: tired,
      rules: [{ error: "quota_minute", retry_s: 50 }],
    });
    for (let i = 0; i < 12; ++i) await client.chat.completions.create(ask());
    const mine = (await sandbox.counters()).find((k) => k.key === tired);
    assert.ok((mine?.arrivals ?? 0) <= 1);
    const report = await sandbox.control("judge");
    assert.equal(report.early, 0, JSON.stringify(report.evidence));
  });

  test("of all keys is RateLimitError with a true retry-after", async () => {
    const resting = "gemini-2.0-flash";
    await sandbox.rules({ when: { model: resting }, error: "quota_minute", retry_s: 45 });
    const asked = () => client.chat.completions.create({ ...ask(), model: resting });
    for (let i = 0; i < 3; ++i) await asked().catch(() => {});
    await assert.rejects(asked(), (error) => {
      assert.ok(error instanceof OpenAI.RateLimitError, String(error));
      const seconds = Number(error.headers.get("retry-after"));
      assert.ok(seconds > 20 && seconds <= 46, `retry-after: ${seconds}`);
      return true;
    });
    const report = await sandbox.control("judge");
    assert.equal(report.early, 0, JSON.stringify(report.evidence));
  });

  test("that quotes the key is not passed on", async () => {
    const other = "gemini-2.5-flash-lite";
    await sandbox.rules({ when: { model: other }, error: "suspended" });
    await assert.rejects(client.chat.completions.create({ ...ask(), model: other }), (error) => {
      for (const key of keys) assert.ok(!JSON.stringify(error.error ?? "").includes(key));
      assert.equal(error.status, 503);
      return true;
    });
    assert.ok(!keys.some((key) => troupe.program.output.includes(key)));
  });
});

describe("an upstream that is down", () => {
  before(begin);
  after(() => stop?.());

  test("is a 503 and leaves every key usable", async () => {
    await sandbox.rules({ error: "overloaded" });
    await assert.rejects(client.chat.completions.create(ask()), (error) => {
      assert.ok(error instanceof OpenAI.InternalServerError, String(error));
      assert.equal(error.status, 503);
      return true;
    });
    await sandbox.reset();
    await eventually(
      () => client.chat.completions.create(ask()).then(() => true, () => false),
      "the keys serve again",
    );
  });
});
