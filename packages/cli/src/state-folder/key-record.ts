import type { AdminKey, AdminKeyScope } from "@daypass/gateway/admin";
import type { S3Credentials } from "daypass/s3";
import { isObject } from "daypass/schemes";
import type { UrlEd25519PrivateKey, UrlHmacKey } from "daypass/url";

/** The limits of a key, as the state folder stores them. */
export type StoredScope = AdminKeyScope;

/** The description of a key without its secret. */
export type KeyRecord = AdminKey;

/** Whether a value has the required members. The seal protects the scope. */
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

/** A key that is neither revoked nor retired, with its secret. Its scope may have expired, which the gateway reports to the client. */
export type ActiveKey = { readonly record: KeyRecord } & SigningKey;

/** Whether a key is neither revoked nor retired. */
export function isActive({ revokedAt, retiresAt }: KeyRecord, now: Date): boolean {
  return revokedAt === undefined && (retiresAt === undefined || now.getTime() < Date.parse(retiresAt));
}

/**
 * The keys to sign with by default, the preferred key first: the key that expires last, so that a rotation switches to the new key; then the key
 * with the fewest limits; then the newest.
 */
export function inSigningOrder<T extends { readonly record: KeyRecord }>(keys: readonly T[], now: Date): readonly T[] {
  // Not Infinity, because Infinity - Infinity is not a number.
  const end = ({ record }: T): number => endOfKey(record)?.getTime() ?? Number.MAX_SAFE_INTEGER;
  const limits = ({ record }: T): number => Object.keys(record.scope).length;
  const age = ({ record }: T): number => -Date.parse(record.createdAt);
  return keys
    .filter((key) => now.getTime() < end(key))
    .sort((a, b) => end(b) - end(a) || limits(a) - limits(b) || age(a) - age(b));
}

/** The expiry of a key: the end of its overlap or of its scope, whichever is first. */
export function endOfKey({ retiresAt, scope }: KeyRecord): Date | undefined {
  const ends = [retiresAt, scope.until].filter((end) => end !== undefined).map((end) => Date.parse(end));
  return ends.length === 0 ? undefined : new Date(Math.min(...ends));
}

/** Whether a key has expired, by a rotation or by its scope. */
export function hasEnded(record: KeyRecord, now: Date): boolean {
  const end = endOfKey(record);
  return end !== undefined && now >= end;
}
