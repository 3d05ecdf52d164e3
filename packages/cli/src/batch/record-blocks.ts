import { isUtf8 } from "node:buffer";
import type { RecordFormat } from "./record-format.ts";

/** Several whole records, each but perhaps the last with its line feed; or no bytes for one record too long to be kept. */
export type RecordBlock = Buffer | undefined;

/** How to cut a stream. */
export interface RecordBlockOptions {
  readonly format: RecordFormat;
  readonly maxRecordBytes: number;
  /** Told at the end of the stream in which line, from 1, the quote opened that its last record never closes. */
  readonly onUnclosed?: ((line: number) => void) | undefined;
}

/**
 * Cuts a stream of bytes into blocks of whole records. A block is handed on as soon as its records have arrived, so that a
 * program can ask and wait for the answer; a record of more than `maxRecordBytes` is skipped while it passes, so that
 * memory stays flat whatever arrives. A block may be a part of its chunk: it is valid until the next one is asked for.
 */
export async function* recordBlocks(
  input: AsyncIterable<Uint8Array>,
  { format, maxRecordBytes, onUnclosed }: RecordBlockOptions,
): AsyncGenerator<RecordBlock, void, undefined> {
  const scanner = format.scanner();
  /** The beginning of a record whose end has not arrived. */
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let skipping = false;

  for await (const bytes of input) {
    const { first, last } = scanner.bounds(bytes);
    let start = 0;
    if (first > 0 && (skipping || begunBytes + first - 1 > maxRecordBytes)) {
      // The record that a former chunk began ends here and is too long: what follows it is not.
      yield undefined;
      begun = [];
      begunBytes = 0;
      skipping = false;
      start = first;
    }
    if (skipping) continue;
    const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (last > start) {
      const records = chunk.subarray(start, last);
      yield begun.length === 0 ? records : Buffer.concat([...begun, records]);
      begun = [];
      begunBytes = 0;
      start = last;
    }
    if (start === chunk.length) continue;
    begunBytes += chunk.length - start;
    if (begunBytes <= maxRecordBytes) {
      // Whoever reads the stream may use the chunk's memory again.
      begun.push(Buffer.from(chunk.subarray(start)));
    } else {
      skipping = true;
      begun = [];
      begunBytes = 0;
    }
  }
  const opened = scanner.openedIn();
  if (opened !== undefined) onUnclosed?.(opened);
  if (skipping) yield undefined;
  else if (begun.length > 0) yield Buffer.concat(begun);
}

/** A first record, and what is left of its blocks. */
export interface TakenRecord {
  /** `undefined` where there is none, or none that can be read. */
  readonly text: string | undefined;
  readonly rest: AsyncGenerator<RecordBlock, void, undefined>;
}

/** Takes the first record, such as the header row of a CSV file. */
export async function takeRecord(
  blocks: AsyncGenerator<RecordBlock, void, undefined>,
  format: RecordFormat,
): Promise<TakenRecord> {
  const { value: block } = await blocks.next();
  if (!(block instanceof Buffer)) return { text: undefined, rest: blocks };
  const [end = block.length] = format.ends(block);
  const record = block.subarray(0, end);
  const text = isUtf8(record) ? record.toString("utf8").replace(/\r?\n$/, "") : undefined;
  return { text, rest: end < block.length ? withFirst(block.subarray(end), blocks) : blocks };
}

/** What is left of blocks behind their first records. */
export interface SkippedRecords {
  /** How many were there to skip. */
  readonly skipped: number;
  readonly rest: AsyncGenerator<RecordBlock, void, undefined>;
}

/** Passes over records that have been answered before. */
export async function skipRecords(
  blocks: AsyncGenerator<RecordBlock, void, undefined>,
  count: number,
  format: RecordFormat,
): Promise<SkippedRecords> {
  let skipped = 0;
  while (skipped < count) {
    const { value: block, done } = await blocks.next();
    if (done === true) break;
    let end = 0;
    if (block === undefined) skipped += 1;
    else {
      for (const next of format.ends(block)) {
        if (skipped === count) break;
        skipped += 1;
        end = next;
      }
      // The last record of a stream may have no line feed.
      if (skipped < count && end < block.length) {
        skipped += 1;
        end = block.length;
      }
      if (end < block.length) return { skipped, rest: withFirst(block.subarray(end), blocks) };
    }
  }
  return { skipped, rest: blocks };
}

/** Blocks with one more before them. */
export async function* withFirst(
  first: RecordBlock,
  blocks: AsyncGenerator<RecordBlock, void, undefined>,
): AsyncGenerator<RecordBlock, void, undefined> {
  yield first;
  yield* blocks;
}
