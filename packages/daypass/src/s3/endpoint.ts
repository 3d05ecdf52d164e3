import { uriEncode, uriEncodePath } from "../encode.ts";
import { invalidInput } from "../errors.ts";

/** Where the bucket's name goes: into the host, or in front of the key. */
export type Addressing = "path" | "virtual";

/** Options that say which server the URLs are for. */
export interface EndpointOptions {
  readonly region: string;
  /** Scheme, host, port and base path of a compatible; Amazon's regional endpoint by default. */
  readonly endpoint?: string | undefined;
  /** By default `virtual` on Amazon for buckets that its certificate covers, and `path` on custom endpoints. */
  readonly addressing?: Addressing | undefined;
}

/** Host and encoded path under which a bucket is reached. */
export interface BucketEndpoint {
  /** `scheme://host`, the host as it is signed: with a port only where it is not the scheme's default. */
  readonly origin: string;
  readonly host: string;
  /** Encoded path of the bucket without a slash at its end: empty in virtual-host style at the root. */
  readonly path: string;
  /** The bucket where the host names it, else empty. */
  readonly virtualBucket: string;
}

const ENDPOINT = /^(https?):\/\/([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?((?:\/[^/?#\\\s]+)*)\/?$/;

/** Prepares {@link BucketEndpoint}s for one server. Throws `INVALID_INPUT`. */
export function bucketEndpoints(options: EndpointOptions): (bucket: string) => BucketEndpoint {
  const { region, addressing } = options;
  if (typeof region !== "string" || !/^[A-Za-z0-9-]+$/.test(region))
    throw invalidInput("region", 'a name such as "auto"', region);
  if (addressing !== undefined && addressing !== "path" && addressing !== "virtual") {
    throw invalidInput("addressing", '"path" or "virtual"', addressing);
  }
  const text = options.endpoint ?? amazonEndpoint(region);
  const match = ENDPOINT.exec(text);
  if (match === null) throw invalidInput("endpoint", "scheme://host[:port][/path]", text);
  const [, scheme = "", host = "", port, basePath = ""] = match;
  const isDefaultPort = port === undefined || port === (scheme === "https" ? "443" : "80");
  const authority = host.toLowerCase() + (isDefaultPort ? "" : `:${port}`);
  const base = uriEncodePath(basePath);

  // Signing many URLs for one bucket is the common case.
  let last: { readonly bucket: string; readonly endpoint: BucketEndpoint } | undefined;
  return (bucket) => {
    if (last?.bucket === bucket) return last.endpoint;
    const virtual = isVirtual(bucket);
    checkBucket(bucket, virtual);
    const endpoint = virtual
      ? {
          origin: `${scheme}://${bucket}.${authority}`,
          host: `${bucket}.${authority}`,
          path: base,
          virtualBucket: bucket,
        }
      : {
          origin: `${scheme}://${authority}`,
          host: authority,
          path: `${base}/${uriEncode(bucket)}`,
          virtualBucket: "",
        };
    last = { bucket, endpoint };
    return endpoint;
  };

  function isVirtual(bucket: string): boolean {
    if (addressing !== undefined) return addressing === "virtual";
    return options.endpoint === undefined && HOST_LABEL.test(bucket);
  }
}

function amazonEndpoint(region: string): string {
  return `https://s3.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}

// One label: Amazon's certificate covers no dots.
const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;
const HOST_LABELS = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;

const PATH_SEGMENT = /^(?!\.{1,2}$)[^/\\?#\p{Cc}]+$/u;

function checkBucket(bucket: string, virtual: boolean): void {
  if (typeof bucket === "string" && (virtual ? HOST_LABELS : PATH_SEGMENT).test(bucket)) return;
  throw invalidInput("bucket", virtual ? 'part of a host name (or addressing "path")' : "one path segment", bucket);
}
