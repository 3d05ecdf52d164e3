import { fromBase64url, hex } from "../wire/encoding.ts";
import { decodeOr } from "./decoded.ts";

/** Mail gateways, search engines and chats that send people to their server first, in whose address the link is a part. */
const WRAPPERS =
  /^https?:\/\/(?:(?:[\w-]+\.)*(?:safelinks\.protection\.(?:outlook|office365)\.\w+|urldefense\.(?:com|us|proofpoint\.com)|linkprotect\.cudasvc\.com|fireeye\.com|clicktime\.symantec\.com|secure-web\.cisco\.com|slack-redir\.net)|(?:lm?|www)\.(?:facebook|instagram|google)\.[a-z.]{2,6}(?=\/(?:url|l\.php)?\?))[/?]/i;
const LONGEST = 16_384;
const RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Returns the URL inside a link of a mail gateway, a search engine or a chat, such as Outlook's Safe Links or Proofpoint's URL Defense. Any
 * other text is returned unchanged.
 *
 * @param text a URL, also with blanks around it
 * @example
 * ```ts
 * import { unwrapUrl } from "daypass/explain";
 *
 * unwrapUrl("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2Fa&data=05"); // https://example.com/a
 * ```
 */
export function unwrapUrl(text: string): string {
  const url = text.trim();
  if (url.length > LONGEST || !WRAPPERS.test(url)) return text;
  const inner = defended(url) ?? escaped(url);
  return inner !== undefined && /^https?:\/\//i.test(inner) ? unwrapUrl(inner) : text;
}

/** URL Defense: version 2 writes - for % and _ for /, version 3 a * for each character of a list in base64. */
function defended(url: string): string | undefined {
  const [, version2] = /\/v2\/url\?(?:[^#]*&)?u=([^&#]+)/.exec(url) ?? [];
  if (version2 !== undefined) return decodeOr(version2.replaceAll("-", "%").replaceAll("_", "/"), decodeURIComponent);
  const [, version3, list = ""] = /\/v3\/__(.+?)__;([\w-]*)=*!/.exec(url) ?? [];
  const characters = decodeOr(hex(fromBase64url(list) ?? new Uint8Array()).replace(/../g, "%$&"), decodeURIComponent);
  let at = 0;
  return version3?.replace(/^(https?:\/)(?=[^/])/, "$1/").replace(/\*(?:\*([\w-]))?/g, (_, run?: string) => {
    const from = at;
    at += run === undefined ? 1 : RUNS.indexOf(run) + 2;
    return characters.slice(from, at);
  });
}

/** The others write the URL percent-encoded, in a parameter or in the path. */
function escaped(url: string): string | undefined {
  const [, value] = /[=/](https?(?:%3A|:)(?:%2F|\/){2}[^&#]*)/i.exec(url.slice("https://".length)) ?? [];
  return value && decodeOr(value, decodeURIComponent);
}
