import { uriEncode, uriEncodePath } from "../wire/encoding.ts";
import { urlHost } from "../wire/origin.ts";
import { percentDecode } from "../wire/raw-target.ts";
import type { ReceivedRequest } from "./contracts.ts";
import { invalidInput } from "./errors.ts";

/** Where the bucket's name goes: before the key, into the host, or nowhere if the host belongs to a single bucket. */
export type BucketAddressing = "path" | "virtual" | "bucket-bound";

/** Host and encoded path under which a bucket is reached. */
export interface BucketAddress {
  /** `scheme://host`, the host with a port only if it is not the scheme's default. */
  readonly origin: string;
  readonly host: string;
  /** Encoded path of the bucket without a slash at its end; empty if the host names the bucket. */
  readonly path: string;
}

const ADDRESSINGS = ["path", "virtual", "bucket-bound"];
// An empty universe domain leaves a dot at the end of a host.
const ENDPOINT = /^(https?:\/\/)([\w.:[\]-]+(?<!\.))\/?$/;
// Google has names with underscores, which no DNS name of a host would have.
const HOST_LABELS = /^[a-z0-9]+(?:(?:\.|[_-]+)[a-z0-9]+)*$/;
const PATH_SEGMENT = /^(?!\.\.?$)[^/\\?#\p{Cc}]+$/u;

/** Prepares the addresses of buckets at one endpoint. Throws `INVALID_INPUT`. */
export function bucketAddresses(endpoint: string, addressing: BucketAddressing): (bucket: string) => BucketAddress {
  const [, scheme, name] = ENDPOINT.exec(endpoint) ?? [];
  const isVirtual = addressing === "virtual";
  const authority = urlHost(`${scheme}${name}`);
  // An IP address has no prefix.
  if (!authority || (isVirtual && !urlHost(`${scheme}b.${authority}`)))
    throw invalidInput("endpoint", "scheme://host[:port]", endpoint);
  if (!ADDRESSINGS.includes(addressing)) {
    throw invalidInput("addressing", ADDRESSINGS.join(" or "), addressing);
  }
  return (bucket) => {
    if (typeof bucket !== "string" || !(isVirtual ? HOST_LABELS : PATH_SEGMENT).test(bucket)) {
      throw invalidInput("bucket", isVirtual ? "a name that a host can contain" : "a name without slashes", bucket);
    }
    const host = isVirtual ? `${bucket}.${authority}` : authority;
    return { origin: scheme + host, host, path: addressing === "path" ? `/${uriEncode(bucket)}` : "" };
  };
}

/** The encoded path of an object or, without a key, of the bucket. */
export function objectPath({ path }: BucketAddress, key: string | undefined): string {
  return `${path}/${uriEncodePath(key ?? "")}`;
}

/** Where an object or a bucket is. */
export interface ObjectLocation {
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly key: string | undefined;
}

/** The bucket that a request's host names. An origin begins with its scheme, so that it is no name of `Object.prototype`. */
export function hostBucket({ origin, wildcard }: ReceivedRequest, buckets: Buckets): string | undefined {
  return wildcard || buckets?.[origin];
}

/** The bucket of each origin that is one bucket's own host. */
type Buckets = Readonly<Record<string, string>> | undefined;

/**
 * Bucket and key of a request: the bucket is what a wildcard origin's `*` stood for, or what `buckets` says of this
 * origin, else the first path segment. The key is all that follows the one `/`, decoded once.
 */
export function objectLocation(received: ReceivedRequest, buckets: Buckets): ObjectLocation {
  const path = percentDecode(received.wire.path).slice(1);
  const named = hostBucket(received, buckets);
  const bucket = named ?? (path.split("/")[0] as string);
  return { bucket, key: (named === undefined ? path.slice(bucket.length + 1) : path) || undefined };
}
