import { existsSync, readFileSync, rmSync } from "node:fs";
import { root, run } from "./run.mjs";

/** @typedef {import("./count-reporter.mjs").Failure} Failure */

/**
 * What one run of vitest counted. `failures` are those that `failed` counts, if the run lived to name them; `passedAlone` are
 * counted as passed.
 * @typedef {{ passed: number, failed: number, skipped: number, failures: Failure[], passedAlone: Failure[] }} Result
 */

/** Of more than these, the machine was not what failed. */
const FILES_AGAIN = 3;

/**
 * Runs a suite, and those of its tests that failed once more, alone (docs/decisions/0107-second-attempt.md). A run that died, or that ended badly
 * without a failed test, is a failure.
 * @param {string} name @param {string} folder @returns {Result}
 */
export function runSuite(name, folder) {
  const first = vitest(name, folder, []);
  const files = [...new Set(first.failures.map(({ file }) => file))];
  if (files.length > FILES_AGAIN) return first;
  for (const file of files) {
    const failures = first.failures.filter((failure) => failure.file === file);
    if (file === "" || !passAlone(name, folder, file, failures)) continue;
    first.passedAlone.push(...failures);
    first.passed += failures.length;
    first.failed -= failures.length;
  }
  first.failures = first.failures.filter((failure) => !first.passedAlone.includes(failure));
  return first;
}

/** @param {string} name @param {string} folder @param {string} file @param {readonly Failure[]} failures */
function passAlone(name, folder, file, failures) {
  console.log(`\n── ${name}: ${failures.length} failed in ${file}; once more, alone`);
  const titles = failures.map((failure) => failure.name);
  // Any sign stands for one that has a meaning in a pattern, or that no argument of a program can have.
  const pattern = titles.map((title) => title.replace(/[^A-Za-z0-9 ]/g, "[^]")).join("|");
  const only = titles.includes("") ? [] : ["-t", `^(?:${pattern})$`];
  const { passed, failed } = vitest(`${name}-alone`, folder, [file, "--maxWorkers=1", ...only]);
  return failed === 0 && passed >= failures.length;
}

/** @param {string} name @param {string} folder @param {readonly string[]} args @returns {Result} */
function vitest(name, folder, args) {
  const file = `${root}.test-results/${name}.json`;
  rmSync(file, { force: true });
  const ended = run("npx", ["vitest", "run", ...args], { cwd: `${root}${folder}`, env: { COUNTS_FILE: file } });
  const counted = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: 0, skipped: 0, failures: [] };
  if (!ended && counted.failed === 0) {
    counted.failed = 1;
    counted.failures = [{ file: "", name: "", message: `vitest ended badly, and says of no test that it failed` }];
  }
  return { ...counted, passedAlone: [] };
}
