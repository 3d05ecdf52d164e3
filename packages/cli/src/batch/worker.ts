import { parentPort, workerData } from "node:worker_threads";
import { answerBlock } from "./answer-block.ts";
import { ANSWERERS, type BatchKind } from "./answerers.ts";
import type { LineBlock } from "./line-blocks.ts";
import type { WorkerAnswer } from "./worker-pool.ts";

const answer = ANSWERERS[workerData as BatchKind]();
// One block after another: a later one must not be answered first.
let last: Promise<void> = Promise.resolve();

parentPort?.on("message", (block: LineBlock) => {
  last = last.then(async () => {
    const { text, lines, refused } = await answerBlock(block, answer);
    const bytes = new TextEncoder().encode(text);
    parentPort?.postMessage({ text: bytes, lines, refused } satisfies WorkerAnswer, [bytes.buffer]);
  });
});
