/** Requests to a thread that runs a `*.thread.js` file. */
import { Worker } from "node:worker_threads";
import { StorageError } from "../contract/storage.ts";

/** A running thread. It keeps the process alive only while a request waits for its answer. */
export interface WorkerThread<Request> {
  /** Resolves to the answer. @throws {StorageError} `UNAVAILABLE` if the thread fails */
  ask(request: Request): Promise<unknown>;
  /** Sends a request that has no answer. */
  tell(request: Request): void;
  close(): Promise<unknown>;
}

export interface WorkerThreadOptions {
  /** For debuggers, and for errors. */
  readonly name: string;
  readonly workerData?: unknown;
  /** Called once when the thread no longer answers. */
  readonly onExit: () => void;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string | undefined; readonly message: string };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export function workerThread<Request>(file: URL, options: WorkerThreadOptions): WorkerThread<Request> {
  const { name, workerData, onExit } = options;
  const worker = new Worker(file, { name: `daypass-${name}`, workerData });
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let exited: StorageError | undefined;

  function fail(code: string | undefined, cause: unknown): StorageError {
    const suffix = code === undefined ? "" : ` (${code})`;
    return new StorageError("UNAVAILABLE", `the ${name} thread failed${suffix}`, { cause });
  }

  function exit(cause: unknown): void {
    if (exited === undefined) onExit();
    exited ??= fail(undefined, cause);
    for (const { reject } of waiting.values()) reject(exited);
    waiting.clear();
  }

  worker.unref();
  worker.on("message", ({ id, value, error }: Answer) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
    if (error === undefined) asked?.resolve(value);
    else asked?.reject(fail(error.code, error.message));
  });
  worker.on("error", exit);
  worker.on("exit", () => exit(undefined));

  return {
    ask(request) {
      return new Promise((resolve, reject) => {
        if (exited !== undefined) return reject(exited);
        const id = ++lastId;
        waiting.set(id, { resolve, reject });
        worker.ref();
        worker.postMessage({ id, request });
      });
    },
    tell: (request) => worker.postMessage({ id: 0, request }),
    close: () => worker.terminate(),
  };
}
