import { hasTools, install, mustRun, root, run } from "./run.mjs";
import { installTarballs, packTarballs } from "./tarballs.mjs";

// The suites of conformance/ alone, on what would ship, and the tables in docs/conformance.md that they fill.
if (!hasTools()) mustRun("npm", install);
mustRun("tools/debian-packages", ["install"]);
await installTarballs("conformance", packTarballs());
const passed = run("npx", ["vitest", "run", ...process.argv.slice(2)], {
  cwd: `${root}conformance`,
  env: { CONFORMANCE: "write" },
});
process.exitCode = passed ? 0 : 1;
