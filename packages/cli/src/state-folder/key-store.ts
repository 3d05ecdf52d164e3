import { readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { isObject } from "daypass/schemes";
import { CommandError } from "../command.ts";
import { decodeText, parseSecretJson, readTextIfExists } from "../files.ts";
import { removeTemporaryFiles } from "./files.ts";
import { type ActiveKey, hasEnded, isActive, isKeyRecord, type KeyRecord, type SigningKey } from "./key-record.ts";
import { withLock } from "./lock.ts";
import { MASTER_KEY, masterKey, seal, unseal } from "./master-key.ts";
import { type NewKey, newKey } from "./new-key.ts";
import { replaceFile } from "./replace-file.ts";
import { expectStateFolder } from "./state-folder.ts";

/** The keys of one state folder. `keys.json` holds their secrets, encrypted with the master key. */
export interface KeyStore {
  list(): Promise<readonly KeyRecord[]>;
  /** The active keys with their secrets. Throws if one of them cannot be decrypted. */
  active(): Promise<readonly ActiveKey[]>;
  /** All keys with the secrets that can be decrypted. An edited row does not affect other rows. */
  opened(): Promise<readonly OpenedKey[]>;
  create(wanted: NewKey): Promise<ActiveKey>;
  /** Creates all of these keys if the store has never had a key. Returns whether it did. */
  createFirst(wanted: readonly NewKey[]): Promise<boolean>;
  /** Creates a successor with the same scope. The old key stays valid for `overlap` seconds. */
  rotate(id: string, overlap: number): Promise<ActiveKey>;
  /** Revokes a key and deletes its secret. */
  revoke(id: string): Promise<KeyRecord>;
  /** A value that changes with the file. Empty if there is no file. Cheap to poll. */
  fingerprint(): Promise<string>;
}

/** A key of the store. */
export interface OpenedKey {
  readonly record: KeyRecord;
  /** `undefined` if the key was revoked, its row was edited, or the master key differs. */
  readonly key: ActiveKey | undefined;
}

/** Options of {@link keyStore}. */
export interface KeyStoreOptions {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: () => Date;
}

interface Row {
  readonly record: KeyRecord;
  /** Missing after a revocation. */
  readonly secret?: string;
}

const FORMAT = 1;

/** Opens the keys of a state folder. Reads and writes nothing before a method is called. */
export function keyStore({ folder, env, clock }: KeyStoreOptions): KeyStore {
  const path = join(folder, "keys.json");
  expectStateFolder(folder);

  const read = async (): Promise<readonly Row[]> => {
    const text = await readTextIfExists(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EACCES") throw error;
      throw new CommandError(`this user may not read ${path} (EACCES). Change its owner to the gateway's user`);
    });
    return text === undefined ? [] : parseRows(path, text);
  };

  const change = <T>(work: (rows: readonly Row[]) => Promise<readonly [rows: readonly Row[], result: T]>): Promise<T> =>
    withLock(`${path}.lock`, async (lock) => {
      // A temporary file of a crashed process may hold a deleted secret. See also renameOver() in replace-file.ts.
      for (const file of [path, join(folder, MASTER_KEY)]) await removeTemporaryFiles(file);
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
    // Create a master key only while no key is encrypted with another one.
    const master = await masterKey({ env, folder, create: rows.every(({ secret }) => secret === undefined) });
    // Refuse a master key that does not decrypt the active keys, because the gateway would not start.
    for (const row of activeRows(rows, now)) expectOpened({ record: row.record, key: openKey(master, row) });
    const secret = seal(master, JSON.stringify(key), sealContext(record));
    return [[...rows, { record, secret }], { record, ...key }];
  };

  /** Decrypts rows. Does not need the master key if no row has a secret. */
  const open = async (rows: readonly Row[]): Promise<readonly OpenedKey[]> => {
    if (rows.every(({ secret }) => secret === undefined)) return rows.map(({ record }) => ({ record, key: undefined }));
    const master = await masterKey({ env, folder, create: false });
    return rows.map((row) => ({ record: row.record, key: openKey(master, row) }));
  };

  return {
    async list() {
      return (await read()).map(({ record }) => record);
    },
    active: async () => (await open(activeRows(await read(), clock()))).map(expectOpened),
    opened: async () => open(await read()),
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

// The scope is sealed with the secret, so editing the file cannot widen it. `retiresAt` and `revokedAt` are not sealed, because they only
// restrict, and a rotation must work without the secret.
function sealContext({ kind, id, algorithm, scope }: KeyRecord): string {
  const { buckets, origins, prefix, methods, maxLife, until } = scope;
  return JSON.stringify([FORMAT, kind, id, algorithm, buckets, origins, prefix, methods, maxLife, until]);
}

function openKey(master: Uint8Array, { record, secret }: Row): ActiveKey | undefined {
  const text = secret === undefined ? undefined : unseal(master, secret, sealContext(record));
  return text === undefined ? undefined : { record, ...(JSON.parse(text) as SigningKey) };
}

/** The key if it can be decrypted. */
export function expectOpened({ record, key }: OpenedKey): ActiveKey {
  if (key === undefined) throw unopened(record);
  return key;
}

/** The error for a key that cannot be decrypted. */
export function unopened({ id }: KeyRecord): CommandError {
  return new CommandError(
    `the master key does not decrypt the key ${id}. Restore the master key that made it, or its row of keys.json`,
  );
}

function activeRows(rows: readonly Row[], now: Date): readonly Row[] {
  return rows.filter(({ record, secret }) => secret !== undefined && isActive(record, now));
}

function find(rows: readonly Row[], id: string): Row {
  const row = rows.find(({ record }) => record.id === id);
  if (row === undefined) throw noSuchKey(id);
  return row;
}

/** The error for an unknown key id. */
export function noSuchKey(id: string): CommandError {
  return new CommandError(`${JSON.stringify(id)} is not the id of a stored key. See daypass keys list`);
}

function usable(rows: readonly Row[], id: string, now: Date): Row {
  const row = find(rows, id);
  if (!isActive(row.record, now))
    throw new CommandError(`the key ${id} was revoked or has retired. Choose another of daypass keys list`);
  // A successor would have the same expired scope.
  if (hasEnded(row.record, now))
    throw new CommandError(`the key ${id} has expired. Create a new one with daypass keys create`);
  return row;
}

/** Whether a file holds the keys of a state folder, in any format version. */
export function isKeyFile(path: string): boolean {
  try {
    const { version, keys } = JSON.parse(decodeText(readFileSync(path)));
    return typeof version === "number" && Array.isArray(keys) && typeof keys[0]?.record?.algorithm === "string";
  } catch {
    return false;
  }
}

function parseRows(path: string, text: string): readonly Row[] {
  const value = parseSecretJson(text);
  if (!isObject(value)) throw new CommandError(`${path} is not a JSON object. Restore it from a backup`);
  const { version, keys } = value;
  if (version !== FORMAT || !Array.isArray(keys)) {
    throw new CommandError(`${path} is not in format ${FORMAT}: a newer release wrote it. Use that release`);
  }
  const damaged = keys.findIndex((row) => !isRow(row));
  if (damaged < 0) return keys as readonly Row[];
  throw new CommandError(`keys[${damaged}] of ${path} is damaged. Restore the file from a backup`);
}

function isRow(row: unknown): row is Row {
  return isObject(row) && isKeyRecord(row["record"]) && ["undefined", "string"].includes(typeof row["secret"]);
}
