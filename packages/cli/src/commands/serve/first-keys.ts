import { type ActiveKey, inSigningOrder } from "../../state-folder/key-record.ts";
import type { KeyStore } from "../../state-folder/key-store.ts";
import type { NewKey } from "../../state-folder/new-key.ts";

/** The keys that a start prints. */
export interface StartKeys {
  /** The access key that `daypass sign --state` uses by default. */
  readonly s3: Extract<ActiveKey, { kind: "s3" }> | undefined;
  readonly url: Extract<ActiveKey, { kind: "url" }> | undefined;
  /** Whether they were just created. Only then may a secret be printed. */
  readonly areNew: boolean;
}

const FIRST: readonly NewKey[] = [
  { algorithm: "AWS4-HMAC-SHA256", scope: {}, label: "made at the first start" },
  { algorithm: "HS256", scope: {}, label: "made at the first start" },
];

/**
 * Creates one key of each kind if there has never been a key. Returns whether it did. Call when nothing else can fail, because the secret is
 * printed only by this start.
 */
export async function makeFirstKeys(store: KeyStore): Promise<boolean> {
  return (await store.list()).length === 0 && (await store.createFirst(FIRST));
}

/** Finds the keys that `daypass sign --state` uses by default. */
export async function startKeys(store: KeyStore, { areNew }: Pick<StartKeys, "areNew">): Promise<StartKeys> {
  const keys = inSigningOrder(await store.active(), new Date());
  return {
    s3: keys.find((key) => key.kind === "s3"),
    url: keys.find((key) => key.kind === "url"),
    areNew,
  };
}
