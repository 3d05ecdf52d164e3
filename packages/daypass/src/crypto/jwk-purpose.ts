/** The members of a JWK that say what it is for (RFC 7517 section 4). */
export interface JwkPurpose {
  /** The algorithm, if the key states it. One other than the scheme's is refused. */
  readonly alg?: string | undefined;
  /** `"sig"`, if anything. */
  readonly use?: string | undefined;
  /** With `"verify"` or `"sign"` among them, if they are there. */
  readonly key_ops?: readonly string[] | undefined;
}

/** Whether a JWK is for signatures of this algorithm, which belongs to the key. What it does not say it allows. */
export function isForSignatures(algorithm: string, { alg, use, key_ops }: JwkPurpose): boolean {
  return (
    `${alg ?? algorithm} ${use ?? "sig"}` === `${algorithm} sig` && /sign|verify/.test(String(key_ops ?? "verify"))
  );
}
