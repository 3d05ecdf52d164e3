import { isUtf8 } from "node:buffer";
import type { Answer, LineAnswerer } from "../lines/answer.ts";
import type { LineBlock } from "./line-blocks.ts";

/** The answers to a block of lines, a line for a line. */
export interface AnsweredBlock {
  readonly text: string;
  readonly lines: number;
  readonly refused: number;
}

/**
 * Answers each line of a block, in order. A line that is not UTF-8 is handed on as `undefined`: decoding it leniently
 * would put U+FFFD into a key, which is then the key of another object.
 */
export async function answerBlock(block: LineBlock, answer: LineAnswerer): Promise<AnsweredBlock> {
  let text = "";
  let lines = 0;
  let refused = 0;
  for (const line of block.kind === "lines" ? splitLines(block.bytes) : UNREADABLE) {
    const answered = answer(line);
    const { text: answerText, refused: isRefused } = isPromise(answered) ? await answered : answered;
    text += `${answerText}\n`;
    lines += 1;
    if (isRefused) refused += 1;
  }
  return { text, lines, refused };
}

const UNREADABLE: readonly undefined[] = [undefined];

function isPromise(value: Answer | Promise<Answer>): value is Promise<Answer> {
  return value instanceof Promise;
}

function splitLines(bytes: Uint8Array): readonly (string | undefined)[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.at(-1) === 10 ? buffer.length - 1 : buffer.length;
  if (isUtf8(buffer)) return buffer.toString("utf8", 0, end).split("\n");
  // 0x0a is never part of a longer character, so the bytes may be split before they are decoded.
  const lines: (string | undefined)[] = [];
  let start = 0;
  while (start <= end) {
    const found = buffer.indexOf(10, start);
    const stop = found < 0 || found > end ? end : found;
    const line = buffer.subarray(start, stop);
    lines.push(isUtf8(line) ? line.toString("utf8") : undefined);
    start = stop + 1;
  }
  return lines;
}
