import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { longFirst } from "../tools/long-first.ts";
import { LOOPBACK } from "../tools/loopback.ts";

// No "@daypass/source" here: these suites read what the tarballs ship. Without the tarballs, Node would resolve `daypass` to the workspace
// above, and the oracles would judge the sources.
for (const name of ["daypass", "@daypass/gateway", "@daypass/cli"]) {
  if (existsSync(fileURLToPath(new URL(`node_modules/${name}`, import.meta.url)))) continue;
  throw new Error(`expected ${name} to be installed from its tarball, found none: run node tools/conformance.mjs`);
}

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longFirst(await super.sort(files), /\/(?:rounds|gcs-sdk|radosgw|gateway)\.test\./);
  }
}

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    env: LOOPBACK,
    silent: "passed-only",
    reporters: ["minimal", "../tools/count-reporter.mjs"],
    sequence: { sequencer: LongFirst },
    // A fifth of the time the tests wait for the servers that they start.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
});
