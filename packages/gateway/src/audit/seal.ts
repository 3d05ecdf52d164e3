/** Signs new records, and removes old ones. */
import type { KeyObject } from "node:crypto";
import { macChecker } from "../state/contract/commit-mac.ts";
import type { AuditWriter } from "../state/contract/records.ts";
import type { State } from "../state/contract/state.ts";
import type { AuditKey, Head } from "./head.ts";
import { contentOf, type ExportedHead, HistoryChanged, headOf, type KeptHeads, lostHeads } from "./kept-heads.ts";
import { leafHash, rootOf, textHash } from "./tree.ts";

/** Records of one tree at most: its leaves are stored in one row. */
const TREE = 65_536;
/** Heads name other writers for this long after their last head: replicas come and go. */
const SEEN_MS = 7 * 24 * 60 * 60_000;
/** Records that are read at once, so that claims in between do not wait. */
const PAGE = 2048;

/** Options of {@link sealer}. */
export interface SealerOptions {
  readonly state: State;
  /** The writer of this process. Two processes must not seal for the same. */
  readonly writer: string;
  readonly key: AuditKey;
  /** Public keys that may have signed the heads of the state, as `publicKeys` reads them. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** The key of the state's option `mac`. */
  readonly macKey: Uint8Array;
  /** Where the last head of every writer is kept. Without the heads of the run before, only MACs protect the history. */
  readonly kept: KeptHeads;
  readonly clock: () => Date;
  /** Receives each head before it is stored, so that a head leaves the machine even if its row is removed. May store it elsewhere. */
  readonly onHead?: ((head: ExportedHead) => void | Promise<void>) | undefined;
}

/** Signs the records of a process's writer, and of writers whose lease has ended. */
export interface Sealer {
  /**
   * Signs all records that have no head yet. Call it every 60 s, and before the process ends. Returns the number of new heads. Rejects if the
   * database has lost a kept head, or a record was removed, or a commit has no MAC of `macKey`: a head over the others would hide that.
   */
  seal(): Promise<number>;
  /**
   * Signs on although `seal` refuses, on the word of the operator, and returns why it refused. The next head names the heads that were lost.
   * Rejects if `seal` does not refuse.
   */
  accept(): Promise<string>;
  /** Removes records whose head was signed before an instant, milliseconds since 1970. */
  cut(before: number): Promise<void>;
}

/**
 * Begins a new epoch of a writer. Does not check that no other process seals for it.
 *
 * @example
 * ```ts
 * import { auditKey, type ExportedHead, newAuditKey, publicKeys, sealer } from "@daypass/gateway/audit";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const macKey = crypto.getRandomValues(new Uint8Array(32));
 * const state = await sqliteState({ path: "state.db", mac: { key: macKey } });
 * const { privateKey, publicKey } = newAuditKey();
 * let heads: readonly ExportedHead[] = [];
 * const kept = {
 *   load: async () => heads,
 *   save: async (latest: readonly ExportedHead[]) => void (heads = latest),
 * };
 * const [key, keys] = [auditKey(privateKey), publicKeys(publicKey)];
 * await sealer({ state, writer: "main", key, keys, macKey, kept, clock: () => new Date() }).seal();
 * await state.close();
 * ```
 */
export function sealer(options: SealerOptions): Sealer {
  const { state, writer, key, keys, kept, clock, onHead } = options;
  const epochs = new Map<string, number>();
  let sealing: Promise<unknown> = Promise.resolve();
  let heads: readonly ExportedHead[] | undefined;

  /** Replaces the kept heads of some writers. */
  async function keep(latest: readonly ExportedHead[], replaced: readonly ExportedHead[] = []): Promise<void> {
    const next = new Map((heads ?? []).filter((one) => !replaced.includes(one)).map((one) => [one.writer, one]));
    for (const { writer: name, head, signature } of latest) next.set(name, { writer: name, head, signature });
    const all = [...next.values()];
    if (all.length === heads?.length && all.every(({ head }, at) => head === heads?.[at]?.head)) return;
    await kept.save(all);
    heads = all;
  }

  /** The latest heads of all writers. Rejects if the state has lost a kept one, unless the operator accepts that. */
  async function latestHeads(writers: readonly AuditWriter[], accepted: HistoryChanged | undefined) {
    heads ??= await kept.load();
    const lost = await lostHeads(state, writers, { kept: heads, keys });
    const [first] = lost;
    if (first !== undefined && accepted === undefined) {
      const { last } = contentOf(first);
      throw new HistoryChanged(`the state has lost the head of the writer ${first.writer} that ends at ${last}`, lost);
    }
    const latest = writers.flatMap(({ head }) => (head !== undefined && headOf(head, keys) ? [head] : []));
    await keep(latest, lost);
    return latest;
  }

  /** Signs the next tree of a writer: of this process, or of one whose lease has ended. */
  async function sealTree(name: string, accepted: HistoryChanged | undefined): Promise<boolean> {
    const writers = await state.auditWriters();
    const latest = await latestHeads(writers, accepted);
    const sealed = writers.find((one) => one.writer === name);
    const before = sealed?.head && headOf(sealed.head, keys);
    if (sealed?.head !== undefined && before === undefined) {
      throw new HistoryChanged(`no known key signed the head of the writer ${name} that ends at ${sealed.head.last}`);
    }
    const after = before?.last ?? 0;
    if (sealed === undefined || sealed.last <= after) return false;
    // If its whole tail was cut, nothing is left to sign. Verification reports that.
    if (name !== writer && (await state.auditRecords({ writer: name, after, limit: 1 })).length === 0) return false;
    const now = clock();
    const [known, least] = [epochs.get(name), before?.epoch ?? 0];
    // Another process may have signed for this writer since.
    const epoch = known !== undefined && known >= least ? known : Math.max(now.getTime(), least + 1);
    epochs.set(name, epoch);
    const { first, leaves, mac } = await treeAfter(options, {
      writer: name,
      before,
      last: sealed.last,
      isChecked: accepted === undefined,
    });
    const range = { first, last: first + leaves.length - 1 };
    const isSeen = (time: string): boolean => now.getTime() - Date.parse(time) < SEEN_MS;
    const others = latest.filter((head) => head.writer !== name && isSeen(contentOf(head).time));
    const signed = key.sign({
      writer: name,
      epoch,
      ...range,
      root: rootOf(leaves),
      mac,
      previous: sealed.head === undefined ? null : textHash(sealed.head.head),
      seen: placesOf(others),
      abandoned: accepted && placesOf(accepted.lost),
      time: now.toISOString(),
    });
    await onHead?.({ writer: name, ...signed });
    const isStored = await state.addHead({
      writer: name,
      ...range,
      ...signed,
      leaves: Buffer.concat(leaves).toString("base64url"),
    });
    if (isStored) await keep([{ writer: name, ...signed }]);
    return isStored;
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = sealing.then(work);
    sealing = run.catch(() => undefined);
    return run;
  }

  /** This process's writer first: a fault of another one does not keep it from being signed. */
  async function ownAndEnded(isWanted: (one: AuditWriter) => boolean): Promise<readonly string[]> {
    const writers = await state.auditWriters();
    const ended = writers.filter((one) => one.hasEnded === true && one.writer !== writer && isWanted(one));
    return [writer, ...ended.map((one) => one.writer)];
  }

  async function sealAll(accepted?: HistoryChanged): Promise<number> {
    let count = 0;
    const isUnsealed = ({ last, head }: AuditWriter): boolean => last > (head?.last ?? 0);
    for (const name of await ownAndEnded(isUnsealed)) while (await sealTree(name, accepted)) count += 1;
    return count;
  }

  const seal = () => inTurn(() => sealAll());

  return {
    seal,
    accept: () =>
      inTurn(async () => {
        const refused = await sealAll().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (refused === undefined) throw new Error("the state agrees with what this gateway signed: nothing to accept");
        if (!(refused instanceof HistoryChanged)) throw refused;
        const [detail = ""] = refused.message.split(". ");
        await state.record({ action: "audit.accepted", by: "operator", result: "ok", subject: writer, detail });
        await sealAll(refused);
        return detail;
      }),
    async cut(before) {
      let isCut = false;
      for (const name of await ownAndEnded(({ head }) => head !== undefined)) {
        const last = await lastToCut(state, name, before);
        if (last === undefined) continue;
        await state.cutAudit(name, last, "gateway");
        isCut = true;
      }
      // Without a signed record of it, a cut looks like a loss.
      if (isCut) await seal();
    },
  };
}

/** The last record of a writer whose head was signed before an instant; `undefined` if there is no such record. */
async function lastToCut(state: State, writer: string, before: number): Promise<number | undefined> {
  let last: number | undefined;
  for (let after = 0; ; ) {
    const [head] = await state.auditHeads({ writer, after, limit: 1 });
    if (head === undefined || Date.parse((JSON.parse(head.head) as Head).time) >= before) return last;
    const [oldest] = last === undefined ? await state.auditRecords({ writer, after: 0, limit: 1 }) : [];
    // The head that an earlier cut left has no records.
    if (last !== undefined || (oldest?.sequence ?? 0) <= head.last) last = head.last;
    after = head.last;
  }
}

/** Which tree to sign: of a writer, after its last head. */
interface Tree {
  readonly writer: string;
  readonly before: Head | undefined;
  /** The number of its last record at most. */
  readonly last: number;
  /** Whether every commit needs its MAC. */
  readonly isChecked: boolean;
}

/** The records of the next tree, which ends with a commit. An accepted loss begins it anew. */
async function treeAfter({ state, macKey }: SealerOptions, { writer, before, last, isChecked }: Tree) {
  const checker = macChecker(macKey, writer, before?.mac);
  const expect = (condition: boolean, sequence: number, problem: string): void => {
    if (isChecked && !condition) throw new HistoryChanged(`record ${sequence} of the writer ${writer} ${problem}`);
  };
  let first = (before?.last ?? 0) + 1;
  let leaves: Buffer[] = [];
  let end = { size: 0, mac: "" };
  for (let next = first; next <= last && leaves.length < TREE; ) {
    const limit = Math.min(PAGE, TREE - leaves.length, last - next + 1);
    const page = await state.auditRecords({ writer, after: next - 1, limit });
    expect(page.length > 0, next, "is missing");
    if (page.length === 0) break;
    for (const one of page) {
      expect(one.sequence === next, next, "is missing");
      if (one.sequence !== next) [first, leaves, end] = [one.sequence, [], { size: 0, mac: "" }];
      expect(checker.accepts(one), one.sequence, "was changed: its commit has not the MAC of the gateway");
      leaves.push(leafHash(one.record));
      next = one.sequence + 1;
      if (one.mac !== undefined) end = { size: leaves.length, mac: one.mac };
    }
  }
  // If the operator accepts the records of an ended writer, no commit with a MAC follows them.
  const { size, mac } = end.size === 0 && !isChecked ? { size: leaves.length, mac: undefined } : end;
  if (size === 0) throw new HistoryChanged(`record ${first} of the writer ${writer} has no MAC of the gateway`);
  return { first, leaves: leaves.slice(0, size), mac };
}

function placesOf(heads: readonly ExportedHead[]): Head["seen"] {
  return Object.fromEntries(
    heads.map((one) => [one.writer, { last: contentOf(one).last, hash: textHash(one.head) }] as const),
  );
}
