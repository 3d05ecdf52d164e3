import { existsSync, readFileSync } from "node:fs";
import { CommandError } from "../command.ts";
import { decodeText } from "../files.ts";
import { type ActiveKey, hasEnded, isActive, type KeyRecord, type SigningKey } from "./key-record.ts";
import { FORMAT, fileRows, type KeyRow } from "./key-rows.ts";
import { linkFiles } from "./link-files.ts";
import { masterKey, seal, unseal } from "./master-key.ts";
import { type NewKey, newKey } from "./new-key.ts";
import { type SharedRowsOptions, sharedRows } from "./shared-rows.ts";
import { expectStateFolder } from "./state-folder.ts";

/** The keys of one state folder: in `keys.json`, or in the database that replicas share, with secrets that the master key encrypts. */
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
  /** A value that changes with the keys. Empty if there is no file. Cheap to poll. */
  fingerprint(): Promise<string>;
}

/** A key of the store. */
export interface OpenedKey {
  readonly record: KeyRecord;
  /** `undefined` if the key was revoked, its row was edited, or the master key differs. */
  readonly key: ActiveKey | undefined;
}

/** Options of {@link keyStore}. */
export type KeyStoreOptions = SharedRowsOptions;

/** Opens the keys of a state folder. Reads and writes nothing before a method is called. */
export function keyStore(options: KeyStoreOptions): KeyStore {
  const { folder, env, clock } = options;
  expectStateFolder(folder);
  const store = existsSync(linkFiles(folder).postgres) ? sharedRows(options) : fileRows(folder);
  const { read, change } = store;

  const add = async (
    rows: readonly KeyRow[],
    wanted: NewKey,
  ): Promise<readonly [rows: readonly KeyRow[], key: ActiveKey]> => {
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
  const open = async (rows: readonly KeyRow[]): Promise<readonly OpenedKey[]> => {
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
    fingerprint: store.fingerprint,
  };
}

// The scope is sealed with the secret, so editing the file cannot widen it. `retiresAt` and `revokedAt` are not sealed, because they only
// restrict, and a rotation must work without the secret.
function sealContext({ kind, id, algorithm, scope }: KeyRecord): string {
  const { buckets, origins, prefix, methods, maxLife, until } = scope;
  return JSON.stringify([FORMAT, kind, id, algorithm, buckets, origins, prefix, methods, maxLife, until]);
}

function openKey(master: Uint8Array, { record, secret }: KeyRow): ActiveKey | undefined {
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

function activeRows(rows: readonly KeyRow[], now: Date): readonly KeyRow[] {
  return rows.filter(({ record, secret }) => secret !== undefined && isActive(record, now));
}

function find(rows: readonly KeyRow[], id: string): KeyRow {
  const row = rows.find(({ record }) => record.id === id);
  if (row === undefined) throw noSuchKey(id);
  return row;
}

/** The error for an unknown key id. */
export function noSuchKey(id: string): CommandError {
  return new CommandError(`${JSON.stringify(id)} is not the id of a stored key. See daypass keys list`);
}

function usable(rows: readonly KeyRow[], id: string, now: Date): KeyRow {
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
