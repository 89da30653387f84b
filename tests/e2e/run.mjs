// Starts the sandbox and troupe on free ports, runs the checks of *.test.mjs
// against them, and ends both. Needs TROUPE_BIN and SANDBOX_BIN; the packages
// are installed from the lock file when they are missing.
//
//   TROUPE_BIN=build/release/troupe SANDBOX_BIN=build/release/troupe-sandbox node run.mjs
//
// Without TROUPE_BIN only the checks of the sandbox itself run (sandbox.test.mjs).

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const nodeNeeded = 20;

function fail(why) {
  console.error(`e2e: ${why}`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const done = spawnSync(command, args, { cwd: here, stdio: "inherit", ...options });
  if (done.error) fail(`cannot run ${command}: ${done.error.message}`);
  return done.status ?? 1;
}

/** The node to run the checks with: this one, or a newer one from npm. */
function chooseNode() {
  if (Number(process.versions.node.split(".")[0]) >= nodeNeeded) return process.execPath;
  const folder = join(here, "newer-node");
  const newer = join(folder, "node_modules", `node-linux-${process.arch}`, "bin", "node");
  if (!existsSync(newer) && run("npm", ["ci"], { cwd: folder }) !== 0)
    fail(`the clients need Node ${nodeNeeded}, and npm could not bring one`);
  return newer;
}

if (!process.env.SANDBOX_BIN) fail("SANDBOX_BIN is not set");
for (const name of ["SANDBOX_BIN", "TROUPE_BIN"])
  if (process.env[name] && !existsSync(process.env[name]))
    fail(`${name} names ${process.env[name]}, which does not exist`);
if (!["openai", "ajv"].every((p) => existsSync(join(here, "node_modules", p))) && run("npm", ["ci"]) !== 0)
  fail("npm ci failed");

const all = process.env.TROUPE_BIN
  ? ["sandbox", "openai", "genai", "credentials", "failures", "admin"]
  : ["sandbox"];
const files = all.map((name) => `${name}.test.mjs`);
process.exit(run(chooseNode(), ["--test", "--test-reporter=spec", ...files]));
