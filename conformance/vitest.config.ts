import { defineConfig } from "vitest/config";

// No "@daypass/source" here: these suites read what the tarballs ship.
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "../tools/count-reporter.mjs"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
