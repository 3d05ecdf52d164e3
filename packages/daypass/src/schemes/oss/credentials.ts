import { checkAccessKey } from "../../core/access-key.ts";
import type { BucketAddressing, ObjectLocation } from "../../core/bucket-endpoint.ts";
import type { Grant, Obligation } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import type { Keys } from "../../core/key-resolver.ts";
import { type BucketRequest, type ObjectRequest, objectObligations } from "../../core/object-request.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

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

const NAMES = ["accessKeyId", "accessKeySecret", "securityToken"] as const;

export const checkCredentials = (credentials: OssCredentials): OssCredentials =>
  checkAccessKey(credentials, NAMES, credentials);

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

/** One OSS request to sign. */
export type OssSignRequest = (ObjectRequest | BucketRequest) & {
  /** Signs the host as well (`x-oss-additional-headers=host`). Without it the URL works at every host of the bucket. */
  readonly bindHost?: boolean | undefined;
};

/** What can bind what neither version of OSS's signature can. */
export const INSTEAD: Readonly<Record<string, string>> = {
  "bind.sha256": "bind the header content-md5",
  "bind.ip": "use a bucket policy",
};

/** What a verified OSS request allows: one method on one object or bucket. */
export interface OssGrant extends Grant, ObjectLocation {
  /** The region of the signature; empty in V1, which has none. */
  readonly region: string;
  /** Signed parameters other than the signature's own, decoded, in wire order. */
  readonly parameters: readonly Parameter[];
  /** Unsigned parameters that `allowUnsigned` permitted: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
  /** Names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** What the signature promises about body and answer, and cannot enforce itself. */
export function ossObligations(
  headers: readonly SignedHeader[],
  parameters: readonly Parameter[],
  payload: string = UNSIGNED_PAYLOAD,
): readonly Obligation[] {
  const sha256 = /^[0-9a-f]{64}$/.exec(payload)?.[0];
  if (sha256 === undefined && payload !== UNSIGNED_PAYLOAD) {
    throw refusal(
      "UNSUPPORTED_PAYLOAD",
      `x-oss-content-sha256 is not supported. Send ${UNSIGNED_PAYLOAD} or a SHA-256`,
    );
  }
  const network = parameters.find(([name]) => name.startsWith("x-oss-ac-"));
  if (network !== undefined) {
    throw refusal("UNENFORCED_CONSTRAINT", `the URL has ${network[0]}, which only OSS can check`, {
      constraint: network[0],
    });
  }
  const signed = headers.map(({ name, values }): Parameter => [name, values.join(",").trim()]);
  const obligations = objectObligations(signed, parameters, "x-oss-forbid-overwrite");
  return sha256 === undefined ? obligations : [{ kind: "body-sha256", sha256 }, ...obligations];
}
