import type { WireRequest } from "../../src/core/contracts.ts";
import { type CosSignRequest, cosSigner } from "../../src/schemes/cos/index.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

// Valid COS requests of every kind, and what a signature covers, from Tencent's page.

export const COS_ORIGINS: readonly string[] = ["https://*.cos.example.com", "https://cos.example.com"];
export const COS_CREDENTIALS = { secretId: "AKIDEXAMPLE", secretKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };
export const COS_TEMPORARY = { secretId: "AKIDTEMP", secretKey: "bPxRfiCY", sessionToken: "tok/en+=" };

const wishes: readonly Omit<CosSignRequest, "expiresIn" | "bucket">[] = [
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
  ].flatMap((key) => [{ key }, { key, method: "PUT" }]),
  {},
  { query: { acl: "" } },
  { key: "a.txt", notBefore: NOW },
  { key: "a.txt", query: { versionId: "3/L4kqtJ+l", "imageMogr2/thumbnail/200x": "" } },
  { key: "a.txt", response: { contentType: "text/plain", contentDisposition: 'attachment; filename="a b.txt"' } },
  { key: "a.txt", method: "PUT", headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-cos-meta-a": "a,  b" } },
  { key: "a.txt", method: "PUT", headers: { "content-type": "image/png", "x-cos-forbid-overwrite": "true" } },
];

export function cosBases(): readonly WireRequest[] {
  return (["virtual", "path"] as const).flatMap((addressing) =>
    [COS_CREDENTIALS, COS_TEMPORARY].flatMap((credentials) => {
      const signer = cosSigner({ endpoint: "https://cos.example.com", addressing, credentials, clock: () => NOW });
      return wishes.map((wish) =>
        wireRequest(signer.sign({ ...wish, bucket: "media-1250000000", expiresIn: 900, dotSegments: "sign" })),
      );
    }),
  );
}

/**
 * Method, host, decoded path and query, listed headers. Open are headers that are not listed (never `x-cos-*`), the order of
 * the lists, and how often the names in them are encoded.
 */
export const judgeCos: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query).map(([name, value]): readonly [string, string] =>
    /^q-(?:header|url-param)-list$/.test(name)
      ? [
          name,
          value
            .split(";")
            .map((item) => decodeBytes(item).toLowerCase())
            .sort()
            .join(";"),
        ]
      : [name, value],
  );
  const listed = list.find(([name]) => name === "q-header-list")?.[1].split(";") ?? [];
  const acting = request.headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => /^(?:x-cos-|x-ci-|pic-operations$)/.test(name) && !listed.includes(name));
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    decodeBytes(path),
    sorted(list),
    listed.map((name) => (name === "host" ? "" : values(request, name).map((value) => value.trim()))),
    acting.sort(),
    values(request, "authorization"),
  ]);
};
