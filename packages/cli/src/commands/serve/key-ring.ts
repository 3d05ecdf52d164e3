import type { S3AccessKey } from "@daypass/gateway";
import type { Log } from "@daypass/gateway/node";
import type { UrlKey } from "daypass/url";
import { type ActiveKey, isActive } from "../../state-folder/key-record.ts";
import type { KeyStore } from "../../state-folder/key-store.ts";
import { accessKey, urlKey } from "../../state-folder/scope.ts";

/** The keys of a running gateway. */
export interface KeyRing {
  /** An active access key. */
  s3(id: string): S3AccessKey | undefined;
  /** An active or public key for Daypass URLs. */
  url(kid: string): UrlKey | undefined;
  /** Reads the store and the public keys again. */
  reload(): Promise<void>;
  /** Reads the store again if its file has changed. Not the public keys, whose errors must not delay a revocation. */
  refresh(): Promise<void>;
}

/** Keeps the keys of a store in memory until the store changes. The objects stay the same, so that values derived from them stay cached. */
export async function keyRing(
  store: KeyStore,
  options: {
    readonly clock: () => Date;
    /** Receives the ids of all stored keys, which public keys must not reuse. */
    readonly publicKeys: (stored: ReadonlySet<string>) => readonly UrlKey[];
    /** Called when the file of the store has disappeared. */
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
    // Read the fingerprint first, so that a change during the read is noticed next time.
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

// A revoked key must be refused within a second.
const POLL_MS = 400;
/** Smaller corrections of the clock are not reported. */
const REPORTED_SECONDS = 5;
const SET_BACK =
  "the system clock was set back: the gateway's time stands still until it catches up, and URLs that end before then are refused; if the clock was wrong before, restart the gateway";

/** Polls the keys and the clock, and logs their errors once. Returns a function that stops the polling. */
export function pollKeys(keys: KeyRing, clock: () => Date, { logger }: Log): () => void {
  let isSetBack = false;
  let fault: string | undefined;
  const checkClock = (): void => {
    const seconds = Math.round((clock().getTime() - Date.now()) / 1000);
    if (seconds >= REPORTED_SECONDS && !isSetBack) logger.error({ seconds }, SET_BACK);
    isSetBack = seconds >= REPORTED_SECONDS;
  };
  const checkKeys = async (): Promise<void> => {
    try {
      await keys.refresh();
      if (fault !== undefined) logger.info("keys can be read again");
      fault = undefined;
    } catch (error) {
      const message = String(error);
      if (fault !== message) logger.error({ error: message }, "could not read the keys, the previous ones stay in use");
      fault = message;
    }
  };
  const poll = setInterval(() => {
    // Also keeps the clock current in an idle worker, so that it notices when the system clock is set back.
    checkClock();
    void checkKeys();
  }, POLL_MS);
  poll.unref();
  return () => clearInterval(poll);
}
