import { DaypassError, type WireRequest } from "daypass";
import { checked, describe, fields, isObject, missing, text } from "daypass/schemes";

/** A received request, with the origin of its URL, which is not on the wire. */
export interface UrlRequest {
  readonly request: WireRequest;
  /** `scheme://authority` as written. */
  readonly origin: string;
}

const REQUEST = fields({
  method: text,
  url: text,
  headers: { expected: "an object or a list of [name, value]", accepts: (value) => typeof value === "object" },
  remoteAddress: text,
});

interface LineRequest {
  readonly method?: string;
  readonly url?: string;
  readonly headers?: unknown;
  readonly remoteAddress?: string;
}

const ABSOLUTE = /^(https?:\/\/([^/?#\\]+))(.*)$/is;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Reads the request of a `verify` line. The text after the authority is the target, unchanged: a URL parser would collapse
 * `/b/%2e%2e/secret`, and the signature would be checked for another object.
 */
export function wireRequest(value: unknown): UrlRequest {
  if (!isObject(value)) throw missing("request", "give it as an object with method and url");
  const { method = "GET", url, headers, remoteAddress } = checked<LineRequest>(value, REQUEST);
  if (!METHOD.test(method)) throw malformed("method", `request.method is "${method}". Pass one such as "GET"`);
  if (url === undefined) throw missing("request.url", "give the absolute URL as it was sent");
  const [, origin, authority, rest] = ABSOLUTE.exec(url) ?? [];
  if (origin === undefined || authority === undefined || rest === undefined)
    throw malformed("url", "request.url does not begin with http:// or https:// and a host. Pass the whole URL");
  if (authority.includes("@")) {
    throw malformed(
      "url",
      "request.url has user@ in front of the host, which no request carries. Leave it out, or send it as an Authorization header",
    );
  }
  const pairs = headerPairs(headers ?? {});
  for (const [name, host] of pairs) {
    if (name.toLowerCase() === "host" && host !== authority)
      throw malformed("host", `the Host header is not the URL's ${JSON.stringify(authority)}. Leave it out`);
  }
  // Clients request "/" if a URL has no path.
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  return { request: { method, target, authority, headers: pairs, remoteAddress }, origin };
}

const NAME = METHOD;

function headerPairs(value: unknown): readonly (readonly [string, string])[] {
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(value) ? value : Object.entries(value ?? {});
  return entries.flatMap((entry) => {
    if (!Array.isArray(entry) || entry.length !== 2)
      throw malformed(
        "headers",
        `request.headers has ${describe(entry)} as an entry. Pass {name: value} or [[name, value]]`,
      );
    const [name, values] = entry as readonly [unknown, unknown];
    return (Array.isArray(values) ? values : [values]).map((item): readonly [string, string] => {
      // No request has a line feed inside a field, and a line feed would shift the lines of a canonical request.
      if (typeof name !== "string" || typeof item !== "string" || !NAME.test(name) || /[\0\r\n]/.test(item))
        throw malformed("headers", "request.headers has a name or a value that HTTP forbids. Correct it");
      return [name, item];
    });
  });
}

function malformed(part: string, message: string): DaypassError {
  return new DaypassError("MALFORMED", message, { details: { part } });
}
