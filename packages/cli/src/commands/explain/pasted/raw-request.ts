import { headerRecord, type RequestParts } from "./request-parts.ts";

const REQUEST_LINE =
  /^(> )?(GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS) (\S+)(?: HTTP\/[\d.]+[ \t]*\r?$|(?=[ \t]*\r?\n(?:Proto|Host):))/gim;

/**
 * Reads a raw HTTP request to `url`: the output of `curl -v`, a browser's "Copy request headers", a server's trace.
 * A client that follows a redirect sends several requests; the result is the first one to this URL.
 */
export function rawRequest(text: string, url: string): RequestParts | undefined {
  const target = targetOf(url);
  for (const found of text.matchAll(REQUEST_LINE)) {
    const [line, mark = "", method = "", sent = ""] = found;
    if (!isSameTarget(targetOf(sent), target)) continue;
    const pairs = headerLines(text.slice(found.index + line.length), mark);
    return { method: method.toUpperCase(), headers: pairs.length === 0 ? undefined : headerRecord(pairs) };
  }
  return undefined;
}

function targetOf(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, "").replace(/#.*$/s, "");
}

/** Compares targets by their query alone if they have one, because clients may normalise the path. */
function isSameTarget(sent: string, target: string): boolean {
  const [query, other] = [sent, target].map((text) => text.slice(text.indexOf("?") + 1));
  return sent === target || (target.includes("?") && query === other);
}

function headerLines(text: string, mark: string): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const line of text.split(/\r?\n/).slice(1)) {
    // curl -v prints its own messages between the headers.
    if (mark !== "" && line.startsWith("* ")) continue;
    const [, name, value = ""] =
      /^(:?[!#$%&'*+.^_`|~\w-]+):[ \t]*(.*)$/.exec(line.startsWith(mark) ? line.slice(mark.length) : "") ?? [];
    if (name === undefined) break;
    pairs.push([name, value]);
  }
  return pairs;
}
