import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { install, mustRun, published, root, runBeside } from "./run.mjs";

const out = `${root}.test-results/tarballs`;

/**
 * Builds and packs every package as a release would, and returns the tarballs' paths. What ships is what is tested.
 * @returns {string[]}
 */
export function packTarballs() {
  mustRun("npm", ["run", "build"]);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const workspaces = published.flatMap((path) => ["--workspace", path]);
  const packed = JSON.parse(
    execFileSync("npm", ["pack", ...workspaces, "--json", "--pack-destination", out], { cwd: root, encoding: "utf8" }),
  );
  return Object.values(packed).map((/** @type {{ filename: string }} */ { filename }) => `${out}/${filename}`);
}

/**
 * Installs a folder that is no workspace: its own lockfile first, then our tarballs, which no lockfile can hold because
 * their digest changes with every commit. Does nothing when neither has changed since the last time. Several folders may be
 * installed at once: npm unpacks on one processor, and waits for its registry.
 * @param {string} folder from the root of the workspace
 * @param {readonly string[]} tarballs
 */
export async function installTarballs(folder, tarballs) {
  const cwd = `${root}${folder}`;
  const stamp = `${cwd}/node_modules/.tarballs`;
  const hash = createHash("sha256");
  for (const file of [`${cwd}/package-lock.json`, ...tarballs]) hash.update(readFileSync(file));
  const digest = hash.digest("hex");
  // An `npm install` by hand prunes the tarballs, since the lockfile does not know them.
  const there = existsSync(stamp) && existsSync(`${cwd}/node_modules/daypass`);
  if (there && readFileSync(stamp, "utf8") === digest) return;
  // Under `npm test` the workspace's own setting is in the environment and would win over the folder's.
  const env = { npm_config_engine_strict: undefined };
  // The second with the lockfile in force, which `--no-save` leaves as it is: without it npm looks anew for what lies below the pinned packages.
  for (const args of [install, ["install", "--include=dev", "--no-save", ...tarballs]]) {
    const { ended, output } = await runBeside("npm", args, { cwd, env });
    console.log(`\n── npm ${args[0]} in ${folder}\n${output}`.trimEnd());
    if (!ended) throw new Error(`failed in ${folder}: npm ${args.join(" ")}`);
  }
  writeFileSync(stamp, digest);
}
