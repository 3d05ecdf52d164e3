import type { WireRequest } from "../../src/core/contracts.ts";
import {
  type CloudfrontSignRequest,
  cloudfrontCookieSigner,
  cloudfrontSigner,
} from "../../src/schemes/cloudfront/index.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, host, type Judge, values } from "./judge.ts";

// Valid CloudFront URLs and cookies of every kind, and what their signature covers, from AWS's pages.

export const CLOUDFRONT_ORIGINS: readonly string[] = ["https://media.example.com", "https://other.example.com"];

const url = "https://media.example.com/talks/keynote.mp4";
const life = { expiresIn: 900 };
const wishes: readonly CloudfrontSignRequest[] = [
  { url, ...life },
  { url: `${url}?lang=de&x=1&x=2&flag`, ...life },
  { url: "https://media.example.com/a%20b/%C3%A9;v=1/'()!%2A,=:@&$+/", ...life },
  { url, ...life, notBefore: NOW },
  { url, ...life, bind: { ip: "203.0.113.0/24" } },
  { url, ...life, resource: "https://media.example.com/talks/*" },
  { url, ...life, resource: "http*://media.example.com/talks/keynot?.mp4", bind: { ip: "203.0.113.9" } },
  { url, ...life, prefix: "/talks/" },
];

/** Signed by one key pair. */
export async function cloudfrontBases(
  keyPairId: string,
  privateKey: string,
  hash: "sha1" | "sha256",
): Promise<readonly WireRequest[]> {
  const options = { keyPairId, privateKey, hash, clock: () => NOW };
  const links = await Promise.all(wishes.map((wish) => cloudfrontSigner(options).sign(wish)));
  const cookies = await Promise.all(
    ["https://media.example.com/talks/*", `${url}?x=1`].map(async (resource) => {
      const signed = await cloudfrontCookieSigner(options).sign({ resource, ...life });
      const pairs = Object.entries(signed.cookies).map((pair) => pair.join("="));
      const target = resource.endsWith("*") ? "/talks/1/a.ts" : "/talks/keynote.mp4?x=1";
      const header = ["cookie", ["session=1", ...pairs].join("; ")] as const;
      return { method: "GET", target, authority: "media.example.com", headers: [header], remoteAddress: "203.0.113.9" };
    }),
  );
  return [...links.map(wireRequest), ...cookies];
}

const OWN = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"];

/**
 * With a canned policy every byte of the URL but the place of the signing parameters; with a custom one only that the
 * policy's resource fits, which a regular expression says here. Open are the method among those that the verifier grants,
 * headers, and whatever the wildcards stand for.
 */
export const judgeCloudfront: Judge = (request) => {
  const [path, query] = halves(request.target);
  const tokens = query === "" ? [] : query.split("&");
  const isOwn = (token: string): boolean => OWN.includes(token.split("=")[0] as string);
  const inUrl = tokens.filter(isOwn);
  const cookies = values(request, "cookie")
    .flatMap((value) => value.split(";"))
    .map((text) => text.trim())
    .filter((text) => text.startsWith("CloudFront-"))
    .map((text) => text.slice("CloudFront-".length));
  const signed = inUrl.length > 0 ? inUrl : cookies;
  const rest = tokens.filter((token) => !isOwn(token)).join("&");
  const whole = `https://${host(request.authority, "443")}${path}${rest === "" ? "" : `?${rest}`}`;
  const policy = /^Policy=([\w~-]+)$/.exec(signed.find((token) => token.startsWith("Policy=")) ?? "")?.[1];
  return JSON.stringify([
    ["GET", "HEAD"].includes(request.method),
    policy !== undefined && fits(policy, whole) && !hasDots(path) ? "" : whole,
    inUrl.length > 0,
    // That SHA-1 is the default may be said.
    signed.filter((token) => token !== "Hash-Algorithm=SHA1").sort(),
  ]);
};

/** Dot segments for whoever decodes as often as it can, and takes path parameters off. */
function hasDots(path: string): boolean {
  let text = path;
  for (let before = ""; text !== before; ) {
    before = text;
    text = decodeBytes(text).replaceAll("\\", "/");
  }
  return text.split("/").some((segment) => /^\.{1,2}(?:;|$)/.test(segment));
}

function fits(encoded: string, whole: string): boolean {
  const text = Buffer.from(encoded.replaceAll("-", "+").replaceAll("_", "=").replaceAll("~", "/"), "base64").toString();
  const resource = /"Resource":"([^"]*)"/.exec(text)?.[1];
  if (resource === undefined) return false;
  const pattern = resource.replace(/[.*+?^${}()|[\]\\]/g, (sign) =>
    sign === "*" ? ".*" : sign === "?" ? "." : `\\${sign}`,
  );
  return new RegExp(`^${pattern}$`, "s").test(whole);
}
