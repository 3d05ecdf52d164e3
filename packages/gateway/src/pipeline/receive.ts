import type { WireRequest } from "daypass";
import { excerpt } from "../http/excerpt.ts";
import { unchecked } from "../unchecked.ts";
import type { Limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/** A request whose head has only one meaning. Its signature has not been verified. */
export interface Received {
  /** The target is in origin form. */
  readonly request: WireRequest;
  readonly fields: RequestFields;
}

/** The fields that later steps read, unchanged. */
export interface RequestFields {
  contentLength: string | undefined;
  contentRange: string | undefined;
  contentType: string | undefined;
  host: string | undefined;
  ifMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifNoneMatch: string | undefined;
  ifRange: string | undefined;
  ifUnmodifiedSince: string | undefined;
  origin: string | undefined;
  range: string | undefined;
  transferEncoding: string | undefined;
}

/** How a header field is read: its first value, its only value, or all of its values joined. */
type Reading = "first" | "only" | "joined";

const FIELDS: ReadonlyMap<string, readonly [field: keyof RequestFields, reading: Reading]> = new Map([
  ["content-length", ["contentLength", "only"]],
  ["content-range", ["contentRange", "first"]],
  ["content-type", ["contentType", "only"]],
  ["host", ["host", "only"]],
  ["if-match", ["ifMatch", "joined"]],
  ["if-modified-since", ["ifModifiedSince", "only"]],
  ["if-none-match", ["ifNoneMatch", "joined"]],
  ["if-range", ["ifRange", "only"]],
  ["if-unmodified-since", ["ifUnmodifiedSince", "only"]],
  ["origin", ["origin", "only"]],
  ["range", ["range", "only"]],
  ["transfer-encoding", ["transferEncoding", "only"]],
]);
const ABSENT = unchecked<RequestFields>(Object.fromEntries([...FIELDS.values()].map(([field]) => [field, undefined])));

/**
 * Refuses heads that two parsers could read differently, before any scheme runs: two `Host` headers or none, an absolute-form
 * target for another authority, two `Content-Type`s or lengths, any transfer coding but `chunked`, and lengths over the limits.
 *
 * @throws {Refusal} `INVALID_REQUEST`, `URI_TOO_LONG`, `HEADERS_TOO_LARGE`
 */
export function receive(request: WireRequest, limits: Limits): Received {
  if (request.headers.length > limits.headerCount) {
    throw new Refusal("HEADERS_TOO_LARGE", `the request has more than ${limits.headerCount} headers. Send fewer`);
  }
  const fields = readFields(request.headers);
  if (request.authority === "") throw invalid("the request has no Host header. Send one");
  const target = originForm(request);
  const mark = target.indexOf("?");
  const path = mark < 0 ? target.length : mark;
  if (path > limits.path || target.length - path > limits.query + 1) {
    const message = `the path is longer than ${limits.path} bytes, or the query than ${limits.query}. Shorten it`;
    throw new Refusal("URI_TOO_LONG", message);
  }
  if (target.includes("#") || target.includes("\\")) {
    throw invalid("the target contains # or \\. Percent-encode it");
  }
  return { request: target === request.target ? request : { ...request, target }, fields };
}

function readFields(headers: WireRequest["headers"]): RequestFields {
  const fields = { ...ABSENT };
  for (const [name, value] of headers) {
    const known = FIELDS.get(name.toLowerCase());
    if (known === undefined) continue;
    const [field, reading] = known;
    const previous = fields[field];
    if (previous === undefined) fields[field] = value;
    // RFC 9110 §5.3: the values of a list may be sent in several fields.
    else if (reading === "joined") fields[field] = `${previous}, ${value}`;
    else if (reading === "only") throw invalid(`the header ${titleCase(name)} is repeated. Send it once`);
  }
  if (fields.transferEncoding !== undefined) {
    if (fields.transferEncoding.toLowerCase() !== "chunked")
      throw invalid(`Transfer-Encoding is ${excerpt(fields.transferEncoding)}. Send chunked, or leave it out`);
    // RFC 9112 §6.1: such a message "might indicate an attempt to perform request smuggling … and ought to be handled as an error".
    if (fields.contentLength !== undefined)
      throw invalid("the request has Content-Length and Transfer-Encoding. Send one of them");
  }
  return fields;
}

/** `Content-Type` for `content-type`. */
function titleCase(name: string): string {
  return name.toLowerCase().replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

const ABSOLUTE = /^https?:\/\/([^/?#\\@]+)([/?].*)?$/i;

/**
 * RFC 9112 §3.2.2: a server "MUST accept the absolute-form in requests" and use its host. The signature covers the Host header, so here both
 * must be equal.
 */
function originForm({ target, authority }: WireRequest): string {
  if (target.charCodeAt(0) === 47) return target;
  const match = ABSOLUTE.exec(target);
  const [, host, rest = "/"] = match ?? [];
  if (host === undefined || host.toLowerCase() !== authority.toLowerCase()) {
    throw invalid("the target is neither a path nor a URL of the host in Host. Send a path that starts with /");
  }
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function invalid(message: string): Refusal {
  return new Refusal("INVALID_REQUEST", message);
}
