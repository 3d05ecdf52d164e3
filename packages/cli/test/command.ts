import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** The command as users have it, a file for each module. `built.ts` has built it. */
export const DIST: string = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The arguments with which `node` runs the command: the same modules in a few files, which Node has read in half of the time. */
export const nodeArguments: readonly string[] = [
  fileURLToPath(new URL("../.test-results/command/main.js", import.meta.url)),
];

/** The same as words of a shell. A clone may lie in a folder of any name. */
export const nodeCommand: string = commandOf(nodeArguments);

/** The words of a shell for a script and its arguments. */
export function commandOf(words: readonly string[]): string {
  return [process.execPath, ...words].map(shellWord).join(" ");
}

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** In place of the few files: what is said of memory and of modules is said of what users have. */
  readonly script?: typeof DIST;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command in a process of its own, with no credentials of whoever runs the tests. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  const home = temporaryFolder();
  const script = options.script === undefined ? nodeArguments : [options.script];
  const child = spawn(process.execPath, [...script, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env["PATH"], HOME: home, ...options.env },
  });
  // Gone before its folders are, in which it could still write, and so are its workers, which have its standard error.
  onTestFinished(async () => {
    if (child.kill("SIGKILL")) await once(child, "close");
  });
  return child;
}

/** Runs the command to its end. */
export async function daypass(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = start(args, options);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that does not read its input may have ended before it is written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [status] = await once(child, "close");
  return { status, stdout, stderr };
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "daypass-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** JSON Lines. */
export function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join("");
}

export function parseLines<T = Readonly<Record<string, never>>>(text: string): readonly T[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Largest resident memory of a process so far, in megabytes. */
export function peakMemory(pid: number | undefined): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

export const AWS = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
