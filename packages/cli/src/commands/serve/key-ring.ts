import type { S3AccessKey } from "@daypass/gateway";
import type { UrlKey } from "daypass/url";
import { type ActiveKey, isActive } from "../../state/key-record.ts";
import type { KeyStore } from "../../state/key-store.ts";
import { accessKey, urlKey } from "../../state/scope.ts";

/** The keys of a running gateway. */
export interface KeyRing {
  s3(id: string): S3AccessKey | undefined;
  url(kid: string): UrlKey | undefined;
  /** Reads store and public keys again. */
  reload(): Promise<void>;
  /** Reads the store again if its file has changed. The public keys stay: what is wrong with theirs must not delay a revocation. */
  refresh(): Promise<void>;
}

/** The keys of a store, kept in memory until the store changes. Key objects stay the same, so what is derived from them stays. */
export async function keyRing(
  store: KeyStore,
  options: {
    readonly clock: () => Date;
    /** Told the ids of all stored keys, which none of them may have. */
    readonly publicKeys: (stored: ReadonlySet<string>) => readonly UrlKey[];
    /** Told when the store's file is gone, and with it the keys. */
    readonly onGone: () => void;
  },
): Promise<KeyRing> {
  let fingerprint: string | undefined;
  let publicKeys: readonly UrlKey[] = [];
  let active = new Map<string, ActiveKey>();
  let s3 = new Map<string, S3AccessKey>();
  let url = new Map<string, UrlKey>();

  const reload = async (): Promise<void> => {
    const stored = await store.list();
    const wanted = options.publicKeys(new Set(stored.map(({ id }) => id)));
    await readStore(wanted);
    publicKeys = wanted;
  };

  const readStore = async (further: readonly UrlKey[]): Promise<void> => {
    // Before the file: a change while it is being read is then seen the next time.
    const seen = await store.fingerprint();
    const keys = await store.active();
    active = new Map(keys.map((key) => [key.record.id, key]));
    s3 = new Map(keys.flatMap((key) => (key.kind === "s3" ? [[key.record.id, accessKey(key)] as const] : [])));
    url = new Map([
      ...further.map((key) => [key.kid, key] as const),
      ...keys.flatMap((key) => (key.kind === "url" ? [[key.record.id, urlKey(key)] as const] : [])),
    ]);
    const isGone = seen === "" && Boolean(fingerprint);
    fingerprint = seen;
    if (isGone) options.onGone();
  };
  await reload();

  const isUsable = (id: string): boolean => {
    const key = active.get(id);
    return key === undefined || isActive(key.record, options.clock());
  };

  return {
    s3: (id) => (isUsable(id) ? s3.get(id) : undefined),
    url: (kid) => (isUsable(kid) ? url.get(kid) : undefined),
    reload,
    async refresh() {
      if ((await store.fingerprint()) !== fingerprint) await readStore(publicKeys);
    },
  };
}
