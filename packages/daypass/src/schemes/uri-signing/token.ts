import type { WireRequest } from "../../core/contracts.ts";
import { cookieValue } from "../../wire/cookie.ts";
import { malformed } from "../../wire/parameters.ts";

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
 * the URI is refused, where the standard would not look for it.
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
  // Any reserved character ends a token, but only these end a parameter: `URISigningPackage=…=` is a mistake of somebody's.
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
export function detectToken({ target, headers }: WireRequest, attribute: string): boolean {
  const isCookie = headers.some(([name, value]) => name.toLowerCase() === "cookie" && value.includes(`${attribute}=`));
  return isCookie || findAttribute(target, attribute, 0) >= 0;
}
