/** MACs of commits: the gateway wrote these records after those. They protect records until a head does. docs/spec/audit.md specifies them. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { StoredRecord } from "./records.ts";

/** The last commit of a writer. */
export interface CommitMac {
  readonly writer: string;
  /** The number of its last record. */
  readonly last: number;
  /** HMAC-SHA256, base64url. */
  readonly mac: string;
}

/** How an engine authenticates its commits. */
export interface MacOptions {
  /** 32 secret bytes, which are not in the database. */
  readonly key: Uint8Array;
  /** What `onCommit` received last, before this process: if the database has lost it, the next MAC shows that. */
  readonly last?: CommitMac | undefined;
  /** Receives the last record of each durable commit. Must not throw. */
  readonly onCommit?: ((commit: CommitMac) => void) | undefined;
}

interface Commit {
  readonly writer: string;
  readonly first: number;
  readonly records: readonly string[];
  /** The MAC of the commit before; empty for the first one. */
  readonly before: string;
}

/** A record is one line, so a line feed separates two. */
function commitMac(key: Uint8Array, { writer, first, records, before }: Commit): string {
  const place = JSON.stringify([writer, first, first + records.length - 1, before]);
  return createHmac("sha256", key)
    .update(`${place}\n${records.join("\n")}`)
    .digest("base64url");
}

/** The MACs of the commits of one process. */
export interface CommitChain {
  /** The MAC of new records; `undefined` without a key. `stored` is the MAC that the database has before them. */
  macOf(first: number, records: readonly string[], stored: () => string | null | undefined): string | undefined;
  /** Remembers a durable commit. */
  committed(commit: Omit<CommitMac, "writer">): void;
  /** The number of the last record of a writer, also if the database has lost it. */
  lastOf(writer: string, stored: number): number;
}

/** Continues the chain of a writer. Does not trust the database about a commit that it remembers. */
export function commitChain(writer: string, mac: MacOptions | undefined): CommitChain {
  let known = mac?.last?.writer === writer ? mac.last : undefined;
  return {
    macOf(first, records, stored) {
      if (mac === undefined) return undefined;
      const before = known !== undefined && first <= known.last + 1 ? known.mac : (stored() ?? "");
      return commitMac(mac.key, { writer, first, records, before });
    },
    committed({ last, mac: value }) {
      known = { writer, last, mac: value };
      mac?.onCommit?.(known);
    },
    lastOf: (other, stored) => (other === writer ? Math.max(stored, known?.last ?? 0) : stored),
  };
}

/** Checks the records of a writer in their order. */
export interface MacChecker {
  /** `false` for the record that ends a commit, if this process's key did not make its MAC. Continues with the next commit. */
  accepts(record: Pick<StoredRecord, "sequence" | "record" | "mac">): boolean;
  /** Continues after a head that ends at a commit. */
  restart(before: string): void;
}

/** Checks MACs from the commit after `before`. */
export function macChecker(key: Uint8Array, writer: string, before = ""): MacChecker {
  let last = before;
  let first: number | undefined;
  let records: string[] = [];
  return {
    accepts({ sequence, record, mac }) {
      first ??= sequence;
      records.push(record);
      if (mac === undefined) return true;
      const expected = Buffer.from(commitMac(key, { writer, first, records, before: last }));
      const given = Buffer.from(mac);
      [last, first, records] = [mac, undefined, []];
      return given.length === expected.length && timingSafeEqual(given, expected);
    },
    restart(mac) {
      [last, first, records] = [mac, undefined, []];
    },
  };
}

/** The MAC of the next record of a history, if it `ends` a commit. */
export type RecordMacs = (writer: string, sequence: number, record: string, ends: boolean) => string | null;

/**
 * The MACs of a signed history under another key, record by record.
 *
 * @param heads the MAC in each head, by its writer and its last record: the commit after it continues from there
 */
export function recordMacs(key: Uint8Array, heads: ReadonlyMap<string, string>): RecordMacs {
  let [current, before, first] = ["", "", 0];
  let records: string[] = [];
  return (writer, sequence, record, ends) => {
    const head = heads.get(`${writer} ${sequence - 1}`) ?? (writer === current ? undefined : "");
    if (head !== undefined) [current, before, records] = [writer, head, []];
    if (records.length === 0) first = sequence;
    records.push(record);
    if (!ends) return null;
    before = commitMac(key, { writer, first, records, before });
    records = [];
    return before;
  };
}
