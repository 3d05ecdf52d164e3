import type { ActiveKey } from "../state/key-record.ts";
import type { KeyStore } from "../state/key-store.ts";

/** The keys that a start shows. */
export interface StartKeys {
  /** An access key that may sign anything, or any that is active. */
  readonly s3: Extract<ActiveKey, { kind: "s3" }> | undefined;
  readonly url: Extract<ActiveKey, { kind: "url" }> | undefined;
  /** Whether they were made just now: only then may a secret be shown. */
  readonly areNew: boolean;
}

/** The keys of the store; on the very first start, one of each kind is made. Keys that were all revoked stay revoked. */
export async function startKeys(store: KeyStore): Promise<StartKeys> {
  const areNew = (await store.list()).length === 0;
  if (areNew) {
    await store.create({ algorithm: "AWS4-HMAC-SHA256", scope: {}, label: "made at the first start" });
    await store.create({ algorithm: "HS256", scope: {}, label: "made at the first start" });
  }
  const active = await store.active();
  // The one with the fewest limits is the likeliest to open the file that is shown.
  const keys = [...active].sort((a, b) => Object.keys(a.record.scope).length - Object.keys(b.record.scope).length);
  return {
    s3: keys.find((key) => key.kind === "s3"),
    url: keys.find((key) => key.kind === "url"),
    areNew,
  };
}
