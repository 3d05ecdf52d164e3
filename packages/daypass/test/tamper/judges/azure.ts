import type { WireRequest } from "../../../src/core/contracts.ts";
import { decodeBytes, halves, host, type Judge, pairs, sorted, values } from "./judge.ts";

/** A container's and a directory's URL as a holder uses it: with a name in it, or for a listing. */
export function azureUses(request: WireRequest): readonly WireRequest[] {
  const [path, query] = halves(request.target);
  if (/&sr=c&/.test(query))
    return ["/a.txt", "/talks/x"].map((name) => ({ ...request, target: `${path}${name}?${query}` }));
  // An account SAS for a container, which has the account in front here.
  if (/^[^?]*srt=/.test(query) && /^\/[^/]*\/[^/]*$/.test(path))
    return [{ ...request, target: `${path}/a.txt?${query}` }];
  return /&sr=d&/.test(query) ? [{ ...request, target: `${path}/a.txt?${query}` }] : [request];
}

const isSas = (name: string): boolean => /^(?:s[a-z]{1,6}|rs[a-z]{2})$/.test(name);
/** Snapshot or version of a blob: the holder's choice where all of the container or directory is. */
export const isTime = (name: string): boolean => name === "snapshot" || name === "versionid";
/** Whether a SAS is for a container or a directory. */
export const isForMany = (target: string): boolean =>
  pairs(halves(target)[1]).some(([name, value]) => name === "sr" && /^[cd]$/.test(value));

/** Headers that every operation or upload may have. They are not signed, and may be left out. */
const HARMLESS = ["x-ms-version", "x-ms-date", "x-ms-client-request-id", "x-ms-blob-type"];

/**
 * A SAS signs its own parameters, the account and the container (an account SAS signs no container), and the part of the name that `sr`
 * says: all (`b`, `bs`, `bv`), a directory (`d`), nothing (`c`). It signs a snapshot or version, and what `srh` and `srq` name. The host is
 * open if it does not name the account. The method is open within the permissions. No other `x-ms-*` header or parameter may be added.
 */
export const judgeAzure: Judge = (request) => {
  const [path, query] = halves(request.target);
  const list = pairs(query);
  const value = (name: string): string => list.find(([other]) => other === name)?.[1] ?? "";
  const others = list.filter(([name]) => !isSas(name) && !(isTime(name) && isForMany(request.target)));
  const authority = host(request.authority, "443");
  const ofHost = /^([a-z0-9]+?)(?:-secondary)?\.blob\.example\.com$/.exec(authority)?.[1];
  const [, ...segments] = path.split("/");
  const account = decodeBytes(ofHost ?? segments.shift() ?? "").replace(/-secondary$/, "");
  const container = decodeBytes(segments.shift() ?? "");
  const name = decodeBytes(segments.join("/"));
  const place = {
    "": [],
    c: [container, name !== ""],
    d: [
      container,
      name
        .split("/")
        .slice(0, Number(value("sdd")))
        .join("/"),
    ],
  }[value("sr")] ?? [container, name];
  const bound = value("srh")
    .split(",")
    .map((header) => values(request, header.toLowerCase()).map((text) => text.trim()));
  const ms = request.headers.map(([field]) => field.toLowerCase()).filter((field) => field.startsWith("x-ms-"));
  return JSON.stringify([
    request.method === "HEAD" ? "GET" : request.method,
    ofHost === undefined ? authority : "",
    ...[account, place, sorted(list.filter(([name]) => isSas(name))), sorted(others)],
    ...[bound, ms.filter((field) => !HARMLESS.includes(field)).sort(), values(request, "authorization").length],
  ]);
};
