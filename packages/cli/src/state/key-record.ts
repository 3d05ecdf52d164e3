import type { S3Credentials } from "daypass/s3";
import { isObject } from "daypass/schemes";
import type { UrlEd25519PrivateKey, UrlHmacKey } from "daypass/url";

/** What the grants of a key may be for. A member that is left out does not limit. */
export interface StoredScope {
  /** S3 keys: names of buckets. */
  readonly buckets?: readonly string[] | undefined;
  /** URL keys: `scheme://host[:port]`. */
  readonly origins?: readonly string[] | undefined;
  /** S3 keys: how an object's key begins. URL keys: how a path begins, with `/` at both ends. */
  readonly prefix?: string | undefined;
  readonly methods?: readonly string[] | undefined;
  /** Longest life of a URL, in seconds. */
  readonly maxLife?: number | undefined;
  /** ISO instant after which nothing is granted. */
  readonly until?: string | undefined;
}

/** What is known about a key besides its secret. */
export interface KeyRecord {
  readonly kind: "s3" | "url";
  /** Access key id or kid. */
  readonly id: string;
  readonly algorithm: "AWS4-HMAC-SHA256" | "HS256" | "Ed25519";
  readonly label?: string | undefined;
  readonly createdAt: string;
  readonly scope: StoredScope;
  /** After a rotation: the end of the overlap. */
  readonly retiresAt?: string | undefined;
  readonly revokedAt?: string | undefined;
}

/** Whether a value has what every record has. What the key may do, its seal tells. */
export function isKeyRecord(value: unknown): value is KeyRecord {
  if (!isObject(value)) return false;
  const { kind, id, algorithm, createdAt, scope } = value;
  const isKnown = kind === "s3" || kind === "url";
  return isKnown && [id, algorithm, createdAt].every((text) => typeof text === "string") && isObject(scope);
}

/** A key that can sign. */
export type SigningKey =
  | { readonly kind: "s3"; readonly credentials: S3Credentials }
  | { readonly kind: "url"; readonly jwk: UrlHmacKey | UrlEd25519PrivateKey };

/** A key that is neither revoked nor retired, with its secret. Its scope may have ended: then the gateway says so to whoever uses it. */
export type ActiveKey = { readonly record: KeyRecord } & SigningKey;

/** Whether a key may be used at an instant. */
export function isActive({ revokedAt, retiresAt }: KeyRecord, now: Date): boolean {
  return revokedAt === undefined && (retiresAt === undefined || now.getTime() < Date.parse(retiresAt));
}

/**
 * The keys that may sign where nobody has named one, the one to take first: of those that have not ended the one that ends last,
 * or a rotation would go on with the old one; then the one with the fewest limits, which most likely may; then the newer one.
 */
export function inSigningOrder<T extends { readonly record: KeyRecord }>(keys: readonly T[], now: Date): readonly T[] {
  // Not infinite for a key without an end: the difference of two has to be a number.
  const end = ({ record }: T): number => endOfKey(record)?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const limits = ({ record }: T): number => Object.keys(record.scope).length;
  const age = ({ record }: T): number => -Date.parse(record.createdAt);
  return keys
    .filter((key) => now.getTime() < end(key))
    .sort((a, b) => end(b) - end(a) || limits(a) - limits(b) || age(a) - age(b));
}

/** When a key grants nothing any more, as far as that is set: at the end of the overlap, or of its scope. */
export function endOfKey({ retiresAt, scope }: KeyRecord): Date | undefined {
  const ends = [retiresAt, scope.until].filter((end) => end !== undefined).map((end) => Date.parse(end));
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

/** Whether the end of a key has come, by a rotation or by its scope. */
export function hasEnded(record: KeyRecord, now: Date): boolean {
  const end = endOfKey(record);
  return end !== undefined && now.getTime() >= end.getTime();
}
