import type { WireRequest } from "../../src/core/contracts.ts";
import { type SwiftKey, type SwiftSignRequest, swiftSigner } from "../../src/schemes/swift/index.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, type Judge, pairs, values } from "./judge.ts";

// Valid TempURLs of every kind, and what their signature covers, from Swift's page.

export const SWIFT_ORIGINS: readonly string[] = ["https://swift.example.com", "https://other.example.com"];
export const SWIFT_KEYS: readonly SwiftKey[] = [
  { account: "AUTH_test", key: "mykey", digests: ["sha1", "sha256", "sha512"] },
  { account: "AUTH_test", key: "the one before" },
];

const wishes: readonly Omit<SwiftSignRequest, "expiresIn" | "container">[] = [
  ...[
    "a.txt",
    "a b+c.mp4",
    "100%.txt",
    "a%20b",
    "q?x=1#y&z",
    "'()!*",
    "x//y",
    "/lead",
    "dir/",
    "é/日本/🚀",
    "a/../b",
    "a\nb",
  ].map((object) => ({ object })),
  ...["PUT", "POST", "DELETE", "HEAD"].map((method) => ({ object: "a.txt", method })),
  { object: "a.txt", expiresAs: "iso" },
  { object: "a.txt", bind: { ip: "203.0.113.0/24" } },
  { object: "a.txt", bind: { ip: "203.0.113.9" } },
  { object: "photos/2026/a.jpg", prefix: "photos/" },
];

export async function swiftBases(): Promise<readonly WireRequest[]> {
  const links = (["sha1", "sha256", "sha512"] as const).flatMap((digest) => {
    const options = { endpoint: "https://swift.example.com", account: "AUTH_test", key: "mykey", clock: () => NOW };
    const signer = digest === "sha512" ? swiftSigner({ ...options, digest }) : swiftSigner({ ...options, digest });
    return wishes.map(async (wish) =>
      signer.sign({ ...wish, container: "media", expiresIn: 900, dotSegments: "sign" }),
    );
  });
  return (await Promise.all(links)).map(wireRequest);
}

/**
 * Method, decoded path or prefix, end and network. The host is open, and HEAD comes with GET, PUT and POST: which of them
 * was signed stands nowhere in the URL, so the judge is told by the valid requests.
 */
export function judgeSwift(bases: readonly WireRequest[]): Judge {
  const signatureOf = ({ target }: WireRequest): string => /temp_url_sig=([^&=]+)/.exec(target)?.[1] ?? "";
  const methods = new Map(bases.map((request) => [signatureOf(request), request.method]));
  return (request) => {
    const [path, query] = halves(request.target);
    const list = pairs(query).map(([name, value]) => {
      if (name === "temp_url_sig") return [name, value.replace(/==$/, "")];
      // The end has two spellings, of which the instant is signed.
      const isTime = name === "temp_url_expires" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value);
      return [name, isTime ? String(Date.parse(value) / 1000) : value];
    });
    const signed = methods.get(signatureOf(request)) ?? "";
    const isHead = request.method === "HEAD" && /^(?:GET|PUT|POST)$/.test(signed);
    const prefix = list.find(([name]) => name === "temp_url_prefix")?.[1];
    const object = decodeBytes(path).replace(/^\/v1\/[^/]+\/[^/]+\//, "");
    const isBelow = prefix !== undefined && object.startsWith(prefix) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(object);
    return JSON.stringify([
      isHead ? signed : request.method,
      isBelow ? "" : decodeBytes(path),
      list.map((pair) => JSON.stringify(pair)).sort(),
      ["authorization", "x-auth-token"].map((name) => values(request, name)),
    ]);
  };
}
