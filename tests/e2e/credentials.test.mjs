// Every form of a credential on every surface, and nothing of it upstream.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { credential, keys, model, startBoth } from "./support.mjs";

let sandbox, troupe, stop;

before(async () => {
  ({ sandbox, troupe, stop } = await startBoth());
});
after(() => stop?.());

const forms = {
  "Authorization: Bearer": (c) => [{ authorization: `Bearer ${c}` }, ""],
  "x-api-key": (c) => [{ "x-api-key": c }, ""],
  "x-goog-api-key": (c) => [{ "x-goog-api-key": c }, ""],
  "?key=": (c) => [{}, `key=${encodeURIComponent(c)}`],
};
const chat = { model, messages: [{ role: "user", content: "hi" }] };
const generate = { contents: [{ role: "user", parts: [{ text: "hi" }] }] };
const surfaces = [
  ["/v1/models"],
  [`/v1/models/${model}`],
  ["/v1/chat/completions", chat],
  ["/v1/chat/completions", { ...chat, stream: true }],
  ["/v1beta/models"],
  [`/v1beta/models/${model}`],
  [`/v1beta/models/${model}:generateContent`, generate],
  [`/v1beta/models/${model}:streamGenerateContent?alt=sse`, generate],
  [`/v1beta/models/${model}:countTokens`, generate],
  ["/gemini/v1beta/models"],
  [`/gemini/v1beta/models/${model}:generateContent`, generate],
];

function call(path, body, [headers, query]) {
  const url = troupe.url + path + (query ? (path.includes("?") ? "&" : "?") + query : "");
  return fetch(url, {
    method: body ? "POST" : "GET",
    headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) },
    body: body && JSON.stringify(body),
  });
}

for (const [path, body] of surfaces) {
  const what = `${body ? "POST" : "GET"} ${path}${body?.stream ? " (stream)" : ""}`;
  for (const [form, make] of Object.entries(forms)) {
    test(`${what} takes ${form}`, async () => {
      const answer = await call(path, body, make(credential));
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      assert.ok(answer.headers.get("x-request-id"));
    });
    test(`${what} refuses a wrong ${form}`, async () => {
      const answer = await call(path, body, make("sk-wrong"));
      assert.equal(answer.status, 401);
      const { error } = await answer.json();
      assert.equal(typeof error.message, "string");
      if (path.includes("/v1beta/")) assert.equal(error.status, "UNAUTHENTICATED");
      else assert.equal(error.type, "invalid_request_error");
    });
  }
  test(`${what} refuses no credential at all`, async () => {
    assert.equal((await call(path, body, [{}, ""])).status, 401);
  });
}

test("only pool keys reach the upstream, evenly", async () => {
  const { keys: seen } = await sandbox.control("counters");
  const used = new Set(seen.map((k) => k.key));
  for (const key of used) assert.ok(keys.includes(key), key);
  assert.equal(used.size, keys.length);
});
