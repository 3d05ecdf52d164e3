import { stat } from "node:fs/promises";
import type { Readable, Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { wholeNumber } from "../arguments.ts";
import { CommandError, type Context, type ExitStatus, print, UsageError } from "../command.ts";
import type { FindKeys } from "../commands/sign/complete-line.ts";
import { readError, writeError } from "../files.ts";
import { runBatch, written } from "./batch.ts";
import type { BatchArguments } from "./batch-options.ts";
import { type BatchInput, inputFile } from "./input-file.ts";
import type { BatchJob } from "./job.ts";
import { outputFile } from "./output-file.ts";
import { progress } from "./progress.ts";
import { type RecordBlock, recordBlocks, skipRecords, withFirst } from "./record-blocks.ts";
import type { RecordFormat } from "./record-format.ts";
import { type AnswerForm, expectAnswers, type StandingAnswers, standingAnswers } from "./standing-answers.ts";

/** A batch that is ready to run. */
export interface Batch {
  readonly job: BatchJob;
  readonly blocks: AsyncGenerator<RecordBlock, void, undefined>;
  /** The part of the input that has been read, see `BatchInput`. */
  readonly done: BatchInput["done"];
  /** Once the input has been read to its end: the line of a CSV file in which a quote opens that is never closed. */
  readonly unclosed?: (() => number | undefined) | undefined;
  readonly findKeys: FindKeys;
  /** The line that stands before all answers. */
  readonly header?: string | undefined;
  /** What stands in the output already, and belongs to lines that are no longer among the blocks. */
  readonly standing?: StandingAnswers | undefined;
}

const MAX_WORKERS = 64;

/** Runs a batch to a file or to standard output. */
export async function runBatchCommand(batch: Batch, args: BatchArguments, context: Context): Promise<ExitStatus> {
  const { job, blocks, done, unclosed, findKeys, header, standing } = batch;
  const workers = wholeNumber("--workers", args.workers ?? "0", { min: 0, max: MAX_WORKERS });
  const output: Writable = args.out === undefined ? context.stdout : await openOutput(args.out, standing, context);
  const ended = args.out === undefined ? undefined : complete(output, args.out);
  // Its failure also stops the batch, and is told behind it.
  ended?.catch(() => undefined);
  const shown = progress({ stderr: context.stderr, isForced: args.progress === true, done });
  if (header !== undefined && (standing?.lines ?? 0) === 0) await written(output, `${header}\n`);
  const count = await runBatch({ job, blocks, output, workers, findKeys, onProgress: shown.update });
  if (args.out !== undefined) output.end();
  await ended;
  shown.end(count);
  const line = unclosed?.();
  if (line !== undefined) {
    throw new CommandError(
      `expected a closing quote for the cell that opens in line ${line}, found the end of the CSV: all that follows was read as one record and refused; how many records it contains is unknown`,
    );
  }
  return args.strict === true && count.refused > 0 ? 1 : 0;
}

async function openOutput(path: string, standing: StandingAnswers | undefined, { stderr }: Context): Promise<Writable> {
  const onOpenMode = (): Promise<void> =>
    print(
      stderr,
      `warning: expected to give ${path} the mode 0600, found that this user may not: its other readers can see every URL`,
    );
  try {
    return await outputFile(path, { standing, onOpenMode });
  } catch (error) {
    throw writeError("--out", path, error);
  }
}

/** Resolves when all answers are in the file. */
async function complete(output: Writable, path: string): Promise<void> {
  try {
    await finished(output);
  } catch (error) {
    throw new CommandError(
      `expected room in ${path} for every answer, found ${(error as Error).message}: free some space, and continue with --resume`,
    );
  }
}

const MAX_RECORD_BYTES = 1024 * 1024;

/** Opens the input of `--batch` and cuts it into blocks. */
export async function batchInput(
  args: BatchArguments & { readonly batch: string },
  { format, stdin }: { readonly format: RecordFormat; readonly stdin: Readable },
): Promise<Pick<Batch, "blocks" | "done" | "unclosed">> {
  if (args.batch !== "-" && args.out !== undefined && (await isSameFile(args.batch, args.out)))
    throw new UsageError("expected --out to be a different file from --batch: its lines would be lost");
  // A missing file is reported before the output is created.
  const { chunks, done } =
    args.batch === "-" ? { chunks: stdin, done: () => undefined } : await openInput(args.batch, format.chunkBytes);
  let unclosed: number | undefined;
  const onUnclosed = (line: number): void => {
    unclosed = line;
  };
  const blocks = recordBlocks(chunks, { format, maxRecordBytes: MAX_RECORD_BYTES, onUnclosed });
  return { blocks, done, unclosed: () => unclosed };
}

async function openInput(path: string, chunkBytes: number): Promise<BatchInput> {
  try {
    return await inputFile(path, chunkBytes);
  } catch (error) {
    throw readError("--batch to name a file", path, error);
  }
}

/** What stands in the output, where `--resume` asks to go on behind it. */
export async function answersToResume(
  { resume, out }: BatchArguments,
  form: AnswerForm,
): Promise<StandingAnswers | undefined> {
  if (resume !== true) return undefined;
  if (out === undefined) throw new UsageError("expected --out FILE with --resume, found none");
  const standing = await standingAnswers(out);
  expectAnswers(out, standing, form);
  return standing;
}

/** Passes over the lines that have been answered. Refuses a file that cannot have come from these lines, untouched. */
export async function withoutAnswered(
  blocks: Batch["blocks"],
  { standing, hasHeader, format, out }: ResumeOptions,
): Promise<Batch["blocks"]> {
  const answered = Math.max(0, standing.lines - (hasHeader ? 1 : 0));
  const { skipped, rest } = await skipRecords(blocks, answered, format);
  const first = await rest.next();
  if (skipped < answered || (first.done === true && standing.torn !== "" && standing.lines > 0)) {
    throw new CommandError(
      `expected at most as many answers in ${out} as the input has lines (${skipped}), found ${answered}${standing.torn !== "" ? " and an incomplete one" : ""}: it belongs to another batch, choose another --out`,
    );
  }
  return first.done === true ? rest : withFirst(first.value, rest);
}

interface ResumeOptions {
  readonly standing: StandingAnswers;
  readonly hasHeader: boolean;
  readonly format: RecordFormat;
  readonly out: string | undefined;
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [first, second] = await Promise.all([a, b].map((path) => stat(path).catch(() => undefined)));
  return first !== undefined && second !== undefined && first.ino === second.ino && first.dev === second.dev;
}
