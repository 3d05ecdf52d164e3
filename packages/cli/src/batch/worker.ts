import { parentPort, workerData } from "node:worker_threads";
import type { FoundKeys } from "../commands/sign/complete-line.ts";
import { answerBlock, type BlockAnswerer } from "./answer-block.ts";
import { lineAnswerer, recordFormat } from "./job.ts";
import type { WorkerCall, WorkerData, WorkerMessage } from "./worker-pool.ts";

const { job, slots } = workerData as WorkerData;

/** Questions for keys that the main thread has not answered yet. */
const asked = new Map<string, (found: FoundKeys) => void>();
const findKeys = (scheme: string): Promise<FoundKeys> =>
  new Promise((resolve) => {
    asked.set(scheme, resolve);
    parentPort?.postMessage({ kind: "find", scheme } satisfies WorkerMessage);
  });

// One block after another: a later one must not be answered first.
let last: Promise<BlockAnswerer> = lineAnswerer(job, findKeys).then((answer) => ({
  answer,
  format: recordFormat(job),
}));

parentPort?.on("message", (call: WorkerCall) => {
  if (call.kind === "found") {
    asked.get(call.scheme)?.(call.found);
    return;
  }
  last = last.then(async (answerer) => {
    const slot = slots[call.slot];
    const output = slot?.output ?? new Uint8Array();
    const bytes = call.length === undefined ? call.bytes : slot?.input.subarray(0, call.length);
    const block = bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const { bytes: answers, lines, refused } = await answerBlock(block, answerer, output);
    const isInSlot = answers.buffer === output.buffer;
    parentPort?.postMessage(
      {
        kind: "answered",
        lines,
        refused,
        ...(isInSlot ? { length: answers.length } : { bytes: answers }),
      } satisfies WorkerMessage,
      isInSlot ? [] : [answers.buffer as ArrayBuffer],
    );
    return answerer;
  });
});
