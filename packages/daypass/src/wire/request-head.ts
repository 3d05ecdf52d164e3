import type { WireRequest } from "../core/contracts.ts";
import { DaypassError } from "../core/errors.ts";

/** The head of a request as a runtime hands it over, before anything has been checked. */
export interface RawHead {
  readonly method: string;
  readonly target: string;
  /** HTTP/2's `:authority`, if present. */
  readonly authority?: string | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly remoteAddress: string | undefined;
}

/**
 * Makes a {@link WireRequest} of a raw head, or throws `MALFORMED` for a head that two parsers could read in two ways: what
 * a proxy in front saw, what is verified and what the router acts on must be the same request.
 */
export function wireRequest(head: RawHead): WireRequest {
  const { method, headers, remoteAddress } = head;
  const host = readHeaders(headers);
  const absolute = ABSOLUTE_FORM.exec(head.target);
  const scheme = absolute?.[1]?.toLowerCase() ?? "http";
  const authority = head.authority ?? host;
  if (authority === undefined || authority === "") {
    throw malformed("host", "the Host header is missing. Every HTTP/1.1 client sends one");
  }
  for (const other of [host, absolute?.[2]]) {
    if (other !== undefined && other !== authority && !sameAuthority(scheme, other, authority)) {
      throw malformed("host", "the target and Host name different authorities. Send one");
    }
  }
  const target = absolute === null ? head.target : originForm(absolute[3]);
  if (!TARGET.test(target)) {
    throw malformed(
      "target",
      "the request target does not start with `/`, or has another character than visible ASCII without `#` and `\\`. Percent-encode it",
    );
  }
  return { method, target, authority, headers, remoteAddress };
}

// RFC 9112 section 3.2.2: a server must accept the absolute form of the target.
const ABSOLUTE_FORM = /^(https?):\/\/([^/?]*)(.*)$/is;
// Stricter than `parseTarget`, which leaves characters to each scheme: an adapter's caller may look at the target before any
// scheme does.
const TARGET = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;

// RFC 3986 section 6.2.3: an empty path with an authority is `/`.
function originForm(rest = ""): string {
  return rest.startsWith("/") ? rest : `/${rest}`;
}

const DEFAULT_PORT: Readonly<Record<string, string>> = { http: ":80", https: ":443" };

/** Whether two spellings name one host and port: the case of a host and a scheme's default port mean nothing. */
export function sameAuthority(scheme: string, a: string, b: string): boolean {
  const port = DEFAULT_PORT[scheme] ?? "";
  const plain = (text: string): string => {
    const lower = text.toLowerCase();
    return lower.endsWith(port) ? lower.slice(0, lower.length - port.length) : lower;
  };
  return plain(a) === plain(b);
}

/** Checks the headers that frame or route a request, each of which may be there once, and returns `Host`. */
function readHeaders(headers: RawHead["headers"]): string | undefined {
  let host: string | undefined;
  let type: string | undefined;
  let length: string | undefined;
  let encoding: string | undefined;
  for (const [name, value] of headers) {
    // The length of a name rules out most headers without a lower-case copy.
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === "host") host = once("Host", host, value);
        break;
      case 12:
        if (name.toLowerCase() === "content-type") type = once("Content-Type", type, value);
        break;
      case 14:
        if (name.toLowerCase() === "content-length") length = once("Content-Length", length, value);
        break;
      case 17:
        if (name.toLowerCase() === "transfer-encoding") encoding = once("Transfer-Encoding", encoding, value);
        break;
    }
  }
  // The Fetch API joins repeated fields with a comma, which no media type has outside a quoted parameter.
  if (type?.includes(",") && hasOuterComma(type)) throw repeated("Content-Type");
  if (length !== undefined && !/^[0-9]{1,16}$/.test(length)) {
    throw malformed("content-length", "Content-Length is not one number of bytes");
  }
  if (encoding !== undefined && encoding.toLowerCase() !== "chunked") {
    throw malformed("transfer-encoding", "the Transfer-Encoding is not chunked. Send the body as it is");
  }
  // RFC 9112 section 6.1: both together "ought to be handled as an error", the mark of request smuggling.
  if (encoding !== undefined && length !== undefined) {
    throw malformed("transfer-encoding", "Content-Length and Transfer-Encoding are both present. Send one");
  }
  return host;
}

/**
 * Whether a comma stands outside the quoted strings. One pass: a pattern that looks for whole strings starts again at each
 * quote of an unterminated string, and no client has been authenticated yet.
 */
function hasOuterComma(text: string): boolean {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') quoted = !quoted;
    else if (character === "\\" && quoted) i++;
    else if (character === "," && !quoted) return true;
  }
  // A string without an end is invalid, so a comma inside it may have joined two fields.
  return quoted;
}

function once(name: string, seen: string | undefined, value: string): string {
  if (seen !== undefined) throw repeated(name);
  return value;
}

function repeated(name: string): DaypassError {
  return malformed(name.toLowerCase(), `${name} is repeated. Send it once`);
}

function malformed(part: string, message: string): DaypassError {
  return new DaypassError("MALFORMED", message, { details: { part } });
}
