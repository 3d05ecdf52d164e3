import type { Writable } from "node:stream";
import type { FindKeys } from "../commands/sign/complete-line.ts";
import { type AnsweredBlock, answerBlock } from "./answer-block.ts";
import { type BatchJob, lineAnswerer, recordFormat } from "./job.ts";
import type { RecordBlock } from "./record-blocks.ts";
import { workerPool } from "./worker-pool.ts";

/** What a batch has answered so far. */
export interface BatchCount {
  readonly lines: number;
  readonly refused: number;
}

/** One run over all lines of an input. */
export interface BatchOptions {
  readonly job: BatchJob;
  readonly blocks: AsyncIterable<RecordBlock>;
  readonly output: Writable;
  /** Threads that share the work; 0 does it in this one. */
  readonly workers: number;
  readonly findKeys: FindKeys;
  /** Told after each block. */
  readonly onProgress?: ((count: BatchCount) => void) | undefined;
}

/** Answers every line of the input on the output, in the same order, and resolves to the counts. */
export async function runBatch(options: BatchOptions): Promise<BatchCount> {
  const { output, workers, onProgress } = options;
  let count: BatchCount = { lines: 0, refused: 0 };
  for await (const { bytes, lines, refused } of workers === 0 ? inProcess(options) : inWorkers(options)) {
    count = { lines: count.lines + lines, refused: count.refused + refused };
    // The memory of an answered block is used again for the next one.
    await written(output, bytes);
    if (output.destroyed) break;
    onProgress?.(count);
  }
  return count;
}

// The answers to a chunk of a file, as a rule: what does not fit gets memory of its own.
const OUTPUT_BYTES = 2 * 1024 * 1024;

async function* inProcess({ job, blocks, findKeys }: BatchOptions): AsyncGenerator<AnsweredBlock> {
  const answerer = { answer: await lineAnswerer(job, findKeys), format: recordFormat(job) };
  const output = new Uint8Array(OUTPUT_BYTES);
  for await (const block of blocks) yield await answerBlock(block, answerer, output);
}

async function* inWorkers({ job, blocks, workers, findKeys }: BatchOptions): AsyncGenerator<AnsweredBlock> {
  const pool = workerPool(job, { size: workers, findKeys });
  try {
    yield* pool.answer(blocks);
  } finally {
    await pool.close();
  }
}

/** Resolves when the bytes have been passed on, and also when the stream has been closed: nobody is left to wait for. */
export function written(output: Writable, bytes: Uint8Array | string): Promise<void> {
  return new Promise((resolve) => {
    output.write(bytes, () => resolve());
  });
}
