import type { SplitUrl } from "../explainer.ts";
import type { Cause, Explanation } from "../explanation.ts";
import { clientCause } from "./client-rules.ts";
import { combineCauses, guess } from "./combine-causes.ts";
import { statusRule } from "./status-cause.ts";

type Meaning = Omit<Cause, "evidence">;

const MAX_PAGE = 65_536;

/** Web pages that name the cause. */
const PAGES: readonly (readonly [schemes: RegExp, words: RegExp, meaning: Meaning])[] = [
  [
    /^s3/,
    /<li>\s*Code: [A-Za-z]+\s*<\/li>/,
    {
      code: "ENDPOINT",
      sentence: "The host is the bucket's website endpoint, which does not accept signed requests.",
      fix: "Sign for the bucket's regional endpoint (s3.REGION.amazonaws.com), not for the website endpoint.",
    },
  ],
  [
    /^s3/,
    /<title>MinIO (?:Console|Browser|Object Browser)/i,
    {
      code: "ENDPOINT",
      sentence: "The URL leads to MinIO's web console, which does not accept signed requests.",
      fix: "Sign for the address of the store itself (port 9000 by default), and point any proxy at that port.",
    },
  ],
  [
    /^/,
    /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server port/i,
    {
      code: "PROTOCOL",
      sentence: "The URL says http, and the server speaks https at this port.",
      fix: "Sign for https (endpoint), or for the http port.",
    },
  ],
];

const ANY_PAGE: Meaning = {
  code: "PROXY",
  sentence:
    "The answer is a web page, which stores do not send: a proxy, a firewall or a CDN in front of the server refused the request, or replaced the server's answer.",
  fix: "Check the rules and the log of the proxy for this request (addresses, methods, paths, a password), or send the request to the server directly.",
};

/** Statuses of a page that name no reason. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([undefined, 400, 401, 403, 404, 410]);

/** What a web page means. `undefined` for any other text. */
export function pageCause(body: string, scheme = "s3"): Cause | undefined {
  const page = body.slice(0, MAX_PAGE);
  if (!isPage(page)) return undefined;
  const [, title = "without a title"] = /<(?:title|h[1-3])\b[^>]{0,200}>\s*([^<]{1,100})/i.exec(page) ?? [];
  // The second is the status line that curl -i prints.
  const [, inTitle, inHead] = /\b([345]\d\d)\b/.exec(title) ?? /^(?:< )?HTTP\/[\d.]+ (\d{3})\b/m.exec(page) ?? [];
  const text = inTitle ?? inHead;
  const status = text === undefined ? undefined : Number(text);
  const [, , named] = PAGES.find(([schemes, words]) => schemes.test(scheme) && words.test(page)) ?? [];
  const isRefusal = REFUSALS.has(status);
  const meaning = named ?? (isRefusal ? undefined : statusRule(status)) ?? ANY_PAGE;
  const cause = { ...meaning, evidence: [`The answer is a page: ${title.trim()}`] };
  // The page can replace any answer of the server.
  return named === undefined && isRefusal ? guess(cause) : cause;
}

function isPage(text: string): boolean {
  return /<(?:!doctype html|html|head|title|body|h[1-3]|center)\b/i.test(text);
}

/**
 * An explanation with the meaning of a response body that is neither a store's nor a Daypass server's.
 *
 * @param asked the URL, and whether the scheme's own servers refuse tokens with web pages
 */
export function withUnreadAnswer(
  explanation: Explanation,
  body: string,
  { url, answersWithPages }: { readonly url: SplitUrl; readonly answersWithPages?: boolean | undefined },
): Explanation {
  const { cause, scheme } = explanation;
  const page = pageCause(body, scheme);
  const found = page ?? clientCause(body, url);
  if (answersWithPages === true && (found === undefined || page?.isGuess === true)) return explanation;
  if (found === undefined) {
    // The client's message can be about another URL.
    const isOther = clientCause(body) !== undefined || body.trim() === "";
    return cause !== undefined || isOther ? explanation : { ...explanation, cause: UNREAD };
  }
  return {
    ...explanation,
    cause: found.isGuess ? (combineCauses(cause, found) ?? found) : combineCauses(found, cause),
  };
}

const UNREAD: Cause = {
  code: "SERVER",
  sentence: "The server's answer is in no format that explain knows, and nothing else shows what is wrong.",
  evidence: [],
  fix: "Give the whole response body as the server sent it: a store's XML, or problem details in JSON.",
  isGuess: true,
};
