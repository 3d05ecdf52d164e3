import { stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { wholeNumber } from "../arguments.ts";
import { CommandError, type Context, type ExitStatus, print, UsageError } from "../command.ts";
import type { FindKeys } from "../commands/sign/complete-line.ts";
import { readError, writeError } from "../files.ts";
import { type BatchInput, inputFile, outputFile } from "./batch-files.ts";
import { type ExistingResults, existingResults, expectResults, type ResultFormat } from "./existing-results.ts";
import { type BatchJob, lineProcessor, recordFormat } from "./job.ts";
import type { BatchArguments } from "./options.ts";
import { type BlockResult, processBlock } from "./process-block.ts";
import { type BatchCount, progress } from "./progress.ts";
import { type RecordBlock, recordBlocks, skipRecords, withFirst } from "./record-blocks.ts";
import type { RecordFormat } from "./record-format.ts";
import { OUTPUT_BYTES, workerPool } from "./worker-pool.ts";

/** A batch that is ready to run. */
export interface Batch {
  readonly job: BatchJob;
  readonly blocks: AsyncGenerator<RecordBlock, void, undefined>;
  /** The part of the input that has been read, see {@link BatchInput}. */
  readonly done: BatchInput["done"];
  /** At the end of a CSV input: the line of an unclosed quote. */
  readonly unclosed?: (() => number | undefined) | undefined;
  readonly findKeys: FindKeys;
  /** The header line of the output. */
  readonly header?: string | undefined;
  /** The results in the output file, whose lines are not in the blocks. */
  readonly existing?: ExistingResults | undefined;
}

const MAX_WORKERS = 64;

/** Runs a batch, to a file or to standard output. */
export async function runBatch(batch: Batch, args: BatchArguments, context: Context): Promise<ExitStatus> {
  const { unclosed, header, existing } = batch;
  const workers = wholeNumber("--workers", args.workers ?? "0", { min: 0, max: MAX_WORKERS });
  const output: Writable = args.out === undefined ? context.stdout : await openOutput(args.out, existing, context);
  const ended = args.out === undefined ? undefined : expectWritten(output, args.out);
  // Awaited below. Until then a rejection must not count as unhandled.
  ended?.catch(() => undefined);
  const display = progress({ stderr: context.stderr, isForced: args.progress === true, done: batch.done });
  if (header !== undefined && (existing?.lines ?? 0) === 0) await write(output, `${header}\n`);
  let count: BatchCount = { lines: 0, refused: 0 };
  for await (const { bytes, lines, refused } of workers === 0 ? inThisThread(batch) : inWorkers(batch, workers)) {
    count = { lines: count.lines + lines, refused: count.refused + refused };
    // The memory of the block is reused after this write.
    await write(output, bytes);
    if (output.destroyed) break;
    display.update(count);
  }
  if (args.out !== undefined) output.end();
  await ended;
  display.end(count);
  const line = unclosed?.();
  if (line !== undefined) {
    throw new CommandError(
      `the cell that opens in line ${line} has no closing quote, so all records from there were read as one and refused. Close the quote`,
    );
  }
  return args.strict === true && count.refused > 0 ? 1 : 0;
}

async function* inThisThread({ job, blocks, findKeys }: Batch): AsyncGenerator<BlockResult> {
  const processor = { processLine: await lineProcessor(job, findKeys), format: recordFormat(job) };
  const output = new Uint8Array(OUTPUT_BYTES);
  for await (const block of blocks) yield await processBlock(block, processor, output);
}

async function* inWorkers({ job, blocks, findKeys }: Batch, size: number): AsyncGenerator<BlockResult> {
  const pool = workerPool(job, { size, findKeys });
  try {
    yield* pool.process(blocks);
  } finally {
    await pool.close();
  }
}

/** Resolves after the bytes were written, or the stream was closed. */
function write(output: Writable, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => {
    output.write(bytes, () => resolve());
  });
}

async function openOutput(path: string, existing: ExistingResults | undefined, { stderr }: Context): Promise<Writable> {
  const onOpenMode = (): Promise<void> =>
    print(
      stderr,
      `warning: this user may not change the mode of ${path} to 0600, so its other readers can see every URL`,
    );
  try {
    return await outputFile(path, { existing, onOpenMode });
  } catch (error) {
    throw writeError("--out", path, error);
  }
}

async function expectWritten(output: Writable, path: string): Promise<void> {
  try {
    await finished(output);
  } catch (error) {
    throw new CommandError(
      `${path} cannot take every answer: ${(error as Error).message}. Free some space, and continue with --resume`,
    );
  }
}

const MAX_RECORD_BYTES = 1024 * 1024;

/** Opens the input of `--batch` and splits it into blocks. */
export async function batchInput(
  args: BatchArguments & { readonly batch: string },
  { format, stdin }: { readonly format: RecordFormat; readonly stdin: Readable },
): Promise<Pick<Batch, "blocks" | "done" | "unclosed">> {
  if (args.batch !== "-" && args.out !== undefined && (await isSameFile(args.batch, args.out)))
    throw new UsageError("--out and --batch name the same file, whose lines would be lost. Name another file in --out");
  // Report a missing input file before the output file is created.
  const { chunks, done } =
    args.batch === "-"
      ? { chunks: stdin, done: () => undefined }
      : await inputFile(args.batch, format.chunkBytes).catch((error: unknown) => {
          throw readError("--batch", args.batch, error);
        });
  let unclosed: number | undefined;
  const onUnclosed = (line: number): void => {
    unclosed = line;
  };
  const blocks = recordBlocks(chunks, { format, maxRecordBytes: MAX_RECORD_BYTES, onUnclosed });
  return { blocks, done, unclosed: () => unclosed };
}

/** The results in the output file if `--resume` is given. */
export async function resultsToResume(
  { resume, out }: BatchArguments,
  format: ResultFormat,
): Promise<ExistingResults | undefined> {
  if (resume !== true) return undefined;
  if (out === undefined) throw new UsageError("--resume needs --out FILE");
  const existing = await existingResults(out);
  expectResults(out, existing, format);
  return existing;
}

interface ResumeOptions {
  readonly existing: ExistingResults | undefined;
  readonly hasHeader: boolean;
  readonly format: RecordFormat;
  readonly out: string | undefined;
}

/** Skips the lines that have results. Refuses results that cannot belong to these lines. */
export async function skipExisting(
  blocks: Batch["blocks"],
  { existing, hasHeader, format, out }: ResumeOptions,
): Promise<Batch["blocks"]> {
  if (existing === undefined) return blocks;
  const { lines, incomplete } = existing;
  const results = Math.max(0, lines - (hasHeader ? 1 : 0));
  const { skipped, rest } = await skipRecords(blocks, results, format);
  const first = await rest.next();
  if (skipped < results || (first.done === true && incomplete !== "" && lines > 0)) {
    throw new CommandError(
      `${out} has ${results}${incomplete !== "" ? " whole" : ""} answers and the input ${skipped} lines, so it belongs to another batch. Choose another --out`,
    );
  }
  return first.done === true ? rest : withFirst(first.value, rest);
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev;
}
