/** The rows of a key store, and the file that holds them if no database does. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "daypass/schemes";
import { CommandError } from "../command.ts";
import { parseSecretJson, readTextIfExists } from "../files.ts";
import { removeTemporaryFiles } from "./files.ts";
import { isKeyRecord, type KeyRecord } from "./key-record.ts";
import { withLock } from "./lock.ts";
import { MASTER_KEY } from "./master-key.ts";
import { replaceFile } from "./replace-file.ts";

/** A stored key. */
export interface KeyRow {
  readonly record: KeyRecord;
  /** Encrypted. Missing after a revocation. */
  readonly secret?: string;
}

/** Where the rows are stored. */
export interface KeyRows {
  /** In the order in which the keys were made. */
  read(): Promise<readonly KeyRow[]>;
  /** Stores the rows that `work` returns. It may run again, if another process changed the rows meanwhile. */
  change<T>(work: (rows: readonly KeyRow[]) => Promise<readonly [rows: readonly KeyRow[], result: T]>): Promise<T>;
  /** A value that changes with the rows. Empty if there is no file. Cheap to poll. */
  fingerprint(): Promise<string>;
}

/** The version of the format of `keys.json`. */
export const FORMAT = 1;

/** The rows in `keys.json` of a state folder. */
export function fileRows(folder: string): KeyRows {
  const path = join(folder, "keys.json");
  const read = async (): Promise<readonly KeyRow[]> => {
    const text = await readTextIfExists(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EACCES") throw error;
      throw new CommandError(`this user may not read ${path} (EACCES). Change its owner to the gateway's user`);
    });
    return text === undefined ? [] : parseRows(path, text);
  };
  return {
    read,
    change: (work) =>
      withLock(`${path}.lock`, async (lock) => {
        // A temporary file of a crashed process may hold a deleted secret. See also renameOver() in replace-file.ts.
        for (const file of [path, join(folder, MASTER_KEY)]) await removeTemporaryFiles(file);
        const [rows, result] = await work(await read());
        await replaceFile(path, `${JSON.stringify({ version: FORMAT, keys: rows }, undefined, 2)}\n`, lock);
        return result;
      }),
    async fingerprint() {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return found === undefined ? "" : `${found.ino} ${found.mtimeNs} ${found.size}`;
    },
  };
}

function parseRows(path: string, text: string): readonly KeyRow[] {
  const value = parseSecretJson(text);
  if (!isObject(value)) throw new CommandError(`${path} is not a JSON object. Restore it from a backup`);
  const { version, keys } = value;
  if (version !== FORMAT || !Array.isArray(keys)) {
    throw new CommandError(`${path} is not in format ${FORMAT}: a newer release wrote it. Use that release`);
  }
  const damaged = keys.findIndex((row) => !isRow(row));
  if (damaged < 0) return keys as readonly KeyRow[];
  throw new CommandError(`keys[${damaged}] of ${path} is damaged. Restore the file from a backup`);
}

function isRow(row: unknown): row is KeyRow {
  return isObject(row) && isKeyRecord(row["record"]) && ["undefined", "string"].includes(typeof row["secret"]);
}
