import { execFile } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { published, root } from "./run.mjs";

/** @typedef {{ "bom-ref": string, name: string, hashes?: { alg: string, content: string }[] }} Component */
/** @typedef {{ serialNumber: string, metadata: { component: Component }, components: Component[], dependencies: { ref: string, dependsOn: string[] }[] }} Bom */

/**
 * What npm says of all that is published, which is slow: to be asked once.
 * @returns {Promise<Bom>}
 */
export async function describePublished() {
  // Not with --omit=dev: npm then leaves out what production and development share. A workspace's own row names its production
  // dependencies alone, and the file keeps only those and theirs.
  const args = ["sbom", "--sbom-format=cyclonedx", "--sbom-type=library"];
  const workspaces = published.map((folder) => `--workspace=${folder}`);
  const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
  const { stdout } = await promisify(execFile)("npm", [...args, ...workspaces], options);
  return JSON.parse(stdout);
}

/**
 * What one published package brings with it, as CycloneDX: itself, and all that runs in production, in the versions of the lockfile, which are
 * those that were tested. npm describes a workspace as a part of its root, which it names for the folder that the clone lies in, as it does the
 * workspaces; here the package is what is described, by its name.
 * @param {string} folder from the root of the workspace
 * @param {Bom} bom of {@link describePublished}
 * @param {ReadonlyMap<string, string>} tarballs path of the tarball by name and version, as in `daypass@0.1.0`: only they give our packages a digest
 * @returns {Bom}
 */
export function sbomOf(folder, bom, tarballs = new Map()) {
  const { name, version } = JSON.parse(readFileSync(`${root}${folder}/package.json`, "utf8"));
  const dependsOn = new Map(bom.dependencies.map((row) => [row.ref, row.dependsOn]));
  const subject = `${name}@${version}`;
  const wanted = new Set([subject]);
  for (const ref of wanted) for (const next of dependsOn.get(ref) ?? []) wanted.add(next);
  const components = bom.components
    .filter((component) => wanted.has(component["bom-ref"]))
    .map((component) => {
      const ref = component["bom-ref"];
      return { ...component, name: ref.slice(0, ref.lastIndexOf("@")), ...digestOf(tarballs.get(ref)) };
    });
  const own = components.find((component) => component["bom-ref"] === subject);
  if (own === undefined) throw new Error(`expected ${subject} in what npm describes, found it missing: run npm ci`);
  return {
    ...bom,
    // Each has a separate one.
    serialNumber: `urn:uuid:${randomUUID()}`,
    metadata: { ...bom.metadata, component: own },
    components: components.filter((component) => component !== own),
    dependencies: bom.dependencies.filter(({ ref }) => wanted.has(ref)),
  };
}

/** @param {string | undefined} tarball */
function digestOf(tarball) {
  if (tarball === undefined) return {};
  return { hashes: [{ alg: "SHA-512", content: createHash("sha512").update(readFileSync(tarball)).digest("hex") }] };
}
