import { isUtf8 } from "node:buffer";
import type { RecordFormat } from "./record-format.ts";

/** Whole records with their line feeds, optional for the last record. `undefined` for one record that is too long. */
export type RecordBlock = Buffer | undefined;

/** Options of {@link recordBlocks}. */
export interface RecordBlockOptions {
  readonly format: RecordFormat;
  readonly maxRecordBytes: number;
  /** Called at the end of the stream with the line, from 1, of an unclosed quote. */
  readonly onUnclosed?: ((line: number) => void) | undefined;
}

/**
 * Splits a stream into blocks of whole records. Yields a block as soon as its records have arrived, so that a program can wait for each
 * result. Skips records of more than `maxRecordBytes`, so that memory stays constant. A block is valid until the next one is requested.
 */
export async function* recordBlocks(
  input: AsyncIterable<Uint8Array>,
  { format, maxRecordBytes, onUnclosed }: RecordBlockOptions,
): AsyncGenerator<RecordBlock, void, undefined> {
  const scanner = format.scanner();
  /** The beginning of an incomplete record. */
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let skipping = false;

  for await (const bytes of input) {
    const { first, last } = scanner.bounds(bytes);
    let start = 0;
    if (first > 0 && (skipping || begunBytes + first - 1 > maxRecordBytes)) {
      // The record from an earlier chunk ends here and is too long.
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
      // Copy, because the memory of the chunk is reused.
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

/** The first record and the remaining blocks. */
export interface TakenRecord {
  /** `undefined` if it is missing or not UTF-8. */
  readonly text: string | undefined;
  readonly rest: AsyncGenerator<RecordBlock, void, undefined>;
}

/** Takes the first record, such as a CSV header. */
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

/** The blocks after skipped records. */
export interface SkippedRecords {
  /** The number of records that were skipped. */
  readonly skipped: number;
  readonly rest: AsyncGenerator<RecordBlock, void, undefined>;
}

/** Skips the records that have results. */
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

/** Puts a block before others. */
export async function* withFirst(
  first: RecordBlock,
  blocks: AsyncGenerator<RecordBlock, void, undefined>,
): AsyncGenerator<RecordBlock, void, undefined> {
  yield first;
  yield* blocks;
}
