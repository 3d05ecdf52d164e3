import { headerRecord, type SentParts } from "./sent-parts.ts";

const REQUEST_LINE =
  /^(> )?(GET|HEAD|PUT|POST|DELETE|PATCH|OPTIONS) \S+(?: HTTP\/[\d.]+[ \t]*\r?$|(?=[ \t]*\r?\n(?:Proto|Host):))/im;

/** A request as it was sent, line by line: what `curl -v` shows, a browser's "Copy request headers", a server's trace. */
export function wireRequest(text: string): SentParts | undefined {
  const found = REQUEST_LINE.exec(text);
  if (found === null) return undefined;
  const [line, mark = "", method = ""] = found;
  const pairs: (readonly [string, string])[] = [];
  for (const next of text
    .slice(found.index + line.length)
    .split(/\r?\n/)
    .slice(1)) {
    const [, name = "", value] =
      /^(:?[\w-]+):(?: (.*))?$/.exec(next.startsWith(mark) ? next.slice(mark.length) : "") ?? [];
    if (name === "") break;
    pairs.push([name, value ?? ""]);
  }
  return { method: method.toUpperCase(), headers: pairs.length === 0 ? undefined : headerRecord(pairs) };
}
