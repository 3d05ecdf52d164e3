/** Why the design of a scheme guarantees less than a signature should. */
export type Weakness =
  /** A bare MD5 over secret and text instead of an HMAC. */
  | "plain-md5"
  /** Fields are joined without separators: one signed text can stand for two requests. */
  | "unseparated-fields"
  /** The scheme can create URLs that never expire, and this signer or verifier supports them. */
  | "no-expiry"
  /** So few bytes of the signature are kept that guessing one is within reach. */
  | "short-signature";

/**
 * Part of signers, grants and their types, so that code can refuse weak schemes by type: a function that takes a
 * `Weak<never>` does not accept a grant of a weak scheme.
 */
export interface Weak<W extends Weakness> {
  /** The weaknesses of the scheme as configured; empty if it has none. */
  readonly weak: readonly W[];
}

const SENTENCES: Readonly<Record<Weakness, string>> = {
  "plain-md5": "the signature is a bare MD5 over secret and text: choose a scheme with an HMAC where you can",
  "unseparated-fields": "fields are signed without separators, so that one signature can stand for two requests",
  "no-expiry": "the URL never ends: only a new secret revokes it, and all others with it",
  "short-signature": "the signature is cut to fewer than 16 bytes, so that one can be guessed",
};

/** One sentence for a person: the texts of `explain`. */
export function describeWeakness(weakness: Weakness): string {
  return SENTENCES[weakness];
}

/** The `warnings` of a URL; that it never ends is said of those only which do not. */
export function weaknessWarnings(weak: readonly Weakness[], expires: string | undefined): readonly string[] {
  return weak.filter((weakness) => weakness !== "no-expiry" || expires === undefined).map(describeWeakness);
}
