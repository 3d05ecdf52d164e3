import { StringDecoder } from "node:string_decoder";
import { utf16ByMark } from "../../files.ts";

/** A part of a text that no URL crosses. */
export interface TextRegion {
  readonly text: string;
  /** The number of its first line, from 1. */
  readonly line: number;
}

// Longer lines are cut between two words.
const MAX_LINE = 256 * 1024;
// More than the longest URL with its escapes.
const OVERLAP = 48 * 1024;

/** Cuts a stream into regions of whole lines. A line that ends with = continues in the next line, as in the source of a mail. */
export async function* textRegions(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextRegion> {
  let begun = "";
  let line = 1;
  for await (const decoded of decodedText(chunks)) {
    begun += decoded;
    let end = lastLineEnd(begun);
    if (end === 0 && begun.length > MAX_LINE) end = lastWordEnd(begun);
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

/** The last place that ends a URL. The end of the text if it has none, because then it is not text. */
function lastWordEnd(text: string): number {
  const from = text.length - OVERLAP;
  for (let at = text.length - 1; at > from; at -= 1) {
    if (/[\s"'`<>]/.test(text.charAt(at))) return at + 1;
  }
  return text.length;
}

/** Counts the line ends between two places. */
export function countLines(text: string, { from, to }: { readonly from: number; readonly to: number }): number {
  let lines = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

interface Decoder {
  write(bytes: Buffer): string;
  end(): string;
}

/** Decodes a stream as UTF-8, or as UTF-16, which PowerShell and Windows' own logs use. */
async function* decodedText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let decoder: Decoder | undefined;
  let held: Buffer = Buffer.alloc(0);
  for await (const { buffer, byteOffset, byteLength } of chunks) {
    const chunk = Buffer.from(buffer, byteOffset, byteLength);
    if (decoder !== undefined) {
      yield decoder.write(chunk);
      continue;
    }
    // The first chunk of a pipe may be shorter than a mark.
    held = Buffer.concat([held, chunk]);
    if (held.length < 4) continue;
    decoder = decoderFor(held);
    yield decoder.write(held);
  }
  yield decoder?.end() ?? held.toString("utf8");
}

function decoderFor(begin: Buffer): Decoder {
  const [a = 0, b = 0, c = 0, d = 0] = begin;
  // Without a mark: two ASCII characters, each with a zero byte.
  const isLittle = a !== 0 && b === 0 && c !== 0 && d === 0;
  const isBig = a === 0 && b !== 0 && c === 0 && d !== 0;
  const encoding = utf16ByMark(begin) ?? (isLittle ? "utf-16le" : isBig ? "utf-16be" : undefined);
  if (encoding === undefined) return new StringDecoder("utf8");
  const decoder = new TextDecoder(encoding);
  return { write: (bytes) => decoder.decode(bytes, { stream: true }), end: () => decoder.decode() };
}
