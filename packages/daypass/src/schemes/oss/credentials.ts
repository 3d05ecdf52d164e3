import { type AccessKeyNames, checkAccessKey } from "../../core/access-key.ts";
import type { BucketAddressing } from "../../core/bucket-endpoint.ts";
import { invalidInput } from "../../core/errors.ts";
import type { Keys } from "../../core/key-resolver.ts";

/** An access key in Alibaba's words. */
export interface OssCredentials {
  /** Public: it is in every URL. */
  readonly accessKeyId: string;
  /** Secret: never in a URL, a message or a log. */
  readonly accessKeySecret: string;
  /** Present with temporary credentials (STS). */
  readonly securityToken?: string | undefined;
  /** When temporary credentials expire: no URL signed with them lasts longer. */
  readonly expiration?: Date | undefined;
}

const NAMES: AccessKeyNames = { id: "accessKeyId", secret: "accessKeySecret", token: "securityToken" };

export const checkCredentials = (credentials: OssCredentials): OssCredentials => checkAccessKey(credentials, NAMES);

export const keyIdOf = ({ accessKeyId }: OssCredentials): string => accessKeyId;

/** Options that the verifiers of both versions share. */
export interface OssBucketOptions {
  /** One access key, several, or a function that looks them up by access key id. */
  readonly credentials: Keys<OssCredentials>;
  /**
   * The bucket of each origin that is one bucket's own, such as a CNAME. With `https://*.oss.example.com` among the
   * `origins`, `*` is the bucket; elsewhere it is the first path segment.
   */
  readonly buckets?: Readonly<Record<string, string>> | undefined;
}

/** Options for the server that the URLs are for. */
export interface OssEndpointOptions {
  /** For example `cn-hangzhou`, without the prefix `oss-` of host names. */
  readonly region: string;
  /** Scheme, host and port; `https://oss-<region>.aliyuncs.com` by default. */
  readonly endpoint?: string | undefined;
  /**
   * `virtual` by default; `bucket-bound` if the endpoint is the bucket's own domain (CNAME). In all cases, the signature
   * covers `/bucket/key`.
   */
  readonly addressing?: BucketAddressing | undefined;
}

/** The endpoint of a region. Throws `INVALID_INPUT`. */
export function ossEndpoint({ region, endpoint }: OssEndpointOptions): string {
  const isGiven = region === undefined ? endpoint !== undefined : /^(?!oss-)[a-z0-9-]+$/.test(region);
  if (!isGiven) throw invalidInput("region", 'a name such as "cn-hangzhou"', region);
  return endpoint ?? `https://oss-${region}.aliyuncs.com`;
}
