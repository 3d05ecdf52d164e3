import { expectTools, published, run, runBeside } from "./run.mjs";

// Everything that a change must pass in addition to its tests. Every step runs, so one run shows every fault.
/** @typedef {readonly [what: string, command: string, ...args: string[]]} Step */

/** These have all processors to themselves, one after the other: the second makes the `dist` that others read. @type {readonly Step[]} */
const first = [
  ["format and lint", "npx", "biome", "check", "--error-on-warnings", "."],
  ["types, and dist for the steps below", "npx", "tsc", "-b"],
  ["thread files, into dist", "node", "tools/copy-threads.mjs"],
  ["bundles of the command line, into dist", "node", "tools/bundle-command.mjs"],
  ["bundle of the console, into dist", "node", "tools/bundle-console.mjs"],
];

/** These take a processor each, so that two such lists are as quick as the longer one. @type {readonly (readonly Step[])[]} */
const lanes = [
  [
    ["types of thread files", "npx", "tsc", "-p", "packages/gateway/tsconfig.threads.json"],
    ["types without Node", "npx", "tsc", "-p", "packages/daypass/tsconfig.portable.json"],
    ["who may import whom", "node", "tools/check-imports.mjs"],
    ["plain words", "node", "tools/check-words.mjs"],
    ["docstrings, and docs/api", "node", "tools/api/pages.mjs"],
    ["bundle sizes", "node", "tools/size.mjs"],
  ],
  // One after the other, as they pack the same folders.
  [
    ...published.map((path) => /** @type {const} */ ([`publint ${path}`, "npx", "publint", "--strict", path])),
    // The command line is a program, not an API: it has no types to get wrong.
    ...published
      .filter((path) => path !== "packages/cli")
      .map(
        (path) =>
          /** @type {const} */ ([
            `exports of ${path}`,
            "npx",
            "attw",
            "--pack",
            path,
            "--profile",
            "esm-only",
            "--no-summary",
            "--format",
            "table-flipped",
          ]),
      ),
  ],
];

expectTools();
/** @type {string[]} */
const failed = [];
for (const [what, command, ...args] of first) {
  console.log(`\n── ${what}`);
  if (!run(command, args)) failed.push(what);
}
await Promise.all(
  lanes.map(async (steps) => {
    for (const [what, command, ...args] of steps) {
      const { ended, output } = await runBeside(command, args);
      console.log(`\n── ${what}\n${output}`.trimEnd());
      if (!ended) failed.push(what);
    }
  }),
);
console.log(failed.length ? `\ncheck failed: ${failed.join(", ")}` : "\ncheck passed");
process.exitCode = failed.length ? 1 : 0;
