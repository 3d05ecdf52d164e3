import { collapsed, decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

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

const BUCKET_HOST = /^(?:([a-z0-9.-]+)\.)?(?:media|other)\.example\.com$/;

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
