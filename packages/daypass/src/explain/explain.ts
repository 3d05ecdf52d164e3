import { DaypassError, refusal } from "../errors.ts";
import type { WireRequest } from "../scheme.ts";
import { systemClock } from "../time.ts";
import { browserUpload } from "./browser.ts";
import { carriedUrl } from "./carried-url.ts";
import { besides } from "./cause/besides.ts";
import { withUnread } from "./cause/page-cause.ts";
import { statusCause } from "./cause/status-cause.ts";
import { type Reading, repair } from "./damage.ts";
import { NOT_VALID, parseErrorBody, type ServerError } from "./error-body.ts";
import type { Explainer, SplitUrl, Subject } from "./explainer.ts";
import type { Cause, ExplainKey, ExplainOptions, Explanation } from "./explanation.ts";
import { foreignUrl } from "./foreign-url.ts";
import { checkOptions } from "./options-check.ts";
import { hide } from "./redact.ts";
import { explainers } from "./schemes.ts";
import { secretsOf, secretsSent, tokensIn } from "./secrets.ts";
import { sentParts } from "./seen-request.ts";
import { splitUrl } from "./split-url.ts";
import type { ToldRequest } from "./told-request.ts";
import { type Wrapped, wrappedUrl } from "./wrapped-url.ts";

/**
 * Explains a presigned URL of any scheme: what it is, who signed it, what it grants, binds and leaves open, when it really
 * ends, what the holder must send, which known traps it has, and, as far as can be found, why a server refuses it.
 *
 * The cause of a refused signature is found in three ways: from the server's error body, line by line, where S3 shows its
 * canonical request; from a key, by signing ranked variants (method, host, query, path, headers, payload, life, region,
 * damaged secrets, alone and two at a time) until one fits; and from the grammar and the clock. Nothing is sent anywhere.
 *
 * Signatures and session tokens are hidden in every text unless `reveal` is set, secrets always.
 *
 * @param url absolute, as it was sent
 * @throws {DaypassError} `INVALID_INPUT` for a text that is no absolute http(s) URL and for options in another form,
 * `INVALID_KEY` for a key that its scheme's verifier does not take, `NO_SIGNATURE` for a URL that is not signed in a scheme that
 * is known here
 * @example
 * ```ts
 * import { explain } from "daypass/explain";
 *
 * const url =
 *   "https://media.s3.eu-west-1.amazonaws.com/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fs3%2Faws4_request" +
 *   "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0".repeat(64);
 * const { summary, cause } = await explain(url);
 * console.log(summary, cause?.sentence); // … The URL has expired: it ended at 2026-01-02T03:19:05.000Z.
 * ```
 */
export async function explain(url: string, options: ExplainOptions = {}): Promise<Explanation> {
  if (typeof url !== "string") throw refusal("INVALID_INPUT", "the URL as a text");
  const request = checkOptions(options, url);
  const { keys = [] } = options;
  // Where another URL was sent, what differs is told as such.
  if (request.url !== undefined && request.url !== url) return explainText(url, { ...options, request });
  const { text, escaped } = unescapeUrl(url);
  const wrapped = wrappedUrl(text, (other) => isSigned(other, keys));
  if (wrapped !== undefined) return explainWrapped(wrapped, { ...options, request: { ...request, url: undefined } });
  const asked = { ...options, request: { ...request, url: undefined } };
  const unanswered = { ...asked, errorBody: undefined, status: undefined };
  const damage = await repair(text, {
    hasKeys: keys.length > 0,
    read: (other, reading) => explainInLife(other, unanswered, reading),
  });
  if (damage === undefined) return explainText(url, asked);
  const explanation = await explainText(damage.text, asked);
  return { ...explanation, cause: besides(besides(escaped, damage.cause) ?? damage.cause, explanation.cause) };
}

/** The URL that a link leads to. Who opens the link arrives at it, so that it need be no cause of anything. */
async function explainWrapped({ url, by }: Wrapped, options: ExplainOptions): Promise<Explanation> {
  const explanation = await explain(url, options);
  const text = `It was handed on as a link of ${by}, which leads to it: programs need the URL itself. Such services open links before anybody does (one for a single use is used up then), and some change them.`;
  return { ...explanation, traps: [{ name: "wrapped-link", text }, ...explanation.traps] };
}

/** Whether a URL is one that is known here, whatever has become of its signature. */
function isSigned(text: string, keys: readonly ExplainKey[]): boolean {
  const [, authority = ""] = /^https?:\/\/(?:[^/?#]*@)?([^/?#@]+)/i.exec(text) ?? [];
  if (authority === "") return false;
  const request = { method: "GET", target: target(splitUrl(text)), authority, headers: [], remoteAddress: undefined };
  return explainerFor(request, keys) !== undefined;
}

function explainerFor(request: WireRequest, keys: readonly ExplainKey[]): Explainer | undefined {
  return (
    explainers.find(({ detectsByKey }) => detectsByKey?.(request, keys)) ??
    explainers.find(({ detects }) => detects(request)) ??
    explainers.find(({ detectsOtherwise }) => detectsOtherwise?.(request, keys))
  );
}

/** An end that has passed says nothing of the signature. */
async function explainInLife(text: string, options: ToldOptions, reading: Reading): Promise<Explanation> {
  const explanation = await explainText(text, options, reading === "search" ? "exact" : reading);
  const { cause, endsAt } = explanation;
  const isLate = endsAt !== undefined && (cause?.code === "EXPIRED" || cause?.code === "NOT_YET_VALID");
  if (!isLate && reading !== "search") return explanation;
  return explainText(text, isLate ? { ...options, clock: () => new Date(endsAt.getTime() - 1000) } : options, reading);
}

// A signed URL has a dozen, and each change that is tried costs the more the more there are.
const MAX_PARAMETERS = 200;

interface ToldOptions extends Omit<ExplainOptions, "request"> {
  readonly request: ToldRequest | undefined;
}

async function explainText(url: string, options: ToldOptions, reading: Reading = "search"): Promise<Explanation> {
  const { request, errorBody, status, hosts = [], origin, reveal, clock = systemClock } = options;
  const { keys = [] } = reading === "grammar" ? {} : options;
  const { text, escaped } = unescapeUrl(url);
  const signed = splitUrl(text);
  const sentUrl = request?.url === undefined || request.url === url ? signed : splitUrl(carriedUrl(request.url));
  const error = errorBody === undefined ? undefined : parseErrorBody(errorBody);
  const { method, headers, known } = sentParts({ request, error, sentUrl });
  const host = Object.entries(request?.headers ?? {}).find(([name]) => name.toLowerCase() === "host")?.[1];
  const sent: WireRequest = {
    method,
    target: target(sentUrl),
    authority: host ?? sentUrl.authority,
    headers,
    remoteAddress: request?.remoteAddress,
  };
  const meant: WireRequest = { ...sent, target: target(signed) };
  const explainer = explainerFor(meant, keys);
  if (explainer === undefined) throw notSigned(sentUrl);
  const told = error ?? refusalOf(explainer, errorBody);
  const subject: Subject = {
    url: signed,
    sentUrl,
    sent,
    request,
    known,
    error: told,
    keys,
    hosts,
    searches: reading === "search" && sentUrl.wire.tokens.length <= MAX_PARAMETERS,
    now: new Date(clock()),
  };
  const { explanation: own, hidden } = await explainer.explain(subject);
  // The answer to a HEAD is an empty one.
  const hasBody = errorBody !== undefined && errorBody.trim() !== "";
  const explanation =
    told === undefined && hasBody
      ? withUnread(own, errorBody, { url: sentUrl, ownPages: explainer.ownPages })
      : { ...own, cause: own.cause ?? statusCause(own, subject, status) };
  const secrets = [...keys.flatMap(secretsOf), ...secretsSent(sent.headers)];
  const { browser, cause } = withBrowser(explanation, subject, origin);
  const result = {
    ...explanation,
    cause,
    ...(browser === undefined ? {} : { browser }),
    ...(escaped === undefined ? {} : { cause: besides(escaped, cause) }),
  };
  return hide(
    result,
    reveal === true ? secrets : [...secrets, ...hidden, ...tokensIn(sentUrl.wire.query, error?.fields)],
  );
}

/** What the scheme's own servers say of a signature that does not fit; those of an application say it of an end that has passed, too. */
function refusalOf({ ownRefusal }: Explainer, body = ""): ServerError | undefined {
  return ownRefusal?.test(body) === true ? { code: NOT_VALID, message: "", fields: new Map() } : undefined;
}

function target({ wire }: SplitUrl): string {
  return wire.query === "" ? wire.path : `${wire.path}?${wire.query}`;
}

/** What a page needs; also for other methods than uploads, where the server complains of its CORS rules. */
function withBrowser(
  explanation: Explanation,
  { url, request, error }: Subject,
  origin: string | undefined,
): Pick<Explanation, "browser" | "cause"> {
  const { cause } = explanation;
  const isCors = cause?.code === "CORS";
  const asked = request?.method?.toUpperCase();
  // A preflight's own method is OPTIONS; S3 names the one that it asked for.
  const method = (isCors && asked === "OPTIONS" ? undefined : asked) ?? error?.fields.get("Method");
  const browser = browserUpload(explanation, { url, method, origin, isCors });
  if (!isCors || browser === undefined) return { browser, cause };
  const rule = `${JSON.stringify(browser.cors)}, by ${browser.corsIsSetBy}`;
  return { browser, cause: { ...cause, fix: `${cause.fix} For this URL: ${rule}` } };
}

// Some programs escape what is escaped: &amp;amp;, \\\\u0026. Of a shell only what ends a word or begins a pattern.
const ESCAPED =
  /&(?:(?:amp|#0*38|#x0*26);)+|&(?:#0*(\d{2,3})|#x0*([0-9a-f]{2})|equals);|(?<!\\)\\+(?:u00([0-9a-f]{2})|([/&?=]))/gi;

/** URLs that were copied out of HTML, XML, JSON or a shell's line, or with quotes around them, and those that a token is. */
function unescapeUrl(url: string): { readonly text: string; readonly escaped?: Cause | undefined } {
  const text = carriedUrl(url.trim().replace(/^(["'`<]|\*\*)(.*?)(?:["'`>]|\*\*)$/, "$2"));
  const [found] = text.match(ESCAPED) ?? [];
  if (found === undefined) return { text };
  const source = found.startsWith("&") ? "HTML or XML" : /u00|\/$/.test(found) ? "JSON" : "a shell's line";
  return {
    text: text.replace(ESCAPED, unescaped),
    escaped: {
      code: "HTML_ESCAPED",
      sentence: `The URL was copied out of ${source}: it has ${found} where ${found.replace(ESCAPED, unescaped)} must stand.`,
      evidence: ["The rest of this explanation is about the URL without that."],
      fix: "Unescape the URL before it is used.",
    },
  };
}

function unescaped(found: string, decimal?: string, hex?: string, unicode?: string, character?: string): string {
  if (character !== undefined) return character;
  const code = decimal === undefined ? Number.parseInt(hex ?? unicode ?? "", 16) : Number(decimal);
  if (/^&equals;$/i.test(found)) return "=";
  return Number.isNaN(code) ? "&" : String.fromCharCode(code);
}

// In these names upper and lower case are mixed, or one of them is all there is.
const NAMES = [
  "X-Amz-Signature",
  "X-Goog-Signature",
  "AWSAccessKeyId",
  "GoogleAccessId",
  "OSSAccessKeyId",
  "Key-Pair-Id",
];

// What is left of a URL whose last parameter, the signature, was cut off.
const CUT_OFF: readonly (readonly [rest: RegExp, missing: string])[] = [
  [/(?:^|&)x-oss-(?:credential|date|expires)=/, "x-oss-signature"],
  [/(?:^|&)sv=\d{4}-\d\d-\d\d(?:&|$)/, "sig"],
  [/(?:^|&)(?:KeyName|Policy|URLPrefix|Expires)=/, "Signature"],
  [/(?:^|&)dp-[a-z0-9]+=/, "dp-signature"],
];

function notSigned(url: SplitUrl): DaypassError {
  const { query } = url.wire;
  const foreign = foreignUrl(url);
  if (foreign !== undefined) return new DaypassError("NO_SIGNATURE", `expected ${foreign}`);
  const [rest, missing] = CUT_OFF.find(([pattern]) => pattern.test(query)) ?? [];
  if (rest !== undefined) {
    return new DaypassError(
      "NO_SIGNATURE",
      `expected ${missing} beside the other parameters of a signature, found none: the URL was cut off, as a shell does at & where it is not quoted. Take the whole URL`,
    );
  }
  const name = NAMES.find((known) => new RegExp(`(?:^|&)${known}=`, "i").test(query));
  if (name !== undefined) {
    return new DaypassError(
      "NO_SIGNATURE",
      `expected ${name} in this case, found it in another: upper and lower case count in a signed URL, and something has changed them. Take the URL as it was made`,
    );
  }
  return new DaypassError(
    "NO_SIGNATURE",
    "expected the parameters of a presigned URL (X-Amz-…, X-Goog-…, AWSAccessKeyId, GoogleAccessId, sv and sig, x-oss-…, OSSAccessKeyId, q-ak, temp_url_sig, Key-Pair-Id, dp-…) or the token of an edge (URISigningPackage, md5, token, verify, hmac=, KeyName, s, signature, _hash; with other names only by its key), found none: quote the URL in a shell, where & would cut it off",
  );
}
