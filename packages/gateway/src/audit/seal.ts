/** Signs new records, and removes old ones. */
import type { State, StoredHead } from "../state/contract/state.ts";
import type { AuditKey, Head } from "./head.ts";
import { leafHash, rootOf, textHash } from "./tree.ts";

/** Records of one tree at most: its leaves are stored in one row. */
const TREE = 65_536;
/** Records that are read at once, so that claims in between do not wait. */
const PAGE = 2048;

/** Options of {@link sealer}. */
export interface SealerOptions {
  readonly state: State;
  /** The writer of this process. Two processes must not seal for the same. */
  readonly writer: string;
  readonly key: AuditKey;
  readonly clock: () => Date;
  /** Receives each head before it is stored, so that a head leaves the machine even if its row is removed. May store it elsewhere. */
  readonly onHead?: ((head: Pick<StoredHead, "writer" | "head" | "signature">) => void | Promise<void>) | undefined;
}

/** Signs the records of one writer. */
export interface Sealer {
  /**
   * Signs all records that have no head yet. Call it every 60 s, and before the process ends. Returns the number of new heads. Rejects if a
   * record is missing: a head over the others would cover the loss.
   */
  seal(): Promise<number>;
  /** Removes records whose head was signed before an instant, milliseconds since 1970. */
  cut(before: number): Promise<void>;
}

/**
 * Begins a new epoch of a writer. Does not check that no other process seals for it.
 *
 * @example
 * ```ts
 * import { auditKey, newAuditKey, sealer } from "@daypass/gateway/audit";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * const key = auditKey(newAuditKey().privateKey);
 * await sealer({ state, writer: "main", key, clock: () => new Date() }).seal();
 * await state.close();
 * ```
 */
export function sealer({ state, writer, key, clock, onHead }: SealerOptions): Sealer {
  let epoch: number | undefined;
  let sealing: Promise<unknown> = Promise.resolve();

  async function sealTree(): Promise<boolean> {
    const writers = await state.auditWriters();
    const own = writers.find((one) => one.writer === writer);
    const before = own?.head && (JSON.parse(own.head.head) as Head);
    const after = before?.last ?? 0;
    if (own === undefined || own.last <= after) return false;
    epoch ??= Math.max(clock().getTime(), (before?.epoch ?? 0) + 1);
    const leaves = await leavesAfter(after, Math.min(own.last, after + TREE));
    const others = writers.flatMap((one) => (one.writer === writer || one.head === undefined ? [] : [one.head]));
    const range = { first: after + 1, last: after + leaves.length };
    const signed = key.sign({
      ...{ writer, epoch, ...range, root: rootOf(leaves) },
      previous: own.head === undefined ? null : textHash(own.head.head),
      seen: Object.fromEntries(others.map((head) => [head.writer, { last: head.last, hash: textHash(head.head) }])),
      time: clock().toISOString(),
    });
    await onHead?.({ writer, ...signed });
    return state.addHead({ writer, ...range, ...signed, leaves: Buffer.concat(leaves).toString("base64url") });
  }

  async function leavesAfter(after: number, last: number): Promise<Buffer[]> {
    const leaves: Buffer[] = [];
    for (let from = after; from < last; from = after + leaves.length) {
      const page = await state.auditRecords({ writer, after: from, limit: Math.min(PAGE, last - from) });
      for (const { sequence, record } of page) {
        if (sequence !== after + leaves.length + 1) break;
        leaves.push(leafHash(record));
      }
      if (after + leaves.length !== from + page.length || page.length === 0) {
        throw new Error(
          `record ${after + leaves.length + 1} of the writer ${writer} is missing: run daypass audit verify`,
        );
      }
    }
    return leaves;
  }

  function seal(): Promise<number> {
    const run = sealing.then(async () => {
      let heads = 0;
      while (await sealTree()) heads += 1;
      return heads;
    });
    sealing = run.catch(() => undefined);
    return run;
  }

  return {
    seal,
    async cut(before) {
      let last: number | undefined;
      for (let after = 0; ; ) {
        const [head] = await state.auditHeads({ writer, after, limit: 1 });
        if (head === undefined || Date.parse((JSON.parse(head.head) as Head).time) >= before) break;
        const [oldest] = last === undefined ? await state.auditRecords({ writer, after: 0, limit: 1 }) : [];
        // The head that an earlier cut left has no records.
        if (last !== undefined || (oldest?.sequence ?? 0) <= head.last) last = head.last;
        after = head.last;
      }
      if (last === undefined) return;
      await state.cutAudit(writer, last, "gateway");
      // Without a signed record of it, a cut looks like a loss.
      await seal();
    },
  };
}
