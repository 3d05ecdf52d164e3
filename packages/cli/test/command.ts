import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { runProgram } from "../src/program.ts";

/** The built command, as users install it. `built.ts` builds it. */
export const DIST: string = fileURLToPath(new URL("../dist/main.js", import.meta.url));

/** The arguments of `node` that run the command. */
export const nodeArguments: readonly string[] = [DIST];

/** The same as words of a shell, quoted because the folder of the clone may have any name. */
export const nodeCommand: string = [process.execPath, ...nodeArguments].map(shellWord).join(" ");

/** A text as one word of a POSIX shell. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Another user who runs the command. */
  readonly uid?: number | undefined;
}

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the command in its own process, without the credentials of the user who runs the tests. */
export function start(args: readonly string[], options: RunOptions = {}): ChildProcessWithoutNullStreams {
  const home = temporaryFolder();
  const child = spawn(process.execPath, [...nodeArguments, ...args], {
    cwd: options.cwd ?? home,
    env: { PATH: process.env["PATH"], HOME: home, ...options.env },
    uid: options.uid,
  });
  // Wait for its end, because it could still write into the folders that are removed next.
  onTestFinished(async () => {
    if (child.kill("SIGKILL")) await once(child, "close");
  });
  return child;
}

/** Runs the command in its own process. */
export async function daypassProcess(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const child = start(args, options);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A command that does not read its input may exit before the input is written.
  child.stdin.on("error", () => undefined);
  child.stdin.end(options.input ?? "");
  const [status] = await once(child, "close");
  return { status, stdout, stderr };
}

/** Runs the command inside the test's process. It starts in the folder of the tests, and its home is empty. */
export async function daypass(
  args: readonly string[],
  { input = "", env = {} }: Pick<RunOptions, "input" | "env"> = {},
): Promise<Finished> {
  const [stdout, stderr] = [collector(), collector()];
  const { stackTraceLimit } = Error;
  const context = {
    env: { PATH: process.env["PATH"], HOME: EMPTY_HOME, ...env },
    stdin: Readable.from(pipeChunks(Buffer.from(input))),
    stdout: stdout.stream,
    stderr: stderr.stream,
  };
  const status = await runProgram(args, context);
  // `scan` switches stack traces off.
  Error.stackTraceLimit = stackTraceLimit;
  return { status, stdout: stdout.text(), stderr: stderr.text() };
}

/** A pipe delivers 64 KB at a time. */
function* pipeChunks(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
}

const EMPTY_HOME = "/nonexistent";

function collector(): { readonly stream: Writable; text(): string } {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

/** A new folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "daypass-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Splits a command line at spaces. An inserted value stays one word, or several if it is a list. */
export function words(texts: TemplateStringsArray, ...values: readonly (string | readonly string[])[]): string[] {
  return texts.flatMap((text, i) => [...text.split(" ").filter(Boolean), ...values.slice(i, i + 1).flat()]);
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

/** The largest resident memory of a process so far, in megabytes. */
export function peakMemory(pid: number | undefined): number {
  const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kilobytes) / 1024;
}

export const AWS = {
  AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
};
