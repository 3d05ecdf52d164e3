import type { WireRequest } from "../core/contracts.ts";
import { invalidInput } from "../core/errors.ts";
import { systemClock } from "../core/time.ts";
import { browserUpload } from "./browser.ts";
import { combineCauses } from "./cause/combine-causes.ts";
import { statusCause } from "./cause/status-cause.ts";
import { withSuspicion } from "./cause/suspicion.ts";
import { withUnreadAnswer } from "./cause/unread-answer.ts";
import { type Reading, repair, unescapeUrl } from "./damage.ts";
import { NOT_VALID, parseErrorBody, type ServerError } from "./error-body.ts";
import type { Explainer, SplitUrl, Subject } from "./explainer.ts";
import type { ExplainKey, ExplainOptions, Explanation, Trap } from "./explanation.ts";
import type { GivenRequest } from "./given-request.ts";
import { notSigned } from "./not-signed.ts";
import { checkOptions } from "./options-check.ts";
import { hide } from "./redact.ts";
import { explainers, general } from "./schemes.ts";
import { type Budget, budget as newBudget, workOf } from "./search/work.ts";
import { secretsOf, secretsSent, tokensIn } from "./secrets.ts";
import { sentParts } from "./server-request.ts";
import { splitUrl } from "./split-url.ts";
import { unwrapUrl } from "./wrapped-url.ts";

/**
 * Explains a presigned URL of any scheme: what it is, who signed it, what it grants, binds and leaves open, when it really
 * expires, what the holder must send, which known traps it has, and, as far as possible, why a server refuses it.
 *
 * The cause of a refused signature is found in three ways: from the server's error body, line by line, if S3 shows its
 * canonical request; from a key, by signing ranked variants (method, host, query, path, headers, payload, lifetime, region,
 * damaged secrets, singly and in pairs) until one matches; and from the grammar and the clock. Nothing is sent anywhere.
 *
 * Signatures and session tokens are hidden in every text unless `reveal` is set; secrets are always hidden.
 *
 * @param url absolute, as it was sent
 * @throws {DaypassError} `INVALID_INPUT` for text that is not an absolute http(s) URL and for invalid options,
 * `INVALID_KEY` for a key that its scheme's verifier does not accept, `NO_SIGNATURE` for a URL that is not signed in a known scheme
 * @example
 * ```ts
 * import { explain } from "daypass/explain";
 *
 * const url =
 *   "https://media.s3.eu-west-1.amazonaws.com/a.png?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Feu-west-1%2Fs3%2Faws4_request" +
 *   "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=" + "0".repeat(64);
 * const { summary, cause } = await explain(url);
 * console.log(summary, cause?.sentence); // … The URL has expired: it was valid until 2026-01-02T03:19:05.000Z.
 * ```
 */
export async function explain(url: string, options: ExplainOptions = {}): Promise<Explanation> {
  if (typeof url !== "string") throw invalidInput("url", "a string", url);
  const inner = unwrapUrl(url);
  if (inner !== url) {
    const explanation = await explain(inner, options);
    return { ...explanation, traps: [wrappedTrap(splitUrl(url.trim())), ...explanation.traps] };
  }
  const request = checkOptions(options, url);
  // Another URL was sent: the explanation compares the two.
  const isOther = request.url !== undefined && request.url !== url;
  const explanation = isOther
    ? await explainText(url, { ...options, request, budget: newBudget() })
    : await explainSent(url, { ...options, request: { ...request, url: undefined }, budget: newBudget() });
  // A request that succeeded has no cause, even if its body reads like an error.
  return options.status !== undefined && options.status >= 200 && options.status < 300
    ? { ...explanation, cause: undefined }
    : explanation;
}

function wrappedTrap({ authority }: SplitUrl): Trap {
  const text = `The URL is inside a link of ${authority}, which requests the URL itself: its check can take a use of a URL with few uses.`;
  return { name: "wrapped-link", text };
}

async function explainSent(url: string, asked: GivenOptions): Promise<Explanation> {
  const { text, escaped } = unescapeUrl(url);
  const unanswered = { ...asked, errorBody: undefined, status: undefined };
  const damage = await repair(text, {
    hasKeys: (asked.keys ?? []).length > 0,
    read: (other, reading) => explainInLife(other, unanswered, reading),
  });
  if (damage === undefined) return explainText(url, asked);
  const explanation = await explainText(damage.text, asked);
  return {
    ...explanation,
    cause: combineCauses(combineCauses(escaped, damage.cause) ?? damage.cause, explanation.cause),
  };
}

function explainerFor(request: WireRequest, keys: readonly ExplainKey[]): Explainer | undefined {
  return (
    explainers.find(({ detectsByKey }) => detectsByKey?.(request, keys)) ??
    explainers.find(({ detects }) => detects(request)) ??
    explainers.find(({ detectsOtherwise }) => detectsOtherwise?.(request, keys)) ??
    (general.detects(request) ? general : undefined)
  );
}

/** Explains a URL as of a time at which it was valid: that it has expired says nothing about its signature. */
async function explainInLife(text: string, options: GivenOptions, reading: Reading): Promise<Explanation> {
  const explanation = await explainText(text, options, reading);
  const { cause, endsAt } = explanation;
  if (endsAt === undefined || (cause?.code !== "EXPIRED" && cause?.code !== "NOT_YET_VALID")) return explanation;
  return explainText(text, { ...options, clock: () => new Date(endsAt.getTime() - 1000) }, reading);
}

interface GivenOptions extends Omit<ExplainOptions, "request"> {
  readonly request: GivenRequest | undefined;
  /** Shared by all readings. */
  readonly budget: Budget;
}

async function explainText(url: string, options: GivenOptions, reading: Reading = "search"): Promise<Explanation> {
  const { request, errorBody, status, hosts = [], origin, reveal, budget, clock = systemClock } = options;
  const { keys = [] } = reading === "grammar" ? {} : options;
  const { text, escaped } = unescapeUrl(url);
  const signed = splitUrl(text);
  const sentUrl = request?.url === undefined || request.url === url ? signed : splitUrl(request.url);
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
  const answered = error ?? refusalOf(explainer, errorBody);
  const subject: Subject = {
    url: signed,
    sentUrl,
    sent,
    request,
    known,
    error: answered,
    status,
    keys,
    hosts,
    work: workOf(budget, textLength(sentUrl, sent, hosts), reading !== "search"),
    now: new Date(clock()),
  };
  const explained = await explainer.explain(subject);
  const { explanation: own, hidden } = explained;
  // A response to HEAD has an empty body.
  const hasBody = errorBody !== undefined && errorBody.trim() !== "";
  const answeredOwn =
    answered === undefined && hasBody
      ? withUnreadAnswer(own, errorBody, { url: sentUrl, answersWithPages: explainer.answersWithPages })
      : { ...own, cause: own.cause ?? statusCause(explained, subject, status) };
  const explanation = withSuspicion({ ...explained, explanation: answeredOwn }, subject, status);
  const secrets = [...keys.flatMap(secretsOf), ...secretsSent(sent.headers)];
  const { browser, cause: refused } = withBrowser(explanation, subject, origin);
  const cause = combineCauses(escaped, refused) ?? refused;
  const result = { ...explanation, cause, ...(browser === undefined ? {} : { browser }) };
  return hide(
    result,
    reveal === true ? secrets : [...secrets, ...hidden, ...tokensIn(sentUrl.wire.query, error?.fields)],
  );
}

/** The refusal of the scheme's own servers. Applications give it for a wrong signature and for an expired URL. */
function refusalOf({ ownRefusal }: Explainer, body = ""): ServerError | undefined {
  return ownRefusal?.test(body) === true ? { code: NOT_VALID, message: "", fields: new Map() } : undefined;
}

/**
 * The length of the text that is signed with the longest of the hosts. Each parameter and signed header is read and sorted, which costs
 * more than its length.
 */
function textLength(
  { wire: { path, query } }: SplitUrl,
  { headers, authority }: WireRequest,
  hosts: readonly string[],
): number {
  const host = hosts.reduce((longest, { length }) => Math.max(longest, length), authority.length);
  return host + path.length + query.length + headers.flat().join("").length + 40 * query.split(/&|;|%3B/i).length;
}

function target({ wire }: SplitUrl): string {
  return wire.query === "" ? wire.path : `${wire.path}?${wire.query}`;
}

/** The rules that a page needs to upload, or to send any request that the server refused for its CORS rules. */
function withBrowser(
  explanation: Explanation,
  { url, request, error }: Subject,
  origin: string | undefined,
): Pick<Explanation, "browser" | "cause"> {
  const { cause } = explanation;
  const isCors = cause?.code === "CORS";
  const asked = request?.method?.toUpperCase();
  // A preflight has the method OPTIONS; S3 names the requested method.
  const method = (isCors && asked === "OPTIONS" ? undefined : asked) ?? error?.fields.get("Method");
  const browser = browserUpload(explanation, { url, method, origin, isCors });
  if (!isCors || browser === undefined) return { browser, cause };
  const rule = `${JSON.stringify(browser.cors)}, by ${browser.corsIsSetBy}`;
  return { browser, cause: { ...cause, fix: `${cause.fix} For this URL: ${rule}` } };
}
