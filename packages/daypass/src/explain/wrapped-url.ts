import { fromBase64url, latin1 } from "../wire/encoding.ts";
import { decodeOr } from "./decoded.ts";

/** A link that leads to another one by way of a service. */
export interface Wrapped {
  readonly url: string;
  /** The host that it leads by. */
  readonly by: string;
}

const HTTP = /^https?:\/\/[^/\s]/i;
// Far more than any client or server takes.
const LONGEST = 16_384;

/** How services write the link that they lead to where it is no parameter as it is. */
const SPELLINGS: readonly ((text: string) => string | undefined)[] = [
  // Proofpoint's three: https://help.proofpoint.com/Threat_Insight_Dashboard/Concepts/How_do_I_decode_a_rewritten_URL%3F
  (text) => {
    const [, url] = /^https?:\/\/urldefense\.proofpoint\.com\/v2\/url\?(?:[^#]*&)?u=([\w.%-]+)/i.exec(text) ?? [];
    return url && decodeOr(url.replaceAll("-", "%").replaceAll("_", "/"), decodeURIComponent);
  },
  (text) => {
    const [, url, letters = ""] =
      /^https?:\/\/urldefense\.(?:com|us|proofpoint\.com)\/v3\/__(.+?)__;([\w-]*)=*!/i.exec(text) ?? [];
    return url && withLetters(url, letters);
  },
  // Cisco's and Avanan's have it in their path.
  (text) => {
    const [, url] = /^https?:\/\/secure-web\.cisco\.com\/[^/?#]+\/(https?%3a%2f%2f[^/?#]+)/i.exec(text) ?? [];
    return url && decodeOr(url, decodeURIComponent);
  },
  (text) => /^https?:\/\/url\.avanan\.click\/v\d\/(?:r\d+\/)?___(https?:.+?)___\./i.exec(text)?.[1],
];

const RUNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Each * stands for the next letter, and ** with a letter of base64 for several of them, from two on. */
function withLetters(url: string, encoded: string): string | undefined {
  const bytes = fromBase64url(encoded);
  if (bytes === undefined) return undefined;
  const letters = [...decodeOr(latin1(bytes).replace(/[%\x80-\xff]/g, escaped))];
  let at = 0;
  return url.replace(/\*(?:\*([\w-]))?/g, (_, run?: string) => {
    const count = run === undefined ? 1 : RUNS.indexOf(run) + 2;
    at += count;
    return letters.slice(at - count, at).join("");
  });
}

function escaped(byte: string): string {
  return `%${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/**
 * The URL that a link leads to by way of a service: of mail and chat, which look at links first (Outlook's Safe Links, Proofpoint, Slack),
 * or of a page for a login. `isSigned` tells whether a link is one that is signed itself, whatever stands in it.
 */
export function wrappedUrl(text: string, isSigned: (url: string) => boolean): Wrapped | undefined {
  if (text.length > LONGEST || !HTTP.test(text)) return undefined;
  const [, by = ""] = /^https?:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(text) ?? [];
  const spelt = SPELLINGS.map((read) => read(text)).find((url) => url !== undefined);
  const others = spelt === undefined ? parameterUrls(text) : [spelt];
  // One link may lead to another one: each is a part of the one before.
  const url = others
    .filter((other) => HTTP.test(other))
    .map((other) => (isSigned(other) ? other : wrappedUrl(other, isSigned)?.url))
    .find((other) => other !== undefined);
  return url === undefined || (spelt === undefined && isSigned(text)) ? undefined : { url, by };
}

// A link that leads on has a handful of parameters.
const MAX_PARAMETERS = 32;

function parameterUrls(text: string): readonly string[] {
  const query = /\?([^#]*)/.exec(text)?.[1] ?? "";
  return query
    .split("&", MAX_PARAMETERS)
    .flatMap((token) =>
      /=https?%3a/i.test(token) ? [decodeOr(token.slice(token.indexOf("=") + 1), decodeURIComponent)] : [],
    );
}
