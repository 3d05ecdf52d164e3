import { readdirSync } from "node:fs";
import { relative } from "node:path";
import { createInterface } from "node:readline/promises";
import { hasTools, install, mustRun, root, run } from "./run.mjs";
import { runSuite } from "./suite.mjs";
import { installTarballs, packTarballs } from "./tarballs.mjs";

/** @typedef {import("./suite.mjs").Kind} Kind */

/**
 * What each command runs: the packages from source, then the suites that install what a release would publish.
 * @type {Readonly<Record<Kind, { command: string, what: string, tarballs: readonly string[] }>>}
 */
const kinds = {
  quick: { command: "npm test", what: "all that needs only Node and npm", tarballs: ["examples"] },
  peers: {
    command: "npm run test:peers",
    what: "real servers, clients, databases and browsers from Debian's packages",
    tarballs: ["conformance", "examples"],
  },
  long: {
    command: "npm run test:long",
    what: "kill -9 loops, long random runs, other runtimes",
    tarballs: ["runtimes"],
  },
};

const kind = /** @type {Kind} */ (process.argv[2] ?? "quick");
const counts = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const rows = [];

/** Runs a suite and adds its counts. @param {string} name @param {string} folder */
function suite(name, folder) {
  const begin = performance.now();
  const result = runSuite(name, folder, kind);
  for (const key of /** @type {const} */ (["passed", "failed", "skipped"])) counts[key] += result[key];
  const seconds = Math.round((performance.now() - begin) / 1000);
  rows.push(`${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped; ${seconds} s`);
  for (const failure of result.failures) rows.push(`  failed: ${oneLine(failure)}`);
}

/** @param {import("./count-reporter.mjs").Failure} failure */
function oneLine({ file, name, message }) {
  const line = [file && relative(root, file), name, message].filter(Boolean).join(" > ");
  return line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?").slice(0, 600);
}

/** Runs a step that later suites need. If it fails, that is one failure, and they do not run. @param {string} name @param {() => unknown} work */
async function step(name, work) {
  try {
    await work();
    return true;
  } catch (error) {
    counts.failed += 1;
    rows.push(`  failed: ${name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

/** Debian's packages change the system, so a person is asked first. */
async function installPackages() {
  const agreed = process.env["CI"] === "true" || process.argv.includes("--yes");
  if (!agreed) {
    run("tools/debian-packages", ["list"]);
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await terminal.question("Install the missing ones of these Debian packages? [y/N] ");
    terminal.close();
    if (!/^y(es)?$/i.test(answer)) throw new Error("not installed: answer y, or run `npm run test:peers -- --yes`");
  }
  mustRun("tools/debian-packages", ["install"]);
}

let ready = hasTools() || (await step("install", () => mustRun("npm", install)));
if (ready && kind !== "quick") ready = await step("Debian packages", installPackages);
if (ready) {
  console.log(`${kinds[kind].command}: ${kinds[kind].what}`);
  suite("packages", ".");
  /** @type {string[]} */
  let tarballs = [];
  const folders = kinds[kind].tarballs;
  const packed = await step("build and pack", () => {
    tarballs = packTarballs();
  });
  const installed = packed ? await Promise.allSettled(folders.map((folder) => installTarballs(folder, tarballs))) : [];
  for (const [i, result] of installed.entries()) {
    const folder = folders[i] ?? "";
    const isReady = await step(folder, () => {
      if (result.status === "rejected") throw result.reason;
      // These read the declarations that ship, which the check of the sources does not.
      mustRun("npx", ["tsc", "--noEmit", "-p", folder]);
    });
    if (isReady) suite(folder, folder);
  }
}
console.log(`\n${rows.join("\n")}\n`);
for (const [other, { command, what, tarballs: folders }] of Object.entries(kinds)) {
  if (other === kind) continue;
  const tests = readdirSync(`${root}packages`, { recursive: true, encoding: "utf8" });
  const ending = other === "quick" ? /(?<!\.(?:peers|long))\.test\.ts$/ : new RegExp(`\\.${other}\\.test\\.ts$`);
  const files = tests.filter((path) => ending.test(path) && !path.includes("node_modules"));
  const suites = [`${files.length} files of packages/`, ...folders].join(", ");
  console.log(`left out: ${what} (${suites}). To run them: ${command}`);
}
console.log(`\n${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ""}`);
process.exitCode = counts.failed ? 1 : 0;
