import { defineConfig } from "vitest/config";

// No "@daypass/source" here: the examples run on what the tarballs ship.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "../tools/count-reporter.mjs"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
