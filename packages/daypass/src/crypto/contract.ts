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

/**
 * Compares two texts without an early exit: digests, whose length may leak and whose content may not. Node's `timingSafeEqual` does no
 * more than this loop without a branch, but its way into C++ and back, with two buffers, takes a tenth of the time to verify.
 */
export function equalDigests(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

/** The members of a JWK that say what it is for (RFC 7517 section 4). */
export interface JwkPurpose {
  /** The algorithm, if the key states it. One other than the scheme's is refused. */
  readonly alg?: string | undefined;
  /** `"sig"`, if anything. */
  readonly use?: string | undefined;
  /** Must include `"verify"` or `"sign"`, if present. */
  readonly key_ops?: readonly string[] | undefined;
}

/** Whether a JWK is for signatures of this algorithm, which belongs to the key. What it does not say it allows. */
export function isForSignatures(algorithm: string, { alg, use, key_ops }: JwkPurpose): boolean {
  return (
    `${alg ?? algorithm} ${use ?? "sig"}` === `${algorithm} sig` && /sign|verify/.test(String(key_ops ?? "verify"))
  );
}
