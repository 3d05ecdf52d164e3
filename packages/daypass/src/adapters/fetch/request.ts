import type { QueryToken, WireRequest } from "../../core/contracts.ts";
import { DaypassError } from "../../core/errors.ts";
import { uriEncode } from "../../wire/encoding.ts";
import { formDecode, parseTarget } from "../../wire/raw-target.ts";
import { sameAuthority, wireRequest } from "../../wire/request-head.ts";

/** The parts of a Fetch API `Response` that are used. */
export interface FetchResponse {
  /** The HTTP status. */
  readonly status: number;
  readonly headers: { set(name: string, value: string): void };
}

// The library is compiled without the DOM's types and must type-check without them: where a program has them (from the
// DOM, from Node's or from a host's types), its own `Request` and `Response` are meant.
/** The `Request` of the program's own types, or {@link FetchRequest} if it has none. */
export type GlobalRequest = typeof globalThis extends { Request: { prototype: infer R extends FetchRequest } }
  ? R
  : FetchRequest;
/** The `Response` of the program's own types, or {@link FetchResponse} if it has none. */
export type GlobalResponse = typeof globalThis extends { Response: { prototype: infer R extends FetchResponse } }
  ? R
  : FetchResponse;

/** The parts of a Fetch API `Request` that are read. */
export interface FetchRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: { forEach(callback: (value: string, name: string) => void): void };
}

/** What a host knows about a request in addition to the Fetch API's `Request`. */
export interface RequestFacts {
  /** The client's address, from the host's own connection data and never from a header that anyone may write. */
  readonly remoteAddress?: string | undefined;
  /** The request target as it was on the wire, if the host provides it, e.g. Hono on Node: `c.env.incoming.url`. */
  readonly rawTarget?: string | undefined;
  /** The authority as it was on the wire, if `request.url` is not built from `Host`, e.g. the `Host` header with `next start`. */
  readonly authority?: string | undefined;
  /** The path that the host removed from `request.url`, such as `/api`: the `basePath` of Next, or the path of Hono's `mount`. */
  readonly basePath?: string | undefined;
  /**
   * `form` for a host that re-serialises the query as a form, as Next does (`%20` becomes `+`, `flag` becomes `flag=`).
   * The query is then respelt as in RFC 3986: every byte except `A-Za-z0-9-._~` is encoded, `flag` becomes `flag=`. Sign
   * in that spelling; a Daypass URL in another is refused.
   */
  readonly query?: "form" | undefined;
}

/**
 * Returns the request as it was on the wire, as far as a Fetch API `Request` shows it. Its URL has been through a URL parser,
 * which irreversibly collapses dot segments. This is not a hole, because the router reads the same URL: what is verified is
 * what it sees. A Daypass URL is signed in a spelling that the parser does not change; the signature of an S3 key with dot
 * segments does not match. With `rawTarget`, a request whose raw path the parser changed is refused as well.
 *
 * Several fields of one name arrive joined by a comma, and `Transfer-Encoding` does not arrive: the host handles it.
 *
 * Source: https://url.spec.whatwg.org/#path-state, https://fetch.spec.whatwg.org/#request-class
 *
 * @throws {TypeError} if it is not a `Request`
 * @throws {DaypassError} `MALFORMED`
 * @example
 * ```ts
 * import { requestToWire } from "daypass/fetch";
 *
 * export const { target } = requestToWire(new Request("https://api.example.com/invoices/7.pdf?lang=de"));
 * ```
 */
export function requestToWire(request: FetchRequest, facts: RequestFacts = {}): WireRequest {
  // Which no compiler has seen: what a framework hands over is an event or a context that has the request in it.
  if (!request?.url || typeof request.headers?.forEach !== "function") {
    throw new TypeError(
      "the request is not a Request of the Fetch API. Pass c.req.raw of Hono, event.request of SvelteKit, event.req of h3",
    );
  }
  const { scheme, authority, target: seen } = splitUrl(request.url);
  const target = `${facts.basePath ?? ""}${seen}`;
  const headers: [string, string][] = [];
  let host: string | undefined;
  request.headers.forEach((value, name) => {
    if (name.toLowerCase() === "host") host = value;
    headers.push([name, value]);
  });
  // Default ports and letter case are all that a URL parser changes in an authority. Astro and `next start` put their own name there.
  if (!facts.authority && host && !sameAuthority(scheme, host, authority)) {
    throw malformed("Host names another authority than the URL. Pass facts.authority", "host");
  }
  const received = wireRequest({
    method: request.method,
    target: facts.rawTarget ?? target,
    authority: facts.authority ?? host ?? authority,
    headers,
    remoteAddress: facts.remoteAddress,
  });
  if (facts.rawTarget !== undefined) checkSamePath(received.target, target);
  return facts.query === "form" ? { ...received, target: respellQuery(received.target) } : received;
}

const HTTP_URL = /^(https?):\/\/([^/?#]*)(.*)$/is;

function splitUrl(url: string): { readonly scheme: string; readonly authority: string; readonly target: string } {
  const [, scheme, authority, target] = HTTP_URL.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || target === undefined) {
    throw malformed("the URL is not an absolute http or https URL. Pass the request as the host made it");
  }
  return { scheme: scheme.toLowerCase(), authority, target };
}

function checkSamePath(raw: string, parsed: string): void {
  if (parseTarget(raw).path === parseTarget(parsed).path) return;
  throw malformed("the URL parser changed the path. Send the plain spelling");
}

/** `dp-*` tokens keep their bytes: their grammar allows only what a form serialiser leaves alone. */
function respellQuery(target: string): string {
  const { path, tokens } = parseTarget(target);
  if (tokens.length === 0) return target;
  return `${path}?${tokens.map(respellToken).join("&")}`;
}

function respellToken({ name, value = "" }: QueryToken): string {
  if (name.startsWith("dp-")) return `${name}=${value}`;
  return `${uriEncode(formDecode(name))}=${uriEncode(formDecode(value))}`;
}

function malformed(message: string, part = "target"): DaypassError {
  return new DaypassError("MALFORMED", message, { details: { part } });
}
