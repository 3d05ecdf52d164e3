import { invalidInput } from "../../core/errors.ts";
import type { Provider } from "../../core/provider.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import { urlHost } from "../../wire/origin.ts";

/** Where the bucket's name goes: into the host, or before the key. */
export type Addressing = "path" | "virtual";

/** Options for the server that the URLs are for. */
export interface EndpointOptions {
  /**
   * The bucket's region, such as `eu-west-1`; what the server is configured for, elsewhere than on Amazon. It is
   * signed.
   */
  readonly region: string;
  /**
   * Scheme, host, port and base path of a compatible; Amazon's regional endpoint by default. The regions of the isolated partitions
   * (`us-iso-*`, `us-isob-*`, `eu-isoe-*`, `us-isof-*`) need it, such as `https://s3.us-iso-east-1.c2s.ic.gov`.
   */
  readonly endpoint?: string | undefined;
  /**
   * By default `virtual` on Amazon for buckets that its certificate covers, and `path` on custom endpoints. No bucket
   * name can come before an IP address.
   */
  readonly addressing?: Addressing | undefined;
  /** The features that the provider is known to lack, as in the presets of `daypass/presets`. */
  readonly provider?: Provider | undefined;
}

/** Host and encoded path under which a bucket is reached. */
export interface BucketEndpoint {
  /** `scheme://host` with the signed host: with a port only if it is not the scheme's default. */
  readonly origin: string;
  readonly host: string;
  /** Encoded path of the bucket without a slash at its end: empty in virtual-host style at the root. */
  readonly path: string;
  /** Whether the host names the bucket. */
  readonly virtual: boolean;
}

const ENDPOINT = /^(https?:\/\/)(?!:)([\w.:[\]-]+)((?:\/[^/\\?#%\s]+)*)\/?$/;
const HOST_LABELS = /^[a-z0-9]+(?:(?:\.|-+)[a-z0-9]+)*$/;
const PATH_SEGMENT = /^(?!\.\.?$)[^/\\?#\p{Cc}]+$/u;

/** Prepares {@link BucketEndpoint}s for one server. Throws `INVALID_INPUT`. */
export function bucketEndpoints({ region, endpoint, addressing }: EndpointOptions): (bucket: string) => BucketEndpoint {
  if (!/^[A-Za-z0-9-]+$/.test(region ?? "")) throw invalidInput("region", 'the bucket\'s, such as "eu-west-1"', region);
  if (!["path", "virtual", undefined].includes(addressing)) {
    throw invalidInput("addressing", '"path" or "virtual"', addressing);
  }
  const suffix = /^cn/.test(region) ? "com.cn" : /^eusc/.test(region) ? "eu" : "com";
  // The isolated partitions have other hosts.
  const usual = /-iso/.test(region) ? "" : `https://s3.${region}.amazonaws.${suffix}`;
  const [, scheme, name, basePath = ""] = ENDPOINT.exec(endpoint ?? usual) ?? [];
  // An IP address has no prefix.
  const front = addressing === "virtual" ? "b." : "";
  const authority = urlHost(scheme + front + name).replace(front, "");
  if (!authority) throw invalidInput("endpoint", "scheme://host[:port][/path]", endpoint);
  const base = uriEncodePath(basePath);

  // Signing many URLs for one bucket is the common case.
  let last: (BucketEndpoint & { readonly bucket: string }) | undefined;
  return (bucket) => {
    if (last && last.bucket === bucket) return last;
    // Amazon's certificate covers no dots.
    const virtual = addressing
      ? addressing === "virtual"
      : !endpoint && /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket);
    if (typeof bucket !== "string" || !(virtual ? HOST_LABELS : PATH_SEGMENT).test(bucket)) {
      throw invalidInput(
        "bucket",
        virtual ? 'a name for a host, or addressing: "path"' : "a name without slashes",
        bucket,
      );
    }
    const host = virtual ? `${bucket}.${authority}` : authority;
    last = {
      bucket,
      origin: scheme + host,
      host,
      path: virtual ? base : `${base}/${uriEncode(bucket)}`,
      virtual,
    };
    return last;
  };
}
