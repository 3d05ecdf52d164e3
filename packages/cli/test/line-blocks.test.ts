import fc from "fast-check";
import { expect, test } from "vitest";
import { answerBlock } from "../src/batch/answer-block.ts";
import { lineBlocks } from "../src/batch/line-blocks.ts";

const MAX = 40;

/** The lines that a stream of these chunks holds, `undefined` for one that could not be read. */
async function linesOf(chunks: readonly Uint8Array[]): Promise<readonly (string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  async function* input(): AsyncGenerator<Uint8Array> {
    yield* chunks;
  }
  for await (const block of lineBlocks(input(), MAX)) {
    await answerBlock(block, (line) => {
      lines.push(line);
      return { text: "", refused: false };
    });
  }
  return lines;
}

test("finds the same lines however the stream is cut", async () => {
  const line = fc.string({ unit: fc.constantFrom("a", "é", "🙂", " ", "\r"), maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1 }),
      fc.array(fc.nat(300)),
      fc.boolean(),
      async (texts, cuts, ended) => {
        // A stream that ends in a line feed has no empty line after it.
        const expected = ended || texts.at(-1) !== "" ? texts : texts.slice(0, -1);
        const bytes = Buffer.from(texts.join("\n") + (ended ? "\n" : ""));
        const places = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
          (a, b) => a - b,
        );
        const chunks = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
        expect(await linesOf(chunks)).toEqual(expected);
      },
    ),
  );
});

test("gives one answer to a line that is too long, and finds the next one", async () => {
  const long = Buffer.from("x".repeat(1000));
  const feed = Buffer.from("\n");
  const good = Buffer.from("good\n");
  expect(await linesOf([good, long, long, feed, good])).toEqual(["good", undefined, "good"]);
  expect(await linesOf([long, Buffer.from("x\ngood\n"), good])).toEqual([undefined, "good", "good"]);
  expect(await linesOf([Buffer.from("go"), Buffer.from("od\nsecond\n")])).toEqual(["good", "second"]);
  expect(await linesOf([Buffer.alloc(MAX - 1, "x"), Buffer.from("xxx\ngood\n")])).toEqual([undefined, "good"]);
  expect(await linesOf([long])).toEqual([undefined]);
  expect(await linesOf([])).toEqual([]);
});
