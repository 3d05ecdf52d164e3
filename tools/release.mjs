import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { expectTools, published, root } from "./run.mjs";
import { describePublished, sbomOf } from "./sbom.mjs";
import { packTarballs } from "./tarballs.mjs";

// Packs what a release publishes, and writes an SBOM beside each tarball. Publishes nothing. Without the addresses of the
// repository it packs for an installation from a clone: it prints no command to publish, and refuses on a tag of a release.
expectTools();
const changes = execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8" });
if (changes !== "") throw new Error(`expected a clean tree, found changes: commit or remove them\n${changes}`);

const manifests = published.map((folder) => JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8")));
for (const { name, version, dependencies } of manifests) {
  for (const other of manifests) {
    const wanted = dependencies[other.name];
    if (wanted !== undefined && wanted !== other.version)
      throw new Error(
        `expected ${name} ${version} to name ${other.name} ${other.version}, found ${wanted}: correct it`,
      );
  }
}

const missing = manifests.flatMap((manifest) =>
  ["repository", "homepage", "bugs"]
    .filter((field) => manifest[field] === undefined)
    .map((field) => [manifest.name, field]),
);
const refusal = `Refused to publish: CONTRIBUTING.md, "Releasing", says what to fill in. Missing in the manifests:
${missing.map(([name, field]) => `  ${name}: ${field}`).join("\n")}`;
const tags = execFileSync("git", ["tag", "--points-at", "HEAD"], { cwd: root, encoding: "utf8" }).split("\n");
if (missing.length > 0 && tags.includes(`v${manifests[0].version}`)) throw new Error(refusal);

const files = packTarballs();
/** @param {{ name: string, version: string }} manifest */
const tarballOf = ({ name, version }) => {
  const end = `/${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  const file = files.find((path) => path.endsWith(end));
  if (file === undefined) throw new Error(`expected a tarball ${end}, found none of that name`);
  return file;
};
const tarballs = new Map(manifests.map((manifest) => [`${manifest.name}@${manifest.version}`, tarballOf(manifest)]));
const bom = await describePublished();
for (const [at, folder] of published.entries()) {
  const file = tarballOf(manifests[at]);
  writeFileSync(
    file.replace(/\.tgz$/, ".cdx.json"),
    `${JSON.stringify(sbomOf(folder, bom, tarballs), undefined, 2)}\n`,
  );
}

if (missing.length > 0) {
  console.log(`\nPacked. npm run pack prints the line that installs them.\n\n${refusal}`);
} else {
  console.log("\nReady, each with its SBOM (.cdx.json) beside it. To be published in this order, in CI:\n");
  for (const manifest of manifests) console.log(`  npm publish ${tarballOf(manifest)}`);
}
