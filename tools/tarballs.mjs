import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { install, mustRun, published, root } from "./run.mjs";

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
 * their digest changes with every commit. Does nothing when neither has changed since the last time.
 * @param {string} folder from the root of the workspace
 * @param {readonly string[]} tarballs
 */
export function installTarballs(folder, tarballs) {
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
  mustRun("npm", install, { cwd, env });
  // With the lockfile in force, which `--no-save` leaves as it is: without it npm looks anew for what lies below the pinned packages.
  mustRun("npm", ["install", "--include=dev", "--no-save", ...tarballs], { cwd, env });
  writeFileSync(stamp, digest);
}
