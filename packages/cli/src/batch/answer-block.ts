import { isUtf8 } from "node:buffer";
import { type Answer, type LineAnswerer, NOT_UTF8, TOO_LONG, type Unreadable } from "../lines/answer.ts";
import type { RecordBlock } from "./record-blocks.ts";
import type { RecordFormat } from "./record-format.ts";

/** The answers to a block of lines, a line for a line. */
export interface AnsweredBlock {
  readonly bytes: Uint8Array;
  readonly lines: number;
  readonly refused: number;
}

/** Who answers the lines of a block, and how they are told apart. */
export interface BlockAnswerer {
  readonly answer: LineAnswerer;
  readonly format: RecordFormat;
}

// Text of more than about 128 KB is too large for the young generation, and costs a mapping of memory each time.
const PIECE_BYTES = 64 * 1024;

/**
 * Answers each line of a block, in order, into `output` where the answers fit. A line that is not UTF-8 is handed on as
 * that: decoding it leniently would put U+FFFD into a key, which is then the key of another object.
 */
export async function answerBlock(
  block: RecordBlock,
  { answer, format }: BlockAnswerer,
  output: Uint8Array,
): Promise<AnsweredBlock> {
  let lines = 0;
  let refused = 0;
  const sink = answerSink(output);
  for (const piece of block === undefined ? [[TOO_LONG]] : pieces(block, format)) {
    let text = "";
    for (const line of piece) {
      const answered = answer(line);
      const { text: answerText, refused: isRefused } = isPromise(answered) ? await answered : answered;
      text += `${answerText}\n`;
      lines += 1;
      if (isRefused) refused += 1;
      // The answers to short lines are many times longer than these.
      if (text.length > PIECE_BYTES) {
        sink.write(text);
        text = "";
      }
    }
    sink.write(text);
  }
  return { bytes: sink.bytes(), lines, refused };
}

function isPromise(value: Answer | Promise<Answer>): value is Promise<Answer> {
  return value instanceof Promise;
}

/** Collects text in a piece of memory, and in one of its own once that is full. */
function answerSink(output: Uint8Array): { write(text: string): void; bytes(): Uint8Array } {
  let buffer = Buffer.from(output.buffer, output.byteOffset, output.length);
  let length = 0;
  return {
    write(text) {
      // At most three bytes a unit of UTF-16: counting them exactly is a pass over the text that is rarely needed.
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

// A line feed is never part of a longer character, so bytes may be cut there before they are decoded.
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
