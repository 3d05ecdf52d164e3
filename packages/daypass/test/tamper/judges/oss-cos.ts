import type { WireRequest } from "../../../src/core/contracts.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

/** `/bucket/key` in bytes, wherever the bucket's name stands. */
function resource({ authority }: WireRequest, path: string): string {
  const bucket = /^([a-z0-9-]+(?:\.[a-z0-9-]+)*)\.(?:media|other)\.example\.com$/.exec(host(authority, "443"))?.[1];
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
