import { extname } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { FindKeys, FoundKeys } from "../commands/sign/complete-line.ts";
import type { BatchJob } from "./job.ts";
import type { BlockResult } from "./process-block.ts";
import type { RecordBlock } from "./record-blocks.ts";

/** Memory that the main thread and one worker share: a block of lines in one direction, its results in the other. Nothing is copied. */
export interface SharedBuffers {
  readonly input: Uint8Array;
  readonly output: Uint8Array;
}

// Two buffers are in progress or in transit while the third one is written out.
const BUFFERS_PER_WORKER = 3;
// A chunk of a file, and the beginning of a line from the chunk before.
const INPUT_BYTES = 512 * 1024;
// Usually enough for the results of a chunk. Larger results are sent as a message.
export const OUTPUT_BYTES: number = 2 * 1024 * 1024;

function newBuffers(): readonly SharedBuffers[] {
  return Array.from({ length: BUFFERS_PER_WORKER }, () => ({
    input: new Uint8Array(new SharedArrayBuffer(INPUT_BYTES)),
    output: new Uint8Array(new SharedArrayBuffer(OUTPUT_BYTES)),
  }));
}

/** Threads that process blocks of lines. */
export interface WorkerPool {
  /**
   * Yields results in the order of the blocks. A result is valid until the next one is requested. Reads at most as many blocks ahead as
   * there are buffers, so that memory stays constant.
   */
  process(blocks: AsyncIterable<RecordBlock>): AsyncGenerator<BlockResult, void, undefined>;
  close(): Promise<void>;
}

/** The data of a worker. */
export interface WorkerData {
  readonly job: BatchJob;
  readonly buffers: readonly SharedBuffers[];
}

/** A message to a worker: a block in a shared buffer, a block that is too large for it or has no bytes, or found keys. */
export type WorkerCall =
  | { readonly kind: "block"; readonly buffer: number; readonly length: number }
  | {
      readonly kind: "block";
      readonly buffer: number;
      readonly length?: undefined;
      readonly bytes: Uint8Array | undefined;
    }
  | { readonly kind: "found"; readonly scheme: string; readonly found: FoundKeys };

/** A message of a worker: results in the shared buffer, results that do not fit, or a request for keys. */
export type WorkerMessage = WorkerResult | { readonly kind: "find"; readonly scheme: string };

type WorkerResult = { readonly kind: "done"; readonly lines: number; readonly refused: number } & (
  | { readonly length: number }
  | { readonly length?: undefined; readonly bytes: Uint8Array }
);

interface PoolWorker {
  readonly worker: Worker;
  readonly buffers: readonly SharedBuffers[];
  readonly free: number[];
  /** Blocks in progress. A worker replies in order. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly resolve: (result: WorkerResult) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolResult {
  readonly block: BlockResult;
  /** Returns the buffer to the worker. */
  release(): void;
}

/** Options of {@link workerPool}. */
export interface WorkerPoolOptions {
  readonly size: number;
  readonly findKeys: FindKeys;
}

/** Starts threads for one job. */
export function workerPool(job: BatchJob, { size, findKeys }: WorkerPoolOptions): WorkerPool {
  const workers = Array.from({ length: size }, () => poolWorker(job, findKeys));
  return {
    async *process(blocks) {
      const iterator = blocks[Symbol.asyncIterator]();
      const results: Promise<PoolResult>[] = [];
      const read = (): Promise<IteratorResult<RecordBlock>> => {
        const block = iterator.next();
        // If the consumer stops, this read is never awaited.
        block.catch(() => undefined);
        return block;
      };
      let next: Promise<IteratorResult<RecordBlock>> | undefined = read();
      while (next !== undefined || results.length > 0) {
        const [oldest] = results;
        // Yield a finished result even if the input is idle, because the sender of the input may wait for it.
        const reading = next !== undefined && results.length < size * BUFFERS_PER_WORKER ? next : undefined;
        const event = await Promise.race([
          ...(oldest === undefined ? [] : [oldest.then((result) => ({ result }))]),
          ...(reading === undefined ? [] : [reading.then((block) => ({ block }))]),
        ]);
        if ("result" in event) {
          results.shift();
          yield event.result.block;
          event.result.release();
        } else if (event.block.done === true) {
          next = undefined;
        } else {
          const result = send(workers, event.block.value);
          // Awaited later. Until then a rejection must not count as unhandled.
          result.catch(() => undefined);
          results.push(result);
          next = read();
        }
      }
    },
    async close() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}

/** No object outlives its line. So a young heap of the size of a core's cache is as fast as a larger one, and takes a quarter less memory. */
const HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 8 };

function poolWorker(job: BatchJob, findKeys: FindKeys): PoolWorker {
  // .js in the build, .ts in tests.
  const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
  const buffers = newBuffers();
  const worker = new Worker(entry, { workerData: { job, buffers } satisfies WorkerData, resourceLimits: HEAP });
  const waiting: Waiting[] = [];
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "done") return waiting.shift()?.resolve(message);
    const { scheme } = message;
    findKeys(scheme).then(
      (found) => worker.postMessage({ kind: "found", scheme, found } satisfies WorkerCall),
      (error: unknown) => fail(error),
    );
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a worker exited before it replied")));
  return { worker, buffers, free: buffers.map((_, index) => index), waiting };
}

async function send(workers: readonly PoolWorker[], block: RecordBlock): Promise<PoolResult> {
  const { worker, buffers, free, waiting } = workers.reduce((a, b) => (b.free.length > a.free.length ? b : a));
  const index = free.shift();
  const shared = index === undefined ? undefined : buffers[index];
  if (index === undefined || shared === undefined) throw new Error("no buffer is free");
  const result = await new Promise<WorkerResult>((resolve, reject) => {
    waiting.push({ resolve, reject });
    if (block !== undefined && block.length <= shared.input.length) {
      shared.input.set(block);
      worker.postMessage({ kind: "block", buffer: index, length: block.length } satisfies WorkerCall);
    } else {
      // A copy, because a transfer would include the memory around the block.
      const bytes = block === undefined ? undefined : new Uint8Array(block);
      worker.postMessage({ kind: "block", buffer: index, bytes } satisfies WorkerCall, bytes ? [bytes.buffer] : []);
    }
  });
  const { lines, refused } = result;
  const bytes = result.length === undefined ? result.bytes : shared.output.subarray(0, result.length);
  return { block: { bytes, lines, refused }, release: () => free.push(index) };
}
