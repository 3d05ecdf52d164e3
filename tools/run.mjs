import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The root of the workspace, with a slash at its end. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** The packages that a release publishes. What other workspaces there are is for us alone. */
export const published = ["packages/daypass", "packages/gateway", "packages/cli"];

/**
 * Runs one command in the foreground and says whether it succeeded.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 */
export function run(command, args, { cwd = root, env = {} } = {}) {
  const result = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: "inherit" });
  if (result.error) console.error(`${command} did not start: ${result.error.message}`);
  return result.status === 0;
}

/**
 * Runs one command beside others. Gives all that it said when it has ended, so that no two mix, and whether it succeeded.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: Record<string, string | undefined> }} [options]
 * @returns {Promise<{ readonly ended: boolean, readonly output: string }>}
 */
export function runBeside(command, args, { cwd = root, env = {} } = {}) {
  return new Promise((resolve) => {
    /** @type {Buffer[]} */
    const said = [];
    const output = () => Buffer.concat(said).toString();
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => said.push(chunk));
    child.on("error", (error) => resolve({ ended: false, output: `${command} did not start: ${error.message}\n` }));
    child.on("close", (status) => resolve({ ended: status === 0, output: output() }));
  });
}

/** As `run`, for a step without which the rest makes no sense. @type {typeof run} */
export function mustRun(command, args, options) {
  if (run(command, args, options)) return true;
  throw new Error(`failed: ${command} ${args.join(" ")}`);
}

/** Installs all that the workspace needs, also where NODE_ENV=production would leave out its tools. */
export const install = ["ci", "--include=dev"];

/** Whether the tools that build and test are installed. */
export function hasTools() {
  return existsSync(`${root}node_modules/.bin/vitest`);
}

/** Refuses to continue without. `npx` would offer whatever has the name of a tool in the registry: `tsc` is another one's package there. */
export function expectTools() {
  if (!hasTools())
    throw new Error(`expected the tools of the workspace, found none: run \`npm ${install.join(" ")}\` first`);
}
