import { expectTools, published, run } from "./run.mjs";

// Everything a change must satisfy besides its tests. Every step runs, so that one look shows all there is to mend.
/** @type {readonly (readonly [what: string, command: string, ...args: string[]])[]} */
const steps = [
  ["format and lint", "npx", "biome", "check", "--error-on-warnings", "."],
  ["types, and dist for the steps below", "npx", "tsc", "-b"],
  ["types without Node", "npx", "tsc", "-p", "packages/daypass/tsconfig.portable.json"],
  ["who may import whom", "node", "tools/check-imports.mjs"],
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
  ["docstrings, and docs/api", "node", "tools/api/pages.mjs"],
  ["bundle sizes", "node", "tools/size.mjs"],
];

expectTools();
const failed = [];
for (const [what, command, ...args] of steps) {
  console.log(`\n── ${what}`);
  if (!run(command, args)) failed.push(what);
}
console.log(failed.length ? `\ncheck failed: ${failed.join(", ")}` : "\ncheck passed");
process.exitCode = failed.length ? 1 : 0;
