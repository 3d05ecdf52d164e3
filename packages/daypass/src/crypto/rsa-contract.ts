import { type DaypassError, refusal } from "../core/errors.ts";
import type { JwkPurpose } from "./jwk-purpose.ts";

/** The hash of a signature: each scheme says which, by its own rule or by the algorithm that belongs to the key. */
export type RsaDigest = "sha1" | "sha256";

/**
 * A public RSA key as a JWK (RFC 7518 section 6.3.1): modulus and exponent as base64url. A key for another algorithm or
 * purpose is refused.
 */
export interface RsaJwk extends JwkPurpose {
  readonly kty: "RSA";
  readonly n: string;
  readonly e: string;
}

/** A private key that signs by RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2): the same message has the same signature. */
export interface RsaPrivateKey {
  /** As many bytes as the modulus has. `message`: text as UTF-8. */
  sign(digest: RsaDigest, message: string | Uint8Array): Promise<Uint8Array>;
}

/** A public key. A signature of another length or above the modulus is no error but `false`. */
export interface RsaPublicKey {
  verify(digest: RsaDigest, message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** Published vectors and old keys of CDNs have 1024 bits; what is shorter can be factored at home. */
export const SHORTEST_MODULUS = 1024;

/** `INVALID_KEY`. Says nothing of what was found: it may be the key in the wrong place. */
export function invalidRsaKey(kind: "private" | "public"): DaypassError {
  return refusal("INVALID_KEY", `a ${kind} RSA key of ${SHORTEST_MODULUS} bits or more, as PEM (no passphrase) or JWK`);
}
