import { isDaypassError } from "daypass";
import { type Cause, explain, explainAnswer, unwrapUrl } from "daypass/explain";
import { CommandError } from "../../../command.ts";
import { type RawUrl, readings, UNKNOWN_ORIGIN, urlsInText } from "../../scan/urls-in-text.ts";
import { composedRequest, curlRequest, withoutCurl } from "./curl.ts";
import type { RequestParts } from "./request-parts.ts";
import { withoutCarets } from "./shell-words.ts";

/** A signed URL in pasted text, and the request that the text around it describes. */
export interface PastedUrl extends RequestParts {
  readonly url: string;
  /** Whether the text was more than the URL. */
  readonly isPart: boolean;
}

// The HAR file of a page has some hundreds of URLs. Logs are for `daypass scan`.
const MAX_URLS = 2000;

// The quotes are not part of the request, which the verifier checks too.
const QUOTED = /^(["'`<]|\*\*)(.*?)(?:["'`>]|\*\*)$/;

/**
 * Finds the signed URL in pasted text: the whole text; the first signed URL in a log line, a curl command, an exception, a HAR entry or
 * the output of `curl -v`; or the URL that an error response contains. A single word that is not a signed URL comes back unchanged.
 */
export async function pastedUrl(pasted: string): Promise<PastedUrl> {
  const text = withoutCarets(pasted);
  const inner = unwrapUrl(text);
  if (inner !== text) return { ...(await pastedUrl(inner)), isPart: true };
  const whole: PastedUrl = { url: text, isPart: false };
  const word = text.trim();
  const isOneWord = !/\s/.test(word);
  const isUrl = /^["'`<*]{0,2}https?:\\*\/\\*\//i.test(word);
  const state = isUrl ? await stateOf(text) : "none";
  if (state === "complete") return { url: word.replace(QUOTED, "$2"), isPart: false };
  // `explain` repairs a damaged URL.
  if (state === "damaged" && isOneWord) return whole;
  const { harRequest, harUrls } = await import("./har.ts");
  for (const url of harUrls(text)) {
    if ((await stateOf(url)) === "complete") return { url, isPart: true, ...harRequest(text, url) };
  }
  const { complete, damaged, hasPath } = await urlWithin(text);
  if (complete !== undefined) return complete;
  const composed = composedRequest(text);
  if (composed !== undefined && (await stateOf(composed.url)) === "complete") return { isPart: true, ...composed };
  const found = state === "damaged" ? whole : damaged;
  if (found !== undefined) return found;
  const shown = isUrl || hasPath ? undefined : explainAnswer(text).url;
  if (shown !== undefined) return { url: shown, isPart: true, errorBody: text };
  const completed = withScheme(word);
  if (isOneWord && (await stateOf(completed)) !== "none") return { url: completed, isPart: true };
  if (hasPath || (await stateOf(withUnknownOrigin(word))) !== "none") {
    throw new CommandError(
      "the URL has no host, which most schemes sign. Put https:// and the host in front of the path",
    );
  }
  if (isUrl || isOneWord) return whole;
  throw new CommandError("the text has no signed URL. Paste the whole URL, or the whole text that contains it");
}

interface UrlsWithin {
  /** The first complete signed URL. */
  readonly complete?: PastedUrl;
  /** The first damaged one. */
  readonly damaged?: PastedUrl | undefined;
  /** Whether the text has the path of a signed URL without its host. */
  readonly hasPath: boolean;
}

async function urlWithin(text: string): Promise<UrlsWithin> {
  let damaged: PastedUrl | undefined;
  let hasPath = false;
  for await (const { url, found, state } of signedUrls(text)) {
    if (url.startsWith(UNKNOWN_ORIGIN)) {
      hasPath = true;
      continue;
    }
    if (state === "damaged" && damaged !== undefined) continue;
    const part: PastedUrl = { url, isPart: true, ...(await partsOf(text, found, url)) };
    if (state === "complete") return { complete: part, hasPath };
    damaged = part;
  }
  return { damaged, hasPath };
}

interface SignedUrl {
  /** Complete, or with an unknown origin if the text names none. */
  readonly url: string;
  readonly found: RawUrl;
  readonly state: Exclude<State, "none">;
}

/** The signed URLs in a text, and paths of signed URLs, in text order. */
async function* signedUrls(text: string): AsyncGenerator<SignedUrl> {
  const lines = { hosts: hostLines(text), protocol: protocolOf(text) };
  let count = 0;
  for (const found of urlsInText(text)) {
    if (++count > MAX_URLS) return;
    for (const reading of readings(found.raw)) {
      const url = unwrapUrl(withHost(reading, { ...lines, at: found.index }));
      const state = await stateOf(url);
      if (state !== "none") yield { url, found, state };
    }
  }
}

function withScheme(word: string): string {
  return word.replace(/^(?:\/\/)?(?=[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?\/)/i, "https://");
}

function withUnknownOrigin(word: string): string {
  return `${UNKNOWN_ORIGIN}${word.startsWith("/") ? "" : "/?"}${word.replace(/^\?/, "")}`;
}

/** The request to a URL and the response to it, as far as the text around the URL states them. */
async function partsOf(text: string, found: RawUrl, url: string): Promise<RequestParts> {
  const [{ harRequest }, { rawRequest }] = await Promise.all([import("./har.ts"), import("./raw-request.ts")]);
  const archived = harRequest(text, url);
  if (archived !== undefined) return archived;
  const request = rawRequest(text, url) ?? curlRequest({ text, index: found.index });
  const { method = methodAt(text, found), headers } = request ?? {};
  const status = statusIn(text, found);
  // The request succeeded, so an error elsewhere in the text belongs to another request.
  if (status !== undefined && status < 300) return { method, headers, status };
  return { method, headers, errorBody: bodyIn(text, found), status };
}

/** The page that a browser's CORS error names: Chromium writes "from origin '…'", Safari "Origin … is not allowed by". */
export function pageIn(text: string): string | undefined {
  return /\borigin ["']?(https?:\/\/[\w.-]{1,255}(?::\d{1,5})?|null)["']? (?:has been blocked|is not allowed) by/i.exec(
    text,
  )?.[1];
}

/** The cause that an error response states if the text has no signed URL. */
export async function causeWithoutUrl(text: string): Promise<Cause | undefined> {
  if (/^\s*https?:\S*\s*$/i.test(text)) return undefined;
  const { url, cause } = explainAnswer(withoutCurl(text));
  if (url !== undefined || cause === undefined) return undefined;
  const { done } = await signedUrls(text).next();
  return done ? cause : undefined;
}

type State = "complete" | "damaged" | "none";

async function stateOf(text: string): Promise<State> {
  try {
    const { cause } = await explain(text);
    return cause?.code === "MALFORMED" || cause?.code === "SIGNATURE" ? "damaged" : "complete";
  } catch (error) {
    if (isDaypassError(error)) return "none";
    throw error;
  }
}

/** A Host header on its own line, as `curl -v` and browsers print it. */
interface HostLine {
  readonly index: number;
  readonly host: string;
}

/** The lines around a path, and the place of the path. */
interface Lines {
  readonly hosts: readonly HostLine[];
  readonly protocol: "http" | "https";
  readonly at: number;
}

function hostLines(text: string): readonly HostLine[] {
  const lines = text.matchAll(
    /^[ \t>*[\]\d]{0,40}:?(?:host|authority)["']?[ \t]{0,20}:[ \t]{0,20}["']?([\w.-]{1,255}(?::\d{1,5})?)/gim,
  );
  return Array.from(lines, ({ index, 1: host = "" }) => ({ index, host })).slice(0, MAX_URLS);
}

/** curl -v reports TLS before the request, unless the URL is http. */
function protocolOf(text: string): "http" | "https" {
  return /^\* +Connected to .* port (?!443\b)\d+/m.test(text) && !/^\* .*\b(?:TLS|SSL|ALPN)/m.test(text)
    ? "http"
    : "https";
}

/** Completes a path with the first host that follows it, as in a raw request, or with the last host before it. */
function withHost(url: string, { hosts, protocol, at }: Lines): string {
  if (!url.startsWith(UNKNOWN_ORIGIN)) return url;
  const { host } = hosts.find(({ index }) => index > at) ?? hosts.at(-1) ?? {};
  return host === undefined ? url : url.replace(UNKNOWN_ORIGIN, `${protocol}://${host}`);
}

const METHODS = "GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS";
// The members of one JSON object.
const NEAR = 200;

/** The method before a URL, or in the same JSON object. */
function methodAt(text: string, { index, raw }: RawUrl): string | undefined {
  const before = text.slice(
    Math.max(0, index - 40),
    index + (new RegExp(`^(?:${METHODS}) `).exec(raw)?.[0].length ?? 0),
  );
  const near = text.slice(Math.max(0, index - NEAR), index + raw.length + NEAR);
  const [, method] =
    new RegExp(`\\b(${METHODS})[\`"' ]{1,3}$`).exec(before) ??
    new RegExp(`"method"\\s{0,20}:\\s{0,20}"(${METHODS})"`).exec(near) ??
    [];
  return method;
}

const STATUS =
  /(?:HTTP\/[\d.]{1,8}"? |\bstatus(?:_?code)?\W{1,3}|HTTP Error |response code: )([2345]\d\d)\b|\b([2345]\d\d)(?: Client Error| \(?(?:OK|Forbidden|Unauthorized|Bad Request))/i;

/** The status of the response, as curl, wget, browsers, HTTP libraries and logs print it: behind the URL, or else before it. */
function statusIn(text: string, { raw, index }: RawUrl): number | undefined {
  const [behind, before] = [text.slice(index + raw.length), text.slice(0, index)].map((part) => {
    const [, a, b] = STATUS.exec(part.replaceAll(raw, " ")) ?? [];
    return a ?? b;
  });
  // A redirect before the URL is the response that led to the URL.
  const status = behind ?? (before?.startsWith("3") === true ? undefined : before);
  return status === undefined ? undefined : Number(status);
}

/** The response body, or the whole text if it is a client's description of the error. */
function bodyIn(text: string, { raw, index }: RawUrl): string | undefined {
  const behind = text.slice(index + raw.length);
  for (const part of [behind, text]) {
    const start = part.search(/<\?xml|<Error>|<!doctype html|<html/i);
    if (start >= 0) return part.slice(start);
  }
  // The server answered, so curl's messages about earlier connection attempts are not the cause.
  if (/^< HTTP\//m.test(text)) return undefined;
  // The URL may contain words of an error message, and a curl command contains logins.
  const around = withoutCurl(text).replaceAll(raw, " ");
  return explainAnswer(around).cause === undefined ? undefined : around;
}
