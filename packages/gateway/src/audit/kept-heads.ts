/** Heads that a process keeps outside of the database: an attacker who writes to the database cannot take back what they cover. */
import type { KeyObject } from "node:crypto";
import type { AuditWriter, StoredHead } from "../state/contract/records.ts";
import type { State } from "../state/contract/state.ts";
import { type Head, parseObject, readHead } from "./head.ts";
import { textHash } from "./tree.ts";

/** A head without its leaves, as a line of an export contains it. */
export type ExportedHead = Pick<StoredHead, "writer" | "head" | "signature">;

/** The last head of every writer, outside of the database. */
export interface KeptHeads {
  /** What was saved last; empty at first. */
  load(): Promise<readonly ExportedHead[]>;
  /** Replaces it. A crash leaves the old heads or the new ones. */
  save(heads: readonly ExportedHead[]): Promise<void>;
}

/** The history in the database differs from what the gateway wrote. */
export class HistoryChanged extends Error {
  /** Kept heads that the database has lost; empty if only records differ. */
  readonly lost: readonly ExportedHead[];

  /**
   * Adds to the message what the operator can do.
   *
   * @param message what differs, without a period at its end
   */
  constructor(message: string, lost: readonly ExportedHead[] = []) {
    super(`${message}. Run daypass audit verify. After a restore or a failover, run daypass audit accept-restore`);
    this.lost = lost;
  }
}

/** The content of a head that was kept or verified. */
export function contentOf({ head }: ExportedHead): Head {
  return JSON.parse(head) as Head;
}

/** Which kept heads the state has lost. */
export async function lostHeads(
  state: Pick<State, "auditHeads">,
  writers: readonly AuditWriter[],
  { kept, keys }: { readonly kept: readonly ExportedHead[]; readonly keys: ReadonlyMap<string, KeyObject> },
): Promise<readonly ExportedHead[]> {
  const isLost = async (one: ExportedHead): Promise<boolean> => {
    const latest = writers.find(({ writer }) => writer === one.writer);
    const { last } = contentOf(one);
    if (latest === undefined || latest.last < last) return true;
    if (latest.head?.head === one.head) return false;
    const [stored] = await state.auditHeads({ writer: one.writer, after: last - 1, limit: 1 });
    const found = stored && headOf(stored, keys);
    if (stored === undefined || found === undefined) return true;
    if (found.last === last) return stored.head !== one.head;
    // Retention may have removed the kept head, with those before it.
    return found.first === last + 1 ? found.previous !== textHash(one.head) : found.first <= last;
  };
  const lost: ExportedHead[] = [];
  for (const one of kept) if (await isLost(one)) lost.push(one);
  return lost;
}

/** The content of a stored head; `undefined` if no known key signed it for its writer. */
export function headOf(stored: ExportedHead, keys: ReadonlyMap<string, KeyObject>): Head | undefined {
  const content = readHead(stored, keys);
  return content?.writer === stored.writer ? content : undefined;
}

/**
 * Reads exported heads. Leaves out a torn line, and verifies nothing.
 *
 * @param text lines of JSON
 * @example
 * ```ts
 * import { readHeads } from "@daypass/gateway/audit";
 *
 * console.log(readHeads("").length); // 0
 * ```
 */
export function readHeads(text: string): readonly ExportedHead[] {
  return text.split("\n").flatMap((line) => parseObject<ExportedHead>(line) ?? []);
}
