import { type BucketAddress, type BucketAddressing, bucketAddresses } from "../../core/bucket-endpoint.ts";
import { invalidInput } from "../../core/errors.ts";
import { type ObjectCall, type ObjectRules, readObjectRequest, type StoreRequest } from "../../core/object-request.ts";
import { uriEncodePath } from "../../wire/encoding.ts";

/** Options for the server that the URLs are for. */
export interface GcsEndpointOptions {
  /**
   * Where the bucket's name goes: before the object (default), into the host, or nowhere if the host of `endpoint`
   * belongs to a single bucket.
   */
  readonly addressing?: BucketAddressing | undefined;
  /** Scheme, host and port of another server or of a bucket's own host; `https://storage.<universeDomain>` by default. */
  readonly endpoint?: string | undefined;
  /** `googleapis.com` by default, or as in the service account's file. */
  readonly universeDomain?: string | undefined;
}

/** Prepares the addresses of buckets. Throws `INVALID_INPUT`. */
export function gcsAddresses(options: GcsEndpointOptions): (bucket: string) => BucketAddress {
  const { addressing = "path", endpoint, universeDomain = "googleapis.com" } = options;
  // A bucket's own host has no default, and the empty text is refused.
  const usual = addressing === "bucket-bound" ? "" : `https://storage.${universeDomain}`;
  return bucketAddresses(endpoint ?? usual, addressing);
}

/** The encoded path of an object, or of the bucket: without a slash at its end (vector "List Objects"). */
export function gcsPath({ path }: BucketAddress, object: string | undefined): string {
  return object === undefined ? path || "/" : `${path}/${uriEncodePath(object)}`;
}

/** What every request to Cloud Storage has. */
export interface GcsStoreRequest extends StoreRequest {
  /**
   * First instant of validity. `X-Goog-Date` is signed as 15 minutes later, because Google accepts a URL from 15 minutes
   * before its date. So the URL must expire more than 15 minutes after this instant.
   */
  readonly notBefore?: Date | undefined;
  /** Only `contentDisposition` and `contentType`: Cloud Storage supports no other override. */
  readonly response?: StoreRequest["response"];
  /** A signature is for one object: `UNSUPPORTED_CONSTRAINT`. */
  readonly prefix?: string | undefined;
}

/** A request for one object. */
export interface GcsObjectRequest extends GcsStoreRequest {
  /** The object's name, exactly: it is data and never parsed as a URL. */
  readonly object: string;
  readonly resource?: undefined;
}

/** A request for a bucket itself, such as a listing. */
export interface GcsBucketRequest extends GcsStoreRequest {
  /** Says that the request is for the whole bucket. */
  readonly resource: "bucket";
  readonly object?: undefined;
}

/** One request to Cloud Storage to sign: for an object, or with `resource: "bucket"` for its bucket. */
export type GcsSignRequest = GcsObjectRequest | GcsBucketRequest;

/** The options of V4. */
export const KNOWN: RegExp =
  /^(?:bucket|object|resource|method|query|headers|dotSegments|expires(?:In|At)|stableWindow|notBefore|bind(?:\.(?:content(?:Type|Length)|sha256|headers|query))?|response(?:\.content(?:Disposition|Type))?)$/;
/** By constraint that no version of Cloud Storage can bind, what can bind it. */
export const INSTEAD: Readonly<Record<string, string>> = {
  "bind.ip": "use the bucket's IP filter",
  prefix: "use an upload form",
};

/**
 * Checks a request and collects its headers and parameters: a digest and a range of lengths become headers, and so does an exact length
 * `asRange`.
 */
export function readGcsRequest(request: GcsSignRequest, rules: ObjectRules, asRange?: boolean): ObjectCall {
  const { sha256, contentLength: length } = request.bind ?? {};
  const own: Record<string, string | undefined> = {};
  if (sha256 !== undefined)
    own["x-goog-content-sha256"] = checked("bind.sha256", "64 lower-case hexadecimal digits", /^[0-9a-f]{64}$/, sha256);
  if (typeof length === "object" || (asRange && length !== undefined)) {
    const { min = 0, max } = Object(typeof length === "number" ? { min: length, max: length } : length);
    own["content-length"] = undefined;
    own["x-goog-content-length-range"] = checked(
      "bind.contentLength",
      "a whole number of bytes, or { min, max }",
      /^\d+,\d+$/,
      `${min},${max < min ? "less" : max}`,
    );
  }
  return readObjectRequest(request, rules, own);
}

function checked(option: string, expected: string, form: RegExp, value: string): string {
  if (form.test(value)) return value;
  throw invalidInput(option, expected, "another");
}
