import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "daypass/schemes";
import { CommandError } from "../command.ts";
import { privateJson } from "../private-json.ts";
import { decoded } from "../text-file.ts";
import { readText, sweepBeside } from "./files.ts";
import { type ActiveKey, hasEnded, isActive, isKeyRecord, type KeyRecord, type SigningKey } from "./key-record.ts";
import { withLock } from "./lock.ts";
import { MASTER_KEY, masterKey } from "./master-key.ts";
import { type NewKey, newKey } from "./new-key.ts";
import { replaceFile } from "./replace-file.ts";
import { seal, unseal } from "./seal.ts";
import { expectStateFolder } from "./state-folder.ts";

/** The keys of one state folder: `keys.json`, its secrets encrypted under the master key. */
export interface KeyStore {
  list(): Promise<readonly KeyRecord[]>;
  /** The keys that may be used now, with their secrets. Rejects where one of them does not open. */
  active(): Promise<readonly ActiveKey[]>;
  /** All keys with what opens of them: one row that was edited does not take the others away. */
  opened(): Promise<readonly OpenedKey[]>;
  create(wanted: NewKey): Promise<ActiveKey>;
  /** Makes keys where there has never been one, all or none. Resolves to whether it did. */
  createFirst(wanted: readonly NewKey[]): Promise<boolean>;
  /** Makes a successor with the same scope. The old key is good for `overlap` more seconds. */
  rotate(id: string, overlap: number): Promise<ActiveKey>;
  /** Ends a key at once and forgets its secret. */
  revoke(id: string): Promise<KeyRecord>;
  /** Changes whenever the file does, and is empty where there is none: cheap to ask often. */
  fingerprint(): Promise<string>;
}

/** A key of the store, and what it signs with. */
export interface OpenedKey {
  readonly record: KeyRecord;
  /** Missing where the key was revoked, where its row was edited, and where the master key is another one. */
  readonly key: ActiveKey | undefined;
}

/** What a key store works on. */
export interface KeyStoreOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => Date;
}

interface Row {
  readonly record: KeyRecord;
  /** Absent once the key has been revoked. */
  readonly secret?: string;
}

const FORMAT = 1;

/** Opens the keys of a state folder. No key is read, and nothing written, before a method is called. */
export function keyStore({ folder, env, clock }: KeyStoreOptions): KeyStore {
  const path = join(folder, "keys.json");
  expectStateFolder(folder);

  const read = async (): Promise<readonly Row[]> => {
    const text = await readText(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EACCES") throw error;
      throw new CommandError(
        `expected to read ${path}, found that it belongs to another user (EACCES): chown it to the gateway's user`,
      );
    });
    return text === undefined ? [] : parseRows(path, text);
  };

  const change = <T>(work: (rows: readonly Row[]) => Promise<readonly [rows: readonly Row[], result: T]>): Promise<T> =>
    withLock(`${path}.lock`, async (lock) => {
      // Before anything is read: see `replaceFile`. What a crash has left may hold a secret that was to be forgotten.
      for (const file of [path, join(folder, MASTER_KEY)]) await sweepBeside(file);
      const [rows, result] = await work(await read());
      await replaceFile(path, `${JSON.stringify({ version: FORMAT, keys: rows }, undefined, 2)}\n`, lock);
      return result;
    });

  const add = async (
    rows: readonly Row[],
    wanted: NewKey,
  ): Promise<readonly [rows: readonly Row[], key: ActiveKey]> => {
    const now = clock();
    const { record, key } = newKey(wanted, now);
    // A new master key while others are in use would leave two, of which only one can be found again.
    const master = await masterKey({ env, folder, create: rows.every(({ secret }) => secret === undefined) });
    // So would another one, and a gateway that cannot open a key that is in use does not start.
    for (const row of rows) {
      if (row.secret !== undefined && isActive(row.record, now)) openKey(master, row.record, row.secret);
    }
    const secret = seal(master, JSON.stringify(key), sealContext(record));
    return [[...rows, { record, secret }], { record, ...key }];
  };

  return {
    async list() {
      return (await read()).map(({ record }) => record);
    },
    async active() {
      const now = clock();
      const rows = (await read()).filter(({ record, secret }) => secret !== undefined && isActive(record, now));
      if (rows.length === 0) return [];
      const master = await masterKey({ env, folder, create: false });
      return rows.map(({ record, secret }) => ({ record, ...openKey(master, record, secret as string) }));
    },
    async opened() {
      const rows = await read();
      if (rows.every(({ secret }) => secret === undefined))
        return rows.map(({ record }) => ({ record, key: undefined }));
      const master = await masterKey({ env, folder, create: false });
      return rows.map(({ record, secret }) => {
        const key = secret === undefined ? undefined : tryKey(master, record, secret);
        return { record, key: key === undefined ? undefined : { record, ...key } };
      });
    },
    create: (wanted) => change((rows) => add(rows, wanted)),
    createFirst: (wanted) =>
      change(async (rows) => {
        if (rows.length > 0) return [rows, false];
        let made = rows;
        for (const key of wanted) [made] = await add(made, key);
        return [made, true];
      }),
    rotate: (id, overlap) =>
      change(async (rows) => {
        const old = usable(rows, id, clock());
        const retiresAt = new Date(clock().getTime() + overlap * 1000).toISOString();
        const { algorithm, scope, label } = old.record;
        return add(
          rows.map((row) => (row === old ? { ...row, record: { ...row.record, retiresAt } } : row)),
          { algorithm, scope, label },
        );
      }),
    revoke: (id) =>
      change(async (rows) => {
        const row = find(rows, id);
        const record: KeyRecord = { ...row.record, revokedAt: row.record.revokedAt ?? clock().toISOString() };
        return [rows.map((other) => (other === row ? { record } : other)), record];
      }),
    async fingerprint() {
      const found = await stat(path, { bigint: true }).catch(() => undefined);
      return found === undefined ? "" : `${found.ino} ${found.mtimeNs} ${found.size}`;
    },
  };
}

// What a key may do is sealed with it: nobody widens a scope by editing the file. The two ends are not: they only take away,
// and a rotation must not need the secret.
function sealContext({ kind, id, algorithm, scope }: KeyRecord): string {
  const { buckets, origins, prefix, methods, maxLife, until } = scope;
  return JSON.stringify([FORMAT, kind, id, algorithm, buckets, origins, prefix, methods, maxLife, until]);
}

function openKey(master: Uint8Array, record: KeyRecord, sealed: string): SigningKey {
  const key = tryKey(master, record, sealed);
  if (key === undefined) throw unopened(record);
  return key;
}

function tryKey(master: Uint8Array, record: KeyRecord, sealed: string): SigningKey | undefined {
  const text = unseal(master, sealed, sealContext(record));
  return text === undefined ? undefined : (JSON.parse(text) as SigningKey);
}

/** The refusal of a key that does not open. */
export function unopened({ id }: KeyRecord): CommandError {
  return new CommandError(
    `expected key ${id} to open with the master key, found that it does not: its row was edited, or the master key is a different one`,
  );
}

function find(rows: readonly Row[], id: string): Row {
  const row = rows.find(({ record }) => record.id === id);
  if (row === undefined) throw noSuchKey(id);
  return row;
}

/** The refusal of an id that no key of the store has. */
export function noSuchKey(id: string): CommandError {
  return new CommandError(`expected the id of a stored key, found ${JSON.stringify(id)}: see daypass keys list`);
}

function usable(rows: readonly Row[], id: string, now: Date): Row {
  const row = find(rows, id);
  if (!isActive(row.record, now))
    throw new CommandError(`expected a key in use, found that ${id} was revoked or has retired`);
  // Its successor would have the same scope, and could grant nothing.
  if (hasEnded(row.record, now))
    throw new CommandError(
      `expected a key in use, found that ${id} has ended: create a new one with daypass keys create`,
    );
  return row;
}

/** Whether a file holds the keys of a state folder, of whatever format. */
export function isKeyFile(path: string): boolean {
  try {
    const { version, keys } = JSON.parse(decoded(readFileSync(path)));
    return typeof version === "number" && Array.isArray(keys) && typeof keys[0]?.record?.algorithm === "string";
  } catch {
    return false;
  }
}

function parseRows(path: string, text: string): readonly Row[] {
  const value = privateJson(text);
  if (!isObject(value))
    throw new CommandError(`expected JSON in ${path}, found something else: restore it from a backup`);
  const { version, keys } = value;
  if (version !== FORMAT || !Array.isArray(keys)) {
    throw new CommandError(`expected ${path} in format ${FORMAT}, found another: it was written by a newer release`);
  }
  const damaged = keys.findIndex((row) => !isRow(row));
  if (damaged < 0) return keys as readonly Row[];
  throw new CommandError(
    `expected every key of ${path} to be whole, found keys[${damaged}] that is not: restore it from a backup`,
  );
}

function isRow(row: unknown): row is Row {
  return isObject(row) && isKeyRecord(row["record"]) && ["undefined", "string"].includes(typeof row["secret"]);
}
