import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { AnsweredBlock } from "./answer-block.ts";
import type { BatchKind } from "./answerers.ts";
import type { LineBlock } from "./line-blocks.ts";

/** Threads that answer blocks of lines. */
export interface WorkerPool {
  /** Answers in the order of the blocks. Reads at most two blocks ahead for each thread, so memory stays flat. */
  answer(blocks: AsyncIterable<LineBlock>): AsyncGenerator<WorkerAnswer, void, undefined>;
  close(): Promise<void>;
}

/** An answered block as it comes back from a thread: bytes cross without a copy, text does not. */
export interface WorkerAnswer extends Omit<AnsweredBlock, "text"> {
  readonly text: Uint8Array;
}

const BLOCKS_A_WORKER = 2;

interface Waiting {
  readonly resolve: (answer: WorkerAnswer) => void;
  readonly reject: (error: unknown) => void;
}

interface PoolWorker {
  readonly worker: Worker;
  /** What was sent and not answered; a thread answers in order. */
  readonly waiting: Waiting[];
}

/** Starts threads for one kind of batch. */
export function workerPool(kind: BatchKind, size: number): WorkerPool {
  // The sibling has the ending that this file has: .js where it is built, .ts in tests.
  const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
  const workers = Array.from({ length: size }, (): PoolWorker => {
    const worker = new Worker(entry, { workerData: kind });
    const waiting: Waiting[] = [];
    worker.on("message", (answer: WorkerAnswer) => waiting.shift()?.resolve(answer));
    const fail = (error: unknown): void => {
      for (const { reject } of waiting.splice(0)) reject(error);
    };
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("a worker ended before it had answered")));
    return { worker, waiting };
  });

  const send = (block: LineBlock): Promise<WorkerAnswer> => {
    const idlest = workers.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a));
    return new Promise((resolve, reject) => {
      idlest.waiting.push({ resolve, reject });
      if (block.kind === "too-long") return idlest.worker.postMessage(block);
      // A copy of its own, because the bytes may lie in a pool that other chunks share.
      const bytes = new Uint8Array(block.bytes);
      idlest.worker.postMessage({ kind: "lines", bytes } satisfies LineBlock, [bytes.buffer]);
    });
  };

  return {
    async *answer(blocks) {
      const iterator = blocks[Symbol.asyncIterator]();
      const answers: Promise<WorkerAnswer>[] = [];
      let next: Promise<IteratorResult<LineBlock>> | undefined = iterator.next();
      while (next !== undefined || answers.length > 0) {
        const [oldest] = answers;
        // An answer that is ready goes out even while the input is silent: somebody may be waiting for it to go on.
        const read = next !== undefined && answers.length < size * BLOCKS_A_WORKER ? next : undefined;
        const event = await Promise.race([
          ...(oldest === undefined ? [] : [oldest.then((answer) => ({ answer }))]),
          ...(read === undefined ? [] : [read.then((block) => ({ block }))]),
        ]);
        if ("answer" in event) {
          answers.shift();
          yield event.answer;
        } else if (event.block.done === true) {
          next = undefined;
        } else {
          const answer = send(event.block.value);
          // Whoever takes the answer sees the error; until then it is not an unhandled one.
          answer.catch(() => undefined);
          answers.push(answer);
          next = iterator.next();
        }
      }
    },
    async close() {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}
