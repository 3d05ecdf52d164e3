/** Requests to a thread that runs a `*.thread.js` file. */
import { Worker } from "node:worker_threads";
import { type Caller, caller } from "./database/ipc-calls.ts";

/** A running thread. It keeps the process alive only while a request waits for its answer. */
export interface WorkerThread<Request> extends Caller<Request> {
  close(): Promise<unknown>;
}

export interface WorkerThreadOptions {
  /** For debuggers, and for errors. */
  readonly name: string;
  readonly workerData?: unknown;
  /** Called once when the thread no longer answers. */
  readonly onExit: () => void;
}

export function workerThread<Request>(
  file: URL,
  { name, workerData, onExit }: WorkerThreadOptions,
): WorkerThread<Request> {
  const worker = new Worker(file, { name: `daypass-${name}`, workerData });
  let waiting = 0;
  worker.unref();
  // The thread exits after an error, too.
  worker.on("error", () => {});
  worker.once("exit", onExit);
  const { ask, tell } = caller<Request>(
    {
      send: (message) => worker.postMessage(message),
      onMessage: (listener) => void worker.on("message", listener),
      onClose: (listener) => void worker.once("exit", listener),
    },
    `the ${name} thread failed`,
  );
  return {
    async ask(request) {
      waiting += 1;
      worker.ref();
      try {
        return await ask(request);
      } finally {
        waiting -= 1;
        if (waiting === 0) worker.unref();
      }
    },
    tell,
    close: () => worker.terminate(),
  };
}
