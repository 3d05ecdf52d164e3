import type { SignedBy } from "daypass";

// Parameters whose values say what was requested and for how long. Any other value could be a secret: signature, session token,
// policy, nonce, subject, or a parameter of the signer.
const SHOWN: ReadonlySet<string> = new Set(
  [
    "X-Amz-Algorithm X-Amz-Date X-Amz-Expires X-Amz-SignedHeaders X-Amz-Content-Sha256 Expires",
    "partNumber uploadId versionId x-id",
    "dp-create dp-date dp-expires dp-headers dp-ip dp-key dp-length dp-methods dp-prefix dp-starts dp-type dp-uses dp-v dp-vary",
  ].flatMap((names) => names.split(" ")),
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

const SIGNATURE = "&X-Amz-Signature=";

// The links of a page are signed in the same second. Their queries differ only in the signature at the end.
let last = { start: "", text: "" };

function redactQuery(query: string): string {
  const end = query.lastIndexOf(SIGNATURE) + SIGNATURE.length;
  if (end < SIGNATURE.length || query.includes("&", end)) return redactTokens(query);
  const start = query.slice(0, end);
  if (start !== last.start) last = { start, text: redactTokens(start) };
  return last.text;
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
      const shown = SHOWN.has(name) && !FURTHER_PARAMETER.test(query.slice(equals + 1, end));
      if (FURTHER_PARAMETER.test(name)) text += "~";
      else text += shown ? query.slice(start, end) : `${name}=~`;
    }
    start = end + 1;
  }
  return text;
}
