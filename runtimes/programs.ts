import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Report } from "./harness.ts";

const here = dirname(fileURLToPath(import.meta.url));
export const root: string = resolve(here, "..");

/** A runtime that is a program. Its package is optional, as each has one for every machine. */
export interface Program {
  readonly path: string;
  readonly arguments: readonly string[];
}

export const programs = {
  "Node 22": { path: join(here, "node_modules/node-22/bin/node"), arguments: [] },
  "Node 24": { path: join(here, "node_modules/node-24/bin/node"), arguments: [] },
  "Node 26": { path: join(here, "node_modules/node-26/bin/node"), arguments: [] },
  Bun: { path: join(here, "node_modules/@oven/bun-linux-x64/bin/bun"), arguments: [] },
  Deno: { path: join(here, "node_modules/@deno/linux-x64-glibc/deno"), arguments: ["run", "--allow-all"] },
} as const satisfies Readonly<Record<string, Program>>;

/** Why a runtime cannot run on this machine, for the name of the suite; `undefined` if it can. */
export function missing(program: Program): string | undefined {
  return existsSync(program.path) ? undefined : " (skipped: its package is not for this machine)";
}

/** Runs a module and gives what it wrote. Rejects with its output when it fails. Vitest takes so many processes for its files. */
export function runProgram(
  program: Program,
  parameters: readonly string[],
  { cwd = root, workers = 1 }: { readonly cwd?: string; readonly workers?: number } = {},
): Promise<string> {
  return new Promise((done, failed) => {
    execFile(
      program.path,
      [...program.arguments, ...parameters],
      {
        cwd,
        maxBuffer: 64 * 1024 * 1024,
        timeout: 560_000,
        // The run around this one is of the long tests, and what it starts is of the quick ones.
        env: { ...process.env, DAYPASS_TESTS: "quick", NO_COLOR: "1", VITEST_MAX_WORKERS: String(workers) },
      },
      (error, stdout, stderr) => {
        if (error === null) done(stdout);
        else failed(new Error(`${error.message.slice(0, 200)}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`));
      },
    );
  });
}

/** Runs a bundle of tests in a program. */
export async function report(program: Program, code: string): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), "daypass-runtime-"));
  try {
    const file = join(folder, "suite.mjs");
    writeFileSync(file, `${code}\nconsole.log(JSON.stringify(await report()));`);
    const output = await runProgram(program, [file], { cwd: folder });
    return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Report;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
