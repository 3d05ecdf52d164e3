import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", "../tools/count-reporter.mjs"],
    // Each of these runs a whole suite in another runtime.
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
