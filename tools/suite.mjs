import { existsSync, readFileSync, rmSync } from "node:fs";
import { root, run } from "./run.mjs";

/** @typedef {import("./count-reporter.mjs").Failure} Failure */
/** The counts of one run of vitest, with the tests that failed. @typedef {{ passed: number, failed: number, skipped: number, failures: Failure[] }} Result */

/**
 * Runs the tests of one kind in a folder. A run that crashes, or that fails without a failed test, counts as one failure.
 * @param {string} name names the file of counts
 * @param {string} folder from the root of the workspace
 * @param {Kind} kind
 * @returns {Result}
 */
export function runSuite(name, folder, kind) {
  const file = `${root}.test-results/${name}-${kind}.json`;
  rmSync(file, { force: true });
  const succeeded = run("npx", ["vitest", "run"], {
    cwd: `${root}${folder}`,
    env: { COUNTS_FILE: file, DAYPASS_TESTS: kind },
  });
  const counted = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (!succeeded && counted.failed === 0) {
    counted.failed = 1;
    counted.failures = [{ file: "", name: "", message: "vitest failed without a failed test: see its output above" }];
  }
  return counted;
}

/**
 * `quick` needs Node and npm only, `peers` real servers and clients from Debian's packages, `long` hours of a quiet
 * machine or other runtimes. The file name of a test decides: `*.peers.test.ts`, `*.long.test.ts`, or neither.
 * @typedef {"quick" | "peers" | "long"} Kind
 */
