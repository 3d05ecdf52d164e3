/**
 * The index writer of another process, over any channel that carries JSON: workers hold a claim in the primary as if it were
 * their own.
 */
import type { ObjectRef } from "../../contract/storage.ts";
import type { Claim, ClaimIntent, ClaimOutcome, IndexWriter, UploadsIndexWriter } from "./contract.ts";
import { answerer, asker, type Channel } from "./ipc-calls.ts";
import { ipcUploadsWriter, serveUploadsWriter } from "./uploads-channel.ts";

export type { Channel } from "./ipc-calls.ts";

type Question =
  | { readonly kind: "claim"; readonly ref: ObjectRef; readonly intent: ClaimIntent }
  | { readonly kind: "finish"; readonly held: number; readonly outcome: ClaimOutcome }
  | { readonly kind: "path" }
  | { readonly kind: "call"; readonly call: Call };

/** What a worker has done for it: a method of the writer with its parameters. */
type Call = {
  [M in Called]: { readonly method: M; readonly parameters: Parameters<IndexWriter[M]> };
}[Called];

type Called = Exclude<keyof IndexWriter, "claim" | "indexPath" | keyof UploadsIndexWriter>;

const NAME = "disk-index";

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
  const { ask, tell } = asker<Question>(channel, NAME);

  async function call(asked: Call): Promise<void> {
    await ask({ kind: "call", call: asked });
  }

  return {
    ...ipcUploadsWriter(channel),
    async claim(ref, intent) {
      const held = (await ask({ kind: "claim", ref, intent })) as number;
      return { finish: (outcome) => tell({ kind: "finish", held, outcome }) };
    },
    indexPath: async () => String(await ask({ kind: "path" })),
    addFolder: (...parameters) => call({ method: "addFolder", parameters }),
    refresh: (...parameters) => call({ method: "refresh", parameters }),
    forget: (...parameters) => call({ method: "forget", parameters }),
    createBucket: (...parameters) => call({ method: "createBucket", parameters }),
    removeBucket: (...parameters) => call({ method: "removeBucket", parameters }),
    setForBucket: (...parameters) => call({ method: "setForBucket", parameters }),
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
  const held = new Map<number, Claim>();
  let lastHeld = 0;
  let gone = false;
  channel.onClose(() => {
    gone = true;
    for (const claim of held.values()) claim.finish("unknown");
    held.clear();
  });

  async function claim(ref: ObjectRef, intent: ClaimIntent): Promise<number> {
    const granted = await writer.claim(ref, intent);
    const number = ++lastHeld;
    if (gone) granted.finish("unknown");
    else held.set(number, granted);
    return number;
  }

  answerer<Question>(channel, NAME, async (question) => {
    switch (question.kind) {
      case "claim":
        return claim(question.ref, question.intent);
      case "finish":
        held.get(question.held)?.finish(question.outcome);
        held.delete(question.held);
        return undefined;
      case "path":
        return writer.indexPath();
      case "call":
        return perform(writer, question.call);
    }
  });
  serveUploadsWriter(channel, writer);
}

function perform(writer: IndexWriter, { method, parameters }: Call): Promise<void> {
  const called = writer[method] as (...values: Call["parameters"]) => Promise<void>;
  return called(...parameters);
}
