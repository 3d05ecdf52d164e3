import { headerRecord, type SentParts } from "./sent-parts.ts";
import type { UrlPlace } from "./url-place.ts";

const REQUEST_LINE =
  /^(> )?(GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS) (\S+)(?: HTTP\/[\d.]+[ \t]*\r?$|(?=[ \t]*\r?\n(?:Proto|Host):))/gim;

/**
 * The request to a URL as it was sent, line by line: what `curl -v` shows, a browser's "Copy request headers", a server's trace. Of
 * several, as a client that follows a redirect sends them, the one to this URL.
 */
export function wireRequest({ text, url }: UrlPlace): SentParts | undefined {
  const target = targetOf(url);
  for (const found of text.matchAll(REQUEST_LINE)) {
    const [line, mark = "", method = "", asked = ""] = found;
    if (!isSame(targetOf(asked), target)) continue;
    const pairs = headerLines(text.slice(found.index + line.length), mark);
    return { method: method.toUpperCase(), headers: pairs.length === 0 ? undefined : toldHeaders(pairs) };
  }
  return fileRequest(text, url);
}

/** A request in a file of an editor's client (.http, .rest): the method and the whole URL, and lines of which one is a known header. */
function fileRequest(text: string, url: string): SentParts | undefined {
  for (const found of text.matchAll(/^(GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS)[ \t]+(https?:\/\/\S+)[ \t]*\r?$/gm)) {
    if (found[2] !== url) continue;
    const pairs = headerLines(text.slice(found.index + found[0].length), "");
    if (!pairs.some(([name]) => KNOWN.test(name))) continue;
    return { method: found[1], headers: toldHeaders(pairs) };
  }
  return undefined;
}

/** `undefined` where a variable of an editor's client tells one that is no login. */
function toldHeaders(pairs: ReturnType<typeof headerLines>): SentParts["headers"] {
  const isOpen = pairs.some(([name, value]) => value.includes("{{") && !/^authorization$/i.test(name));
  return isOpen ? undefined : headerRecord(pairs);
}

const KNOWN =
  /^(?:content-(?:type|length|md5|disposition)|accept|authorization|host|user-agent|x-(?:amz|goog|ms|oss)-.+)$/i;

function targetOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
}

/** A client may have changed the path on its way; the query is what nothing else has. */
function isSame(asked: string, target: string): boolean {
  const [query, other] = [asked, target].map((text) => text.slice(text.indexOf("?") + 1));
  return asked === target || (target.includes("?") && query === other);
}

function headerLines(text: string, mark: string): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const line of text.split(/\r?\n/).slice(1)) {
    // What curl says in between.
    if (mark !== "" && line.startsWith("* ")) continue;
    const [, name, value = ""] =
      /^(:?[!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line.startsWith(mark) ? line.slice(mark.length) : "") ?? [];
    if (name === undefined) break;
    pairs.push([name, value]);
  }
  return pairs;
}
