import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { expectTools, published, root } from "./run.mjs";
import { describePublished, sbomOf } from "./sbom.mjs";
import { packTarballs } from "./tarballs.mjs";

// Packs what a release publishes, writes an SBOM beside each tarball, and says what is left to do. Publishes nothing.
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

console.log("\nReady, each with its SBOM (.cdx.json) beside it. To be published in this order, in CI:\n");
for (const manifest of manifests) console.log(`  npm publish ${tarballOf(manifest)}`);
for (const { name, repository } of manifests) {
  if (repository === undefined) console.log(`\nNot yet: provenance needs "repository" in the manifest of ${name}.`);
}
