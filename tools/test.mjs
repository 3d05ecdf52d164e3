import { existsSync } from "node:fs";
import { relative } from "node:path";
import { hasTools, install, mustRun, root } from "./run.mjs";
import { runSuite } from "./suite.mjs";
import { installTarballs, packTarballs } from "./tarballs.mjs";

// Every test there is, from a clean clone: the packages from source, then the suites that install what would ship.
// Ends with one line, `N passed, N failed`, and fails when anything did.
const counts = { passed: 0, failed: 0, skipped: 0 };
/** @type {string[]} */
const rows = [];

/** Runs a suite and adds its counts. @param {string} name @param {string} folder */
function suite(name, folder) {
  console.log(`\n── ${name}`);
  const begin = performance.now();
  const result = runSuite(name, folder);
  for (const key of /** @type {const} */ (["passed", "failed", "skipped"])) counts[key] += result[key];
  const seconds = Math.round((performance.now() - begin) / 1000);
  rows.push(`${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped; ${seconds} s`);
  for (const failure of result.failures) rows.push(`  failed: ${told(failure)}`);
  for (const failure of result.passedAlone) rows.push(`  failed beside others, passed alone: ${told(failure)}`);
}

/** On one line, as the last lines may be all that is kept of a run. @param {import("./count-reporter.mjs").Failure} failure */
function told({ file, name, message }) {
  const line = [file && relative(root, file), name, message].filter(Boolean).join(" > ");
  return line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "?").slice(0, 600);
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
