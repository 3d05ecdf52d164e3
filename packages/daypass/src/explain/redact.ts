import { decodedToken } from "./carried-url.ts";
import { decodeOr } from "./decoded.ts";

const HIDDEN =
  /^(?:x-amz-signature|signature|x-amz-security-token|x-amz-s3session-token|x-goog-signature|sig|dp-signature|x-oss-signature|x-oss-security-token|security-token|q-signature|x-cos-security-token|temp_url_sig|policy|token|__token__|hdnts|hdnea|edge-cache-token|urisigningpackage|_hash)$/i;

/** Names that many a URL has: their values tell a signature from anything else. */
const HIDDEN_VALUES: Readonly<Record<string, RegExp>> = {
  md5: /^[A-Za-z0-9_-]{22}/,
  s: /^[0-9a-f]{32}$/i,
  verify: /^\d{10}-/,
};
const PATH_TOKEN = /\/(bcdn_token|edge-cache-token)=[^/?#]*/g;
const IMGPROXY = /^([a-z]+:\/\/[^/?#]+(?:\/[A-Za-z0-9._~-]+)?\/)[A-Za-z0-9_-]{43}(?=\/(?:[a-z_]+:|plain\/))/;

/**
 * Replaces the values of signatures and session tokens in a URL by `REDACTED`, for logs and messages. The rest keeps its
 * bytes. A text that is no URL comes back as it is; user names and passwords in front of a host go, too. Of a token that is a URL in
 * base64 (EKS, MSK) that URL comes back.
 *
 * Knows the parameters of S3 (V2, V4), GCS, Azure, CloudFront, Alibaba OSS, Tencent COS, Swift and Daypass URLs, and
 * the tokens of edges, in the query and in the path.
 *
 * @param url also a target of a request, which begins with `/`
 * @example
 * ```ts
 * import { redactUrl } from "daypass/explain";
 *
 * redactUrl("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123"); // "https://b.s3.amazonaws.com/k?X-Amz-Signature=REDACTED"
 * ```
 */
export function redactUrl(url: string): string {
  return decodedToken(url)
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1REDACTED@")
    .replace(PATH_TOKEN, "/$1=REDACTED")
    .replace(IMGPROXY, "$1REDACTED")
    .replace(/([?&;])([^=&#;]{1,100})=([^&#]*)/g, (token, mark: string, name: string, value: string) =>
      isHidden(decodeOr(name), value) ? `${mark}${name}=REDACTED` : token,
    );
}

function isHidden(name: string, value: string): boolean {
  return HIDDEN.test(name) || (Object.hasOwn(HIDDEN_VALUES, name) && HIDDEN_VALUES[name]?.test(value) === true);
}

/** Replaces every occurrence of the given texts in all strings of a value. */
export function hide<T>(value: T, hidden: readonly string[]): T {
  // Very short texts are no signatures, and would turn the rest into holes.
  const texts = hidden.filter((text) => text.length >= 8).sort((a, b) => b.length - a.length);
  return texts.length === 0 ? value : (walk(value, texts) as T);
}

function walk(value: unknown, texts: readonly string[]): unknown {
  if (typeof value === "string") return texts.reduce((text, hidden) => text.replaceAll(hidden, "…"), value);
  if (Array.isArray(value)) return value.map((item) => walk(item, texts));
  if (typeof value !== "object" || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item, texts)]));
}
