import { defineConfig } from "vitest/config";

// No "@daypass/source" here: the examples run on what the tarballs ship.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "../tools/count-reporter.mjs"],
    // By default one processor is left for Vitest itself, which on a machine with two is one process for all tests.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
