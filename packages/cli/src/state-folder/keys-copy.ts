/** The sealed copy of shared keys in the state folder: what serves while the database is away, and what detects an older row in it. */
import { existsSync } from "node:fs";
import { readTextIfExists } from "../files.ts";
import { writeStateFile } from "./files.ts";
import type { KeyRow } from "./key-rows.ts";
import { withLock } from "./lock.ts";
import { seal, unseal } from "./master-key.ts";

/** A row with its version. */
export interface Entry {
  readonly version: number;
  readonly row: KeyRow;
  /** Whether the database has another row, which is refused. */
  readonly isLost?: boolean;
}

/** Receives what an operator must know. */
export type Report = (message: string, details: object) => void;

/** The copy. */
export interface KeysCopy {
  /** Whether there is one. */
  exists(): boolean;
  /** `undefined` if there is none that the master key sealed. `checkedAt`: when the database last confirmed it, milliseconds since 1970. */
  load(
    master: Uint8Array,
  ): Promise<{ readonly checkedAt: number; readonly entries: ReadonlyMap<string, Entry> } | undefined>;
  /** Adds entries that the database has confirmed now, and keeps the highest version of each key, whichever process saves last. */
  save(master: Uint8Array, entries: ReadonlyMap<string, Entry>): Promise<void>;
}

interface Content {
  readonly checkedAt: number;
  readonly keys: readonly Entry[];
}

const CONTEXT = "daypass: copy of the keys, version 1";

/** The copy in a file. */
export function keysCopy({
  path,
  clock,
  report,
}: {
  readonly path: string;
  readonly clock: () => Date;
  readonly report: Report;
}): KeysCopy {
  const load: KeysCopy["load"] = async (master) => {
    const text = unseal(master, (await readTextIfExists(path)) ?? "", CONTEXT);
    if (text === undefined) return undefined;
    const { checkedAt, keys } = JSON.parse(text) as Content;
    return { checkedAt, entries: new Map(keys.map((entry) => [entry.row.record.id, entry])) };
  };
  return {
    exists: () => existsSync(path),
    load,
    async save(master, entries) {
      try {
        await withLock(`${path}.lock`, async () => {
          const merged = new Map((await load(master))?.entries);
          for (const [id, { version, row }] of entries)
            if (version >= (merged.get(id)?.version ?? 0)) merged.set(id, { version, row });
          const content: Content = { checkedAt: clock().getTime(), keys: [...merged.values()] };
          await writeStateFile(path, seal(master, JSON.stringify(content), CONTEXT));
        });
      } catch (error) {
        report("the copy of the keys could not be written", { error: String(error) });
      }
    },
  };
}
