/** Moves a state from SQLite to PostgreSQL. */
import { type RecordMacs, recordMacs } from "./contract/commit-mac.ts";
import type { SealedKey } from "./contract/keys.ts";
import { fillPostgres } from "./postgres/fill.ts";
import type { SecretSeal } from "./postgres/secrets.ts";
import { type StoredRows, storedRows } from "./sqlite/stored-rows.ts";

/** Options of {@link moveState}. */
export interface MoveOptions {
  /** The file of the SQLite state, which no process has open. Every record has a head. */
  readonly path: string;
  /** As for `postgresState`. */
  readonly url: string;
  /** As for `postgresState`. */
  readonly seal: SecretSeal;
  /** The key of the option `mac` of `postgresState`: the records get MACs of this key. */
  readonly macKey: Uint8Array;
  /** The keys of the gateway, sealed. */
  readonly keys: readonly SealedKey[];
  /** Runs before the commit, which does not happen if it rejects. */
  readonly beforeCommit: () => Promise<void>;
  /** Runs after the commit, while no other process can open the file. */
  readonly afterCommit: () => Promise<void>;
}

/**
 * Copies all rows into an empty schema, in one transaction. Writers and heads stay as they are. Does not verify the audit, and leaves the file.
 * Rejects if the schema has rows, if another process has the file open, or if a record has no head.
 *
 * @example
 * ```ts
 * import { type MoveOptions, moveState } from "@daypass/gateway/state";
 *
 * export const move = (options: MoveOptions) => moveState(options);
 * ```
 */
export async function moveState({ path, macKey, afterCommit, ...options }: MoveOptions): Promise<void> {
  const stored = await storedRows(path);
  try {
    const macs = recordMacs(macKey, headMacs(stored));
    await fillPostgres({
      ...options,
      secrets: stored.secrets(),
      rows: (table) => (table === "audit_record" ? withMacs(stored, macs) : stored.rows(table)),
    });
    await afterCommit();
  } finally {
    stored.close();
  }
}

/** The MAC in each head, by the record with which the head ends. */
function headMacs(stored: StoredRows): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { writer, last, head } of stored.rows("audit_head"))
    found.set(`${writer} ${last}`, JSON.parse(String(head)).mac ?? "");
  for (const { writer, last } of stored.rows("audit_writer")) {
    if (found.has(`${writer} ${last}`)) continue;
    throw new Error(`records of the writer ${writer} have no head yet. Start the gateway, stop it, and try again`);
  }
  return found;
}

function* withMacs(stored: StoredRows, macs: RecordMacs) {
  for (const row of stored.rows("audit_record", "writer, sequence")) {
    const { writer, sequence, record, mac } = row;
    yield { writer, sequence, record, mac: macs(String(writer), Number(sequence), String(record), mac !== null) };
  }
}
