import { isDaypassError } from "daypass";
import { type Cause, explain, explainAnswer } from "daypass/explain";
import { CommandError } from "../../command.ts";
import { type RawUrl, readings, UNKNOWN_ORIGIN, urlsInText } from "../scan/urls-in-text.ts";
import { isToldInside } from "../scan/wrapped-link.ts";
import { composedRequest, withoutCurl } from "./pasted/curl-request.ts";
import type { SentParts } from "./pasted/sent-parts.ts";
import { withoutCarets } from "./pasted/shell-words.ts";

/** A signed URL, and what the text around it tells of the request. */
export interface PastedUrl extends SentParts {
  readonly url: string;
  /** Whether the text was more than the URL. */
  readonly isPart: boolean;
}

// The archive of a page has some hundreds. Logs are for scan.
const MAX_URLS = 2000;

// They are no part of the request, which is verified as well where a key is at hand.
const IN_MARKS = /^(["'`<]|\*\*)(.*?)(?:["'`>]|\*\*)$/;

/**
 * The signed URL in what somebody has pasted: the text itself, or the first one in a line of a log, a command, the text of an
 * exception, an entry of an archive (HAR) or what `curl -v` shows; or the one that a server's answer shows. A word that is none
 * comes back as it is.
 */
export async function pastedUrl(pasted: string): Promise<PastedUrl> {
  const text = withoutCarets(pasted);
  const alone: PastedUrl = { url: text, isPart: false };
  const word = text.trim();
  const isOneWord = !/\s/.test(word);
  const isUrl = /^["'`<*]{0,2}(?:(?:https?|wss?):\\*\/\\*\/|(?:k8s-aws-v1\.|aHR0c)[\w-]+=*$)/i.test(word);
  const state = isUrl ? await stateOf(text) : "none";
  if (state === "whole") return { url: word.replace(IN_MARKS, "$2"), isPart: false };
  // What mail and chat do to a URL that stands alone is for explain to undo.
  if (state === "damaged" && isOneWord) return alone;
  const { whole, damaged, hasPath } = await urlWithin(text);
  if (whole !== undefined) return whole;
  const composed = composedRequest(text);
  if (composed !== undefined && (await stateOf(composed.url)) === "whole") return { isPart: true, ...composed };
  const found = state === "damaged" ? alone : damaged;
  if (found !== undefined) return found;
  const shown = isUrl || hasPath ? undefined : explainAnswer(text).url;
  if (shown !== undefined) return { url: shown, isPart: true, errorBody: text };
  const completed = withScheme(word);
  if (isOneWord && (await stateOf(completed)) !== "none") return { url: completed, isPart: true };
  if (hasPath || (await stateOf(withUnknownOrigin(word))) !== "none") {
    throw new CommandError(
      "expected a URL with its host, which is signed in most schemes; found a path alone: put https:// and the host in front of it",
    );
  }
  if (isUrl || isOneWord) return alone;
  throw new CommandError("expected a signed URL in the text, found none: paste the whole text that has it");
}

interface Within {
  /** The first one that can be read. */
  readonly whole?: PastedUrl;
  /** The first one that cannot. */
  readonly damaged?: PastedUrl | undefined;
  /** Whether there is a path of one, and no host that it is for. */
  readonly hasPath: boolean;
}

async function urlWithin(text: string): Promise<Within> {
  let damaged: PastedUrl | undefined;
  let hasPath = false;
  for await (const { url, found, state } of signedUrls(text)) {
    if (url.startsWith(UNKNOWN_ORIGIN)) {
      hasPath = true;
      continue;
    }
    if (state === "damaged" && damaged !== undefined) continue;
    const { query, ...sent } = await partsOf(text, found, url);
    const part: PastedUrl = { url: query === undefined ? url : `${url}&${query}`, isPart: true, ...sent };
    if (state === "whole") return { whole: part, hasPath };
    damaged = part;
  }
  return { damaged, hasPath };
}

interface SignedUrl {
  /** Complete, or with an unknown origin where the text names none. */
  readonly url: string;
  readonly found: RawUrl;
  readonly state: Exclude<State, "none">;
}

/** What in a text is a signed URL, or the path of one, in the order of the text. */
async function* signedUrls(text: string): AsyncGenerator<SignedUrl> {
  const hosts = hostLines(text);
  let count = 0;
  for (const found of urlsInText(text)) {
    if (++count > MAX_URLS) return;
    for (const reading of readings(found.raw)) {
      const url = withHost(reading, hosts, found.index);
      const state = await stateOf(url);
      if (state !== "none") yield { url, found, state };
    }
  }
}

/** Many a program shows a URL without. */
function withScheme(word: string): string {
  return word.replace(/^(?:\/\/)?(?=[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?\/)/i, "https://");
}

/** A path, or a query, as the URL of nobody's host. */
function withUnknownOrigin(word: string): string {
  return `${UNKNOWN_ORIGIN}${word.startsWith("/") ? "" : "/?"}${word.replace(/^\?/, "")}`;
}

/** What the text around a URL tells: what was sent to it, and what was answered. */
async function partsOf(text: string, found: RawUrl, url: string): Promise<SentParts> {
  // A URL that stands alone has none of them.
  const [{ harRequest }, { collectionRequest }, { pastedRequest }] = await Promise.all([
    import("./pasted/har-request.ts"),
    import("./pasted/collection-request.ts"),
    import("./pasted/pasted-request.ts"),
  ]);
  const archived = harRequest(text, url) ?? collectionRequest(text, url);
  if (archived !== undefined) return archived;
  const { method = methodAt(text, found), headers, query } = pastedRequest({ text, url, index: found.index });
  const status = statusIn(text, found);
  // What else goes wrong in the text is none of a request that went well.
  if (status !== undefined && status < 300) return { method, headers, query };
  return { method, headers, query, errorBody: bodyIn(text, found), status };
}

/** The page that a browser names where CORS has stopped it: Chromium "from origin '…'", Safari "Origin … is not allowed by". */
export function pageIn(text: string): string | undefined {
  return /\borigin ["']?(https?:\/\/[\w.-]{1,255}(?::\d{1,5})?|null)["']? (?:has been blocked|is not allowed) by/i.exec(
    text,
  )?.[1];
}

/** What a refusal says in which no signed URL stands, and which shows none. */
export async function causeWithoutUrl(text: string): Promise<Cause | undefined> {
  if (/^\s*https?:\S*\s*$/i.test(text)) return undefined;
  const { url, cause } = explainAnswer(withoutCurl(text));
  if (url !== undefined || cause === undefined) return undefined;
  const { done } = await signedUrls(text).next();
  return done ? cause : undefined;
}

type State = "whole" | "damaged" | "none";

/** Whether a text is a signed URL, and one that can be read. */
async function stateOf(text: string): Promise<State> {
  try {
    const explanation = await explain(text);
    if (isToldInside(text, explanation)) return "none";
    const { cause } = explanation;
    return cause?.code === "MALFORMED" || cause?.code === "SIGNATURE" ? "damaged" : "whole";
  } catch (error) {
    if (isDaypassError(error)) return "none";
    throw error;
  }
}

/** A host on a line of its own, as `curl -v` and browsers show it. */
interface HostLine {
  readonly index: number;
  readonly host: string;
}

function hostLines(text: string): readonly HostLine[] {
  const lines = text.matchAll(
    /^[ \t>*[\]\d]{0,40}:?(?:host|authority)["']?[ \t]{0,20}:[ \t]{0,20}["']?([\w.-]{1,255}(?::\d{1,5})?)/gim,
  );
  return Array.from(lines, ({ index, 1: host = "" }) => ({ index, host })).slice(0, MAX_URLS);
}

/** A path with the host that stands behind it, as in the lines of its request; with the last one in front of it where none does. */
function withHost(url: string, hosts: readonly HostLine[], at: number): string {
  if (!url.startsWith(UNKNOWN_ORIGIN)) return url;
  const { host } = hosts.find(({ index }) => index > at) ?? hosts.at(-1) ?? {};
  return host === undefined ? url : url.replace(UNKNOWN_ORIGIN, `https://${host}`);
}

const METHODS = "GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS";

/** The method in front of a URL, that of the command, or that of the entry in an archive. */
function methodAt(text: string, { index, raw }: RawUrl): string | undefined {
  const before = text.slice(
    Math.max(0, index - 40),
    index + (new RegExp(`^(?:${METHODS}) `).exec(raw)?.[0].length ?? 0),
  );
  const near = text.slice(Math.max(0, index - NEAR), index + raw.length + NEAR);
  const [, method] =
    new RegExp(`\\b(${METHODS})[\`"' ]{1,3}$`).exec(before) ??
    new RegExp(`--method[ =]["']?(${METHODS})\\b`).exec(commandAround(text, index)) ??
    new RegExp(`"method"\\s{0,20}:\\s{0,20}"(${METHODS})"`).exec(near) ??
    [];
  return method;
}

// The members of one object.
const NEAR = 200;
const MAX_COMMAND = 4000;

/** The line that a place is in, with those in which it goes on. */
function commandAround(text: string, index: number): string {
  const before = text.slice(Math.max(0, index - MAX_COMMAND), index).replace(/[\\`][ \t]{0,20}\r?\n/g, " ");
  const behind = text.slice(index, index + MAX_COMMAND).replace(/[\\`][ \t]{0,20}\r?\n/g, " ");
  return `${before.slice(before.lastIndexOf("\n") + 1)}${behind.split("\n", 1)[0]}`;
}

const STATUS =
  /(?:HTTP\/[\d.]{1,8}"? |\bstatus(?:_?code)?\W{1,3}|HTTP Error |response code: )([2345]\d\d)\b|\b([2345]\d\d)(?: Client Error| \(?(?:OK|Forbidden|Unauthorized|Bad Request))/i;

/** The status of the answer, as curl, wget, browsers, HTTP libraries and logs show it: behind the URL, or else in front of it. */
function statusIn(text: string, { raw, index }: RawUrl): number | undefined {
  const [behind, before] = [text.slice(index + raw.length), text.slice(0, index)].map((part) => {
    const [, a, b] = STATUS.exec(part.replaceAll(raw, " ")) ?? [];
    return a ?? b;
  });
  // A redirect in front of the URL is what led to it.
  const status = behind ?? (before?.startsWith("3") === true ? undefined : before);
  return status === undefined ? undefined : Number(status);
}

/** From where a body begins; or the whole text, where it is one that a client or an exception has made of an answer. */
function bodyIn(text: string, { raw, index }: RawUrl): string | undefined {
  const behind = text.slice(index + raw.length);
  for (const part of [behind, text]) {
    const start = part.search(/<\?xml|<Error>|<!doctype html|<html/i);
    if (start >= 0) return part.slice(start);
  }
  // Somebody has answered: what curl said of its tries before is none of the cause.
  if (/^< HTTP\//m.test(text)) return undefined;
  // The name of an object may be a word of servers, too, and a command holds logins.
  const around = withoutCurl(text).replaceAll(raw, " ");
  return explainAnswer(around).cause === undefined ? undefined : around;
}
