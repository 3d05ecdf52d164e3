import { compareText } from "../../../core/v4.ts";
import type { Parameter } from "../../../wire/parameters.ts";
import { headerLines, type SignedHeader } from "../canonical.ts";

/**
 * The parameters that V1 signs besides every `x-oss-*`: what Alibaba's SDKs list between them. A name that one side signs
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
// `acl` are the same text, so whoever holds a URL for the first could turn it into the second.
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

/** What V1 signs. */
export interface OssV1Parts {
  readonly method: string;
  /** Empty where the request has no such header: its absence is signed, too. */
  readonly contentMd5: string;
  readonly contentType: string;
  /** Seconds since 1970, as it stands in the URL. */
  readonly expires: string;
  /** Every `x-oss-*` header. */
  readonly headers: readonly SignedHeader[];
  /** `/bucket/key`, decoded. */
  readonly resource: string;
  readonly subResources: readonly Parameter[];
}

/** Method, Content-MD5, Content-Type, Expires, `x-oss-*` and resource: what the HMAC-SHA1 is computed over. */
export function ossV1StringToSign(parts: OssV1Parts): string {
  const { method, contentMd5, contentType, expires, headers, resource, subResources } = parts;
  const query = [...subResources]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join("&");
  return `${method}\n${contentMd5}\n${contentType}\n${expires}\n${headerLines(headers)}${resource}${query === "" ? "" : `?${query}`}`;
}
