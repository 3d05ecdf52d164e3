import { type ErrorPage, readErrorPage } from "../error-page.ts";
import type { SplitUrl } from "../explainer.ts";
import type { Cause, Explanation } from "../explanation.ts";
import { clientCause } from "./client-error-rules.ts";
import { besides } from "./combine-causes.ts";

/** What a page means. */
interface Row {
  /** Whose page; anybody's where it is missing. */
  readonly by?: RegExp;
  /** For the URLs of which schemes alone. */
  readonly of?: RegExp;
  /** Its status, and its words. */
  readonly status?: RegExp;
  readonly words?: RegExp;
  readonly isLogin?: true;
  readonly code?: Cause["code"];
  /** `WHO` stands for whoever has written it. */
  readonly sentence: string;
  readonly fix: string;
  /** Whether it may stand in the place of the server's own answer, and may mean anything that this one would. */
  readonly isVague?: true;
}

const BEHIND = "and the server behind it never saw the request";
/** Those that a store's own server does not check. */
const NO_STORE = /^(?!s3|gcs|azure|oss|cos|swift|aws)/;
/** What many an API says in the same words as Amazon's, where it is no store's place that it answers at. */
const ANY_API =
  /^\{\s*"message"\s*:\s*"(?:Not Found|Too Many Requests|Internal Server Error|Service Unavailable)"\s*\}$/i;
const LOOK_UP = "Find the request in its log, and change the rule or the request.";

/** The first that fits counts. */
const ROWS: readonly Row[] = [
  {
    // A CDN has taken the signature then, and hands out what its origin says.
    by: /^S3's website/,
    of: NO_STORE,
    words: /Code: NoSuch/,
    code: "NOT_FOUND",
    sentence: "The bucket behind the URL's host answered as a website: it has no such object.",
    fix: "Check the spelling of the path; it is case-sensitive.",
  },
  {
    by: /^S3's website/,
    of: NO_STORE,
    code: "PERMISSION",
    sentence: "The bucket behind the URL's host answered as a website and refused: it serves public objects only.",
    fix: "Give the CDN in front of it access (origin access control, which needs the bucket's own endpoint), or make the object public.",
  },
  {
    by: /^S3's website/,
    code: "ENDPOINT",
    sentence: "The host is the bucket's website endpoint, which does not accept signed requests.",
    fix: "Sign for the bucket's regional endpoint (s3.REGION.amazonaws.com), not for the website endpoint.",
  },
  {
    isLogin: true,
    sentence: "The answer is a login page: WHO requires a login and does not check signatures.",
    fix: "Let requests for this path pass without a login, or sign for a host that leads to the server itself.",
  },
  {
    by: /^CloudFront$/,
    words: /from your country/i,
    sentence: `CloudFront blocks the client's country, ${BEHIND}.`,
    fix: "Change the distribution's geographic restrictions.",
  },
  {
    by: /^CloudFront$/,
    words: /not configured to allow the HTTP request method/i,
    sentence: `CloudFront does not allow this method, ${BEHIND}.`,
    fix: "Allow the method in the cache behaviour that serves the path: an upload needs GET, HEAD, OPTIONS, PUT, POST, PATCH, DELETE.",
  },
  {
    by: /^CloudFront$/,
    words: /request blocked/i,
    sentence: `CloudFront blocked the request with a firewall rule (AWS WAF), ${BEHIND}.`,
    fix: "Find the request in the web ACL's sampled requests: a long percent-encoded query is often mistaken for an attack.",
  },
  {
    by: /^CloudFront$/,
    words: /\bBad request\b/i,
    sentence: `CloudFront knows no distribution for this host, or cannot read the request, ${BEHIND}.`,
    fix: "List the host among the distribution's alternate domain names; send the URL as it was made.",
  },
  {
    by: /^Cloudflare$/,
    words: /\b(?:100[678]|1106)\b/,
    sentence: `Cloudflare blocks the client's address, ${BEHIND}.`,
    fix: LOOK_UP,
  },
  {
    by: /^Cloudflare$/,
    words: /\b1009\b/,
    sentence: `Cloudflare blocks the client's country, ${BEHIND}.`,
    fix: LOOK_UP,
  },
  {
    by: /^Cloudflare$/,
    words: /\b1010\b/,
    sentence: `Cloudflare's Browser Integrity Check blocks the client, ${BEHIND}.`,
    fix: "Send a User-Agent, or turn the check off for this path.",
  },
  {
    by: /^Cloudflare$/,
    words: /\b1015\b/,
    sentence: `Cloudflare limits the rate of this client's requests, ${BEHIND}.`,
    fix: "Send fewer requests, or raise the rule's limit.",
  },
  {
    by: /^Cloudflare$/,
    words: /\b1020\b|you have been blocked|restrict access/i,
    sentence: `Cloudflare blocked the request with a firewall rule, ${BEHIND}.`,
    fix: "Find the request in the security events (by its Ray ID), and let presigned URLs pass.",
  },
  {
    by: /^Cloudflare$/,
    words: /just a moment|attention required|challenge/i,
    sentence: "Cloudflare answered with a challenge for humans, which no program and no upload can pass.",
    fix: "Let presigned URLs pass without a challenge (a rule with the action Skip).",
  },
  {
    by: /^(?:Akamai|Azure Front Door|Imperva|F5 BIG-IP|Sucuri)$/,
    status: /^(?:4\d\d)?$/,
    sentence: `WHO blocked the request by one of its rules, ${BEHIND}.`,
    fix: "Find the request there by the reference on the page, and let presigned URLs pass.",
  },
  {
    by: /^(?:Squid|Zscaler|FortiGate)$/,
    status: /^(?:4\d\d)?$/,
    sentence: `WHO, a proxy in the client's network, blocks the request, ${BEHIND}.`,
    fix: "Have the host allowed there, or send the request from another network.",
  },
  {
    words: /plain HTTP request was sent to HTTPS port|speaking plain HTTP to an SSL-enabled server port/i,
    code: "PROTOCOL",
    sentence: "The URL says http, and the server speaks https at this port.",
    fix: "Sign for https (endpoint), or for the http port.",
  },
  {
    status: /^3/,
    sentence: "WHO answered with a redirect: a signature is for one host and path, and the method is often not kept.",
    fix: "Sign for the redirect's target (usually https instead of http), and send that URL.",
  },
  {
    status: /^407$/,
    sentence: `A proxy in the client's network asks for a password, ${BEHIND}.`,
    fix: "Give the client the proxy's user and password, or exclude the host from the proxy (NO_PROXY).",
  },
  {
    status: /^413$/,
    sentence: `WHO does not accept a body of this size, ${BEHIND}.`,
    fix: "Raise its body size limit (nginx: client_max_body_size), or upload in parts.",
  },
  {
    status: /^(?:414|431|494)$/,
    sentence: `WHO does not accept a URL or headers of this length, ${BEHIND}.`,
    fix: "Raise its limits (nginx: large_client_header_buffers); a session token alone can make a URL of two thousand characters.",
  },
  {
    words: /Request Header Or Cookie Too Large|Request-URI Too (?:Large|Long)/i,
    sentence: `WHO does not accept a URL or headers of this length, ${BEHIND}.`,
    fix: "Raise its limits (nginx: large_client_header_buffers); send no cookies with the URL.",
  },
  {
    status: /^405$/,
    sentence: `WHO does not allow this method here, ${BEHIND}.`,
    fix: "Let it pass the path and the method on to the store; check that the URL's host and path lead there.",
  },
  {
    status: /^429$/,
    sentence: `WHO is limiting the rate of requests, ${BEHIND}.`,
    fix: "Send fewer requests, or raise its limit.",
  },
  {
    status: /^5/,
    sentence: "WHO got no response from the server behind it, or failed itself: this says nothing about the signature.",
    fix: "Check that the server is up, and that WHO can reach it (name, port, TLS, timeouts).",
  },
  {
    by: /^Amazon API Gateway$/,
    of: /^aws$/,
    status: /^404$/,
    code: "NOT_FOUND",
    sentence: "The API has no such route: the URL's stage, path or method does not match.",
    fix: "Make sure that the stage, path and method match the API (the stage $default does not appear in the path), and that it is deployed.",
  },
  {
    by: /^MinIO's console$/,
    code: "ENDPOINT",
    sentence: "The URL leads to MinIO's web console, which does not accept signed requests.",
    fix: "Sign for the address of the store itself (port 9000 by default), and point any proxy at that port.",
  },
  {
    by: /^Amazon API Gateway$/,
    sentence:
      "An API of Amazon API Gateway answered, not a store: it has no such path or method, or requires a signature of its own.",
    fix: "Sign for the store's host, or map the path and the method in the API.",
  },
  {
    status: /^404$/,
    sentence:
      "WHO has nothing at this path and answers with a web page, which stores do not send: the URL, or the proxy, leads somewhere other than the store.",
    fix: "Check the URL's host, and the paths that WHO passes on.",
    isVague: true,
  },
  {
    sentence:
      "The answer is a web page, which stores do not send: WHO refused the request before the store saw it, or replaced the store's answer with its own page.",
    fix: "Check the rules and the log of WHO for this request (addresses, methods, paths, a password), or send the request to the store directly.",
    isVague: true,
  },
];

/** What servers answer with to a token that they refuse: of a scheme whose servers write pages, no other server's word. */
const REFUSALS: ReadonlySet<number | undefined> = new Set([undefined, 400, 401, 403, 404, 410]);

/**
 * An explanation, and what an answer says that is none of a store's or a Daypass server's. Of its words and what the URL shows
 * the sharper one comes first.
 *
 * @param asked the URL, and of a scheme whose servers answer with pages the names that are on them
 */
export function withUnread(
  explanation: Explanation,
  body: string,
  { url, ownPages }: { readonly url: SplitUrl; readonly ownPages?: readonly string[] | undefined },
): Explanation {
  const { cause } = explanation;
  const read = readErrorPage(body);
  const page = read !== undefined && NO_STORE.test(explanation.scheme) && ANY_API.test(read.text) ? undefined : read;
  // A proxy's page has some of the same words, of a server behind it.
  const client = page === undefined ? clientCause(body, url) : undefined;
  if (client !== undefined) return withTold(explanation, client);
  // What a client says of another URL is no answer to this one.
  if (page === undefined && clientCause(body) !== undefined) return explanation;
  if (page === undefined)
    return cause !== undefined || body.trim() === "" ? explanation : { ...explanation, cause: unread(explanation) };
  const { by, status } = page;
  const isOwn = ownPages !== undefined && (by === undefined || ownPages.includes(by)) && REFUSALS.has(status);
  const row = isOwn ? undefined : ROWS.find((one) => fits(one, page, explanation.scheme));
  if (row === undefined) return explanation;
  return withTold(explanation, { cause: rowCause(row, page), isVague: row.isVague === true });
}

/** What was told beside what the URL shows, the sharper one first. */
function withTold(
  explanation: Explanation,
  { cause: told, isVague }: { readonly cause: Cause; readonly isVague: boolean },
): Explanation {
  const { cause } = explanation;
  if (cause === undefined) return { ...explanation, cause: told };
  return { ...explanation, cause: isVague ? besides(cause, told) : besides(told, cause) };
}

/** What a page says by itself. `undefined` for what is none. */
export function pageCause(body: string): Cause | undefined {
  const page = readErrorPage(body);
  // Of whose URL it is the answer nobody has said.
  if (page === undefined || ANY_API.test(page.text)) return undefined;
  const row = ROWS.find((one) => fits(one, page, "s3"));
  return row && rowCause(row, page);
}

/** An answer that tells nothing, and perhaps a fault of the URL for which stores refuse an upload. */
function unread({ traps }: Explanation): Cause {
  const trap = traps.find(({ name }) => name === "empty-body-checksum");
  if (trap === undefined) return UNREAD;
  const fix = "Sign without a checksum, or with the checksum of the body that is sent.";
  return { ...UNREAD, code: "CHECKSUM", sentence: `Most likely the store refused the body: ${trap.text}`, fix };
}

const UNREAD: Cause = {
  code: "SERVER",
  sentence: "The server's answer is in no format that explain knows, and nothing else shows what is wrong.",
  evidence: [],
  fix: "Give the whole response body as the server sent it: a store's XML, problem details in JSON, or a proxy's page.",
};

function fits({ by, of, status, words, isLogin }: Row, page: ErrorPage, scheme: string): boolean {
  return (
    (of === undefined || of.test(scheme)) &&
    (isLogin === undefined || page.isLogin) &&
    (by === undefined || by.test(page.by ?? "")) &&
    (status === undefined || status.test(String(page.status ?? ""))) &&
    (words === undefined || words.test(page.text))
  );
}

const SOMEBODY = "hatever is in front of the server (a proxy, a firewall or a CDN)";

function rowCause({ code = "PROXY", sentence, fix }: Row, { by, title }: ErrorPage): Cause {
  return {
    code,
    sentence: sentence.replace("WHO", by ?? (sentence.startsWith("WHO") ? `W${SOMEBODY}` : `w${SOMEBODY}`)),
    evidence: [`The answer is ${by === undefined ? "a page" : `a page of ${by}`}: ${title}`],
    fix: fix.replaceAll("WHO", by ?? "the proxy"),
  };
}
