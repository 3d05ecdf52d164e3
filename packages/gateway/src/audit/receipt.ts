/** Receipts: one record with what proves it. */
import type { KeyObject } from "node:crypto";
import type { State } from "../state/contract/state.ts";
import { type Head, readHead, type SignedHead } from "./head.ts";
import { HASH_BYTES, leafHash, pathOf, rootFromPath } from "./tree.ts";

/** One record, its path and its head. Verifies offline with the public key. */
export interface Receipt extends SignedHead {
  readonly version: 1;
  /** The number of the record. */
  readonly sequence: number;
  readonly record: string;
  /** Base64url, the lowest neighbour first; empty for a tree of one record. */
  readonly path: readonly string[];
}

/**
 * The receipt of the record `sequence` of a `writer`; `undefined` if the record does not exist, or has no head yet. Does not verify it.
 *
 * @example
 * ```ts
 * import { receiptOf } from "@daypass/gateway/audit";
 * import { sqliteState } from "@daypass/gateway/state";
 *
 * const state = await sqliteState({ path: "state.db" });
 * console.log(await receiptOf(state, "main", 1));
 * await state.close();
 * ```
 */
export async function receiptOf(state: State, writer: string, sequence: number): Promise<Receipt | undefined> {
  const range = { writer, after: sequence - 1, limit: 1 };
  const [head] = await state.auditHeads(range);
  const [found] = await state.auditRecords(range);
  if (head === undefined || found?.sequence !== sequence || sequence < head.first) return undefined;
  const path = pathOf(splitLeaves(head.leaves), sequence - head.first);
  return { version: 1, sequence, record: found.record, path, head: head.head, signature: head.signature };
}

/**
 * The head of a receipt that holds; `undefined` if it does not. Needs no state and no network.
 *
 * @param keys as `publicKeys` read them
 * @example
 * ```ts
 * import { publicKeys, type Receipt, readReceipt } from "@daypass/gateway/audit";
 *
 * export const holds = (receipt: Receipt, pem: string) => readReceipt(receipt, publicKeys(pem)) !== undefined;
 * ```
 */
export function readReceipt(receipt: Receipt, keys: ReadonlyMap<string, KeyObject>): Head | undefined {
  const { record, path, sequence } = receipt;
  if (typeof record !== "string" || !Array.isArray(path) || typeof receipt.head !== "string") return undefined;
  const head = readHead({ head: receipt.head, signature: String(receipt.signature) }, keys);
  if (head === undefined || !Number.isSafeInteger(sequence) || sequence < head.first) return undefined;
  const place = { index: sequence - head.first, size: head.last - head.first + 1 };
  return rootFromPath(leafHash(record), path.map(String), place) === head.root ? head : undefined;
}

/** The leaves of a stored head. */
export function splitLeaves(text: string): Buffer[] {
  const bytes = Buffer.from(text, "base64url");
  return Array.from({ length: Math.floor(bytes.length / HASH_BYTES) }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}
