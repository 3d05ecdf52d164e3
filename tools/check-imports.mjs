import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { root } from "./run.mjs";

// Who may import whom, where the linter cannot say it: rules that compare the importing file with the imported one.
// `from` and `to` are paths from the root of the workspace (`to` may also be a bare specifier). A rule that answers
// true has found a fault.
const lib = "packages/daypass/src/";
const gateway = "packages/gateway/src/";
/** `s3` for packages/daypass/src/s3/v2/sign.ts, "" for a file of the core. @param {string} path */
const folderOf = (path) => /^packages\/daypass\/src\/([^/]+)\//.exec(path)?.[1] ?? "";
/** `disk` for storage/disk.ts and for storage/disk/index.ts. @param {string} path */
const partOf = (path) => /^packages\/gateway\/src\/(?:storage|state)\/([^/.]+)/.exec(path)?.[1] ?? "";
const contracts = ["storage", "multipart", "upload-refusals", "listing", "buckets", "checked-body", "state"];
const lists = ["drivers", "stores"];
/** The gateway's steps that hold no I/O of their own. */
const pure = /^packages\/gateway\/src\/(?:http|pipeline|operations|protocols)\//;

/** @type {readonly { why: string, broken: (from: string, to: string) => boolean }[]} */
const rules = [
  {
    why: "the core serves every scheme, so it may know none of them",
    broken: (from, to) => from.startsWith(lib) && !folderOf(from) && !["", "crypto"].includes(folderOf(to)),
  },
  {
    why: "a scheme stands alone: what two need belongs to the core (only explain/ holds the list of all)",
    broken: (from, to) =>
      !["", "explain"].includes(folderOf(from)) && !["", "crypto", folderOf(from)].includes(folderOf(to)),
  },
  {
    why: "an older version inside a scheme would come along in every bundle of the newer one",
    broken: (from, to) =>
      dirname(to).startsWith(`${dirname(from)}/`) && folderOf(from) !== "" && folderOf(from) !== "explain",
  },
  {
    why: "the runtime chooses its crypto through the #crypto imports map",
    broken: (from, to) =>
      folderOf(from) !== "crypto" && /^packages\/daypass\/src\/crypto\/(\w+-)?(node|portable)\.ts$/.test(to),
  },
  {
    why: "http/ is pure functions over headers: it sees the library's types and itself",
    broken: (from, to) =>
      from.startsWith(`${gateway}http/`) && to.startsWith(gateway) && !to.startsWith(`${gateway}http/`),
  },
  {
    why: "a driver or store sees its contract, http/ and the library, so that it can be replaced alone",
    broken: (from, to) =>
      partOf(from) !== "" &&
      !lists.includes(partOf(from)) &&
      to.startsWith(gateway) &&
      !to.startsWith(`${gateway}http/`) &&
      ![...contracts, partOf(from)].includes(partOf(to)),
  },
  {
    why: "steps work on contracts: the composition root chooses the driver",
    broken: (from, to) => pure.test(from) && partOf(to) !== "" && !contracts.includes(partOf(to)),
  },
  {
    why: "dependencies point one way: cli, then gateway, then library",
    broken: (from, to) => /^@daypass\/cli/.test(to) || (from.startsWith(lib) && /^(@daypass|daypass)(\/|$)/.test(to)),
  },
  {
    why: "another package is reached by its name, as its users reach it",
    broken: (from, to) => to.startsWith("packages/") && from.split("/")[1] !== to.split("/")[1],
  },
];

const importing = /(?:^|[\s;}])(?:from|import)\s*\(?\s*["']([^"']+)["']/g;
let faults = 0;
let files = 0;
for (const name of ["daypass", "gateway", "cli"]) {
  const manifest = JSON.parse(readFileSync(`${root}packages/${name}/package.json`, "utf8"));
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  const folder = `packages/${name}/src`;
  for (const entry of readdirSync(root + folder, { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".ts")) continue;
    files += 1;
    const from = `${folder}/${entry}`;
    // Examples inside comments import as users do; they are no imports of this file.
    const code = readFileSync(root + from, "utf8").replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const [, specifier = ""] of code.matchAll(importing)) {
      const to = specifier.startsWith(".") ? join(dirname(from), specifier) : specifier;
      const why = rules.filter((rule) => rule.broken(from, to)).map((rule) => rule.why);
      const thirdParty = /^(@[^/]+\/)?[^./#][^/]*/.exec(specifier)?.[0];
      if (thirdParty && !specifier.startsWith("node:") && !declared.includes(thirdParty)) {
        why.push(`${thirdParty} is not among the dependencies of packages/${name}`);
      }
      for (const reason of why) console.error(`${from} imports ${specifier}: ${reason}`);
      faults += why.length;
    }
  }
}
console.log(`${files} files, ${faults} imports that point the wrong way`);
process.exitCode = faults ? 1 : 0;
