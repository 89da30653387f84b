// What the checks share: the two programs as child processes, the sandbox's
// control path, and a bounded wait for what another process does.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const credential = "sk-e2e-credential-0123456789";
export const keys = ["AIzaE2eKeyNumber1", "AIzaE2eKeyNumber2", "AIzaE2eKeyNumber3"];
export const model = "gemini-2.5-flash";

const startMax = 30_000;
const waitMax = 10_000;

/** Asks again and again until `ask` answers something true. */
export async function eventually(ask, what) {
  const end = Date.now() + waitMax;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A child process that prints its addresses when it is ready. */
class Program {
  constructor(command, args, environment, ready) {
    this.output = "";
    this.child = spawn(command, args, { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    this.ended = new Promise((resolve) => {
      this.child.on("exit", (code, signal) => resolve({ code, signal }));
      this.child.on("error", (error) => resolve({ code: -1, signal: String(error) }));
    });
    this.ready = new Promise((resolve, reject) => {
      const tooLate = setTimeout(
        () => reject(new Error(`${command} is not ready; it printed:\n${this.output}`)),
        startMax,
      );
      const look = (bytes) => {
        this.output += bytes;
        const found = ready.map((pattern) => this.output.match(pattern)?.[1]);
        if (!found.every(Boolean)) return;
        clearTimeout(tooLate);
        resolve(found);
      };
      this.child.stdout.on("data", look);
      this.child.stderr.on("data", look);
      this.ended.then(({ code, signal }) => {
        clearTimeout(tooLate);
        reject(new Error(`${command} ended (${code ?? signal}); it printed:\n${this.output}`));
      });
    });
    // Whoever does not wait for it must not be told of it as an unhandled error.
    this.ready.catch(() => {});
  }

  /** Ends it in order; the exit code. */
  async stop() {
    this.child.kill("SIGTERM");
    const { code } = await this.ended;
    return code;
  }
}

export class Sandbox {
  async start() {
    this.program = new Program(process.env.SANDBOX_BIN, ["--listen", "127.0.0.1:0"], process.env, [
      /troupe-sandbox listens on (http:\S+)/,
    ]);
    [this.url] = await this.program.ready;
    return this;
  }

  async control(path, body) {
    const answer = await fetch(`${this.url}/_sandbox/${path}`, {
      method: body === undefined ? "GET" : "POST",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(said));
    return said;
  }

  /** Rules for every key. */
  rules(...rules) {
    return this.control("scripts", { key: "*", rules });
  }

  reset() {
    return this.control("reset", {});
  }

  /** The counters of all keys, for one model. */
  async counters(name = model) {
    const all = await this.control("counters");
    return all.keys.filter((k) => k.model === name);
  }

  /** One counter, summed over the keys. */
  async total(counter, name = model) {
    return (await this.counters(name)).reduce((sum, k) => sum + k[counter], 0);
  }

  stop() {
    return this.program.stop();
  }
}

export class Troupe {
  constructor(sandbox, more = {}) {
    this.sandbox = sandbox;
    this.more = more;
  }

  async start() {
    this.folder = mkdtempSync(join(tmpdir(), "troupe-e2e-"));
    const scheduler = process.env.TROUPE_SCHEDULER;
    const environment = {
      PATH: process.env.PATH,
      ...(scheduler ? { TROUPE_SCHEDULER: scheduler } : {}),
      TROUPE_LISTEN: "127.0.0.1:0",
      TROUPE_ADMIN_LISTEN: "127.0.0.1:0",
      TROUPE_DATA_DIR: this.folder,
      GEMINI_API_KEYS: keys.join(","),
      BASE_URL: `${this.sandbox.url}/v1beta`,
      AUTH_TOKEN: credential,
      ...this.more,
    };
    this.program = new Program(process.env.TROUPE_BIN, ["serve"], environment, [
      /troupe listens on (http:\S+)/,
      /admin on (http:\S+)/,
    ]);
    [this.url, this.adminUrl] = await this.program.ready;
    return this;
  }

  async stop() {
    const code = await this.program.stop();
    rmSync(this.folder, { recursive: true, force: true });
    return code;
  }
}

/** Both, ready; and how to end them. */
export async function startBoth(more) {
  const sandbox = await new Sandbox().start();
  const troupe = new Troupe(sandbox, more);
  try {
    await troupe.start();
  } catch (error) {
    await sandbox.stop();
    throw error;
  }
  const stop = async () => {
    const code = await troupe.stop();
    await sandbox.stop();
    assert.equal(code, 0, `troupe ended with ${code}; it printed:\n${troupe.program.output}`);
  };
  return { sandbox, troupe, stop };
}

/** What an async iterable yields, as a list. */
export async function collect(iterable) {
  const all = [];
  for await (const one of iterable) all.push(one);
  return all;
}

/** Runs until it throws and gives back what was thrown and what came before. */
export async function collectUntilError(open) {
  const before = [];
  try {
    for await (const one of await open()) before.push(one);
  } catch (error) {
    return { before, error };
  }
  return { before, error: null };
}
