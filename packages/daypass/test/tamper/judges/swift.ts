import type { WireRequest } from "../../../src/core/contracts.ts";
import { decodeBytes, halves, type Judge, pairs, values } from "./judge.ts";

/**
 * Method, decoded path or prefix, end and network. The host is open, and GET, PUT and POST include HEAD. A URL does not say which method was
 * signed, so the judge looks it up in the valid requests.
 */
export function judgeSwift(bases: readonly WireRequest[]): Judge {
  const signatureOf = ({ target }: WireRequest): string => decodeBytes(/temp_url_sig=([^&=]+)/.exec(target)?.[1] ?? "");
  const methods = new Map(bases.map((request) => [signatureOf(request), request.method]));
  return (request) => {
    const [path, query] = halves(request.target);
    const list = pairs(query).map(([name, value]) => {
      if (name === "temp_url_sig") return [name, value.replace(/==$/, "")];
      // The expiry has two spellings. The signature covers the instant.
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
