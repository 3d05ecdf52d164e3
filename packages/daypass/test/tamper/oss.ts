import type { WireRequest } from "../../src/core/contracts.ts";
import { type OssSignRequest, ossSigner } from "../../src/schemes/oss/index.ts";
import { ossV1Signer } from "../../src/schemes/oss/v1/index.ts";
import { NOW, wireRequest } from "./bases.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

// Valid OSS requests of every kind, and what a signature of each version covers, from Alibaba's pages.

export const OSS_ORIGINS: readonly string[] = ["https://*.oss.example.com", "https://oss.example.com"];
export const OSS_CREDENTIALS = { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY" };
export const STS_CREDENTIALS = {
  accessKeyId: "STS.EXAMPLE",
  accessKeySecret: "bPxRfiCY",
  securityToken: "CAIS/+=token",
};

const KEYS = [
  "a.txt",
  "talks/a b+c.mp4",
  "100%.txt",
  "a%20b",
  "q?x=1#y&z",
  "'()!*",
  "x//y",
  "/lead",
  "dir/",
  "é/日本/🚀",
  "a/../b",
];

type Wish = Omit<OssSignRequest, "expiresIn" | "bucket">;

const wishes: readonly Wish[] = [
  ...KEYS.flatMap((key) => [{ key }, { key, method: "PUT" }]),
  {},
  { query: { acl: "" } },
  { key: "a.txt", query: { versionId: "3/L4kqtJ+l" } },
  { key: "a.txt", response: { contentType: "text/plain", contentDisposition: 'attachment; filename="a b.txt"' } },
  { key: "a.txt", method: "PUT", headers: { "content-md5": "1B2M2Y8AsgTpgAmY7PhCfg==", "x-oss-meta-a": "a, b" } },
  { key: "a.txt", method: "PUT", headers: { "content-type": "image/png", "x-oss-forbid-overwrite": "true" } },
];
const v4Wishes: readonly Wish[] = [
  ...wishes,
  { key: "a.txt", bindHost: true },
  { key: "a.txt", query: { x: "1", utm: "" }, headers: { "x-shard": "eu  1" } },
];

function bases(make: typeof ossSigner | typeof ossV1Signer, list: readonly Wish[]): readonly WireRequest[] {
  return (["virtual", "path"] as const).flatMap((addressing) =>
    [OSS_CREDENTIALS, STS_CREDENTIALS].flatMap((credentials) => {
      const endpoint = "https://oss.example.com";
      const signer = make({ region: "cn-hangzhou", endpoint, addressing, credentials, clock: () => NOW });
      return list.map((wish) =>
        wireRequest(signer.sign({ ...wish, bucket: "media", expiresIn: 900, dotSegments: "sign" })),
      );
    }),
  );
}

export const ossBases = (): readonly WireRequest[] => bases(ossSigner, v4Wishes);
export const ossV1Bases = (): readonly WireRequest[] => bases(ossV1Signer, wishes);

/** `/bucket/key` in bytes, wherever the bucket's name stands. */
function resource({ authority }: WireRequest, path: string): string {
  const bucket = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*)\.oss\.example\.com$/.exec(host(authority, "443"))?.[1];
  const whole = decodeBytes(bucket === undefined ? path : `/${bucket}${path}`);
  return whole.includes("/", 1) ? whole : `${whole}/`;
}

function signedHeaders(request: WireRequest, isSigned: (name: string) => boolean): readonly string[] {
  const names = new Set(request.headers.map(([name]) => name.toLowerCase()).filter(isSigned));
  return [...names].sort().map(
    (name) =>
      `${name}:${values(request, name)
        .map((value) => value.trim())
        .join(",")}`,
  );
}

const isAlways = (name: string): boolean => /^(?:content-type|content-md5|x-oss-.*)$/.test(name);

/** V4: method, `/bucket/key`, the decoded query, the headers that are always signed and the additional ones. */
export const judgeOss: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const additional = list.find(([name]) => name === "x-oss-additional-headers")?.[1].split(";") ?? [];
  return JSON.stringify([
    request.method,
    additional.includes("host") ? host(request.authority, "443") : "",
    resource(request, path),
    sorted(list),
    signedHeaders(request, (name) => isAlways(name) || additional.includes(name)),
    additional.filter((name) => name !== "host" && values(request, name).length === 0),
    values(request, "authorization"),
  ]);
};

/** V1: the same without additional headers. Parameters that it does not sign are refused, so the whole query counts. */
export const judgeOssV1: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const lines = signedHeaders(request, isAlways).filter((line) => !/^content-(?:type|md5):$/.test(line));
  return JSON.stringify([
    request.method,
    resource(request, path),
    sorted(list),
    lines,
    values(request, "authorization"),
  ]);
};
