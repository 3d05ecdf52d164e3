import type { Context } from "../command.ts";
import { CommandError } from "../command.ts";
import { type ActiveKey, inSigningOrder, isActive } from "../state/key-record.ts";
import { keyStore, unopened } from "../state/key-store.ts";
import { expectThere, stateFolder } from "../state/state-folder.ts";

/** Which stored key to use. */
export interface StoredKeyChoice {
  readonly state: string;
  /** By its id; of several the one that `daypass serve` would show if left out. */
  readonly id: string | undefined;
}

/** A key of a gateway's state. */
export async function storedKey<K extends ActiveKey["kind"]>(
  kind: K,
  { state, id }: StoredKeyChoice,
  { env }: Context,
): Promise<Extract<ActiveKey, { kind: K }>> {
  const folder = stateFolder(state, env);
  expectThere(folder);
  const now = new Date();
  const rows = await keyStore({ folder, env, clock: () => now }).opened();
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
