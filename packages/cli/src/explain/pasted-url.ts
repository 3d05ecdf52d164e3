import { isDaypassError } from "daypass";
import { type Cause, explain, explainAnswer } from "daypass/explain";
import { CommandError } from "../command.ts";
import { type RawUrl, readings, UNKNOWN_ORIGIN, urlsInText } from "../scan/urls-in-text.ts";
import { pastedRequest } from "./pasted/pasted-request.ts";
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

/**
 * The signed URL in what somebody has pasted: the text itself, or the first one in a line of a log, a command, the text of an
 * exception, an entry of an archive (HAR) or what `curl -v` shows; or the one that a server's answer shows. A word that is none
 * comes back as it is.
 */
export async function pastedUrl(pasted: string): Promise<PastedUrl> {
  const text = withoutCarets(pasted);
  const alone: PastedUrl = { url: text, isPart: false };
  const word = text.trim();
  const isUrl = /^["'`<*]{0,2}https?:\\*\/\\*\//i.test(word);
  const state = isUrl ? await stateOf(text) : "none";
  // What mail and chat do to a URL that stands alone is for explain to undo.
  if (state === "whole" || (state === "damaged" && !/\s/.test(word))) return alone;
  let damaged = state === "damaged" ? alone : undefined;
  let pathOnly = false;
  let count = 0;
  for (const found of urlsInText(text)) {
    if (++count > MAX_URLS) break;
    for (const reading of readings(found.raw)) {
      const url = withHost(reading, text);
      const foundState = await stateOf(url);
      if (foundState === "none") continue;
      if (url.startsWith(UNKNOWN_ORIGIN)) {
        pathOnly = true;
        continue;
      }
      const part = { url, isPart: true, ...partsOf(text, found, url) };
      if (foundState === "whole") return part;
      damaged ??= part;
    }
  }
  if (damaged !== undefined) return damaged;
  const shown = isUrl || pathOnly ? undefined : explainAnswer(text).url;
  if (shown !== undefined) return { url: shown, isPart: true, errorBody: text };
  // Many a program shows it without.
  const bare = word.replace(/^(?:\/\/)?(?=[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d{1,5})?\/)/i, "https://");
  if (!/\s/.test(word) && (await stateOf(bare)) !== "none") return { url: bare, isPart: true };
  const path = `${UNKNOWN_ORIGIN}${/^\//.test(word) ? "" : "/?"}${word.replace(/^\?/, "")}`;
  if (!pathOnly && (await stateOf(path)) === "none") {
    if (isUrl || !/\s/.test(word)) return alone;
    throw new CommandError("expected a signed URL in the text, found none: take the text that has it, and whole");
  }
  throw new CommandError(
    "expected a URL with its host, which is signed in most schemes; found a path alone: put https:// and the host in front of it",
  );
}

/** What the text around a URL tells: what was sent to it, and what was answered. */
function partsOf(text: string, found: RawUrl, url: string): SentParts {
  const told = pastedRequest(text, url);
  const {
    method = methodAt(text, found),
    headers,
    errorBody = bodyIn(text, found),
    status = statusIn(text, found),
  } = told;
  return { method, headers, errorBody, status };
}

/** What a refusal says in which no signed URL stands, and which shows none. */
export async function causeWithoutUrl(text: string): Promise<Cause | undefined> {
  if (/^\s*https?:\S*\s*$/i.test(text)) return undefined;
  const { url, cause } = explainAnswer(text);
  if (url !== undefined || cause === undefined) return undefined;
  for (const { raw } of urlsInText(text)) {
    for (const reading of readings(raw)) if ((await stateOf(withHost(reading, text))) !== "none") return undefined;
  }
  return cause;
}

type State = "whole" | "damaged" | "none";

/** Whether a text is a signed URL, and one that can be read. */
async function stateOf(text: string): Promise<State> {
  try {
    const { cause } = await explain(text);
    return cause?.code === "MALFORMED" || cause?.code === "SIGNATURE" ? "damaged" : "whole";
  } catch (error) {
    if (isDaypassError(error)) return "none";
    throw error;
  }
}

/** `curl -v` and browsers show the host on a line of its own. */
function withHost(url: string, text: string): string {
  const [, host] = /^[\s>*[\]\d]*:?(?:host|authority)["']?\s*:\s*["']?([\w.-]+(?::\d{1,5})?)/im.exec(text) ?? [];
  return host === undefined ? url : url.replace(UNKNOWN_ORIGIN, `https://${host}`);
}

const METHODS = "GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS";

/** The method in front of a URL, that of the command, or that of the entry in an archive. */
function methodAt(text: string, { index, raw }: RawUrl): string | undefined {
  const before = text.slice(
    Math.max(0, index - 40),
    index + (new RegExp(`^(?:${METHODS}) `).exec(raw)?.[0].length ?? 0),
  );
  const [, method] =
    new RegExp(`\\b(${METHODS})[\`"' ]{1,3}$`).exec(before) ??
    new RegExp(`(?:-X ?|--request[ =]|--method[ =]|"method"\\s*:\\s*)["']?(${METHODS})\\b`).exec(text) ??
    [];
  return method;
}

/** The status that refused, as curl, wget, browsers, HTTP libraries and logs show it. */
function statusIn(text: string, { raw }: RawUrl): number | undefined {
  const [, a, b] =
    /(?:HTTP\/[\d.]+"? |\bstatus(?:_?code)?\W{1,3}|HTTP Error |response code: )([345]\d\d)\b|\b([345]\d\d)(?: Client Error| \(?(?:Forbidden|Unauthorized|Bad Request))/i.exec(
      text.replaceAll(raw, " "),
    ) ?? [];
  const status = a ?? b;
  return status === undefined ? undefined : Number(status);
}

/** From where a body begins; or the whole text, where it is one that a client or an exception has made of an answer. */
function bodyIn(text: string, { raw }: RawUrl): string | undefined {
  const start = text.search(/<\?xml|<Error>|<!doctype html|<html/i);
  if (start >= 0) return text.slice(start);
  // Somebody has answered: what curl said of its tries before is none of the cause.
  if (/^< HTTP\//m.test(text)) return undefined;
  // The name of an object may be a word of servers, too.
  const around = text.replaceAll(raw, " ");
  return explainAnswer(around).cause === undefined ? undefined : around;
}
