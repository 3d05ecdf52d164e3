import { defineConfig } from "vitest/config";

// Tests read the sources, not dist: no build comes first. "node" stays, because a list here replaces the default one.
const conditions = ["@daypass/source", "module", "node"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["packages/*/test/**/*.test.ts"],
    reporters: ["default", "./tools/count-reporter.mjs"],
    testTimeout: 20_000,
    passWithNoTests: true,
  },
});
