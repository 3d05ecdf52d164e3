import { createHash, createHmac } from "node:crypto";
import { encodeBytes } from "./sigv4.ts";

// A second opinion on Alibaba's signatures, written from its pages. It shares no code with the library.

export interface OssInput {
  readonly method: string;
  /** `/bucket/key`, decoded. */
  readonly resource: string;
  /** Decoded, all but the signature. */
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly additional: readonly string[];
  readonly secret: string;
  readonly region: string;
  readonly time: string;
}

/** Where ali-oss is known to differ. */
export interface OssQuirks {
  /** "If a parameter has no value, only its name": ali-oss leaves the `=`. */
  readonly keepsEquals?: boolean;
  /** Sorts by the rules of a language, and before encoding. */
  readonly sortsByLocale?: boolean;
}

export function oss4(input: OssInput, { keepsEquals, sortsByLocale }: OssQuirks = {}): string {
  const pairs = Object.entries(input.query);
  if (sortsByLocale) pairs.sort(([a], [b]) => a.localeCompare(b));
  const encoded = pairs.map(([name, value]) => [encodeBytes(name), encodeBytes(value)] as const);
  const inOrder = sortsByLocale ? encoded : [...encoded].sort(([a], [b]) => (a < b ? -1 : 1));
  const query = inOrder.map(([name, value]) => (value === "" && !keepsEquals ? name : `${name}=${value}`)).join("&");
  const names = Object.keys(input.headers).filter(
    (name) => /^(?:content-(?:type|md5)|x-oss-.*)$/.test(name) || input.additional.includes(name),
  );
  const canonical = [
    input.method,
    encodeBytes(input.resource, "/"),
    query,
    names
      .sort()
      .map((name) => `${name}:${(input.headers[name] as string).trim()}\n`)
      .join(""),
    [...input.additional].sort().join(";"),
    "UNSIGNED-PAYLOAD",
  ].join("\n");
  const date = input.time.slice(0, 8);
  const scope = `${date}/${input.region}/oss/aliyun_v4_request`;
  let key: string | Buffer = `aliyun_v4${input.secret}`;
  for (const step of [date, input.region, "oss", "aliyun_v4_request"]) {
    key = createHmac("sha256", key).update(step).digest();
  }
  const hash = createHash("sha256").update(canonical).digest("hex");
  return createHmac("sha256", key).update(`OSS4-HMAC-SHA256\n${input.time}\n${scope}\n${hash}`).digest("hex");
}
