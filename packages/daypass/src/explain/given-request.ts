import type { WireRequest } from "../core/contracts.ts";
import { refusal } from "../core/errors.ts";
import type { SentRequest } from "./explanation.ts";

/** A {@link SentRequest} in the one form that is read here. */
export interface ToldRequest extends Omit<SentRequest, "headers"> {
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What the headers of a request have to be. */
export const HEADERS = "headers as an object of texts, a Headers, or a list of names with their values";

/**
 * The request that was sent, whoever has it: `fetch`, a server, or somebody who wrote it down. Other members
 * are as they were given, and left to the check of the options. Throws `INVALID_INPUT` for a list that has none of headers.
 */
export function toldRequest(request: SentRequest | WireRequest, signedUrl: string): ToldRequest {
  // Member by member: those of a `Request` are no own ones, and a spread would lose them.
  const { method, url, headers, remoteAddress, bodySha256, target, authority } = request as SentRequest & WireRequest;
  // The scheme stands nowhere on the wire.
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

/** A `Headers`, or a list of pairs, as texts by their names: what is sent several times is one list to S3. */
function headersByName(headers: SentRequest["headers"]): ToldRequest["headers"] {
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
