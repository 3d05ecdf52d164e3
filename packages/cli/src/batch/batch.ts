import type { Writable } from "node:stream";
import { drained } from "../command.ts";
import { type AnsweredBlock, answerBlock } from "./answer-block.ts";
import { ANSWERERS, type BatchKind } from "./answerers.ts";
import { type LineBlock, lineBlocks } from "./line-blocks.ts";
import { type WorkerAnswer, workerPool } from "./worker-pool.ts";

/** What a batch has answered so far. */
export interface BatchCount {
  readonly lines: number;
  readonly refused: number;
}

/** One run over all lines of an input. */
export interface BatchOptions {
  readonly kind: BatchKind;
  readonly input: AsyncIterable<Uint8Array>;
  readonly output: Writable;
  /** Threads that share the work; 0 does it in this one. */
  readonly workers: number;
  readonly maxLineBytes?: number | undefined;
  /** Told after each block. */
  readonly onProgress?: ((count: BatchCount) => void) | undefined;
}

const MAX_LINE_BYTES = 1024 * 1024;

/** Answers every line of the input on the output, in the same order, and resolves to the counts. */
export async function runBatch(options: BatchOptions): Promise<BatchCount> {
  const { kind, input, output, workers, maxLineBytes = MAX_LINE_BYTES, onProgress } = options;
  let count: BatchCount = { lines: 0, refused: 0 };
  const blocks = lineBlocks(input, maxLineBytes);
  for await (const { text, lines, refused } of workers === 0 ? inProcess(kind, blocks) : inWorkers()) {
    count = { lines: count.lines + lines, refused: count.refused + refused };
    if (output.destroyed) break;
    if (!output.write(text)) await drained(output);
    onProgress?.(count);
  }
  return count;

  async function* inWorkers(): AsyncGenerator<WorkerAnswer> {
    const pool = workerPool(kind, workers);
    try {
      yield* pool.answer(blocks);
    } finally {
      await pool.close();
    }
  }
}

async function* inProcess(kind: BatchKind, blocks: AsyncIterable<LineBlock>): AsyncGenerator<AnsweredBlock> {
  const answer = ANSWERERS[kind]();
  for await (const block of blocks) yield await answerBlock(block, answer);
}
