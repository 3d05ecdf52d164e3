import { parentPort, workerData } from "node:worker_threads";
import type { FoundKeys } from "../commands/sign/complete-line.ts";
import { lineProcessor, recordFormat } from "./job.ts";
import { type BlockProcessor, processBlock } from "./process-block.ts";
import type { WorkerCall, WorkerData, WorkerMessage } from "./worker-pool.ts";

const { job, buffers } = workerData as WorkerData;

/** Pending requests for keys, by scheme. */
const requests = new Map<string, (found: FoundKeys) => void>();
const findKeys = (scheme: string): Promise<FoundKeys> =>
  new Promise((resolve) => {
    requests.set(scheme, resolve);
    parentPort?.postMessage({ kind: "find", scheme } satisfies WorkerMessage);
  });

// Blocks are processed one after another, so that replies are in order.
let last: Promise<BlockProcessor> = lineProcessor(job, findKeys).then((processLine) => ({
  processLine,
  format: recordFormat(job),
}));

parentPort?.on("message", (call: WorkerCall) => {
  if (call.kind === "found") {
    requests.get(call.scheme)?.(call.found);
    return;
  }
  last = last.then(async (processor) => {
    const shared = buffers[call.buffer];
    const output = shared?.output ?? new Uint8Array();
    const bytes = call.length === undefined ? call.bytes : shared?.input.subarray(0, call.length);
    const block = bytes === undefined ? undefined : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const { bytes: results, lines, refused } = await processBlock(block, processor, output);
    const isShared = results.buffer === output.buffer;
    const place = isShared ? { length: results.length } : { bytes: results };
    parentPort?.postMessage(
      { kind: "done", lines, refused, ...place } satisfies WorkerMessage,
      isShared ? [] : [results.buffer as ArrayBuffer],
    );
    return processor;
  });
});
