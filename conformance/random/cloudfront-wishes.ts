import { encodeBytes } from "../sigv4.ts";
import { randomKey, randomText } from "./keys.ts";
import type { Random } from "./seeded.ts";

/** A wish to have one CloudFront URL or a set of cookies signed. */
export interface CloudfrontWish {
  readonly key: "rsa" | "ec";
  readonly hash: "sha1" | "sha256";
  readonly url: string;
  /** Seconds since 1970. */
  readonly end: number;
  readonly start: number | undefined;
  readonly ip: string | undefined;
  /** With a wildcard: a custom policy opens this instead of the URL. */
  readonly resource: string | undefined;
}

export const CLOUDFRONT_ORIGIN = "https://d111111abcdef8.cloudfront.net";
const NETWORKS = ["203.0.113.9", "203.0.113.0/24", "0.0.0.0/0", "192.0.2.128/25", "2001:db8::/32"];
const QUERIES = ["lang=de", "flag", "v=1&v=2", "x=a/b:c@d", "q=%2b%2F", "empty=", "a=b=c", "t=12:30,5;x", "~=!*()"];

export function randomCloudfrontWish(random: Random): CloudfrontWish {
  let name = randomKey(random);
  // Browsers remove these, and some servers with a `;` behind, so there is no such URL to sign.
  while (/(?:^|\/)\.{1,2}(?:[/;]|$)/.test(name)) name = randomKey(random);
  let path = encodeBytes(name, "/");
  // Browsers send most of what RFC 3986 calls sub-delims as they are.
  if (random.chance(0.3)) path = path.replace(/%(?:2[4689BC]|2A|3[ABD]|40)/g, decodeURIComponent);
  const queries = [random.pick(QUERIES), `s=${encodeBytes(randomText(random))}`].slice(random.below(2));
  const url = `${CLOUDFRONT_ORIGIN}/${path}${random.chance(0.3) ? `?${queries.join("&")}` : ""}`;
  const end = 1_700_000_000 + random.below(1_000_000_000);
  return {
    key: random.chance(0.75) ? "rsa" : "ec",
    hash: random.pick(["sha1", "sha256"]),
    url,
    end,
    start: random.chance(0.3) ? end - 1 - random.below(100_000) : undefined,
    ip: random.chance(0.3) ? random.pick(NETWORKS) : undefined,
    resource: random.chance(0.2)
      ? random.pick(["https://*", `${CLOUDFRONT_ORIGIN}/*`, `*://*.cloudfront.net/*`, `${url.slice(0, -1)}?`])
      : undefined,
  };
}
