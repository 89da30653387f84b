// The official Gemini client against troupe, which passes its calls on.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { ApiError, GoogleGenAI } from "@google/genai";

import { collect, credential, eventually, model, startBoth } from "./support.mjs";

let sandbox, troupe, stop, client;
const clientAt = (baseUrl, apiKey = credential) =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl } });

before(async () => {
  ({ sandbox, troupe, stop } = await startBoth());
  client = clientAt(troupe.url);
});
beforeEach(() => sandbox.reset());
after(() => stop?.());

const statusOf = (status) => (error) => {
  assert.ok(error instanceof ApiError, String(error));
  assert.equal(error.status, status);
  const body = JSON.parse(error.message);
  assert.equal(body.error.code, status);
  assert.equal(typeof body.error.status, "string");
  return true;
};

test("lists models and gets one", async () => {
  const models = await collect(await client.models.list());
  assert.ok(models.some((m) => m.name === `models/${model}`));
  assert.equal((await client.models.get({ model })).name, `models/${model}`);
});

test("works below /gemini as well", async () => {
  const answer = await clientAt(`${troupe.url}/gemini`).models.generateContent({
    model,
    contents: "hello",
  });
  assert.match(answer.text, /troupe sandbox/);
});

test("generates whole and streamed alike", async () => {
  const ask = { model, contents: "good morning" };
  const whole = await client.models.generateContent(ask);
  assert.match(whole.text, /troupe sandbox.*good morning/);
  const events = await collect(await client.models.generateContentStream(ask));
  assert.equal(events.map((e) => e.text ?? "").join(""), whole.text);
  assert.equal(events.at(-1).candidates[0].finishReason, "STOP");
  assert.deepEqual(events.at(-1).usageMetadata, whole.usageMetadata);
});

test("thoughts and their signatures pass untouched", async () => {
  const answer = await client.models.generateContent({
    model: "gemini-3-flash-preview",
    contents: "x",
    config: { thinkingConfig: { includeThoughts: true } },
  });
  const { parts } = answer.candidates[0].content;
  assert.equal(parts[0].thought, true);
  assert.ok(parts.some((p) => p.thoughtSignature));
});

test("counts tokens", async () => {
  const { totalTokens } = await client.models.countTokens({ model, contents: "hello there" });
  assert.equal(totalTokens, 3);
});

test("errors are ApiError with their status and a google.rpc body", async () => {
  await assert.rejects(
    clientAt(troupe.url, "sk-wrong").models.generateContent({ model, contents: "x" }),
    statusOf(401),
  );
  await assert.rejects(
    client.models.generateContent({ model: "gemini-9-nothing", contents: "x" }),
    statusOf(404),
  );
  await assert.rejects(
    client.models.generateContent({ model, contents: "x", config: { temperature: 9 } }),
    statusOf(400),
  );
});

test("when all keys rest, the answer is a 429 with the true RetryInfo", async () => {
  const resting = "gemini-2.0-flash";
  await sandbox.rules({ when: { model: resting }, error: "quota_minute", retry_s: 40 });
  const ask = { model: resting, contents: "x" };
  await assert.rejects(client.models.generateContent(ask), statusOf(429));
  // By now every key has been refused, or is about to be.
  for (let i = 0; i < 3; ++i) await client.models.generateContent(ask).catch(() => {});
  const arrivals = await sandbox.total("arrivals", resting);
  await assert.rejects(client.models.generateContent(ask), (error) => {
    statusOf(429)(error);
    const { details } = JSON.parse(error.message).error;
    const info = details.find((d) => d["@type"].endsWith("RetryInfo"));
    const seconds = Number.parseFloat(info.retryDelay);
    assert.ok(seconds > 20 && seconds <= 41, info.retryDelay);
    return true;
  });
  assert.equal(await sandbox.total("arrivals", resting), arrivals);
  const report = await sandbox.control("judge");
  assert.equal(report.early, 0, JSON.stringify(report.evidence));
});

test("an abort in mid-stream reaches the upstream", async () => {
  await sandbox.rules({ events: 1000, event_bytes: 20, event_delay_ms: 20 });
  const leaving = new AbortController();
  const stream = await client.models.generateContentStream({
    model,
    contents: "x",
    config: { abortSignal: leaving.signal },
  });
  await assert.rejects(async () => {
    for await (const event of stream) if (event.text) leaving.abort();
  });
  await eventually(async () => (await sandbox.total("client_left")) === 1, "the abort was seen");
});

test("what the gateway does not know is forwarded untouched", async () => {
  const answer = await fetch(`${troupe.url}/v1beta/models/${model}:generateContent`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": credential },
    body: JSON.stringify({ contents: [{ parts: [{ text: "x" }] }], fieldOfTomorrow: { a: 1 } }),
  });
  assert.equal(answer.status, 400);
  assert.match((await answer.json()).error.message, /Unknown name "fieldOfTomorrow"/);
});

test("without alt=sse a stream is one JSON array", async () => {
  const answer = await fetch(`${troupe.url}/v1beta/models/${model}:streamGenerateContent`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-goog-api-key": credential },
    body: JSON.stringify({ contents: [{ parts: [{ text: "hello" }] }] }),
  });
  const text = await answer.text();
  assert.ok(Array.isArray(JSON.parse(text)));
  assert.match(text, /\n,\r?\n/);
  assert.ok(text.endsWith("]\n"));
});
