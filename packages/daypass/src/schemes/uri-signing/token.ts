import type { WireRequest } from "../../core/contracts.ts";
import { hasCookie } from "../../edge/verify.ts";
import { cookieValue } from "../../wire/cookie.ts";
import { base64url, fromBase64url, signatureBytesUrl, utf8 } from "../../wire/encoding.ts";
import { repeatsMember } from "../../wire/json-members.ts";
import { malformed } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";

/** The default name of the attribute and the cookie. */
export const ATTRIBUTE = "URISigningPackage";

// RFC 3986 section 2.2. A JWT has none of them.
const RESERVED = ":/?#[]@!$&'()*+,;=";
const SUB_DELIMITER = "!$&'()*+,;=";

/** A token, and the target of its request without it. */
export interface FoundToken {
  readonly token: string;
  readonly target: string;
}

/**
 * "The URI Signing Package will be found by parsing the URI, left to right, for the following sequence: a reserved character,
 * the URI Signing Package Attribute name, …an equal symbol, and a sequence of non-reserved characters …terminated by either a
 * reserved character or the end of the URI." Where the URI has none, the cookie of the same name is asked. A second one in
 * the URI is refused, although the standard ignores it.
 */
export function findToken({ target, headers }: WireRequest, attribute: string): FoundToken {
  const start = findAttribute(target, attribute, 0);
  if (start < 0) {
    return { token: cookieValue(headers, attribute) ?? "", target };
  }
  const from = start + attribute.length + 1;
  let end = from;
  // Behind the last character there is the empty text, which every text includes.
  while (!RESERVED.includes(target[end] ?? "")) end++;
  // Any reserved character ends a token, but only these end a parameter: `URISigningPackage=…=` is a mistake.
  const isEnd = "&;,/?".includes(target[end] ?? "");
  if (!isEnd || findAttribute(target, attribute, end) >= 0) throw malformed(attribute, "duplicate", "one whole token");
  // "If the signed JWT is terminated by anything other than a sub-delimiter, everything from the reserved character that
  // precedes the attribute to the last character of the signed JWT will be removed, inclusive. Otherwise, everything from
  // the first character of the attribute to the sub-delimiter that terminates the signed JWT will be removed, inclusive."
  const isFollowed = SUB_DELIMITER.includes(target[end] ?? "/");
  const rest = isFollowed
    ? target.slice(0, start) + target.slice(end + 1)
    : target.slice(0, start - 1) + target.slice(end);
  return { token: target.slice(from, end), target: rest };
}

/** Where `attribute=` begins behind a reserved character, or -1. */
export function findAttribute(target: string, attribute: string, from: number): number {
  const text = `${attribute}=`;
  for (let at = target.indexOf(text, from); at >= 0; at = target.indexOf(text, at + 1)) {
    if (at > 0 && RESERVED.includes(target[at - 1] as string)) return at;
  }
  return -1;
}

/** By names alone. */
export function detectToken(request: WireRequest, attribute: string): boolean {
  return hasCookie(request, attribute) || findAttribute(request.target, attribute, 0) >= 0;
}

/** A signed JWT in compact form, split and not verified. */
export interface Jws {
  /** Header and payload as they are signed. */
  readonly input: string;
  readonly alg: string;
  readonly kid: string | undefined;
  readonly payload: unknown;
  /** base64url, whose spare bits need not be zero. */
  readonly signature: string;
}

/**
 * Splits a token. "The header of the JWT MAY be passed via the CDNI Metadata interface instead of being included in the
 * URISigningPackage": then `header` is that part, in base64url.
 */
export function readJws(token: string, header: string | undefined): Jws {
  const parts = token.length > MAX_TOKEN ? [] : token.split(".");
  if (parts.length === 2 && header !== undefined) parts.unshift(header);
  const [head = "", body = "", signature = ""] = parts;
  const { alg, kid, crit } = Object(readJson(head)) as { alg?: unknown; kid?: unknown; crit?: unknown };
  // RFC 7515 section 4.1.11: extensions in the header that "MUST be understood"; none is.
  if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string") || crit !== undefined) {
    throw malformed("token", "header", "alg, kid, no crit");
  }
  if (parts.length !== 3 || signatureBytesUrl(signature) === undefined) {
    throw malformed("token", "form", "JSON in base64url, three parts");
  }
  return { input: `${head}.${body}`, alg, kid, payload: readJson(body), signature };
}

// Longer than what servers take as a target. JSON costs more to read than what stands around it.
const MAX_TOKEN = 8192;

function readJson(part: string): unknown {
  const bytes = fromBase64url(part);
  try {
    const text = percentDecode([...(bytes ?? [])].map(escapeByte).join(""));
    const parsed: unknown = JSON.parse(text);
    if (!repeatsMember(text, parsed)) return parsed;
  } catch {
    // Reported below.
  }
  throw malformed("token", "form", "JSON in base64url, three parts, each member once");
}

// The one decoder of UTF-8 here is the percent-decoder: jsdom's window, where bundles are tested, has no TextDecoder.
function escapeByte(byte: number): string {
  return `%${byte.toString(16).padStart(2, "0")}`;
}

/** Header and payload of a token, to be signed. */
export function jwsInput(alg: string, kid: string, payload: object): string {
  return `${encode({ alg, kid })}.${encode(payload)}`;
}

function encode(value: object): string {
  return base64url(utf8(JSON.stringify(value)));
}
