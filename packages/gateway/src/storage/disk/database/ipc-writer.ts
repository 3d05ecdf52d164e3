/**
 * The index writer of another process, over any channel that carries JSON. The primary holds the claims of its workers, and releases
 * them if a worker dies.
 */
import type { Claim, IndexWriter, PartClaim, UploadClaim } from "./contract.ts";
import { answerCalls, type Channel, caller } from "./ipc-calls.ts";

export type { Channel } from "./ipc-calls.ts";

type Method = keyof IndexWriter;

/** A method of the writer, or the end of a claim that the primary holds under a number. */
type Request =
  | { readonly method: Method; readonly parameters: readonly unknown[] }
  | { readonly held: number; readonly outcome: unknown };

/** How each claim ends if its worker dies. */
const RELEASES: { readonly [method in Method]?: unknown } = {
  claim: "unknown" satisfies Parameters<Claim["finish"]>[0],
  openPart: undefined satisfies Parameters<PartClaim["finish"]>[0],
  closeUpload: "kept" satisfies Parameters<UploadClaim["finish"]>[0],
};

interface AnyClaim {
  finish(outcome: unknown): unknown;
}

/**
 * The worker's end, through which `disk` writes the index in a process that has not opened it.
 *
 * @example
 * ```ts
 * import { disk, ipcIndexWriter } from "@daypass/gateway/disk";
 * import type { WorkerEnd } from "@daypass/gateway/node";
 *
 * export const openInWorker = (root: string, { channel }: WorkerEnd) => disk({ root, writer: ipcIndexWriter(channel) });
 * ```
 */
export function ipcIndexWriter(channel: Channel): IndexWriter {
  const { ask, tell } = caller<Request>(channel, "the process that writes the index is gone");

  function method<M extends Method>(name: M): IndexWriter[M] {
    const call = async (...parameters: readonly unknown[]): Promise<unknown> => {
      const answer = await ask({ method: name, parameters });
      if (!Object.hasOwn(RELEASES, name)) return answer;
      const { held, ...facts } = answer as { readonly held: number };
      // A key is released without waiting. The ends of parts and uploads are awaited, because they are durable.
      const finish = (outcome: unknown): unknown => (name === "claim" ? tell : ask)({ held, outcome });
      return { ...facts, finish };
    };
    return call as IndexWriter[M];
  }

  return {
    claim: method("claim"),
    createUpload: method("createUpload"),
    openPart: method("openPart"),
    closeUpload: method("closeUpload"),
    indexPath: method("indexPath"),
    addFolder: method("addFolder"),
    refresh: method("refresh"),
    forget: method("forget"),
    createBucket: method("createBucket"),
    removeBucket: method("removeBucket"),
    setForBucket: method("setForBucket"),
  };
}

/**
 * The primary's end. If a worker dies, its locks are released; the next start removes what it left on disk.
 *
 * @example
 * ```ts
 * import { type DiskIndex, serveIndexWriter } from "@daypass/gateway/disk";
 * import { primary } from "@daypass/gateway/node";
 *
 * export const serve = (index: DiskIndex, exec: string) =>
 *   primary({ workers: 2, exec, onWorker: (channel) => serveIndexWriter(channel, index.writer) });
 * ```
 */
export function serveIndexWriter(channel: Channel, writer: IndexWriter): void {
  const claims = new Map<number, { readonly method: Method; readonly claim: AnyClaim }>();
  let lastHeld = 0;
  let gone = false;

  function release(): void {
    for (const { method, claim } of claims.values()) claim.finish(RELEASES[method]);
    claims.clear();
  }

  channel.onClose(() => {
    gone = true;
    release();
  });

  answerCalls<Request>(channel, async (request) => {
    if ("held" in request) {
      const held = claims.get(request.held);
      claims.delete(request.held);
      return held?.claim.finish(request.outcome);
    }
    const { method, parameters } = request;
    const call = writer[method] as (...values: readonly unknown[]) => Promise<unknown>;
    const result = await call(...parameters);
    if (!Object.hasOwn(RELEASES, method)) return result;
    const { finish: _, ...facts } = result as AnyClaim;
    claims.set(++lastHeld, { method, claim: result as AnyClaim });
    if (gone) release();
    return { ...facts, held: lastHeld };
  });
}
