import { type ActiveKey, inSigningOrder } from "../../state/key-record.ts";
import type { KeyStore } from "../../state/key-store.ts";
import type { NewKey } from "../../state/new-key.ts";

/** The keys that a start shows. */
export interface StartKeys {
  /** The access key that `daypass sign --state` takes, too. */
  readonly s3: Extract<ActiveKey, { kind: "s3" }> | undefined;
  readonly url: Extract<ActiveKey, { kind: "url" }> | undefined;
  /** Whether they were made just now: only then may a secret be shown. */
  readonly areNew: boolean;
}

const FIRST: readonly NewKey[] = [
  { algorithm: "AWS4-HMAC-SHA256", scope: {}, label: "made at the first start" },
  { algorithm: "HS256", scope: {}, label: "made at the first start" },
];

/**
 * On the very first start makes one key of each kind, and tells whether it did. Keys that were all revoked stay revoked. To be called
 * when nothing can fail any more: the secret is shown by the start that makes it, and by no other.
 */
export async function makeFirstKeys(store: KeyStore): Promise<boolean> {
  return (await store.list()).length === 0 && (await store.createFirst(FIRST));
}

/** The keys that a start shows: those that `daypass sign --state` takes. */
export async function startKeys(store: KeyStore, { areNew }: Pick<StartKeys, "areNew">): Promise<StartKeys> {
  const keys = inSigningOrder(await store.active(), new Date());
  return {
    s3: keys.find((key) => key.kind === "s3"),
    url: keys.find((key) => key.kind === "url"),
    areNew,
  };
}
