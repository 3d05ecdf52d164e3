import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { cyclesIn } from "./import-cycles.mjs";
import { faultsOf } from "./import-rules.mjs";
import { importsOf } from "./imports-of.mjs";
import { root } from "./run.mjs";

// Holds every import of the packages against tools/import-rules.mjs, and against what the package says that it depends on.
let faults = 0;
let files = 0;
/** The files that each file imports, by type or by value. @type {Map<string, readonly string[]>} */
const graph = new Map();
for (const name of ["daypass", "gateway", "cli"]) {
  const manifest = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, "utf8"));
  // The command line is published as bundles, with what it depends on for its development.
  const bundled = name === "cli" ? manifest.devDependencies : {};
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...bundled });
  const folder = `packages/${name}/src`;
  for (const entry of readdirSync(root + folder, { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".ts")) continue;
    files += 1;
    const from = `${folder}/${entry}`;
    const imports = importsOf(readFileSync(root + from, "utf8"));
    graph.set(
      from,
      imports
        .filter(({ specifier }) => specifier.startsWith("."))
        .map(({ specifier }) => join(dirname(from), specifier)),
    );
    for (const { specifier, names } of imports) {
      const to = specifier.startsWith(".") ? join(dirname(from), specifier) : specifier;
      const why = [...faultsOf({ from, to, names })];
      const thirdParty = /^(@[^/]+\/)?[^./#][^/]*/.exec(specifier)?.[0];
      if (thirdParty && !specifier.startsWith("node:") && !declared.includes(thirdParty)) {
        why.push(`${thirdParty} is not among the dependencies of packages/${name}`);
      }
      for (const reason of why) console.error(`${from} imports ${specifier}: ${reason}`);
      faults += why.length;
    }
  }
}
const cycles = cyclesIn(graph);
for (const cycle of cycles)
  console.error(`these files import each other, move what they share to a file below:\n  ${cycle.join("\n  ")}`);
faults += cycles.length;
console.log(`${files} files, ${faults} imports that point the wrong way or in a circle`);
process.exitCode = faults ? 1 : 0;
