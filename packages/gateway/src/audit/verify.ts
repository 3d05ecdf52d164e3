/** Verifies exported lines: finds records that were changed, removed, added or swapped, forged heads, dropped writers and cut tails. */
import type { KeyObject } from "node:crypto";
import { type MacChecker, macChecker } from "../state/contract/commit-mac.ts";
import { type Head, parseObject, readHead, type SignedHead } from "./head.ts";
import { splitLeaves } from "./receipt.ts";
import { leafHash, rootOf, textHash } from "./tree.ts";

/** What is wrong. */
export type AuditFaultKind =
  | "changed"
  | "missing"
  | "added"
  | "swapped"
  | "forged-head"
  | "dropped-writer"
  | "cut"
  | "unmarked"
  | "unsealed"
  | "unreadable";

/** One difference between the audit and what was signed. */
export interface AuditFault {
  readonly kind: AuditFaultKind;
  readonly writer: string;
  /** The first record that it concerns; absent if it concerns the whole writer. */
  readonly first?: number | undefined;
  /** The last record that it concerns; absent if it concerns one record or the whole writer. */
  readonly last?: number | undefined;
  /** For people. */
  readonly detail: string;
}

/** The result of a verification. */
export interface AuditReport {
  /** Records under a head that verifies. */
  readonly sealed: number;
  /** Records after the last head of their writer: nothing protects them yet. */
  readonly unsealed: number;
  /** Heads that verify. */
  readonly heads: number;
  /** Empty if the audit is as it was signed. At most 1,000. */
  readonly faults: readonly AuditFault[];
}

/** Options of {@link verifyAudit}. */
export interface VerifyOptions {
  /** As `publicKeys` read them. */
  readonly keys: ReadonlyMap<string, KeyObject>;
  /** Heads that left the machine, as lines of the export. */
  readonly exportedHeads?: AsyncIterable<string> | Iterable<string> | undefined;
  /** The key of the state's option `mac`: then every record needs its MAC, except below a head that was signed without. */
  readonly macKey?: Uint8Array | undefined;
}

interface Line extends Partial<SignedHead> {
  readonly writer: string;
  readonly last?: number;
  readonly sequence?: number;
  readonly record?: string;
  readonly mac?: string;
  /** When the export was made. */
  readonly time?: string;
  readonly leaves?: string;
}

/** A head that verified. */
interface VerifiedHead {
  readonly content: Head;
  readonly hash: string;
}

/** A record that waits for its head. */
interface Leaf {
  readonly sequence: number;
  readonly hash: Buffer;
  /** When it was committed, milliseconds since 1970. */
  readonly at: number;
  /** What the record says was cut by retention: `writer last`. */
  readonly cut: string | undefined;
}

const MAX_FAULTS = 1000;
/** How long a record may wait for its head: a gateway signs every minute. */
const SEAL_WITHIN_MS = 5 * 60_000;

/**
 * Verifies the lines of an export. Holds one tree in memory, and the ids of heads. Records after the last head of a writer are only counted,
 * and may not be older than five minutes at the time of the export.
 *
 * @param lines as `auditLines` returns them
 * @example
 * ```ts
 * import { auditLines, publicKeys, verifyAudit } from "@daypass/gateway/audit";
 * import type { State } from "@daypass/gateway/state";
 *
 * export const faultsOf = async (state: State, pem: string) =>
 *   (await verifyAudit(auditLines(state, { now: new Date() }), { keys: publicKeys(pem) })).faults;
 * ```
 */
export async function verifyAudit(
  lines: AsyncIterable<string> | Iterable<string>,
  { keys, exportedHeads = [], macKey }: VerifyOptions,
): Promise<AuditReport> {
  const faults: AuditFault[] = [];
  const report = (fault: AuditFault): void => {
    if (faults.length < MAX_FAULTS) faults.push(fault);
  };
  /** The line of a text. A text that is neither empty nor a line of an export is a fault. */
  const lineOf = (text: string): Line | undefined => {
    const line = parseObject<Line>(text);
    if (typeof line?.writer === "string") return line;
    if (text.trim() !== "")
      report({ kind: "unreadable", writer: "", detail: `a line is no JSON of an export: ${text.slice(0, 60)}` });
    return undefined;
  };
  const exported = new Map<string, VerifiedHead[]>();
  for await (const text of exportedHeads) {
    const line = lineOf(text);
    if (line === undefined || !isSigned(line)) continue;
    const { writer } = line;
    const content = readHead(line, keys);
    if (content?.writer !== writer) {
      report({ kind: "forged-head", writer, detail: "no known key signed an exported head" });
      continue;
    }
    exported.set(writer, [...(exported.get(writer) ?? []), { content, hash: textHash(line.head) }]);
  }
  const writers = new Map<string, ReturnType<typeof writerVerifier>>();
  const cuts = new Set<string>();
  for await (const text of lines) {
    const line = lineOf(text);
    if (line === undefined) continue;
    const { writer } = line;
    let verifier = writers.get(writer);
    if (verifier === undefined) {
      const onCut = (cut: string): void => void cuts.add(cut);
      verifier = writerVerifier(writer, {
        keys,
        report,
        exported: exported.get(writer) ?? [],
        onCut,
        macs: macKey && macChecker(macKey, writer),
      });
      writers.set(writer, verifier);
    }
    verifier.read(line);
  }
  if (writers.size === 0 && faults.length === 0) {
    report({ kind: "missing", writer: "", detail: "there is no record and no head: nothing was verified" });
  }
  let [sealed, unsealed, heads] = [0, 0, 0];
  for (const [writer, verifier] of writers) {
    const end = verifier.end();
    sealed += end.sealed;
    unsealed += end.unsealed;
    heads += end.hashes.size;
    if (end.cutAt > 0 && !cuts.has(`${writer} ${end.cutAt}`)) {
      report({
        kind: "missing",
        writer,
        first: 1,
        last: end.cutAt,
        detail: "removed, and no record says that they were cut",
      });
    }
    for (const [other, { last, hash }] of end.seen) {
      const found = writers.get(other)?.end();
      if (found === undefined) {
        report({
          kind: "dropped-writer",
          writer: other,
          detail: `a head of ${writer} names it, and it is not in the audit`,
        });
      } else if (last > found.cutAt && found.hashes.get(last) !== hash) {
        report({
          kind: "cut",
          writer: other,
          last,
          detail: `a head of ${writer} names a head that ends here, and it is not in the audit`,
        });
      }
    }
  }
  for (const [writer, all] of exported) {
    const end = writers.get(writer)?.end();
    if (end === undefined) {
      report({ kind: "dropped-writer", writer, detail: "an exported head names it, and it is not in the audit" });
      continue;
    }
    for (const { content, hash } of all) {
      if (content.last <= end.cutAt || end.hashes.get(content.last) === hash || end.prefixes.has(hash)) continue;
      const { first, last } = content;
      report({
        kind: "cut",
        writer,
        first,
        last,
        detail: "an exported head covers these records, and it is not in the audit",
      });
    }
  }
  return { sealed, unsealed, heads, faults };
}

interface WriterEnd {
  readonly sealed: number;
  readonly unsealed: number;
  /** The hash of each head, by its last record. */
  readonly hashes: ReadonlyMap<number, string>;
  /** Exported heads over the first part of a tree: the process ended before it stored them. */
  readonly prefixes: ReadonlySet<string>;
  /** The last record that retention removed; 0 if none was. */
  readonly cutAt: number;
  readonly seen: ReadonlyMap<string, { readonly last: number; readonly hash: string }>;
}

interface WriterOptions {
  readonly keys: VerifyOptions["keys"];
  readonly exported: readonly VerifiedHead[];
  report(fault: AuditFault): void;
  onCut(cut: string): void;
  readonly macs: MacChecker | undefined;
}

type WriterFault = (kind: AuditFaultKind, range: readonly number[], detail: string) => void;

function writerVerifier(writer: string, { keys, report, exported, onCut, macs }: WriterOptions) {
  let pending: Leaf[] = [];
  let counted = 0;
  let exportedAt = Date.now();
  /** The last record with a MAC, and commits whose MAC is wrong, since the last head. */
  let marked = 0;
  let unmarked: number[] = [];
  let highest = 0;
  let previous: VerifiedHead | undefined;
  let cutAt = 0;
  let sealed = 0;
  let end: WriterEnd | undefined;
  const hashes = new Map<number, string>();
  const prefixes = new Set<string>();
  const seen = new Map<string, { readonly last: number; readonly hash: string }>();

  const fault: WriterFault = (kind, [first, last], detail) => report({ kind, writer, first, last, detail });

  function readRecord({ sequence = 0, record = "", mac }: Line): void {
    if (sequence <= highest) fault("added", [sequence], "its number is not above the one before");
    highest = Math.max(highest, sequence);
    pending.push({ sequence, hash: leafHash(record), at: timeOf(record), cut: cutIn(record) });
    if (macs?.accepts({ sequence, record, mac }) === false) unmarked.push(sequence);
    if (mac !== undefined) marked = sequence;
  }

  /** A head that was signed without MACs, or on the word of the operator, needs none below it. */
  function checkMacs(last: number, head: Head | undefined): void {
    if (macs === undefined) return;
    if (marked < last && pending.length > 0) unmarked.push(marked + 1);
    if (head === undefined || (head.mac !== undefined && head.abandoned === undefined)) {
      for (const sequence of unmarked) fault("unmarked", [sequence], "its commit has not the MAC of the gateway");
    }
    unmarked = [];
    marked = Math.max(marked, last);
    if (head !== undefined) macs.restart(head.mac ?? "");
  }

  function readSigned(line: Line & SignedHead): void {
    const content = readHead(line, keys);
    const hash = textHash(line.head);
    if (content?.writer !== writer) {
      const after = previous?.content.last ?? 0;
      fault("forged-head", [after + 1], "no known key signed this head of the writer");
      return;
    }
    const { first, last } = content;
    hashes.set(last, hash);
    for (const [other, latest] of Object.entries(content.seen)) seen.set(other, latest);
    checkMacs(last, content);
    const before = previous;
    previous = { content, hash };
    // Retention leaves the head at which it cut, and none of its records.
    if (before === undefined && pending.length === 0) {
      cutAt = last;
      return;
    }
    const followsOn =
      before === undefined
        ? content.previous === null && first === 1
        : content.previous === before.hash &&
          first === before.content.last + 1 &&
          content.epoch >= before.content.epoch;
    if (!followsOn) {
      const from = (before?.content.last ?? 0) + 1;
      fault("missing", [from, last], "the head before this one is missing, or was replaced");
    }
    const size = last - first + 1;
    const given = line.leaves === undefined ? [] : splitLeaves(line.leaves);
    const inside = pending.filter(({ sequence }) => sequence <= last);
    pending = pending.filter(({ sequence }) => sequence > last);
    const own = inside.map(({ hash: leaf }) => leaf);
    const acceptCuts = (leaves: readonly Leaf[]): void => {
      for (const { cut } of leaves) if (cut !== undefined) onCut(cut);
    };
    if (inside.length === size && rootOf(own) === content.root) {
      sealed += size;
      acceptCuts(inside);
      for (const one of exported) {
        const part = one.content.first === first ? own.slice(0, one.content.last - first + 1) : [];
        if (part.length > 0 && rootOf(part) === one.content.root) prefixes.add(one.hash);
      }
    } else if (given.length === size && rootOf(given) === content.root) {
      locate(inside, given, { first, last, fault });
      sealed += size;
      acceptCuts(inside.filter(({ cut, hash: leaf }) => cut !== undefined && given.some((one) => one.equals(leaf))));
    } else {
      fault("changed", [first, last], "these records are not what was signed, and their stored hashes are not either");
    }
  }

  return {
    read(line: Line): void {
      if (isSigned(line)) readSigned(line);
      else if (typeof line.record === "string" && typeof line.sequence === "number") {
        readRecord(line);
      } else {
        counted = line.last ?? 0;
        exportedAt = Date.parse(line.time ?? "") || exportedAt;
      }
    },
    end(): WriterEnd {
      if (end !== undefined) return end;
      let next = (previous?.content.last ?? 0) + 1;
      for (const { sequence } of pending) {
        if (sequence > next) fault("missing", [next, sequence - 1], "these records were removed");
        next = sequence + 1;
      }
      checkMacs(highest, undefined);
      const old = pending.filter(({ at }) => !(exportedAt - at <= SEAL_WITHIN_MS));
      const [oldest] = old;
      if (oldest !== undefined) {
        const range = [oldest.sequence, old.at(-1)?.sequence ?? 0];
        fault("unsealed", range, "these records are older than five minutes, and no head covers them");
      }
      if (next <= counted) fault("cut", [next, counted], "these records were numbered, and are gone");
      end = { sealed, unsealed: pending.length, hashes, prefixes, cutAt, seen };
      return end;
    },
  };
}

/** Which cut a record reports. Other records are not parsed, which takes half of the time. */
function cutIn(record: string): string | undefined {
  if (!record.includes('"audit.cut"')) return undefined;
  const { action, subject, detail } = parseObject<Record<string, string>>(record) ?? {};
  return action === "audit.cut" ? `${subject} ${detail}` : undefined;
}

/** When a record was committed: the first of its members. */
function timeOf(record: string): number {
  return Date.parse(/^\{"time":"([^"]+)"/.exec(record)?.[1] ?? "");
}

function isSigned(line: Line): line is Line & SignedHead {
  return typeof line.head === "string" && typeof line.signature === "string";
}

/** Compares records with the leaves that were signed. */
function locate(
  found: readonly Leaf[],
  signed: readonly Buffer[],
  { first, last, fault }: { first: number; last: number; fault: WriterFault },
): void {
  const places = new Map(signed.map((leaf, at) => [leaf.toString("base64url"), first + at]));
  const present = new Map(found.map(({ sequence, hash }) => [sequence, hash.toString("base64url")]));
  const hashesFound = new Set(present.values());
  // A record that was put in, or taken out, moves all later ones by one.
  let shift = 0;
  for (let sequence = first; sequence <= last; sequence++) {
    const hash = present.get(sequence);
    const place = hash === undefined ? undefined : places.get(hash);
    const wanted = signed[sequence - shift - first]?.toString("base64url") ?? "";
    // All leaves before were found: at the end nothing is left to compare.
    if (place === sequence - shift || (hash === undefined && sequence - shift > last)) continue;
    const isKnownElsewhere = hashesFound.has(wanted);
    if (hash === undefined) fault("missing", [sequence], "this record was removed");
    else if (place === undefined && isKnownElsewhere) {
      shift += 1;
      fault("added", [sequence], "this record was never signed, and the next ones moved up");
    } else if (place === undefined) fault("changed", [sequence], "this record is not what was signed");
    else if (isKnownElsewhere) fault("swapped", [sequence], `this record was signed as ${place}`);
    else {
      fault("missing", [sequence - shift], "this record was removed, and the next ones moved down");
      shift -= place - (sequence - shift);
    }
  }
}
