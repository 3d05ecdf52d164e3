/** A P-256 key as a JWK (RFC 7518 section 6.2). `d` is there in private keys only. */
export interface EcJwk {
  readonly kty: "EC";
  readonly crv: "P-256";
  readonly x: string;
  readonly y: string;
  readonly d?: string | undefined;
}

/** The hash that a message is signed through: SHA-256 unless a scheme's own rule is older. */
export type EcdsaHash = "sha1" | "sha256";

/** A public key. A signature that cannot be read is no error but `false`. */
export interface EcdsaPublicKey {
  /** `signature` in DER, in its one spelling: a length or an integer with needless bytes never matches. */
  verify(message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** `signature` as the 64 bytes r ‖ s, as JWS has it (RFC 7518 section 3.4). */
  verifyRaw(message: string | Uint8Array, signature: Uint8Array): Promise<boolean>;
}

/** A private key. ECDSA draws a random number: the same message has another signature each time. */
export interface EcdsaPrivateKey {
  /** A signature in DER. */
  sign(message: string | Uint8Array): Promise<Uint8Array>;
  /** A signature as the 64 bytes r ‖ s. */
  signRaw(message: string | Uint8Array): Promise<Uint8Array>;
  readonly publicKey: EcdsaPublicKey;
}
