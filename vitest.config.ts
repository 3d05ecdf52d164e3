import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { longFirst } from "./tools/long-first.ts";
import { LOOPBACK } from "./tools/loopback.ts";
import { isLonger, kind, longer } from "./tools/test-kind.ts";

// Tests read the sources, not dist: no build comes first, but for the command line, whose tests start processes. "node" stays, because
// a list here replaces the default one.
const conditions = ["@daypass/source", "module", "node"];

// Measured in memory, or in a real clock that the server under test keeps: these have the machine for themselves.
const apart = [
  "packages/gateway/test/node/{broken-bodies,connection,pipelined-requests,workers}.test.ts",
  "packages/gateway/test/storage/disk-memory.test.ts",
];

// Pure functions, which share nothing but what they import: a process for each file took longer than what most of them test. Those
// that replace a module, a global or a clock have a separate process.
const library = "packages/daypass/test/**/*.test.ts";
const replacing = [
  "packages/daypass/test/{contract,samples}.test.ts",
  "packages/daypass/test/node/guard-coming-body.test.ts",
  "packages/daypass/test/url/vectors-portable.test.ts",
];

// Gateway tests of functions, or of the answers of a server in their own process: the same. Tests that watch
// the process itself, its time, its channels or another program have a separate process.
const answering =
  "packages/gateway/test/{attacks/!(costly-bodies),e2e/!(http),http/*,pipeline/*,protocols/!(s3-fields|xml)}.test.ts";

const cli = "packages/cli/test/*.test.ts";
const tamper = "packages/*/test/tamper/*.test.ts";

// Minutes each, or most of a minute. What starts last delays the end.
const long: Readonly<Record<string, RegExp>> = {
  quick: /disk-kill|disk-listing|s3-contract|daypass\/test\/contract|\/tamper\/|cli\/test\/(?:explain|serve)\./,
  peers: /disk-kill|disk-listing/,
  long: /replica-claims|link-race|\/handle\./,
};

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = longFirst(await super.sort(files), long[kind] ?? /^$/);
    // A process continues with the next file only if the file belongs to the same project.
    const shares = ({ project }: TestSpecification): boolean => !project.config.isolate;
    const shared = sorted.filter(shares).sort((a, b) => a.project.name.localeCompare(b.project.name));
    return [...sorted.filter((file) => !shares(file)), ...shared];
  }
}

const quick = [
  // By default one processor is left for Vitest itself, which on a machine with two is one process for all tests.
  {
    extends: true as const,
    test: {
      name: "packages",
      include: ["packages/!(cli|daypass)/test/**/*.test.ts", ...replacing, "tools/test/*.test.ts"],
      exclude: [...apart, answering, tamper, ...longer],
      maxWorkers: "100%",
    },
  },
  {
    extends: true as const,
    test: { name: "gateway", include: [answering], exclude: longer, isolate: false, maxWorkers: "100%" },
  },
  {
    extends: true as const,
    test: {
      name: "library",
      include: [library],
      exclude: [...replacing, tamper, ...longer],
      isolate: false,
      maxWorkers: "100%",
    },
  },
  {
    extends: true as const,
    test: {
      name: "cli",
      include: [cli],
      exclude: longer,
      globalSetup: "packages/cli/test/built.ts",
      maxWorkers: "100%",
    },
  },
  // A separate name, by which other runtimes leave it out.
  { extends: true as const, test: { name: "tamper", include: [tamper], exclude: longer, maxWorkers: "100%" } },
  {
    extends: true as const,
    test: { name: "apart", include: apart, exclude: longer, maxWorkers: 1, sequence: { groupOrder: 1 } },
  },
];

// Real servers, disks and kill loops share the machine badly, so these run two at a time.
const longerProjects = [
  {
    extends: true as const,
    test: {
      name: kind,
      include: [`packages/*/test/**/*.${kind}.test.ts`],
      globalSetup: "packages/cli/test/built.ts",
      maxWorkers: 2,
      testTimeout: 600_000,
      hookTimeout: 120_000,
    },
  },
];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Prints failed tests and the counts; what a passing test writes stays hidden.
    reporters: ["minimal", "./tools/count-reporter.mjs"],
    silent: "passed-only",
    sequence: { sequencer: LongFirst },
    testTimeout: 20_000,
    // A second, the default, may be over on a busy machine before anything was done.
    expect: { poll: { timeout: 10_000 } },
    env: LOOPBACK,
    passWithNoTests: true,
    projects: isLonger ? longerProjects : quick,
  },
});
