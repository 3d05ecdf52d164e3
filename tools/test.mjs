import { existsSync, readFileSync, rmSync } from "node:fs";
import { hasTools, install, mustRun, root, run } from "./run.mjs";
import { installTarballs, packTarballs } from "./tarballs.mjs";

// Every test there is, from a clean clone: the packages from source, then the suites that install what would ship.
// Ends with one line, `N passed, N failed`, and fails when anything did.
const counts = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const rows = [];

/**
 * Runs vitest in a folder and adds its counts. A run that died, or that ended badly without a failed test, is a failure.
 * @param {string} name @param {string} folder
 */
function suite(name, folder) {
  console.log(`\n── ${name}`);
  const file = `${root}.test-results/${name}.json`;
  rmSync(file, { force: true });
  const begin = performance.now();
  const ended = run("npx", ["vitest", "run"], { cwd: `${root}${folder}`, env: { COUNTS_FILE: file } });
  const result = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { passed: 0, failed: 0, skipped: 0 };
  if (!ended && result.failed === 0) result.failed = 1;
  for (const key of /** @type {const} */ (["passed", "failed", "skipped"])) counts[key] += result[key];
  const seconds = Math.round((performance.now() - begin) / 1000);
  rows.push(`${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped; ${seconds} s`);
}

/** A step that later suites need: when it breaks, that is one failure and they do not run. @param {string} name @param {() => void} work */
function step(name, work) {
  try {
    console.log(`\n── ${name}`);
    work();
    return true;
  } catch (error) {
    counts.failed += 1;
    rows.push(`${name}: ${error instanceof Error ? error.message : error}`);
    return false;
  }
}

const ready = hasTools() || step("install", () => mustRun("npm", install));
if (ready) {
  step("Debian packages", () => mustRun("tools/debian-packages", ["install"]));
  suite("packages", ".");
  /** @type {string[]} */
  let tarballs = [];
  const packed = step("build and pack", () => {
    tarballs = packTarballs();
  });
  if (packed) {
    const folders = ["conformance", "examples", "runtimes"].filter((name) => existsSync(`${root}${name}/package.json`));
    const installed = await Promise.allSettled(folders.map((folder) => installTarballs(folder, tarballs)));
    for (const [i, folder] of folders.entries()) {
      const result = installed[i];
      const isInstalled = step(`install ${folder}`, () => {
        if (result?.status === "rejected") throw result.reason;
      });
      if (!isInstalled) continue;
      // Their types are checked against the declarations that ship, which the sources' own check never reads.
      step(`types of ${folder}`, () => mustRun("npx", ["tsc", "--noEmit", "-p", folder]));
      suite(folder, folder);
    }
  }
}
console.log(`\n${rows.join("\n")}\n`);
console.log(`${counts.passed} passed, ${counts.failed} failed${counts.skipped ? `, ${counts.skipped} skipped` : ""}`);
process.exitCode = counts.failed ? 1 : 0;
