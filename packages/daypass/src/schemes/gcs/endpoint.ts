import { type BucketAddress, type BucketAddressing, bucketAddresses } from "../../core/bucket-endpoint.ts";
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
