import type { S3Credentials } from "daypass/s3";
import type { UrlKey } from "daypass/url";
import { CommandError, type Context } from "../command.ts";
import { type ActiveKey, inSigningOrder, isActive, type KeyRecord } from "../state-folder/key-record.ts";
import { expectOpened, keyStore, type OpenedKey } from "../state-folder/key-store.ts";
import { urlKey } from "../state-folder/scope.ts";
import { expectStateExists, stateFolder } from "../state-folder/state-folder.ts";

/** The choice of a stored key. */
export interface StoredKeyChoice {
  readonly state: string;
  /** By default the key that `daypass serve` shows. */
  readonly id: string | undefined;
}

/** A key of a gateway's state that can sign. */
export async function storedKey<K extends ActiveKey["kind"]>(
  kind: K,
  { state, id }: StoredKeyChoice,
  { env }: Context,
): Promise<Extract<ActiveKey, { kind: K }>> {
  const now = new Date();
  const { folder, rows } = await openedKeys(state, now, env);
  const usable = rows.filter(({ record }) => record.kind === kind && isActive(record, now));
  // The signer reports if a key that was named has expired.
  const [found] = id === undefined ? inSigningOrder(usable, now) : usable.filter(({ record }) => record.id === id);
  if (found !== undefined) return expectOpened(found) as Extract<ActiveKey, { kind: K }>;
  const wanted = `${kind === "s3" ? "S3 access key" : "Daypass URL key"}${id === undefined ? "" : ` with id ${JSON.stringify(id)}`}`;
  throw new CommandError(`${folder} has no ${wanted} in use. See daypass keys list --state ${folder}`);
}

/** The keys of a gateway's state that can verify. */
export interface StoredKeys {
  readonly s3: readonly S3Credentials[];
  readonly url: readonly UrlKey[];
  /** The records of all keys by their id. */
  readonly records: ReadonlyMap<string, KeyRecord>;
}

/** Reads the keys that are active at `now`, and with `retired` also those that have retired by then. */
export async function storedKeys(
  state: string,
  { now, retired }: { readonly now: Date; readonly retired?: boolean | undefined },
  env: Context["env"],
): Promise<StoredKeys> {
  const { rows } = await openedKeys(state, now, env);
  const keys = rows.flatMap((row) => {
    if (isActive(row.record, now)) return [expectOpened(row)];
    return row.key !== undefined && retired === true ? [row.key] : [];
  });
  return {
    s3: keys.flatMap((key) => (key.kind === "s3" ? [key.credentials] : [])),
    url: keys.flatMap((key) => (key.kind === "url" ? [urlKey(key)] : [])),
    records: new Map(rows.map(({ record }) => [record.id, record])),
  };
}

async function openedKeys(
  state: string,
  now: Date,
  env: Context["env"],
): Promise<{ readonly folder: string; readonly rows: readonly OpenedKey[] }> {
  const folder = stateFolder(state, env);
  expectStateExists(folder);
  return { folder, rows: await keyStore({ folder, env, clock: () => now }).opened() };
}
