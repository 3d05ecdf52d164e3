import { type PemPublicKey, pemPublicKey } from "#crypto/pem";
import { type DaypassError, refusal } from "../../core/errors.ts";

/** SHA-1 is CloudFront's default; SHA-256 is selected with `Hash-Algorithm=SHA256`. */
export type CloudfrontHash = "sha1" | "sha256";

/** A public key of a trusted key group. */
export interface CloudfrontKey {
  readonly keyPairId: string;
  /** PEM of an RSA or P-256 key. */
  readonly publicKey: string;
  /** The hashes that signatures of this key may have. The hash belongs to the key: a URL cannot choose another. */
  readonly hashes: readonly CloudfrontHash[];
}

/** A key that has been checked. */
export interface LoadedKey extends PemPublicKey {
  readonly hashes: readonly CloudfrontHash[];
}

export function loadKey({ keyPairId, publicKey, hashes }: CloudfrontKey): LoadedKey {
  checkKeyPairId(keyPairId);
  if (!Array.isArray(hashes) || hashes.length === 0) throw invalidKey('hashes, such as ["sha256"]');
  hashes.forEach(checkHash);
  return { ...pemPublicKey(publicKey), hashes };
}

export function checkKeyPairId(keyPairId: string): void {
  // The pattern alone would accept a missing id, because it reads it as the word `undefined`.
  if (typeof keyPairId !== "string" || !/^[\w-]+$/.test(keyPairId)) throw invalidKey("an id such as K2JCJMDEHXQW5F");
}

export function checkHash(hash: CloudfrontHash): void {
  if (hash !== "sha1" && hash !== "sha256") throw invalidKey('the hash "sha1" or "sha256"');
}

function invalidKey(expected: string): DaypassError {
  return refusal("INVALID_KEY", `the CloudFront key cannot be used. Pass ${expected}`);
}
