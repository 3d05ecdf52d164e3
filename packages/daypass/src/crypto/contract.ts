/** An HMAC key with its pads computed once. */
export interface PreparedHmac {
  /** The MAC of the UTF-8 form of `message`, lower-case hexadecimal. */
  hex(message: string): string;
  /** The MAC of the UTF-8 form of `message`, base64url without padding. */
  base64url(message: string): string;
}

/** A message of fixed length under an HMAC key. */
export interface HmacFrame {
  /** Overwrites the message from `at` on. `ascii` has to fit and to be ASCII: callers pass checked dates and digests. */
  write(at: number, ascii: string): void;
  /** The MAC of the message as it is now, lower-case hexadecimal. */
  hex(): string;
}

export interface Ed25519PublicKey {
  verify(message: string, signature: Uint8Array): Promise<boolean>;
}

export interface Ed25519PrivateKey {
  sign(message: string): Promise<Uint8Array>;
}
