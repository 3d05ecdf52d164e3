/**
 * The digests of large uploads on threads of their own: at a few hundred MB/s they would otherwise stop every other
 * request of the process for milliseconds at a time.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { crcs } from "../../../http/crc.ts";
import { type ChecksumAlgorithm, StorageError } from "../../contract/storage.ts";

export type DigestName = ChecksumAlgorithm;

/** MD5, and what else was asked for. */
export type Digests = Readonly<Partial<Record<DigestName, Uint8Array>>> & { readonly md5: Uint8Array };

/** The digests of one body, piece by piece. */
export interface DigestJob {
  /** Resolves when the piece has been read; only then may its memory be written again. */
  update(piece: SharedPiece, length: number): Promise<void>;
  finish(): Promise<Digests>;
  /** Gives the job up. Does nothing after `finish`. */
  drop(): void;
}

/** Memory that both threads see, so that no piece is copied between them. */
export type SharedPiece = Buffer & { readonly buffer: SharedArrayBuffer };

export interface DigestPool {
  /** Besides MD5. */
  start(digests: readonly DigestName[]): DigestJob;
  close(): Promise<void>;
}

type Request =
  | { readonly id: number; readonly op: "start"; readonly algorithms: readonly DigestName[] }
  | { readonly id: number; readonly op: "update"; readonly buffer: SharedArrayBuffer; readonly length: number }
  | { readonly id: number; readonly op: "finish" | "drop" };

interface Reply {
  readonly id: number;
  readonly digests?: readonly Uint8Array[];
}

// Text, not a file: Node 20 starts no thread from TypeScript, and a file beside this one would need a build to find it.
const THREAD = `
  const { createHash } = require("node:crypto");
  const { parentPort } = require("node:worker_threads");
  const zlib = require("node:zlib");
  // A bundler that keeps names wraps functions in a call of this.
  const __name = (named) => named;
  const crcs = (${crcs})();
  const running = (name) => {
    if (name === "crc32") return crc32();
    return Object.hasOwn(crcs, name) ? crcs[name]() : createHash(name);
  };
  // In the machine's own instructions, five times as fast.
  const crc32 = (value = 0) => ({
    update(bytes) { value = zlib.crc32(bytes, value); },
    digest: () => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value),
  });
  const jobs = new Map();
  parentPort.on("message", ({ id, op, algorithms, buffer, length }) => {
    if (op === "start") return void jobs.set(id, algorithms.map(running));
    const hashes = jobs.get(id);
    if (op === "update") {
      const piece = new Uint8Array(buffer, 0, length);
      for (const hash of hashes) hash.update(piece);
      return parentPort.postMessage({ id });
    }
    jobs.delete(id);
    if (op === "finish") parentPort.postMessage({ id, digests: hashes.map((hash) => hash.digest()) });
  });
`;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

interface Thread {
  jobs: number;
  ask(request: Request): Promise<Reply>;
  tell(request: Request): void;
  stop(): Promise<number>;
}

/** Threads start with the first large upload, at most `size` of them, and do not keep the process alive. */
export function digestPool(size: number = Math.max(1, Math.min(4, availableParallelism() - 1))): DigestPool {
  const threads = new Set<Thread>();
  let lastId = 0;

  function leastBusy(): Thread {
    const [least] = [...threads].sort((a, b) => a.jobs - b.jobs);
    if (least !== undefined && (least.jobs === 0 || threads.size >= size)) return least;
    const started = startThread((dead) => threads.delete(dead));
    threads.add(started);
    return started;
  }

  return {
    start(digests) {
      const thread = leastBusy();
      const id = ++lastId;
      let open = true;
      thread.jobs++;
      const algorithms: readonly DigestName[] = [...new Set<DigestName>(["md5", ...digests])];
      thread.tell({ id, op: "start", algorithms });
      return {
        async update(piece, length) {
          await thread.ask({ id, op: "update", buffer: piece.buffer, length });
        },
        async finish() {
          open = false;
          thread.jobs--;
          const values = (await thread.ask({ id, op: "finish" })).digests ?? [];
          const [md5] = values;
          if (md5 === undefined) throw new StorageError("UNAVAILABLE", "the digest thread gave no digest");
          return { ...Object.fromEntries(algorithms.map((name, i) => [name, values[i]])), md5 };
        },
        drop() {
          if (!open) return;
          open = false;
          thread.jobs--;
          thread.tell({ id, op: "drop" });
        },
      };
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.stop()));
    },
  };
}

function startThread(onDeath: (thread: Thread) => void): Thread {
  const worker = new Worker(THREAD, { eval: true, name: "daypass-digest" });
  // Replies come in the order of the questions, so the first that waits is the one answered.
  const waiting: Waiting[] = [];
  let death: Error | undefined;

  const thread: Thread = {
    jobs: 0,
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (death !== undefined) return reject(death);
        waiting.push({ resolve, reject });
        worker.postMessage(request);
      }),
    tell: (request) => worker.postMessage(request),
    stop: () => worker.terminate(),
  };

  function die(error: Error): void {
    death = error;
    onDeath(thread);
    for (const { reject } of waiting.splice(0)) reject(error);
  }

  worker.unref();
  worker.on("message", (reply: Reply) => waiting.shift()?.resolve(reply));
  worker.on("error", (error) => die(new StorageError("UNAVAILABLE", "the digest thread failed", { cause: error })));
  worker.on("exit", () => die(death ?? new StorageError("UNAVAILABLE", "the digest thread ended")));
  return thread;
}
