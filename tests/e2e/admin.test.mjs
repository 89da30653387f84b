// The admin API of the real binary: every path at least once, each answer held to the
// description that the node itself serves, and what is changed there seen by clients.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import Ajv2020 from "ajv/dist/2020.js";

import { credential, eventually, keys, model, startBoth } from "./support.mjs";

let sandbox, troupe, stop, document, ajv, backups;
const seen = new Set();

before(async () => {
  ({ sandbox, troupe, stop } = await startBoth());
  backups = mkdtempSync(join(tmpdir(), "troupe-e2e-backup-"));
  document = await (await fetch(`${troupe.adminUrl}/admin/v1/openapi.json`)).json();
  ajv = new Ajv2020({
    strict: false,
    allErrors: true,
    formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
  });
  ajv.addSchema(document, "api");
});
after(async () => {
  await stop?.();
  rmSync(backups, { recursive: true, force: true });
});

const escaped = (part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"));

/** The path of the description that `path` is one of. */
function patternOf(path) {
  if (document.paths[path]) return path;
  return Object.keys(document.paths).find((pattern) => {
    const regex = pattern.replace(/[.:/]/g, "\\$&").replace(/\{\w+\}/, "[^/:]+");
    return new RegExp(`^${regex}$`).test(path);
  });
}

function check(method, path, status, type, text) {
  const pattern = patternOf(path);
  assert.ok(pattern, `${path} is not described`);
  const operation = document.paths[pattern][method.toLowerCase()];
  if (!operation) {
    assert.equal(status, 405);
    const valid = ajv.getSchema("api#/components/schemas/Error");
    return assert.ok(valid(JSON.parse(text)), `${text} ${JSON.stringify(valid.errors)}`);
  }
  seen.add(`${method} ${pattern}`);
  const code = operation.responses[status] ? String(status) : "default";
  assert.ok(code !== "default" || status >= 400, `${method} ${path}: ${status} is not described`);
  let where = ["paths", pattern, method.toLowerCase(), "responses", code];
  const reference = operation.responses[code].$ref;
  if (reference) where = reference.slice(2).split("/");
  const answer = where.reduce((at, part) => at[part], document);
  if (!answer.content) return assert.equal(text, "");
  assert.ok(answer.content[type], `${method} ${path} answered with ${type}`);
  if (type !== "application/json") return;
  const valid = ajv.getSchema(
    `api#/${[...where, "content", type, "schema"].map(escaped).join("/")}`,
  );
  assert.ok(
    valid(JSON.parse(text)),
    `${method} ${path} ${status}: ${JSON.stringify(valid.errors, null, 1)}\n${text}`,
  );
}

/** Asks, holds the answer to the description, and gives it. */
async function ask(method, path, { body, type, token = credential, headers = {}, status = 200 } = {}) {
  const answer = await fetch(troupe.adminUrl + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "content-type": type ?? "application/json" }),
      ...headers,
    },
    body: body === undefined || type ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, status, `${method} ${path}: ${text}`);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const got = answer.headers.get("content-type")?.split(";")[0];
  check(method, path.split("?")[0], status, got, text);
  return { headers: answer.headers, text, ...(got === "application/json" ? JSON.parse(text) : {}) };
}

/** Waits for the end of the job that `answer` began. */
async function ended(answer) {
  assert.equal(answer.headers.get("location"), `/admin/v1/jobs/${answer.job.id}`);
  return eventually(async () => {
    const { job } = await ask("GET", `/admin/v1/jobs/${answer.job.id}`);
    return job.state !== "running" && job;
  }, `the end of ${answer.job.kind}`);
}

function chat(token = credential) {
  return fetch(`${troupe.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ model, messages: [{ role: "user", content: "hi" }] }),
  });
}

const newKey = "AIzaE2eKeyAddedWhileItRuns1";
const added = [];

test("health, readiness, metrics and who asks", async () => {
  await ask("GET", "/healthz", { token: null });
  await ask("GET", "/health", { token: null });
  assert.deepEqual((await ask("GET", "/readyz", { token: null })).warnings, []);
  assert.match((await ask("GET", "/metrics")).text, /troupe_keys\{health="ready"\} 3/);
  await ask("GET", "/admin/v1/openapi.json", { token: null });
  assert.equal((await ask("GET", "/admin/v1/whoami")).role, "operator");
});

test("strangers, unknown paths and other methods are refused in one shape", async () => {
  await ask("GET", "/admin/v1/keys", { token: null, status: 401 });
  await ask("GET", "/admin/v1/keys", { token: "sk-wrong", status: 401 });
  await ask("GET", "/admin/v1/jobs/999", { status: 404 });
  const put = await ask("PUT", "/admin/v1/keys", { body: {}, status: 405 });
  assert.equal(put.headers.get("allow"), "GET, HEAD, POST");
  const foreign = { origin: "http://evil.example" };
  await ask("POST", "/admin/v1/keys", { body: {}, headers: foreign, status: 403 });
  await ask("POST", "/admin/v1/keys", { body: "{", type: "application/json", status: 400 });
  await ask("POST", "/admin/v1/keys", { body: "{}", type: "text/html", status: 415 });
  await ask("POST", "/admin/v1/keys", { body: { secret: "***" }, status: 400 });
  await ask("GET", "/admin/v1/keys?colour=red", { status: 400 });
  const large = " ".repeat(1024 * 1024 + 1);
  await ask("POST", "/admin/v1/keys", { body: large, type: "application/json", status: 413 });
  const head = await fetch(`${troupe.adminUrl}/admin/v1/jobs`, {
    method: "HEAD",
    headers: { authorization: `Bearer ${credential}` },
  });
  assert.equal(head.status, 200);
});

test("configured keys are listed, filtered and in pages", async () => {
  const first = await ask("GET", "/admin/v1/keys?limit=2&sort=name");
  assert.equal(first.keys.length, 2);
  assert.equal(first.total, 3);
  const rest = await ask("GET", `/admin/v1/keys?limit=2&sort=name&after=${encodeURIComponent(first.next)}`);
  assert.equal(rest.keys.length, 1);
  assert.equal(rest.next, null);
  assert.equal((await ask("GET", "/admin/v1/keys?state=disabled")).matched, 0);
  for (const key of keys) assert.ok(!first.text.includes(key));
});

test("a key is added, changed under its revision, ordered about, checked and deleted", async () => {
  const made = await ask("POST", "/admin/v1/keys", {
    body: { secret: newKey, name: "new", tags: ["e2e"], limits: { rpm: 100, models: { [model]: { rpd: 5 } } } },
    status: 201,
  });
  const path = made.headers.get("location");
  assert.equal(path, `/admin/v1/keys/${made.id}`);
  await ask("POST", "/admin/v1/keys", { body: { secret: newKey }, status: 409 });
  const shown = await ask("GET", path);
  assert.equal(shown.name, "new");
  assert.deepEqual(
    shown.quota.map((q) => `${q.model} ${q.kind} ${q.source} ${q.left} of ${q.limit}`).sort(),
    [`${model} rpd declared 5 of 5`, "null rpm declared 100 of 100"].sort(),
  );
  const changed = await ask("PATCH", path, {
    body: { note: "from a test" },
    headers: { "if-match": made.headers.get("etag") },
  });
  assert.equal(changed.revision, made.revision + 1);
  assert.deepEqual(changed.limits, made.limits);
  const late = await ask("PATCH", path, {
    body: { note: "too late" },
    headers: { "if-match": made.headers.get("etag") },
    status: 412,
  });
  assert.equal(late.error.revision, changed.revision);
  const wrong = await ask("PATCH", path, { body: { weight: 0, colour: 1 }, status: 400 });
  assert.ok(wrong.error.details.length >= 1);
  assert.equal((await ask("POST", `${path}:disable`)).state, "disabled");
  assert.equal((await ask("POST", `${path}:enable`)).state, "ready");
  assert.equal((await ask("POST", `${path}:pause`, { body: { for: "10m" } })).state, "cooling");
  assert.equal((await ask("POST", `${path}:reset`)).state, "ready");
  assert.equal((await ask("POST", `${path}:check`)).check.ok, true);
  await ask("DELETE", path, { status: 204 });
  await ask("GET", path, { status: 404 });
});

test("the pool, upstreams and a recent request are explained", async () => {
  const answer = await chat();
  assert.equal(answer.status, 200);
  const id = answer.headers.get("x-request-id");
  const told = await eventually(async () => {
    const path = `/admin/v1/requests/${encodeURIComponent(id)}/explain`;
    const asked = await fetch(troupe.adminUrl + path, {
      headers: { authorization: `Bearer ${credential}` },
    });
    return asked.status === 200 && (await ask("GET", path));
  }, "the request's record");
  assert.equal(told.request_id, id);
  assert.equal(told.model_asked, model);
  assert.equal(told.attempts.at(-1).class, "ok");
  assert.equal(told.choices.at(-1).chosen, told.attempts.at(-1).key);
  await ask("GET", "/admin/v1/requests/never-seen/explain", { status: 404 });
  const pool = await ask("GET", "/admin/v1/pool");
  assert.equal(pool.keys.total, 3);
  assert.equal(pool.waiting.count, 0);
  const [upstream] = (await ask("GET", "/admin/v1/upstreams")).upstreams;
  assert.equal(upstream.keys.total, 3);
  assert.equal(upstream.keys.ready, 3);
});

test("keys are imported from a text and changed in bulk", async () => {
  const text = "AIzaE2eKeyImported01, AIzaE2eKeyImported02\n# comment\nAIzaE2eKeyImported01 ???";
  const dry = await ended(
    await ask("POST", "/admin/v1/keys:import?tag=bulk&dry_run=true", { body: text, type: "text/plain", status: 202 }),
  );
  assert.equal(dry.report.added, 2);
  assert.equal((await ask("GET", "/admin/v1/keys?tag=bulk")).matched, 0);
  const job = await ended(
    await ask("POST", "/admin/v1/keys:import", { body: { text, fields: { tags: ["bulk"] } }, status: 202 }),
  );
  assert.equal(job.state, "done");
  assert.equal(job.report.added, 2);
  added.push(...(await ask("GET", "/admin/v1/keys?tag=bulk")).keys.map((k) => k.id));
  const bulk = (body) => ask("POST", "/admin/v1/keys:bulk", { body, status: 202 }).then(ended);
  const filter = { tag: "bulk" };
  assert.equal((await bulk({ action: "disable", filter })).report.changed, 2);
  assert.equal((await bulk({ action: "enable", filter })).report.changed, 2);
  assert.equal((await bulk({ action: "pause", filter, for: "1m" })).report.changed, 2);
  assert.equal((await bulk({ action: "reset", filter })).report.changed, 2);
  assert.equal((await bulk({ action: "check", filter })).report.changed, 2);
  assert.equal((await bulk({ action: "edit", filter, fields: { weight: 3 } })).report.changed, 2);
  assert.equal((await ask("GET", "/admin/v1/keys?tag=bulk")).keys[0].weight, 3);
  await ask("POST", "/admin/v1/keys:bulk", { body: { action: "delete" }, status: 400 });
  assert.equal((await bulk({ action: "delete", filter: { ids: added } })).report.changed, 2);
});

test("credentials are made, limited by role, renewed and revoked at once", async () => {
  const client = await ask("POST", "/admin/v1/credentials", {
    body: { name: "app", role: "client", models: ["gemini-*"], limits: { rpm: 60 } },
    status: 201,
  });
  assert.equal((await chat(client.secret)).status, 200);
  await ask("GET", "/admin/v1/whoami", { token: client.secret, status: 401 });
  const path = client.headers.get("location");
  const changed = await ask("PATCH", path, { body: { note: "n", expires: "2099-01-01T00:00:00Z" } });
  assert.equal(changed.expires, "2099-01-01T00:00:00.000Z");
  const renewed = await ask("POST", `${path}:renew`, { status: 201 });
  assert.equal((await chat(client.secret)).status, 401);
  assert.equal((await chat(renewed.secret)).status, 200);
  const present = renewed.headers.get("location");
  assert.equal((await ask("GET", present)).name, "app");
  await ask("DELETE", present, { status: 204 });
  assert.equal((await chat(renewed.secret)).status, 401);
  const viewer = await ask("POST", "/admin/v1/credentials", {
    body: { name: "looker", role: "viewer" },
    status: 201,
  });
  await ask("GET", "/admin/v1/credentials?role=viewer", { token: viewer.secret });
  await ask("POST", "/admin/v1/secrets:rotate", { token: viewer.secret, status: 403 });
  await ask("POST", "/admin/v1/credentials", { body: { name: "looker", role: "viewer" }, status: 409 });
});

test("settings are changed while it runs, compared and restored", async () => {
  const settings = await ask("GET", "/admin/v1/settings");
  const patch = { pool: { strikes_max: 9 } };
  const dry = await ask("PATCH", "/admin/v1/settings?dry_run=true", { body: patch });
  assert.equal(dry.changes[0].path, "pool.strikes_max");
  const changed = await ask("PATCH", "/admin/v1/settings", {
    body: patch,
    headers: { "if-match": settings.headers.get("etag") },
  });
  assert.equal(changed.revision, settings.revision + 1);
  const [option] = (await ask("GET", "/admin/v1/settings?prefix=pool.strikes_max")).options;
  assert.equal(option.value, 9);
  assert.equal(option.origin.layer, "database");
  await ask("PATCH", "/admin/v1/settings", { body: { pool: { strikes_max: "x" } }, status: 400 });
  await ask("PATCH", "/admin/v1/settings", { body: { listen: "127.0.0.1:1" }, status: 409 });
  assert.equal((await ask("GET", "/admin/v1/settings/history")).versions[0].revision, changed.revision);
  const diff = await ask("GET", `/admin/v1/settings/diff?from=0&to=${changed.revision}`);
  assert.equal(diff.differences[0].path, "pool.strikes_max");
  const restored = await ask("POST", "/admin/v1/settings:restore", { body: { revision: 0 } });
  assert.equal(restored.changes[0].before, 9);
  await ask("POST", "/admin/v1/settings:restore", { body: { revision: 777 }, status: 404 });
});

test("jobs are listed and may be cancelled after their end", async () => {
  const { jobs } = await ask("GET", "/admin/v1/jobs");
  assert.ok(jobs.length > 0);
  await ask("POST", `/admin/v1/jobs/${jobs[0].id}:cancel`, { status: 202 });
});

test("backup, restore and rotation", async () => {
  const body = { directory: backups };
  const backup = await ended(await ask("POST", "/admin/v1/backup", { body, status: 202 }));
  assert.equal(backup.state, "done", backup.error);
  const restored = await ended(await ask("POST", "/admin/v1/restore", { body, status: 202 }));
  assert.equal(restored.state, "done", restored.error);
  const rotated = await ended(await ask("POST", "/admin/v1/secrets:rotate", { status: 202 }));
  assert.equal(rotated.state, "done", rotated.error);
  await ask("POST", "/admin/v1/backup", { body: { directory: "relative" }, status: 400 });
  assert.equal((await chat()).status, 200);
});

test("the audit tells what was done, and holds no secret", async () => {
  const page = await ask("GET", "/admin/v1/audit?limit=1000");
  const actions = new Set(page.entries.map((e) => e.action));
  for (const action of ["keys.add", "keys.import", "settings.change", "credentials.add"])
    assert.ok(actions.has(action), `${action} is not among ${[...actions]}`);
  for (const secret of [credential, newKey, ...keys]) assert.ok(!page.text.includes(secret));
  const two = await ask("GET", "/admin/v1/audit?limit=2");
  const next = await ask("GET", `/admin/v1/audit?limit=2&after=${two.next}`);
  assert.notEqual(next.entries[0].id, two.entries[0].id);
});

test("guesses make an address wait", async () => {
  let status = 401;
  for (let i = 0; i < 10 && status === 401; ++i)
    ({ status } = await fetch(`${troupe.adminUrl}/metrics`, {
      headers: { authorization: `Bearer sk-guess-${i}` },
    }));
  assert.equal(status, 429);
  await ask("GET", "/admin/v1/whoami", { status: 429 });
});

test("every operation of the description was asked", () => {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item)
      .filter((m) => m !== "parameters")
      .map((m) => `${m.toUpperCase()} ${path}`),
  );
  assert.deepEqual(all.filter((o) => !seen.has(o)), []);
});
