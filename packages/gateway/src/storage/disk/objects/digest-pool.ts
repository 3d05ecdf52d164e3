/**
 * The digests of large bodies, computed in threads. On the event loop they would stop every other request for milliseconds.
 */
import { availableParallelism } from "node:os";
import { type ChecksumAlgorithm, StorageError } from "../../contract/storage.ts";
import { type WorkerThread, workerThread } from "../worker-thread.ts";

/** MD5, and what else was requested. */
export type Digests = Readonly<Partial<Record<ChecksumAlgorithm, Uint8Array>>> & { readonly md5: Uint8Array };

/** The digests of one body, piece by piece. */
export interface DigestJob {
  /** Resolves when the piece has been read. Only then may its memory be overwritten. */
  update(piece: SharedPiece, length: number): Promise<void>;
  finish(): Promise<Digests>;
  /** Discards the job. Does nothing after `finish`. */
  drop(): void;
}

/** Memory that both threads see, so that no piece is copied between them. */
export type SharedPiece = Buffer & { readonly buffer: SharedArrayBuffer };

export interface DigestPool {
  /** Begins a job. MD5 is always computed. */
  start(digests: readonly ChecksumAlgorithm[]): DigestJob;
  close(): Promise<void>;
}

type Request =
  | { readonly job: number; readonly op: "start"; readonly algorithms: readonly ChecksumAlgorithm[] }
  | { readonly job: number; readonly op: "update"; readonly buffer: SharedArrayBuffer; readonly length: number }
  | { readonly job: number; readonly op: "finish" | "drop" };

interface PoolThread extends WorkerThread<Request> {
  jobs: number;
}

/** At most `size` threads. The first large upload starts one. */
export function digestPool(size: number = Math.max(1, Math.min(4, availableParallelism() - 1))): DigestPool {
  const threads = new Set<PoolThread>();
  let lastJob = 0;

  function leastBusy(): PoolThread {
    const [least] = [...threads].sort((a, b) => a.jobs - b.jobs);
    if (least !== undefined && (least.jobs === 0 || threads.size >= size)) return least;
    const file = new URL("./digest.thread.js", import.meta.url);
    const onExit = (): void => void threads.delete(started);
    const started: PoolThread = { ...workerThread<Request>(file, { name: "digest", onExit }), jobs: 0 };
    threads.add(started);
    return started;
  }

  return {
    start(digests) {
      const thread = leastBusy();
      const job = ++lastJob;
      let open = true;
      const end = (): void => {
        open = false;
        thread.jobs--;
      };
      thread.jobs++;
      const algorithms: readonly ChecksumAlgorithm[] = [...new Set<ChecksumAlgorithm>(["md5", ...digests])];
      thread.tell({ job, op: "start", algorithms });
      return {
        async update(piece, length) {
          await thread.ask({ job, op: "update", buffer: piece.buffer, length });
        },
        async finish() {
          end();
          const values = (await thread.ask({ job, op: "finish" })) as readonly Uint8Array[];
          const [md5] = values;
          if (md5 === undefined) throw new StorageError("UNAVAILABLE", "the digest thread returned no digest");
          return { ...Object.fromEntries(algorithms.map((name, i) => [name, values[i]])), md5 };
        },
        drop() {
          if (!open) return;
          end();
          thread.tell({ job, op: "drop" });
        },
      };
    },
    async close() {
      await Promise.all([...threads].map((thread) => thread.close()));
    },
  };
}
