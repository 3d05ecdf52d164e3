import { defineConfig } from "vitest/config";
import { LOOPBACK } from "../tools/loopback.ts";

// No "@daypass/source" here: the examples run on what the tarballs ship.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: LOOPBACK,
    reporters: ["default", "../tools/count-reporter.mjs"],
    // By default one processor is left for Vitest itself, which on a machine with two is one process for all tests.
    maxWorkers: "100%",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
