/** What a request may cost before its signature is verified. Sizes are in bytes. */
export interface Limits {
  /** Path of the target, as on the wire. */
  readonly path: number;
  /** Query of the target, as on the wire. */
  readonly query: number;
  /** The whole request head. Enforced by the HTTP parser. */
  readonly headerBytes: number;
  /** Number of header fields. More are refused; Node would silently drop the rest. */
  readonly headerCount: number;
  /** Body of an upload. */
  readonly body: number;
  /** A multipart object, of which `body` limits only each part. */
  readonly object: number;
  /** Minimum size of each part of a multipart upload, except the last. */
  readonly minPart: number;
  /** Names and values of an upload's user metadata together. */
  readonly metadata: number;
  /**
   * Requests that may be in progress at once; further ones are refused with the request to retry later. Up to a quarter of them may be forms
   * and other bodies that are not verified yet.
   */
  readonly inFlight: number;
  /**
   * Of these unverified bodies, how many may come from one address (IPv6: one /64), and never more than half of them. Behind a proxy,
   * set the proxy as trusted, or all clients have its address.
   */
  readonly unverifiedPerAddress: number;
}

/** The default limits of a gateway: S3's own, with room for what clients send. */
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
  // A form occupies its slot while its fields arrive, 20 KB at most: a household or an office has few at once.
  unverifiedPerAddress: 64,
};
