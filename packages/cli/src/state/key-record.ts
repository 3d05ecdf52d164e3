import type { S3Credentials } from "daypass/s3";
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

/** A key that can sign. */
export type SigningKey =
  | { readonly kind: "s3"; readonly credentials: S3Credentials }
  | { readonly kind: "url"; readonly jwk: UrlHmacKey | UrlEd25519PrivateKey };

/** A key that is neither revoked nor retired, with its secret. */
export type ActiveKey = { readonly record: KeyRecord } & SigningKey;

/** Whether a key may be used at an instant. */
export function isActive({ revokedAt, retiresAt }: KeyRecord, now: Date): boolean {
  return revokedAt === undefined && (retiresAt === undefined || now.getTime() < Date.parse(retiresAt));
}

/**
 * Which of two keys signs, where nobody has named one: a key whose end is set comes last, or a rotation would go on with the
 * old one; then the one with the fewest limits, which most likely may; then the newer one.
 */
export function bySigningOrder(a: KeyRecord, b: KeyRecord): number {
  const limits = ({ scope }: KeyRecord): number => Object.keys(scope).length;
  return (
    Number(a.retiresAt !== undefined) - Number(b.retiresAt !== undefined) ||
    limits(a) - limits(b) ||
    Date.parse(b.createdAt) - Date.parse(a.createdAt)
  );
}

/** When a key grants nothing any more, as far as that is set: at the end of the overlap, or of its scope. */
export function endOfKey({ retiresAt, scope }: KeyRecord): Date | undefined {
  const ends = [retiresAt, scope.until].filter((end) => end !== undefined).map((end) => Date.parse(end));
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}
