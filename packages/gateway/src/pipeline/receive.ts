import type { WireRequest } from "daypass";
import type { Limits } from "./limits.ts";
import { Refusal } from "./refusal.ts";

/**
 * A request whose head has one reading, with the fields that steps ask for collected in one pass. No signature has been
 * looked at.
 */
export interface Received {
  /** The target is in origin form. */
  readonly request: WireRequest;
  readonly fields: RequestFields;
}

/** Values as they came. A repeated field other than those that are refused keeps its first value. */
export interface RequestFields {
  contentLength: string | undefined;
  contentRange: string | undefined;
  contentType: string | undefined;
  ifMatch: string | undefined;
  ifModifiedSince: string | undefined;
  ifNoneMatch: string | undefined;
  ifRange: string | undefined;
  ifUnmodifiedSince: string | undefined;
  origin: string | undefined;
  range: string | undefined;
  transferEncoding: string | undefined;
}

/**
 * Refuses what two parsers could read differently, before any scheme runs: two `Host` headers or none, an absolute-form
 * target for another authority, two `Content-Type`s or lengths, any transfer coding but `chunked`, and lengths over the limits.
 *
 * @throws {Refusal} `INVALID_REQUEST`, `URI_TOO_LONG`, `HEADERS_TOO_LARGE`
 */
export function receive(request: WireRequest, limits: Limits): Received {
  if (request.headers.length > limits.headerCount) {
    throw new Refusal(
      "HEADERS_TOO_LARGE",
      `expected at most ${limits.headerCount} header fields, found more: send fewer`,
    );
  }
  const fields = readFields(request.headers);
  if (request.authority === "") throw invalid("expected one Host header, found none: send it");
  const target = originForm(request);
  const mark = target.indexOf("?");
  const path = mark < 0 ? target.length : mark;
  if (path > limits.path || target.length - path > limits.query + 1) {
    throw new Refusal(
      "URI_TOO_LONG",
      `expected a path of at most ${limits.path} bytes and a query of at most ${limits.query}, found more: shorten it`,
    );
  }
  if (target.includes("#") || target.includes("\\")) {
    throw invalid("expected a target without `#` and `\\`, found one: percent-encode it");
  }
  return { request: target === request.target ? request : { ...request, target }, fields };
}

function readFields(headers: WireRequest["headers"]): RequestFields {
  const fields: RequestFields = {
    contentLength: undefined,
    contentRange: undefined,
    contentType: undefined,
    ifMatch: undefined,
    ifModifiedSince: undefined,
    ifNoneMatch: undefined,
    ifRange: undefined,
    ifUnmodifiedSince: undefined,
    origin: undefined,
    range: undefined,
    transferEncoding: undefined,
  };
  let hosts = 0;
  for (const [name, value] of headers) {
    switch (name.toLowerCase()) {
      case "host":
        hosts += 1;
        if (hosts > 1) throw invalid("expected one Host header, found two: send one");
        break;
      case "content-type":
        fields.contentType = once(fields.contentType, value, "Content-Type");
        break;
      case "content-length":
        fields.contentLength = once(fields.contentLength, value, "Content-Length");
        break;
      case "content-range":
        fields.contentRange ??= value;
        break;
      case "transfer-encoding":
        fields.transferEncoding = once(fields.transferEncoding, value, "Transfer-Encoding");
        if (value.toLowerCase() !== "chunked") {
          throw invalid("expected no transfer coding but `chunked`, found another: send the body plain");
        }
        break;
      case "range":
        fields.range = once(fields.range, value, "Range");
        break;
      case "if-range":
        fields.ifRange = once(fields.ifRange, value, "If-Range");
        break;
      case "if-match":
        fields.ifMatch = joined(fields.ifMatch, value);
        break;
      case "if-none-match":
        fields.ifNoneMatch = joined(fields.ifNoneMatch, value);
        break;
      case "if-modified-since":
        fields.ifModifiedSince = once(fields.ifModifiedSince, value, "If-Modified-Since");
        break;
      case "if-unmodified-since":
        fields.ifUnmodifiedSince = once(fields.ifUnmodifiedSince, value, "If-Unmodified-Since");
        break;
      case "origin":
        fields.origin = once(fields.origin, value, "Origin");
        break;
    }
  }
  // RFC 9112 §6.1: such a message "might indicate an attempt to perform request smuggling … and ought to be handled as an error".
  if (fields.transferEncoding !== undefined && fields.contentLength !== undefined) {
    throw invalid("expected either Content-Length or Transfer-Encoding, found both: send one");
  }
  return fields;
}

function once(previous: string | undefined, value: string, name: string): string {
  if (previous !== undefined) throw invalid(`expected one ${name} header, found two: send one`);
  return value;
}

/** RFC 9110 §5.3: fields of a list may be sent apart, and mean the same as one with commas. */
function joined(previous: string | undefined, value: string): string {
  return previous === undefined ? value : `${previous}, ${value}`;
}

const ABSOLUTE = /^https?:\/\/([^/?#\\@]+)([/?].*)?$/i;

/**
 * RFC 9112 §3.2.2: a server "MUST accept the absolute-form in requests" and takes the host from it. The signature covers the
 * Host header, so here both have to say the same.
 */
function originForm({ target, authority }: WireRequest): string {
  if (target.charCodeAt(0) === 47) return target;
  const match = ABSOLUTE.exec(target);
  const [, host, rest = "/"] = match ?? [];
  if (host === undefined || host.toLowerCase() !== authority.toLowerCase()) {
    throw invalid("expected a target that starts with `/`, or a whole URL for the authority in Host; found neither");
  }
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function invalid(message: string): Refusal {
  return new Refusal("INVALID_REQUEST", message);
}
