import { defineConfig } from "vitest/config";
import { LOOPBACK } from "../tools/loopback.ts";
import { isLonger, kind, longer } from "../tools/test-kind.ts";

// No "@daypass/source" here: the examples run on what the tarballs ship.
export default defineConfig({
  test: {
    include: [isLonger ? `test/**/*.${kind}.test.ts` : "test/**/*.test.ts"],
    exclude: isLonger ? [] : longer,
    env: LOOPBACK,
    silent: "passed-only",
    reporters: ["minimal", "../tools/count-reporter.mjs"],
    // By default one processor is left for Vitest itself, which on a machine with two is one process for all tests.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
