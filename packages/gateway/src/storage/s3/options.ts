import type { Addressing, S3Credentials, S3SignerOptions } from "daypass/s3";

/** How long the upstream may take, in milliseconds. */
export interface S3Timeouts {
  /** Until a connection stands, 5,000 unless told. */
  readonly connectMs?: number | undefined;
  /** From the last byte of a request to the first of its answer, 60,000 unless told. Completions and copies of large objects take long. */
  readonly answerMs?: number | undefined;
  /** Between two pieces of a body, in either direction, 30,000 unless told. A slow client does not count against the upstream. */
  readonly idleMs?: number | undefined;
}

/** Options of {@link s3}. */
export interface S3Options {
  /** Scheme, host, port and base path; Amazon's endpoint of the region by default. Nothing that a client sends changes it. */
  readonly endpoint?: string | undefined;
  /** Signed in every call: the bucket's, such as `eu-west-1`. */
  readonly region: string;
  /** As `s3Signer` takes it. */
  readonly addressing?: Addressing | undefined;
  /** What the server is known to lack, as the presets of `daypass/presets` bring it. Not read here: the server says no by itself. */
  readonly provider?: S3SignerOptions["provider"];
  /** An access key, or `current` of `rotatingCredentials`. */
  readonly credentials: S3Credentials | (() => S3Credentials);
  /**
   * Which buckets there are: one, under its own name, or several, as the names that clients use → upstream buckets. No other is
   * reachable then. Without it there are all buckets that the account owns, which it has to be allowed to list.
   */
  readonly bucket?: string | Readonly<Record<string, string>> | undefined;
  /** Sends readers to the bucket with a URL that is good for a minute, instead of passing the bytes on. */
  readonly redirect?: boolean | undefined;
  /**
   * Bytes of one upload that may be held in memory, where its length or its checksum is not known before its end. 8 MB unless
   * told, which is the size of parts that most clients choose; S3 takes no parts below 5 MB. All uploads together may hold 64 times
   * as much; what is beyond it waits for room, or is refused.
   */
  readonly holdBytes?: number | undefined;
  readonly timeouts?: S3Timeouts | undefined;
  /** What time calls are signed with: the system's clock unless told. */
  readonly clock?: (() => Date) | undefined;
}
