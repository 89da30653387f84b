// The official OpenAI client against troupe, which translates to the sandbox.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";

import OpenAI from "openai";

import { collect, credential, eventually, model, startBoth } from "./support.mjs";

let sandbox, troupe, stop, client;

before(async () => {
  ({ sandbox, troupe, stop } = await startBoth());
  client = new OpenAI({ apiKey: credential, baseURL: `${troupe.url}/v1`, maxRetries: 0 });
});
beforeEach(() => sandbox.reset());
after(() => stop?.());

const ask = (content, more = {}) => ({ model, messages: [{ role: "user", content }], ...more });
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "the weather of a city",
      parameters: {
        type: "object",
        properties: { city: { type: "string" }, unit: { type: ["string", "null"] } },
        required: ["city"],
        additionalProperties: false,
      },
    },
  },
];

test("lists models and gets one", async () => {
  const models = await collect(await client.models.list());
  assert.ok(models.some((m) => m.id === model));
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("chats", async () => {
  const answer = await client.chat.completions.create(ask("good morning"));
  assert.equal(answer.object, "chat.completion");
  assert.equal(answer.model, model);
  assert.equal(answer.choices.length, 1);
  assert.match(answer.choices[0].message.content, /troupe sandbox.*good morning/);
  assert.equal(answer.choices[0].finish_reason, "stop");
  const { prompt_tokens, completion_tokens, total_tokens } = answer.usage;
  assert.ok(prompt_tokens > 0 && completion_tokens > 0);
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
});

test("streams the same text, one finish and one usage chunk", async () => {
  const whole = await client.chat.completions.create(ask("good morning"));
  const chunks = await collect(
    await client.chat.completions.create(
      ask("good morning", { stream: true, stream_options: { include_usage: true } }),
    ),
  );
  const text = chunks.map((c) => c.choices[0]?.delta?.content ?? "").join("");
  assert.equal(text, whole.choices[0].message.content);
  assert.equal(new Set(chunks.map((c) => c.id)).size, 1);
  assert.equal(chunks[0].choices[0].delta.role, "assistant");
  const finishes = chunks.map((c) => c.choices[0]?.finish_reason).filter(Boolean);
  assert.deepEqual(finishes, ["stop"]);
  const usages = chunks.filter((c) => c.usage);
  assert.equal(usages.length, 1);
  assert.deepEqual(chunks.at(-1).choices, []);
  assert.equal(usages[0].usage.total_tokens, whole.usage.total_tokens);
});

for (const name of [model, "gemini-3-flash-preview"]) {
  test(`goes through a tool loop on ${name}`, async () => {
    const messages = [{ role: "user", content: "please call get_weather" }];
    const first = await client.chat.completions.create({ model: name, messages, tools });
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    const [call] = first.choices[0].message.tool_calls;
    assert.equal(call.function.name, "get_weather");
    assert.equal(JSON.parse(call.function.arguments).city, "sandbox");
    messages.push(first.choices[0].message);
    messages.push({ role: "tool", tool_call_id: call.id, content: '{"degrees":21}' });
    const second = await client.chat.completions.create({ model: name, messages, tools });
    assert.match(second.choices[0].message.content, /received from get_weather: \{"degrees":21\}/);
    assert.equal(second.choices[0].finish_reason, "stop");
  });

  test(`goes through a streamed tool loop on ${name}, keeping nothing but the id`, async () => {
    const messages = [{ role: "user", content: "please call get_weather" }];
    const chunks = await collect(
      await client.chat.completions.create({ model: name, messages, tools, stream: true }),
    );
    assert.equal(chunks.map((c) => c.choices[0]?.finish_reason).find(Boolean), "tool_calls");
    const deltas = chunks.flatMap((c) => c.choices[0]?.delta?.tool_calls ?? []);
    const id = deltas.map((d) => d.id ?? "").join("");
    const args = deltas.map((d) => d.function?.arguments ?? "").join("");
    assert.ok(deltas.every((d) => d.index === 0));
    const called = { name: "get_weather", arguments: args };
    messages.push({
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: called }],
    });
    messages.push({ role: "tool", tool_call_id: id, content: "rain" });
    const second = await client.chat.completions.create({ model: name, messages, tools });
    assert.match(second.choices[0].message.content, /received from get_weather: .*rain/);
  });
}

test("a forced tool choice is obeyed", async () => {
  const answer = await client.chat.completions.create(
    ask("good morning", { tools, tool_choice: "required" }),
  );
  assert.equal(answer.choices[0].message.tool_calls[0].function.name, "get_weather");
});

test("JSON mode honours the schema", async () => {
  const schema = {
    type: "object",
    properties: {
      count: { type: "integer" },
      color: { type: "string", enum: ["red", "blue"] },
      maybe: { anyOf: [{ type: "string" }, { type: "null" }] },
    },
    required: ["count", "color", "maybe"],
    additionalProperties: false,
  };
  const answer = await client.chat.completions.create(
    ask("x", {
      response_format: { type: "json_schema", json_schema: { name: "n", strict: true, schema } },
    }),
  );
  const made = JSON.parse(answer.choices[0].message.content);
  assert.equal(typeof made.count, "number");
  assert.equal(made.color, "red");
  const free = await client.chat.completions.create(
    ask("x", { response_format: { type: "json_object" } }),
  );
  assert.equal(typeof JSON.parse(free.choices[0].message.content), "object");
});

test("a wrong credential is AuthenticationError and reaches no upstream", async () => {
  const stranger = client.withOptions({ apiKey: "sk-wrong" });
  await assert.rejects(stranger.chat.completions.create(ask("x")), OpenAI.AuthenticationError);
  assert.equal(await sandbox.total("arrivals"), 0);
});

test("an unknown model is NotFoundError", async () => {
  await assert.rejects(
    client.chat.completions.create({ ...ask("x"), model: "gemini-9-nothing" }),
    OpenAI.NotFoundError,
  );
});

test("a wrong request is BadRequestError, is sent once, and hurts no key", async () => {
  await assert.rejects(
    client.chat.completions.create(ask("x", { temperature: 7 })),
    OpenAI.BadRequestError,
  );
  assert.equal(await sandbox.total("arrivals"), 1);
  await client.chat.completions.create(ask("x"));
});

test("an abort in mid-stream reaches the upstream", async () => {
  await sandbox.rules({ events: 1000, event_bytes: 20, event_delay_ms: 20 });
  const stream = await client.chat.completions.create(ask("x", { stream: true }));
  for await (const chunk of stream) if (chunk.choices[0]?.delta?.content) break;
  stream.controller.abort();
  await eventually(async () => (await sandbox.total("client_left")) === 1, "the abort was seen");
  assert.equal(await sandbox.total("in_flight"), 0);
});

test("an abort before the first byte reaches the upstream too", async () => {
  await sandbox.rules({ break: "hang", at: "before_head" });
  const leaving = new AbortController();
  const asked = client.chat.completions.create(ask("x"), { signal: leaving.signal });
  await eventually(async () => (await sandbox.total("in_flight")) === 1, "the call arrived");
  leaving.abort();
  await assert.rejects(asked, OpenAI.APIUserAbortError);
  await eventually(async () => (await sandbox.total("client_left")) === 1, "the abort was seen");
});
