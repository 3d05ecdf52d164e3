import type { Addressing, S3Credentials, S3SignerOptions } from "daypass/s3";
import {
  callback,
  expectForms,
  type Form,
  type FormsOf,
  flag,
  isObject,
  object,
  required,
  text,
  timer,
  wholeNumber,
} from "../../http/validate-options.ts";

/** How long the upstream may take, in milliseconds. */
export interface S3Timeouts {
  /** Until a connection is established, 5,000 by default. */
  readonly connectMs?: number | undefined;
  /** From the last byte of a request to the first of its response, 60,000 by default. Completions and copies of large objects take long. */
  readonly answerMs?: number | undefined;
  /** Between two chunks of a body, in either direction, 30,000 by default. A slow client does not count against the upstream. */
  readonly idleMs?: number | undefined;
}

/** Options of {@link s3}. */
export interface S3Options {
  /** Scheme, host, port and base path; Amazon's endpoint of the region by default. Nothing that a client sends changes it. */
  readonly endpoint?: string | undefined;
  /** Signed in every call: the bucket's, such as `eu-west-1`. */
  readonly region: string;
  /** As for `s3Signer`. */
  readonly addressing?: Addressing | undefined;
  /** The features that the server is known to lack, as in the presets of `daypass/presets`. Not used here: the server itself refuses. */
  readonly provider?: S3SignerOptions["provider"];
  /** An access key, or `current` of `rotatingCredentials`. */
  readonly credentials: S3Credentials | (() => S3Credentials);
  /**
   * The served buckets: one, under its own name, or several, as a map from the names that clients use to upstream
   * buckets. No other bucket is then reachable. If omitted, all buckets of the account are served; the credentials must
   * be allowed to list them.
   */
  readonly bucket?: string | Readonly<Record<string, string>> | undefined;
  /** Redirects readers to the bucket with a URL that is valid for a minute, instead of passing the bytes on. */
  readonly redirect?: boolean | undefined;
  /**
   * Bytes of one upload that may be kept in memory if its length or checksum is not known before its end. 8 MB by
   * default, the part size of most clients; S3 accepts no parts below 5 MB. All uploads together may use 64 times as
   * much; further ones wait for memory, or are refused.
   */
  readonly holdBytes?: number | undefined;
  readonly timeouts?: S3Timeouts | undefined;
  /** The clock for signing calls; by default, the system clock. */
  readonly clock?: (() => Date) | undefined;
}

const ANY: Form = [() => true, ""];

const OPTIONS: FormsOf<S3Options> = {
  endpoint: text,
  provider: object,
  region: required([text[0], "the region of the buckets"]),
  // The signer checks it.
  addressing: ANY,
  credentials: required([
    (value) => typeof value === "function" || isObject(value),
    "an access key, or a function that returns one",
  ]),
  bucket: [
    isBuckets,
    "the name of a bucket, or an object of at least one: the name that clients use → the name of the server",
  ],
  redirect: flag,
  holdBytes: wholeNumber(1),
  timeouts: { connectMs: timer, answerMs: timer, idleMs: timer } satisfies FormsOf<S3Timeouts>,
  clock: callback,
};

/** Refuses options that cannot work. The signer checks its own. @throws {DaypassError} `INVALID_INPUT` */
export function checkOptions(options: S3Options): void {
  expectForms(options, OPTIONS);
}

/** Names that a path can contain. `/-/` belongs to the gateway. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the names must not contain control characters
const CLIENTS_NAME = /^(?!-$)[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$/;

function isBuckets(value: unknown): boolean {
  if (typeof value === "string") return isUpstreamName(value);
  if (!isObject(value)) return false;
  const names = Object.entries(value);
  return names.length > 0 && names.every(([name, upstream]) => CLIENTS_NAME.test(name) && isUpstreamName(upstream));
}

/** Names that every upstream accepts, and names of old buckets. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){1,253}[A-Za-z0-9]$/;

/** Any other text could be another path at the upstream. */
export function isUpstreamName(name: unknown): boolean {
  return typeof name === "string" && NAME.test(name);
}
