import { uriEncode, uriEncodePath } from "../encode.ts";
import { DaypassError } from "../errors.ts";

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
  if (typeof region !== "string" || !/^[A-Za-z0-9-]+$/.test(region)) {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected region as a name such as "eu-west-1" or "auto", found ${JSON.stringify(region)}`,
    );
  }
  if (addressing !== undefined && addressing !== "path" && addressing !== "virtual") {
    throw new DaypassError(
      "INVALID_INPUT",
      `expected addressing "path" or "virtual", found ${JSON.stringify(addressing)}`,
    );
  }
  const text = options.endpoint ?? amazonEndpoint(region);
  const match = ENDPOINT.exec(text);
  if (match === null)
    throw new DaypassError(
      "INVALID_INPUT",
      `expected endpoint as scheme://host[:port][/path], found ${JSON.stringify(text)}`,
    );
  const [, scheme = "", host = "", port, basePath = ""] = match;
  const isDefaultPort = port === undefined || port === (scheme === "https" ? "443" : "80");
  const authority = host.toLowerCase() + (isDefaultPort ? "" : `:${port}`);
  const base = uriEncodePath(basePath);

  // Signing many URLs for one bucket is the common case.
  let last: { readonly bucket: string; readonly endpoint: BucketEndpoint } | undefined;
  return (bucket) => {
    if (last?.bucket === bucket) return last.endpoint;
    checkBucket(bucket);
    const endpoint = isVirtual(bucket)
      ? {
          origin: `${scheme}://${hostLabel(bucket)}.${authority}`,
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

const HOST_LABEL = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

function hostLabel(bucket: string): string {
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(bucket) && !/\.[.-]|-\./.test(bucket)) return bucket;
  throw new DaypassError(
    "INVALID_INPUT",
    `expected a bucket name that can be part of a host name, found ${JSON.stringify(bucket)}: use addressing: "path"`,
  );
}

function checkBucket(bucket: string): void {
  if (
    typeof bucket === "string" &&
    bucket !== "" &&
    bucket !== "." &&
    bucket !== ".." &&
    !/[/\\?#\p{Cc}]/u.test(bucket)
  )
    return;
  throw new DaypassError(
    "INVALID_INPUT",
    `expected bucket as a name without "/" or control characters, found ${JSON.stringify(bucket)}`,
  );
}
