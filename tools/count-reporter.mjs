import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** A vitest reporter: writes how many tests passed, failed and were skipped to the file that COUNTS_FILE names. */
export default class CountReporter {
  /** @param {readonly import("vitest/node").TestModule[]} modules @param {readonly unknown[]} unhandled */
  onTestRunEnd(modules, unhandled) {
    const file = process.env["COUNTS_FILE"];
    if (!file) return;
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 };
    for (const module of modules) {
      const tests = [...module.children.allTests()];
      for (const test of tests) {
        const { state } = test.result();
        counts[state === "pending" ? "failed" : state] += 1;
      }
      // A file that fails to load, or a hook that throws, has no failed test to show for it.
      if (module.state() === "failed" && !tests.some((test) => test.result().state === "failed")) counts.failed += 1;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(counts));
  }
}
