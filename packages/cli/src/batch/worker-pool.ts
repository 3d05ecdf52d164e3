import { extname } from "node:path";
import { type ResourceLimits, Worker } from "node:worker_threads";
import type { FindKeys, FoundKeys } from "../commands/sign/complete-line.ts";
import type { AnsweredBlock } from "./answer-block.ts";
import type { BatchJob } from "./job.ts";
import type { RecordBlock } from "./record-blocks.ts";
import { newSlots, SLOTS_A_WORKER, type Slot } from "./slots.ts";

/** Threads that answer blocks of lines. */
export interface WorkerPool {
  /**
   * Answers in the order of the blocks. What is yielded is valid until the next one is asked for. Reads at most as many
   * blocks ahead as there are slots, so memory stays flat.
   */
  answer(blocks: AsyncIterable<RecordBlock>): AsyncGenerator<AnsweredBlock, void, undefined>;
  close(): Promise<void>;
}

/** What a worker is made with. */
export interface WorkerData {
  readonly job: BatchJob;
  readonly slots: readonly Slot[];
}

/** What a worker is told: a block in a slot, one that no slot can hold or that is no bytes at all, or an answer. */
export type WorkerCall =
  | { readonly kind: "block"; readonly slot: number; readonly length: number }
  | {
      readonly kind: "block";
      readonly slot: number;
      readonly length?: undefined;
      readonly bytes: Uint8Array | undefined;
    }
  | { readonly kind: "found"; readonly scheme: string; readonly found: FoundKeys };

/** What a worker says: answers in the slot, or outside where it cannot hold them; or a question. */
export type WorkerMessage = WorkerAnswer | { readonly kind: "find"; readonly scheme: string };

type WorkerAnswer = { readonly kind: "answered"; readonly lines: number; readonly refused: number } & (
  | { readonly length: number }
  | { readonly length?: undefined; readonly bytes: Uint8Array }
);

interface PoolWorker {
  readonly worker: Worker;
  readonly slots: readonly Slot[];
  readonly free: number[];
  /** What was sent and not answered; a thread answers in order. */
  readonly waiting: Waiting[];
}

interface Waiting {
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolAnswer {
  readonly block: AnsweredBlock;
  /** Gives the slot back. */
  release(): void;
}

export interface WorkerPoolOptions {
  readonly size: number;
  readonly findKeys: FindKeys;
}

/** Starts threads for one job. */
export function workerPool(job: BatchJob, { size, findKeys }: WorkerPoolOptions): WorkerPool {
  const workers = Array.from({ length: size }, () => poolWorker(job, findKeys));
  return {
    async *answer(blocks) {
      const iterator = blocks[Symbol.asyncIterator]();
      const answers: Promise<PoolAnswer>[] = [];
      const read = (): Promise<IteratorResult<RecordBlock>> => {
        const block = iterator.next();
        // Whoever stops early leaves it behind, and then the input is closed.
        block.catch(() => undefined);
        return block;
      };
      let next: Promise<IteratorResult<RecordBlock>> | undefined = read();
      while (next !== undefined || answers.length > 0) {
        const [oldest] = answers;
        // An answer that is ready goes out even while the input is silent: somebody may be waiting for it to go on.
        const reading = next !== undefined && answers.length < size * SLOTS_A_WORKER ? next : undefined;
        const event = await Promise.race([
          ...(oldest === undefined ? [] : [oldest.then((answer) => ({ answer }))]),
          ...(reading === undefined ? [] : [reading.then((block) => ({ block }))]),
        ]);
        if ("answer" in event) {
          answers.shift();
          yield event.answer.block;
          event.answer.release();
        } else if (event.block.done === true) {
          next = undefined;
        } else {
          const answer = send(workers, event.block.value);
          // Whoever takes the answer sees the error; until then it is not an unhandled one.
          answer.catch(() => undefined);
          answers.push(answer);
          next = read();
        }
      }
    },
    async close() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}

/**
 * Nothing that a line leaves behind outlives it, so a young heap that fits a core's cache is swept as fast as one six times as
 * large, and a quarter less memory is held.
 */
const HEAP: ResourceLimits = { maxYoungGenerationSizeMb: 8 };

function poolWorker(job: BatchJob, findKeys: FindKeys): PoolWorker {
  // The sibling has the ending that this file has: .js where it is built, .ts in tests.
  const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
  const slots = newSlots();
  const worker = new Worker(entry, { workerData: { job, slots } satisfies WorkerData, resourceLimits: HEAP });
  const waiting: Waiting[] = [];
  const fail = (error: unknown): void => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "answered") return waiting.shift()?.resolve(message);
    const { scheme } = message;
    findKeys(scheme).then(
      (found) => worker.postMessage({ kind: "found", scheme, found } satisfies WorkerCall),
      (error: unknown) => fail(error),
    );
  });
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a worker exited before it answered")));
  return { worker, slots, free: slots.map((_, index) => index), waiting };
}

async function send(workers: readonly PoolWorker[], block: RecordBlock): Promise<PoolAnswer> {
  const { worker, slots, free, waiting } = workers.reduce((a, b) => (b.free.length > a.free.length ? b : a));
  const index = free.shift();
  const slot = index === undefined ? undefined : slots[index];
  if (index === undefined || slot === undefined) throw new Error("expected a free slot, found none");
  const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
    waiting.push({ resolve, reject });
    if (block !== undefined && block.length <= slot.input.length) {
      slot.input.set(block);
      worker.postMessage({ kind: "block", slot: index, length: block.length } satisfies WorkerCall);
    } else {
      // Of its own, because the memory around a piece would be sent with it.
      const bytes = block === undefined ? undefined : new Uint8Array(block);
      worker.postMessage({ kind: "block", slot: index, bytes } satisfies WorkerCall, bytes ? [bytes.buffer] : []);
    }
  });
  const { lines, refused } = answer;
  const bytes = answer.length === undefined ? answer.bytes : slot.output.subarray(0, answer.length);
  return { block: { bytes, lines, refused }, release: () => free.push(index) };
}
