import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { CommandError, type Context, UsageError } from "../../command.ts";
import { readError } from "../../files.ts";

/** A text to scan. */
export interface Source {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Whether the text is the output of `git log`, which names commits and files itself. */
  readonly isHistory: boolean;
}

/** Called for each file or folder that cannot be read. The scan continues. */
export type OnUnreadable = (path: string, error: NodeJS.ErrnoException) => void;

/** A file, the files below a folder, or standard input. */
export async function* fileSources(
  path: string,
  { stdin, onUnreadable }: { readonly stdin: Readable; readonly onUnreadable: OnUnreadable },
): AsyncGenerator<Source> {
  if (path === "-") return yield { name: "-", chunks: stdin, isHistory: false };
  const stats = await stat(path).catch((error: unknown) => {
    throw readError("the argument", path, error);
  });
  if (!stats.isDirectory()) return yield source(path);
  yield* below(path, onUnreadable);
}

// Sorted, so that every run prints the same order.
async function* below(folder: string, onUnreadable: OnUnreadable): AsyncGenerator<Source> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    onUnreadable(folder, error);
    return [];
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    // The files in .git are compressed. `--git` reads them.
    if (entry.isDirectory() && entry.name !== ".git") yield* below(path, onUnreadable);
    else if (entry.isFile() || (entry.isSymbolicLink() && (await leadsToFile(path)))) yield source(path);
  }
}

/** Whether a link points to a file, as Kubernetes' container logs do. Links to folders may form a circle. */
async function leadsToFile(link: string): Promise<boolean> {
  try {
    return (await stat(link)).isFile();
  } catch (error) {
    // Other errors are reported when the file is read.
    return !["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}

function source(path: string): Source {
  return { name: path, chunks: fileChunks(path), isHistory: false };
}

const CHUNK = 256 * 1024;

async function* fileChunks(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: CHUNK });
  if (!path.endsWith(".gz")) return yield* file;
  const text = createGunzip();
  // The reader of the text gets the errors of both streams.
  pipeline(file, text, () => undefined);
  yield* text;
}

/** The repository of a history. */
export interface Repository {
  /** `undefined` for the repository of the current folder. */
  readonly path: string | undefined;
  readonly env: Context["env"];
}

// In a hook, these variables override the repository that `-C` names.
const REPOSITORY_VARIABLES = ["GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY"];

function withoutRepository(env: Context["env"]): Context["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !REPOSITORY_VARIABLES.includes(name)));
}

/** The messages and changes of all commits of all branches, or of a range. */
export async function* historySource(range: string | undefined, { path, env }: Repository): AsyncGenerator<Source> {
  const repository = path ?? ".";
  if (range?.startsWith("-")) throw new UsageError(`the range is ${JSON.stringify(range)}. Write one such as v1..HEAD`);
  const settings = ["core.quotePath=false", "diff.noprefix=false", "log.showRoot=true"].flatMap((text) => ["-c", text]);
  const args = ["-C", repository, ...settings, "log", "--patch", "-m"];
  // No colours, and no programs that the repository configures.
  const plain = ["--no-color", "--no-ext-diff", "--no-textconv", "--text", "--src-prefix=a/", "--dst-prefix=b/"];
  const which = range === undefined ? ["--all"] : ["--end-of-options", range];
  const child = spawn("git", [...args, ...plain, "--format=%x00commit %H%n%B", ...which, "--"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: path === undefined ? env : withoutRepository(env),
  });
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk}`.slice(0, 500);
  });
  const ended = new Promise<number | string>((resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (status) => resolve(status ?? "a signal"));
  });
  try {
    yield { name: repository, chunks: child.stdout, isHistory: true };
    const status = await ended;
    if (status !== 0) throw new CommandError(`git log failed: ${complaint.trim().split("\n")[0] || status}`);
  } finally {
    child.kill();
  }
}
