import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * @typedef {object} Failure
 * @property {string} file "" for an error that belongs to no file
 * @property {string} name all of its titles, as `vitest -t` reads them; "" for a file that did not load, or whose hook threw
 * @property {string} message the first line
 */

/** @param {import("vitest/node").TestCase} test */
function nameOf(test) {
  const titles = [test.name];
  for (let above = test.parent; above.type === "suite"; above = above.parent) titles.unshift(above.name);
  return titles.join(" ");
}

/** What is thrown need not be an error. @param {readonly { readonly message?: unknown }[] | undefined} errors */
const firstLine = (errors) => String(errors?.[0]?.message ?? "").split("\n", 1)[0] ?? "";

/** A vitest reporter: writes how many tests passed, failed and were skipped, and which failed, to the file that COUNTS_FILE names. */
export default class CountReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules @param {readonly import("vitest").SerializedError[]} unhandled */
  onTestRunEnd(modules, unhandled) {
    const target = process.env["COUNTS_FILE"];
    if (!target) return;
    const counts = { passed: 0, failed: 0, skipped: 0 };
    /** @type {Failure[]} */
    const failures = unhandled.map((error) => ({ file: "", name: "", message: firstLine([error]) }));
    for (const module of modules) {
      const file = module.moduleId;
      const before = failures.length;
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === "failed" || state === "pending")
          failures.push({ file, name: nameOf(test), message: firstLine(errors) || state });
        else counts[state] += 1;
      }
      // A file that fails to load, or a hook that throws, has no failed test to show for it; nor has one beside which a test fails.
      const errors = [module, ...module.children.allSuites()].flatMap((one) => one.errors());
      if (errors.length > 0 || (module.state() === "failed" && failures.length === before))
        failures.push({ file, name: "", message: firstLine(errors) });
    }
    counts.failed = failures.length;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, JSON.stringify({ ...counts, failures }));
  }
}
