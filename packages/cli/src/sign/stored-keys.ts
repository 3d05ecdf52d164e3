import type { Context } from "../command.ts";
import { isActive } from "../state/key-record.ts";
import { keyStore, type OpenedKey, unopened } from "../state/key-store.ts";
import { urlKey } from "../state/scoped-key.ts";
import { expectThere, stateFolder } from "../state/state-folder.ts";
import type { KeyPlaces, KeysAtHand } from "./keys-at-hand.ts";

/** The keys of a gateway's state. */
export async function storedKeys(
  state: string,
  places: Pick<KeyPlaces, "now" | "retired">,
  env: Context["env"],
): Promise<Pick<KeysAtHand, "s3" | "url" | "records">> {
  const rows = await storedRows(state, places, env);
  const keys = rows.flatMap(({ key }) => (key === undefined ? [] : [key]));
  return {
    s3: keys.flatMap((key) => (key.kind === "s3" ? [key.credentials] : [])),
    url: keys.flatMap((key) => (key.kind === "url" ? [urlKey(key)] : [])),
    records: new Map(rows.map(({ record }) => [record.id, record])),
  };
}

async function storedRows(
  state: string,
  { now, retired }: Pick<KeyPlaces, "now" | "retired">,
  env: Context["env"],
): Promise<readonly OpenedKey[]> {
  const folder = stateFolder(state, env);
  expectThere(folder);
  const rows = await keyStore({ folder, env, clock: () => now }).opened();
  return rows.map(({ record, key }) => {
    const isGood = isActive(record, now);
    if (isGood && key === undefined) throw unopened(record);
    return { record, key: isGood || retired === true ? key : undefined };
  });
}
