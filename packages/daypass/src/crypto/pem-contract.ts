import { type DaypassError, refusal } from "../core/errors.ts";

/** The hash of a signature: which one belongs to the key is its scheme's to say. */
export type PemHash = "sha1" | "sha256";

/** A private key of either kind: RSA signs by PKCS #1 v1.5, P-256 by ECDSA in DER, as `openssl dgst -sign` does. */
export interface PemPrivateKey {
  /** ECDSA draws a random number: the same message is signed differently each time. */
  readonly isEc: boolean;
  sign(hash: PemHash, message: string): Promise<Uint8Array>;
}

/** A public key of either kind. A signature that cannot be read is no error but `false`. */
export interface PemPublicKey {
  verify(hash: PemHash, message: string, signature: Uint8Array): Promise<boolean>;
}

/** `INVALID_KEY` without the value, which may be the key in the wrong place. */
export function invalidPem(kind: "PRIVATE" | "PUBLIC"): DaypassError {
  return refusal(
    "INVALID_KEY",
    `the key cannot be read. Pass an RSA key of 1024 bits or more, or a P-256 key, as PEM (-----BEGIN ${kind} KEY-----) without a passphrase`,
  );
}
