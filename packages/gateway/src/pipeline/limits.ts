/** What a request may cost before anybody has looked at its signature. Sizes are bytes. */
export interface Limits {
  /** Path of the target, as on the wire. */
  readonly path: number;
  /** Query of the target, as on the wire. */
  readonly query: number;
  /** The whole request head. Enforced by the HTTP parser. */
  readonly headerBytes: number;
  /** Number of header fields. One more than this is refused; Node would drop the rest in silence. */
  readonly headerCount: number;
  /** Body of an upload. */
  readonly body: number;
  /** An object made of parts, which `body` bounds one by one only. */
  readonly object: number;
  /** What each part of an upload in parts has at least, but the last. */
  readonly minPart: number;
  /** Names and values of an upload's user metadata together. */
  readonly metadata: number;
  /**
   * Requests that may be under way at once; the next one is asked to come back later. A quarter of them may be forms and other
   * bodies that nobody has verified yet.
   */
  readonly inFlight: number;
  /**
   * Of these, bodies that nobody has verified yet from one address (of IPv6: one /64), and never more than half of the places for
   * them. Behind a proxy the addresses are those of clients only where the proxy is trusted.
   */
  readonly unverifiedPerAddress: number;
}

/** The limits of a gateway that was given none: S3's own, and room for what clients send. */
export const defaultLimits: Limits = {
  // A key has at most 1024 bytes and percent-encoding triples them.
  path: 4096,
  // A session token alone can take 2 KB.
  query: 8192,
  headerBytes: 16_384,
  headerCount: 100,
  // "The largest object that can be uploaded in a single PUT is 5 GB."
  body: 5 * 1024 ** 3,
  // "Maximum object size: 50 TB", which are 10,000 of the largest parts.
  object: 10_000 * 5 * 1024 ** 3,
  // "5 MiB to 5 GiB. There is no minimum size limit on the last part of your multipart upload."
  minPart: 5 * 1024 ** 2,
  // "The user-defined metadata is limited to 2 KB in size."
  metadata: 2048,
  inFlight: 1024,
  // A place is held while the fields of a form come in, which are 20 KB: a household or an office has few at once.
  unverifiedPerAddress: 64,
};
