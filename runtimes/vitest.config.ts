import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LOOPBACK } from "../tools/loopback.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: LOOPBACK,
    silent: "passed-only",
    reporters: ["minimal", "../tools/count-reporter.mjs"],
    // Each runtime is one thread; the tests here only wait for it.
    maxConcurrency: availableParallelism(),
    // Each of these runs a whole suite in another runtime.
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
