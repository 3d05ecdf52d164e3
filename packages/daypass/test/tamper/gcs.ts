import type { SignedRequest, WireRequest } from "../../src/core/contracts.ts";
import { type GcsSignRequest, gcsHmacSigner, gcsSigner } from "../../src/schemes/gcs/index.ts";
import { gcsV2HmacSigner, gcsV2Signer } from "../../src/schemes/gcs/v2/index.ts";
import { account, hmacKey } from "../gcs/account.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

export const GCS_ORIGINS: readonly string[] = ["https://storage.example.com", "https://*.storage.example.com"];

const OBJECTS = [
  ...["a.txt", "talks/keynote.mp4", "a b+c.txt", "100%.txt", "a%20b", "q?x=1#y&z", "'()!*", "x//y", "/lead", "dir/"],
  ...["é/日本/🚀", "a/../b", "./x", "tab\tline\n", "uploads/2026/01/02/report-final-v2.pdf"],
];

function wishes(version: "v4" | "v2"): readonly Omit<GcsSignRequest, "expiresIn">[] {
  const put = { bucket: "media", object: "up.bin", method: "PUT" };
  const both = [
    ...OBJECTS.map((object) => ({ bucket: "media", object })),
    { bucket: "media" },
    { bucket: "media", query: { cors: "" } },
    { ...put, bind: { contentType: "image/png", contentLength: { max: 9 } } },
    { ...put, headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-goog-meta-note": "a, b" } },
    { ...put, headers: { "x-goog-if-generation-match": "0", "x-goog-acl": "private" } },
    { bucket: "media", object: "up.bin", method: "POST", headers: { "x-goog-resumable": "start" } },
  ];
  if (version === "v2") return both;
  return [
    ...both,
    { bucket: "media", object: "a.txt", query: { generation: "1", userProject: "p+1" } },
    { bucket: "media", object: "a.txt", response: { contentDisposition: 'attachment; filename="a b+c.txt"' } },
    { ...put, bind: { sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", contentLength: 0 } },
    { ...put, headers: { "x-goog-hash": "crc32c=AAAAAA==", range: "bytes=0-1", "x-goog-meta-empty": "" } },
  ];
}

type Sign = (request: GcsSignRequest) => SignedRequest | Promise<SignedRequest>;
interface Style {
  readonly addressing: "path" | "virtual";
  readonly endpoint: string;
  readonly clock: () => Date;
}

/** The same wishes, signed in both addressings. */
async function bases(version: "v4" | "v2", signer: (style: Style) => Sign): Promise<readonly WireRequest[]> {
  const links = (["path", "virtual"] as const).flatMap((addressing) => {
    const sign = signer({ addressing, endpoint: "https://storage.example.com", clock: () => NOW });
    return wishes(version).map((wish) => sign({ ...wish, expiresIn: 900, dotSegments: "sign" }));
  });
  return Promise.all(links.map(async (link) => wireRequest(await link)));
}

export const gcsHmacBases = () => bases("v4", (style) => gcsHmacSigner({ credentials: hmacKey, ...style }).sign);
export const gcsAccountBases = () => bases("v4", (style) => gcsSigner({ credentials: account, ...style }).sign);
export const gcsV2HmacBases = () => bases("v2", (style) => gcsV2HmacSigner({ credentials: hmacKey, ...style }).sign);
export const gcsV2AccountBases = () => bases("v2", (style) => gcsV2Signer({ credentials: account, ...style }).sign);

function collapsed(text: string): string {
  return text.replace(/[ \t]+/g, " ").trim();
}

function isExtension(name: string): boolean {
  return /^x-(?:goog|amz)-/.test(name) && name !== "x-goog-api-client";
}

/** V4: method, host, decoded path, sorted decoded query and signed headers; and no `x-goog-*` or `x-amz-*` beside them. */
export const judgeGcs: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const names = list.find(([name]) => name === "X-Goog-SignedHeaders")?.[1].split(";") ?? [];
  const signed = names
    .filter((name) => name !== "host")
    .map((name) => `${name}:${values(request, name).map(collapsed).join(",")}`);
  const unsigned = request.headers
    .map(([name]) => name.toLowerCase())
    .filter((name) => isExtension(name) && !names.includes(name));
  return JSON.stringify([
    request.method,
    host(request.authority, "443"),
    decodeBytes(path),
    sorted(list),
    signed,
    unsigned.sort(),
    values(request, "authorization"),
  ]);
};

const BUCKET_HOST = /^(?:([a-z0-9.-]+)\.)?storage\.example\.com$/;

/**
 * V2: method, bucket and un-decoded path (whichever of host and path names the bucket), Content-MD5, Content-Type, the
 * decoded query, of which only what is signed is let through, and `x-goog-*` headers. It leaves open: the host and the
 * scheme, and every other header.
 */
export const judgeGcsV2: Judge = (request) => {
  const [path, query] = halves(request.target);
  const bucket = BUCKET_HOST.exec(host(request.authority, "443"))?.[1];
  const extensions = new Map<string, string[]>();
  for (const [field, value] of request.headers) {
    const name = field.toLowerCase();
    if (isExtension(name)) extensions.set(name, [...(extensions.get(name) ?? []), collapsed(value)]);
  }
  return JSON.stringify([
    request.method,
    bucket === undefined ? path : `/${bucket}${path}`,
    values(request, "content-md5").map(collapsed),
    values(request, "content-type").map(collapsed),
    sorted(pairs(query)),
    [...extensions].map(([name, all]) => `${name}:${all.join(",")}`).sort(),
    values(request, "authorization"),
  ]);
};
