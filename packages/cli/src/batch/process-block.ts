import { isUtf8 } from "node:buffer";
import { type LineAnswerer, NOT_UTF8, TOO_LONG, type Unreadable } from "../lines/answer.ts";
import type { RecordBlock } from "./record-blocks.ts";
import type { RecordFormat } from "./record-format.ts";

/** The results of a block of lines, one line per line. */
export interface BlockResult {
  readonly bytes: Uint8Array;
  readonly lines: number;
  readonly refused: number;
}

/** The processing of a block. */
export interface BlockProcessor {
  readonly processLine: LineAnswerer;
  readonly format: RecordFormat;
}

// V8 allocates texts of more than about 128 KB outside the young generation, which is slow.
const PIECE_BYTES = 64 * 1024;

/**
 * Processes each line of a block in order. Writes the results into `output` if they fit. A line that is not UTF-8 is refused, because
 * lenient decoding would put U+FFFD into a key, and sign another object.
 */
export async function processBlock(
  block: RecordBlock,
  { processLine, format }: BlockProcessor,
  output: Uint8Array,
): Promise<BlockResult> {
  let lines = 0;
  let refused = 0;
  const sink = resultSink(output);
  for (const piece of block === undefined ? [[TOO_LONG]] : pieces(block, format)) {
    let text = "";
    for (const line of piece) {
      const result = processLine(line);
      // Most lines are signed synchronously.
      const { text: resultText, refused: isRefused } = result instanceof Promise ? await result : result;
      text += `${resultText}\n`;
      lines += 1;
      if (isRefused) refused += 1;
      // Results may be many times longer than their lines.
      if (text.length > PIECE_BYTES) {
        sink.write(text);
        text = "";
      }
    }
    sink.write(text);
  }
  return { bytes: sink.bytes(), lines, refused };
}

/** Collects text in `output`, or in a larger buffer if it does not fit. */
function resultSink(output: Uint8Array): { write(text: string): void; bytes(): Uint8Array } {
  let buffer = Buffer.from(output.buffer, output.byteOffset, output.length);
  let length = 0;
  return {
    write(text) {
      // A UTF-16 unit has at most three bytes. Counting exactly takes a pass over the text, which is rarely needed.
      const room = buffer.length - length;
      const bytes = text.length * 3 <= room ? 0 : Buffer.byteLength(text);
      if (bytes > room) {
        const larger = Buffer.allocUnsafeSlow(Math.max(buffer.length * 2, length + bytes));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      length += buffer.write(text, length);
    },
    bytes: () => buffer.subarray(0, length),
  };
}

function* pieces(block: Buffer, format: RecordFormat): Generator<readonly (string | Unreadable)[]> {
  if (!format.isPlain(block)) return yield decodeEach(block, format);
  let start = 0;
  while (start < block.length) {
    const last = start + PIECE_BYTES < block.length ? block.lastIndexOf(LINE_FEED, start + PIECE_BYTES) : -1;
    const feed = last < start ? block.indexOf(LINE_FEED, start + PIECE_BYTES) : last;
    const end = feed < start ? block.length : feed + 1;
    const piece = block.subarray(start, end);
    yield isUtf8(piece) ? withoutFeed(piece).split("\n") : decodeEach(piece, format);
    start = end;
  }
}

const LINE_FEED = 10;

// A line feed is never part of a multi-byte character, so bytes can be split there before decoding.
function decodeEach(block: Buffer, format: RecordFormat): readonly (string | Unreadable)[] {
  const records: (string | Unreadable)[] = [];
  let start = 0;
  for (const end of [...format.ends(block), block.length]) {
    const record = block.subarray(start, end);
    if (record.length > 0) records.push(isUtf8(record) ? withoutFeed(record) : NOT_UTF8);
    start = end;
  }
  return records;
}

function withoutFeed(bytes: Buffer): string {
  return bytes.toString("utf8", 0, bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length);
}
