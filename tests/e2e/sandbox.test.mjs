// The official clients against the sandbox alone: proves the harness, and that
// the sandbox is a believable upstream.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import { ApiError, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";

import { collect, collectUntilError, eventually, model, Sandbox } from "./support.mjs";

const sandbox = new Sandbox();
let genai;
let openai;

before(async () => {
  await sandbox.start();
  genai = new GoogleGenAI({ apiKey: "any", httpOptions: { baseUrl: sandbox.url } });
  openai = new OpenAI({ apiKey: "any", baseURL: `${sandbox.url}/v1`, maxRetries: 0 });
});
beforeEach(() => sandbox.reset());
after(async () => assert.equal(await sandbox.stop(), 0));

test("genai lists models over several pages", async () => {
  const names = await collect(await genai.models.list({ config: { pageSize: 4 } }));
  assert.ok(names.length > 8);
  assert.ok(names.some((m) => m.name === `models/${model}`));
});

test("genai gets the same text whole and streamed", async () => {
  const whole = await genai.models.generateContent({ model, contents: "good morning" });
  assert.match(whole.text, /troupe sandbox.*good morning/);
  const events = await collect(
    await genai.models.generateContentStream({ model, contents: "good morning" }),
  );
  assert.equal(events.map((e) => e.text ?? "").join(""), whole.text);
  assert.equal(events.at(-1).candidates[0].finishReason, "STOP");
});

test("genai counts tokens", async () => {
  const { totalTokens } = await genai.models.countTokens({ model, contents: "hello there" });
  assert.equal(totalTokens, 3);
});

test("genai raises ApiError with the status", async () => {
  await sandbox.rules({ error: "quota_minute" });
  await assert.rejects(genai.models.generateContent({ model, contents: "x" }), (error) => {
    assert.ok(error instanceof ApiError);
    assert.equal(error.status, 429);
    assert.match(error.message, /RetryInfo/);
    return true;
  });
});

test("genai raises on an error event in mid-stream", async () => {
  await sandbox.rules({ break: "error", break_error: "overloaded", after_events: 2 });
  const { before: seen, error } = await collectUntilError(() =>
    genai.models.generateContentStream({ model, contents: "x" }),
  );
  assert.equal(seen.length, 2);
  assert.ok(error);
});

test("openai chats and streams", async () => {
  const ask = { model: "sandbox-small", messages: [{ role: "user", content: "hi" }] };
  const whole = await openai.chat.completions.create(ask);
  const chunks = await collect(await openai.chat.completions.create({ ...ask, stream: true }));
  assert.equal(
    chunks.map((c) => c.choices[0]?.delta?.content ?? "").join(""),
    whole.choices[0].message.content,
  );
});

test("a stream that the client leaves is counted", async () => {
  await sandbox.rules({ events: 1000, event_delay_ms: 20 });
  const leaving = new AbortController();
  const stream = await genai.models.generateContentStream({
    model,
    contents: "x",
    config: { abortSignal: leaving.signal },
  });
  await assert.rejects(async () => {
    for await (const event of stream) if (event) leaving.abort();
  });
  await eventually(async () => (await sandbox.total("client_left")) === 1, "the abort was seen");
});

test("the judge finds what is planted", async () => {
  await sandbox.control("judge/plant", { violation: true, early: true });
  const report = await sandbox.control("judge");
  assert.deepEqual(report.planted, {
    violations: { planted: 1, found: 1 },
    early: { planted: 1, found: 1 },
  });
  assert.equal(report.violations + report.early, 0);
});
