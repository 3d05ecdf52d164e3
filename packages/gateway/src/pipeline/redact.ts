import type { SignedBy } from "daypass";
import { knownDialects } from "../protocols/marks.ts";

/** The marks beside which logs show the value of a parameter. */
const SHOWN: ReadonlyMap<string, readonly RegExp[]> = new Map(
  Object.values(knownDialects).flatMap(({ shown, target = [] }) => shown.split(" ").map((name) => [name, target])),
);

const MAX_PATH = 1024;
const MAX_TOKENS = 32;

// A client that encodes its URL twice, or joins path and query by `&`, sends its signature in the path. The request is refused, but the log
// line would contain a URL that works once decoded.
const MISPLACED_SECRET = /(?:sig|signature|token)(?:=|%(?:25)*3d)/i;
const FURTHER_PARAMETER = /[=?]|%(?:25|26|3d|3f)/i;
const USER_INFO = /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*@/i;

/** Returns a Host for the log, without user name and password. */
export function redactAuthority(authority: string): string {
  return authority.includes("@") ? `~${authority.slice(authority.lastIndexOf("@"))}` : authority;
}

/** The address of a link or of a delivery opens it, so a log shows the beginning only. */
const LINK = /^((?:\/-\/daypass)?\/[ld])\/([^/]{0,4})[^/]*/;

/** Returns the id of a grant for the log. */
export function redactGrant({ scheme, id }: SignedBy): string {
  return scheme === "link" ? `${id.slice(0, 4)}~` : id;
}

function redactPath(path: string): string {
  if (LINK.test(path)) return redactKey(path.replace(LINK, "$1/$2~"));
  return redactKey(path.startsWith("/") ? path : path.replace(USER_INFO, "~@"));
}

/** Returns an object's key for the log. Cuts off what is over the limit, or could be a signature. */
export function redactKey(key: string): string {
  const secret = MISPLACED_SECRET.exec(key);
  if (secret !== null) return `${key.slice(0, Math.min(secret.index, MAX_PATH))}~`;
  return key.length > MAX_PATH ? `${key.slice(0, MAX_PATH)}~` : key;
}

/**
 * Returns a `target` that is safe to log: the path, and the query without the values of names that are not on the
 * allow-list. A token without `=` counts as a value, and so does everything after the name of a signature in the path.
 *
 * @example
 * ```ts
 * import { redactTarget } from "@daypass/gateway";
 *
 * console.log(redactTarget("/b/k?X-Amz-Expires=60&X-Amz-Signature=0123")); // /b/k?X-Amz-Expires=60&X-Amz-Signature=~
 * ```
 */
export function redactTarget(target: string): string {
  const mark = target.indexOf("?");
  if (mark < 0) return redactPath(target);
  return `${redactPath(target.slice(0, mark))}?${redactQuery(target.slice(mark + 1))}`;
}

// Most queries of S3. The loop below returns the same in eight times the time.
const PLAIN =
  /^(X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=)[^&]*(&X-Amz-Date=\w*&X-Amz-Expires=\w*&X-Amz-SignedHeaders=host&X-Amz-Signature=)[^&]*$/;

function redactQuery(query: string): string {
  const plain = PLAIN.exec(query);
  return plain === null ? redactTokens(query) : `${plain[1]}~${plain[2]}~`;
}

function redactTokens(query: string): string {
  let text = "";
  let start = 0;
  for (let count = 0; start < query.length; count++) {
    if (count === MAX_TOKENS) return `${text}&~`;
    let end = query.indexOf("&", start);
    if (end < 0) end = query.length;
    const equals = query.indexOf("=", start);
    if (count > 0) text += "&";
    if (equals < 0 || equals >= end || equals - start > 64) {
      text += "~";
    } else {
      const name = query.slice(start, equals);
      const shown = isShown(name, query) && !FURTHER_PARAMETER.test(query.slice(equals + 1, end));
      if (FURTHER_PARAMETER.test(name)) text += "~";
      else text += shown ? query.slice(start, end) : `${name}=~`;
    }
    start = end + 1;
  }
  return text;
}

function isShown(name: string, query: string): boolean {
  return SHOWN.get(name)?.every((mark) => mark.test(`?${query}`)) === true;
}
