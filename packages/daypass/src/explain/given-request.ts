import type { WireRequest } from "../core/contracts.ts";
import { refusal } from "../core/errors.ts";
import type { SentRequest } from "./explanation.ts";

/** A {@link SentRequest} with headers by name. */
export interface GivenRequest extends Omit<SentRequest, "headers"> {
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** The accepted forms of a request's headers, for errors. */
export const HEADERS =
  "headers is not valid. Pass an object of strings, a Headers, or a list of names with their values";

/**
 * The sent request, from a `Request` of `fetch`, a server's request or an object. Does not check the other members. Throws
 * `INVALID_INPUT` for a list that contains no headers.
 */
export function givenRequest(request: SentRequest | WireRequest, signedUrl: string): GivenRequest {
  // Member by member: the members of a `Request` are inherited, so a spread would lose them.
  const { method, url, headers, remoteAddress, bodySha256, target, authority } = request as SentRequest & WireRequest;
  // A request on the wire does not state its scheme.
  const [scheme = "https:"] = /^https?:/i.exec(signedUrl) ?? [];
  const isWire = url === undefined && typeof target === "string" && typeof authority === "string";
  return {
    method,
    url: isWire ? `${scheme}//${authority}${target}` : url,
    headers: headersByName(headers),
    remoteAddress,
    bodySha256,
  };
}

/** A `Headers` or a list of pairs, as texts by name. S3 joins repeated headers. */
function headersByName(headers: SentRequest["headers"]): GivenRequest["headers"] {
  if (!isIterable(headers)) return headers;
  const found = new Map<string, string>();
  for (const pair of headers) {
    const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : [];
    if (typeof name !== "string" || typeof value !== "string") throw refusal("INVALID_INPUT", HEADERS);
    const before = found.get(name.toLowerCase());
    found.set(name.toLowerCase(), before === undefined ? value : `${before},${value}`);
  }
  return Object.fromEntries(found);
}

function isIterable(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
