import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

/** A wish to have one request to Alibaba OSS or Tencent COS presigned. */
export interface StoreWish {
  readonly method: "GET" | "HEAD" | "PUT" | "DELETE";
  readonly addressing: "virtual" | "path" | "bucket-bound";
  readonly bucket: string;
  readonly region: string;
  readonly key: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly secret: string;
  readonly token: string | undefined;
  readonly expiresIn: number;
}

const OVERRIDES = [
  ...["response-cache-control", "response-content-disposition", "response-content-encoding"],
  ...["response-content-language", "response-content-type", "response-expires"],
] as const;

/** What differs between the two stores. */
export interface StoreWords {
  readonly parameters: readonly string[];
  readonly headers: readonly string[];
  readonly buckets: readonly string[];
}

/** One wish out of the whole space. What a client cannot express is taken away by its test. */
export function randomStoreWish(random: Random, { parameters, headers, buckets }: StoreWords): StoreWish {
  const query: Record<string, string> = {};
  for (const name of [...OVERRIDES, ...parameters]) {
    if (random.chance(0.12)) query[name] = randomText(random) || (random.chance(0.1) ? "" : "v");
  }
  const sent: Record<string, string> = {};
  for (const name of headers) {
    if (random.chance(0.2))
      sent[name] = random.pick(["x", "image/png", "a, b; c=d", "1B2M2Y8AsgTpgAmY7PhCfg==", "a  b"]);
  }
  return {
    method: random.pick(["GET", "GET", "PUT", "PUT", "HEAD", "DELETE"] as const),
    addressing: random.pick(["virtual", "virtual", "path", "bucket-bound"] as const),
    bucket: random.pick(buckets),
    region: random.pick(["cn-hangzhou", "ap-southeast-1", "us-west-1"]),
    key: randomKey(random),
    query,
    headers: sent,
    secret: random.pick(["wJalrXUtnFEMI/K7MDENG+bPxRfiCY", "short", "pässwörd%20+"]),
    token: random.chance(0.3) ? `CAISowJ1q6Ft5B2yfSjIr5bg${"IOz31blR/+=".repeat(20)}` : undefined,
    expiresIn: random.pick([1, 60, 900, 86_400, 604_800]),
  };
}

/** A URL taken apart: what it says, whatever its spelling. */
export interface StoreUrl {
  readonly origin: string;
  readonly path: string;
  /** Decoded, sorted, the signature among them. */
  readonly parameters: readonly string[];
}

export function storeUrl(url: string): StoreUrl {
  const [, origin = "", path = "", query = ""] = /^(https?:\/\/[^/]+)([^?]*)\??(.*)$/.exec(url) ?? [];
  const parameters = query.split("&").map((token) => {
    const equals = token.indexOf("=");
    const [name, value] = equals < 0 ? [token, ""] : [token.slice(0, equals), token.slice(equals + 1)];
    return JSON.stringify([decodeURIComponent(name), decodeURIComponent(value)]);
  });
  return { origin, path: decodeURIComponent(path), parameters: parameters.sort() };
}

/** The value of a parameter, decoded. */
export function parameterOf(url: string, name: string): string {
  const value = new RegExp(`[?&]${name}=([^&]*)`).exec(url)?.[1];
  if (value === undefined) throw new Error(`no ${name} in ${url}`);
  return decodeURIComponent(value);
}
