import type { Context } from "../command.ts";
import { CommandError } from "../command.ts";
import type { ActiveKey } from "../state/key-record.ts";
import { keyStore } from "../state/key-store.ts";
import { stateFolder } from "../state/state-folder.ts";

/** Which stored key to use. */
export interface StoredKeyChoice {
  readonly state: string;
  /** By its id; the oldest active one of its kind if left out. */
  readonly id: string | undefined;
}

/** A key of a gateway's state. */
export async function storedKey<K extends ActiveKey["kind"]>(
  kind: K,
  { state, id }: StoredKeyChoice,
  { env }: Context,
): Promise<Extract<ActiveKey, { kind: K }>> {
  const folder = stateFolder(state, env);
  const keys = await keyStore({ folder, env, clock: () => new Date() }).active();
  const found = keys.find((key): key is Extract<ActiveKey, { kind: K }> => {
    return key.kind === kind && (id === undefined || key.record.id === id);
  });
  if (found !== undefined) return found;
  const wanted = `${kind === "s3" ? "an S3 access key" : "a Daypass URL key"}${id === undefined ? "" : ` with id ${JSON.stringify(id)}`}`;
  throw new CommandError(`expected ${wanted} in ${folder} that is active, found none: see daypass keys list`);
}
