/** An HMAC key with its pads computed once. */
export interface PreparedHmac {
  /** The MAC of the UTF-8 form of `message`, lower-case hexadecimal. */
  hex(message: string): string;
  /** The MAC of the UTF-8 form of `message`. */
  bytes(message: string): Uint8Array;
}

export interface Ed25519PublicKey {
  verify(message: string, signature: Uint8Array): Promise<boolean>;
}

export interface Ed25519PrivateKey {
  sign(message: string): Promise<Uint8Array>;
}
