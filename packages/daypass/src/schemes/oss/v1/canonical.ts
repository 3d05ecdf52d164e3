import type { ReceivedRequest, WireRequest } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import { parseEpoch } from "../../../core/time.ts";
import { type LegacyParts, legacyStringToSign, withSubResources } from "../../../core/v2.ts";
import { signatureBytes } from "../../../wire/encoding.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../../wire/parameters.ts";
import { groupHeaders, oneHeader, refuseHeaderAuth } from "../../../wire/raw-target.ts";
import type { SignedHeader } from "../canonical.ts";

/**
 * The parameters that V1 signs in addition to every `x-oss-*`: what Alibaba's SDKs list between them. A name that one side signs
 * and the other does not is refused as a mismatch, so a longer list only fails closed.
 */
const SUB_RESOURCES =
  "acl append asyncFetch bucketInfo callback callback-var cloudboxes cname comp continuation-token cors delete encryption " +
  "endTime img inventory inventoryId lifecycle link live location logging metaQuery objectMeta partNumber policy position " +
  "qos qosInfo referer regionList replication replicationLocation replicationProgress requestPayment resourceGroup " +
  "response-cache-control response-content-disposition response-content-encoding response-content-language " +
  "response-content-type response-expires restore rtc security-token sequential startTime stat status style styleName " +
  "symlink tagging torrent transferAcceleration udf uploadId uploads versionId versioning versions vod website worm " +
  "wormExtend wormId";
const NAME = `(?:${SUB_RESOURCES.replaceAll(" ", "|")}|x-oss-[a-z0-9-]*)`;
const SUB_RESOURCE = /* @__PURE__ */ new RegExp(`^${NAME}$`);

export function isSubResource(name: string): boolean {
  return SUB_RESOURCE.test(name);
}

// The resource joins the DECODED key and DECODED values by `?` and `&`: the key `a?acl` and the key `a` with the parameter
// `acl` are the same text, so the holder of a URL for the first could turn it into the second.
const KEY_SPLITS = /* @__PURE__ */ new RegExp(`\\?${NAME}(?:[=&]|$)`);
const VALUE_SPLITS = /* @__PURE__ */ new RegExp(`&${NAME}(?:[=&]|$)|\\p{Cc}`, "u");

/** Whether the same signature would fit another key with parameters. */
export function isAmbiguousKey(key: string): boolean {
  return KEY_SPLITS.test(key);
}

/** Whether the same signature would fit further parameters, or the value has control characters. */
export function isAmbiguousValue(value: string): boolean {
  return VALUE_SPLITS.test(value);
}

/** The parts that V1 signs. `resource` is `/bucket/key`, decoded. */
export interface OssV1Parts extends LegacyParts {
  /** Every `x-oss-*` header. */
  readonly headers: readonly SignedHeader[];
  readonly subResources: readonly Parameter[];
}

/** The text of the HMAC-SHA1. */
export function ossV1StringToSign({ headers, resource, subResources, ...parts }: OssV1Parts): string {
  return legacyStringToSign({ ...parts, resource: withSubResources(resource, subResources) }, headers);
}

/** A V1 query-signed request, read strictly. Nothing in it has been verified. */
export interface ParsedOssV1 {
  readonly accessKeyId: string;
  /** `Expires` as sent. */
  readonly expires: string;
  readonly expiresAt: Date;
  readonly securityToken: string | undefined;
  /** base64 of 20 bytes. */
  readonly signature: string;
  readonly contentMd5: string;
  readonly contentType: string;
  readonly headers: readonly SignedHeader[];
  /** All that are signed, the security token among them. */
  readonly subResources: readonly Parameter[];
  readonly unsigned: readonly Parameter[];
}

const MARKER = /[?&]OSSAccessKeyId=/;

/** Returns, by a parameter's name, whether a request is signed with OSS V1 in its query. */
export function detectOssV1(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

/** Reads a query-signed request. Throws `MALFORMED`, `AMBIGUOUS_AUTHENTICATION` or `UNSIGNED_PARAMETER`. */
export function parseOssV1({ request, wire }: ReceivedRequest, allowUnsigned: ReadonlySet<string>): ParsedOssV1 {
  const { own, others } = sortParameters(wire, ["OSSAccessKeyId", "Expires", "Signature"]);
  refuseHeaderAuth(request.headers);
  const subResources = others.filter(([name]) => isSubResource(name));
  checkOnce(subResources);
  const unsigned = others.filter(([name]) => !isSubResource(name));
  const unknown = unsigned.find(([name]) => !allowUnsigned.has(name))?.[0];
  if (unknown !== undefined) {
    throw refusal(
      "UNSIGNED_PARAMETER",
      `the parameter ${JSON.stringify(unknown)} is not signed. Use V4, or list it in allowUnsigned`,
      { parameter: unknown },
    );
  }
  const ambiguous = subResources.find(([, value]) => isAmbiguousValue(value))?.[0];
  if (ambiguous !== undefined) throw malformed(ambiguous, "ambiguous", "a value that is not signed like parameters");
  const { OSSAccessKeyId: accessKeyId, Expires: expires, Signature: signature } = own;
  const expiresAt = parseEpoch(expires);
  if (expiresAt === undefined) throw malformed("Expires", "form", "whole seconds since 1970");
  if (signatureBytes(signature, 20) === undefined) {
    throw malformed("Signature", "form", "base64 of 20 bytes, `+` sent as %2B");
  }
  return {
    accessKeyId,
    expires,
    expiresAt,
    securityToken: subResources.find(([name]) => name === "security-token")?.[1],
    signature,
    contentMd5: oneHeader(request.headers, "content-md5"),
    contentType: oneHeader(request.headers, "content-type"),
    headers: [...groupHeaders(request.headers)]
      .filter(([name]) => name.startsWith("x-oss-"))
      .map(([name, values]) => ({ name, values })),
    subResources,
    unsigned,
  };
}
