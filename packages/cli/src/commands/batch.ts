import { createReadStream, createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { wholeNumber } from "../arguments.ts";
import type { BatchKind } from "../batch/answerers.ts";
import { type BatchCount, runBatch } from "../batch/batch.ts";
import { type Context, type ExitStatus, type OutputStream, UsageError } from "../command.ts";

/** The options that `sign --batch` and `verify --batch` share. */
export const BATCH_OPTIONS = {
  batch: { type: "string" },
  out: { type: "string" },
  workers: { type: "string" },
  strict: { type: "boolean" },
} as const;

export const BATCH_HELP = `  --batch FILE|-        JSON Lines in, JSON Lines out: a line for a line, in the same order; - reads standard input
  --out FILE            where the answers go (mode 0600), standard output by default
  --workers N           threads that share the work, 0 by default
  --strict              exit with 1 when a line was refused; by default a batch that was answered to its end is done`;

interface BatchArguments {
  readonly batch: string;
  readonly out?: string | undefined;
  readonly workers?: string | undefined;
  readonly strict?: boolean | undefined;
}

/** Refuses the options of a batch where there is none. */
export function refuseBatchOptions(options: Partial<BatchArguments>): void {
  for (const name of ["out", "workers", "strict"] as const) {
    if (options[name] !== undefined) throw new UsageError(`expected --batch with --${name}, found none`);
  }
}

const MAX_WORKERS = 64;
// Large enough that a thread is worth its wake-up, small enough that a few of them in flight are little memory.
const FILE_CHUNK = 256 * 1024;

/** Runs a batch from and to files or the standard streams. */
export async function batchCommand(kind: BatchKind, args: BatchArguments, context: Context): Promise<ExitStatus> {
  const workers = wholeNumber("--workers", args.workers ?? "0", { min: 0, max: MAX_WORKERS });
  if (args.batch !== "-" && args.out !== undefined && (await isSameFile(args.batch, args.out)))
    throw new UsageError("expected --out to be another file than --batch: its lines would be lost");
  const input = args.batch === "-" ? context.stdin : await open(args.batch);
  const output = args.out === undefined ? context.stdout : createWriteStream(args.out, { mode: 0o600 });
  const ended = output === context.stdout ? undefined : finished(output);
  const progress = progressLine(context.stderr);
  const count = await runBatch({ kind, input, output, workers, onProgress: progress.update });
  output === context.stdout || output.end();
  await ended;
  progress.end(count);
  return args.strict === true && count.refused > 0 ? 1 : 0;
}

async function open(path: string): Promise<Readable> {
  // A missing file is reported before the output is created.
  await stat(path);
  return createReadStream(path, { highWaterMark: FILE_CHUNK });
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev;
}

const UPDATE_MS = 200;

/** Progress for a person: one line that is written over. A pipe gets only the sum, and only if something was refused. */
function progressLine(stderr: OutputStream): { update(count: BatchCount): void; end(count: BatchCount): void } {
  const start = performance.now();
  let shown = start;
  const line = ({ lines, refused }: BatchCount): string => {
    const seconds = (performance.now() - start) / 1000;
    return `${lines.toLocaleString("en")} lines, ${refused.toLocaleString("en")} refused, ${Math.round(lines / seconds).toLocaleString("en")}/s`;
  };
  return {
    update(count) {
      if (stderr.isTTY !== true || performance.now() - shown < UPDATE_MS) return;
      shown = performance.now();
      stderr.write(`\r\u001b[K${line(count)}`);
    },
    end(count) {
      if (stderr.isTTY === true) stderr.write(`\r\u001b[K${line(count)}\n`);
      else if (count.refused > 0) stderr.write(`${line(count)}\n`);
    },
  };
}
