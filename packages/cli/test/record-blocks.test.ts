import fc from "fast-check";
import { expect, test } from "vitest";
import { processBlock } from "../src/batch/process-block.ts";
import { recordBlocks, skipRecords } from "../src/batch/record-blocks.ts";
import { CSV_RECORDS, LINES, type RecordFormat } from "../src/batch/record-format.ts";
import { TOO_LONG, type Unreadable } from "../src/lines/answer.ts";

const MAX = 40;

/** The records of a stream of these chunks, or the reason why one could not be read. */
async function recordsOf(
  chunks: readonly Uint8Array[],
  { format = LINES, skip = 0 }: { readonly format?: RecordFormat; readonly skip?: number } = {},
): Promise<readonly (string | Unreadable)[]> {
  const records: (string | Unreadable)[] = [];
  const memory = Buffer.alloc(4096);
  async function* input(): AsyncGenerator<Uint8Array> {
    // The reader of a file reuses the memory of its chunks.
    for (const chunk of chunks) yield memory.subarray(0, Buffer.from(chunk).copy(memory));
  }
  const processLine = (record: string | Unreadable) => {
    records.push(record);
    return { text: "", refused: false };
  };
  const { rest } = await skipRecords(recordBlocks(input(), { format, maxRecordBytes: MAX }), skip, format);
  for await (const block of rest) await processBlock(block, { processLine, format }, new Uint8Array(10));
  return records;
}

/** Splits bytes at these places. */
function cutAt(bytes: Buffer, cuts: readonly number[]): readonly Uint8Array[] {
  const inside = cuts.filter((cut) => cut < bytes.length);
  const places = [...new Set([0, ...inside, bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

const cuts = fc.array(fc.nat(300));
const text = (...units: readonly string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 8 });

test("finds the same lines for any chunks of the stream", async () => {
  const line = text("a", "é", "🙂", " ", "\r", '"');
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1 }),
      cuts,
      fc.boolean(),
      fc.nat(9),
      async (texts, at, ended, skip) => {
        // A stream that ends in a line feed has no empty line after it.
        const expected = ended || texts.at(-1) !== "" ? texts : texts.slice(0, -1);
        const chunks = cutAt(Buffer.from(texts.join("\n") + (ended ? "\n" : "")), at);
        expect(await recordsOf(chunks)).toEqual(expected);
        expect(await recordsOf(chunks, { skip })).toEqual(expected.slice(skip));
      },
    ),
  );
});

test("finds the same CSV records for any chunks of the stream", async () => {
  const cell = fc.oneof(
    text("a", "é", " "),
    // Inches: a quote inside an unquoted cell is a character.
    text("a", '"', " ").map((inside) => `5${inside}`),
    text("a", "\n", ",", "é", '""').map((inside) => `"${inside}"`),
  );
  const record = fc.array(cell, { minLength: 1, maxLength: 3 }).map((cells) => cells.join(","));
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1 }),
      cuts,
      fc.boolean(),
      fc.nat(9),
      async (texts, at, ended, skip) => {
        const expected = ended || texts.at(-1) !== "" ? texts : texts.slice(0, -1);
        fc.pre(texts.every((one) => Buffer.byteLength(one) <= MAX));
        const chunks = cutAt(Buffer.from(texts.join("\n") + (ended ? "\n" : "")), at);
        expect(await recordsOf(chunks, { format: CSV_RECORDS })).toEqual(expected);
        expect(await recordsOf(chunks, { format: CSV_RECORDS, skip })).toEqual(expected.slice(skip));
      },
    ),
  );
});

test("returns one result for a line that is too long, and finds the next line", async () => {
  const long = Buffer.from("x".repeat(1000));
  const feed = Buffer.from("\n");
  const good = Buffer.from("good\n");
  expect(await recordsOf([good, long, long, feed, good])).toEqual(["good", TOO_LONG, "good"]);
  expect(await recordsOf([long, Buffer.from("x\ngood\n"), good])).toEqual([TOO_LONG, "good", "good"]);
  expect(await recordsOf([Buffer.from("go"), Buffer.from("od\nsecond\n")])).toEqual(["good", "second"]);
  expect(await recordsOf([Buffer.alloc(MAX - 1, "x"), Buffer.from("xxx\ngood\n")])).toEqual([TOO_LONG, "good"]);
  expect(await recordsOf([long])).toEqual([TOO_LONG]);
  expect(await recordsOf([])).toEqual([]);
});

test("reports the line of an unclosed quote", async () => {
  const unclosedIn = async (csv: string, at: readonly number[] = []): Promise<number | undefined> => {
    let line: number | undefined;
    async function* input(): AsyncGenerator<Uint8Array> {
      yield* cutAt(Buffer.from(csv), at);
    }
    const onUnclosed = (found: number): void => {
      line = found;
    };
    for await (const _ of recordBlocks(input(), { format: CSV_RECORDS, maxRecordBytes: MAX, onUnclosed }));
    return line;
  };
  for (const at of [[], [1], [2, 5], [3, 4, 5, 6, 7, 8, 9, 10]]) {
    expect(await unclosedIn('key\na\n"b\nc\nd\n', at)).toBe(3);
    expect(await unclosedIn('key\n"a\nb"\nc,"\n', at)).toBe(4);
    expect(await unclosedIn('key\na\nb"ad\nc\n', at)).toBe(undefined);
    expect(await unclosedIn('key\n"a"""\n"b"c"\nd', at)).toBe(undefined);
    expect(await unclosedIn(`key\n"${"x\n".repeat(100)}`, at)).toBe(2);
  }
});
