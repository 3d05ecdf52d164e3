import { decodedText } from "./decoded-text.ts";

/** A piece of a text that a URL does not reach out of. */
export interface TextRegion {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

// Longer lines are cut, at a place where no URL stands.
const MAX_LINE = 256 * 1024;
// Longer than the longest beginning of a URL, and than the longest URL with its escapes.
const OVERLAP = 48 * 1024;

/**
 * Cuts a stream into regions of whole lines. A URL ends with its line, or goes on behind a = at the line's end (as in the source of
 * a mail), so none is cut in two.
 */
export async function* textRegions(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextRegion> {
  let begun = "";
  let line = 1;
  for await (const decoded of decodedText(chunks)) {
    begun += decoded;
    let end = lastLineEnd(begun);
    if (end === 0 && begun.length > MAX_LINE) end = quietPlace(begun);
    if (end === 0) continue;
    const text = begun.slice(0, end);
    yield { text, line };
    line += countLines(text, { from: 0, to: text.length });
    begun = begun.slice(end);
  }
  if (begun !== "") yield { text: begun, line };
}

function lastLineEnd(text: string): number {
  let at = text.lastIndexOf("\n");
  while (at > 0 && /=\r?$/.test(text.slice(Math.max(0, at - 2), at))) at = text.lastIndexOf("\n", at - 1);
  return at + 1;
}

/** A place near the end of a long line where no URL goes on; its end, where it is no text at all. */
function quietPlace(text: string): number {
  const from = text.length - OVERLAP;
  for (let at = text.length - 1; at > from; at -= 1) {
    if (/[\s"'`<>]/.test(text.charAt(at))) return at + 1;
  }
  return text.length;
}

/** How many lines end between two places. */
export function countLines(text: string, { from, to }: { readonly from: number; readonly to: number }): number {
  let lines = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}
