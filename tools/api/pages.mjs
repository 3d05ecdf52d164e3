import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { root } from "../run.mjs";
import { compile, examplesIn } from "./examples.mjs";
import { faultsOf } from "./faults.mjs";
import { entryPointsOf, readProject } from "./project.mjs";

// Writes docs/api, a page for each subpath, and fails where a docstring leaves something out.

const folders = ["packages/daypass", "packages/gateway"];

/** Types without a page, by package. */
const unnamed = {
  daypass: [],
  // What the processes over one folder say to each other: an IndexWriter is handed on as it is.
  "@daypass/gateway": ["Claim", "ClaimIntent", "PartClaim", "PartRequest", "UploadClaim", "UploadRow"],
};

const tsconfig = fileURLToPath(new URL("tsconfig.json", import.meta.url));
const { app, project, remarks } = await readProject(folders.flatMap(entryPointsOf), tsconfig, unnamed);
app.options.setValue("outputs", /** @type {never} */ ([{ name: "markdown", path: `${root}docs/api` }]));
await app.generateOutputs(project);

const errors = readFileSync(`${root}docs/errors.md`, "utf8");
const codes = new Set([...errors.matchAll(/^(?:### |\| )`([A-Z\d_]+)`/gm)].map(([, code = ""]) => code));

const faults = [
  ...remarks,
  ...faultsOf(project, codes),
  ...compile(folders.flatMap((folder) => examplesIn(`${folder}/src`))),
];
for (const fault of faults) console.error(fault);
console.log(`docs/api: ${project.children?.length} pages, ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
