import type { Context } from "../../command.ts";
import { CommandError } from "../../command.ts";
import { type ActiveKey, inSigningOrder, isActive } from "../../state/key-record.ts";
import { keyStore, type OpenedKey, unopened } from "../../state/key-store.ts";
import { urlKey } from "../../state/scoped-key.ts";
import { expectThere, stateFolder } from "../../state/state-folder.ts";
import type { KeyPlaces, KeysAtHand } from "./available-keys.ts";

/** Which stored key to use. */
export interface StoredKeyChoice {
  readonly state: string;
  /** By its id; of several the one that `daypass serve` would show if left out. */
  readonly id: string | undefined;
}

/** A key of a gateway's state, to sign with. */
export async function storedKey<K extends ActiveKey["kind"]>(
  kind: K,
  { state, id }: StoredKeyChoice,
  { env }: Context,
): Promise<Extract<ActiveKey, { kind: K }>> {
  const now = new Date();
  const { folder, rows } = await openedKeys(state, now, env);
  const usable = rows.filter(({ record }) => record.kind === kind && isActive(record, now));
  // Of a key that was named and has ended the signer says so.
  const [found] = id === undefined ? inSigningOrder(usable, now) : usable.filter(({ record }) => record.id === id);
  if (found === undefined) {
    const wanted = `${kind === "s3" ? "an S3 access key" : "a Daypass URL key"}${id === undefined ? "" : ` with id ${JSON.stringify(id)}`}`;
    throw new CommandError(
      `expected ${wanted} in ${folder} that is active and has not ended, found none: see daypass keys list`,
    );
  }
  if (found.key === undefined) throw unopened(found.record);
  return found.key as Extract<ActiveKey, { kind: K }>;
}

/** The keys of a gateway's state, to verify with. */
export async function storedKeys(
  state: string,
  { now, retired }: Pick<KeyPlaces, "now" | "retired">,
  env: Context["env"],
): Promise<Pick<KeysAtHand, "s3" | "url" | "records">> {
  const { rows } = await openedKeys(state, now, env);
  const keys = rows.flatMap(({ record, key }) => {
    const isGood = isActive(record, now);
    if (isGood && key === undefined) throw unopened(record);
    return key !== undefined && (isGood || retired === true) ? [key] : [];
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
  expectThere(folder);
  return { folder, rows: await keyStore({ folder, env, clock: () => now }).opened() };
}
