/** Several whole lines, each but perhaps the last with its line feed; or a line too long to be kept. */
export type LineBlock = { readonly kind: "lines"; readonly bytes: Uint8Array } | { readonly kind: "too-long" };

const LINE_FEED = 10;

/**
 * Cuts a stream of bytes into blocks of whole lines. A block is handed on as soon as its lines have arrived, so that a
 * program can ask and wait for the answer; a line of more than `maxLineBytes` is skipped while it passes, so that
 * memory stays flat whatever arrives.
 */
export async function* lineBlocks(
  input: AsyncIterable<Uint8Array>,
  maxLineBytes: number,
): AsyncGenerator<LineBlock, void, undefined> {
  /** The beginning of a line whose end has not arrived. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let skipping = false;

  for await (let chunk of input) {
    if (skipping) {
      const end = chunk.indexOf(LINE_FEED);
      if (end < 0) continue;
      yield { kind: "too-long" };
      skipping = false;
      chunk = chunk.subarray(end + 1);
    }
    const first = chunk.indexOf(LINE_FEED);
    if (first >= 0 && begunBytes + first > maxLineBytes) {
      // The line that a former chunk began ends here and is too long: what follows it is not.
      yield { kind: "too-long" };
      begun = [];
      begunBytes = 0;
      chunk = chunk.subarray(first + 1);
    }
    const end = chunk.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      const lines = chunk.subarray(0, end);
      yield { kind: "lines", bytes: begun.length === 0 ? lines : Buffer.concat([...begun, lines]) };
      begun = [];
      begunBytes = 0;
    }
    if (end === chunk.length) continue;
    const rest = chunk.subarray(end);
    begunBytes += rest.length;
    if (begunBytes <= maxLineBytes) {
      begun.push(rest);
    } else {
      skipping = true;
      begun = [];
      begunBytes = 0;
    }
  }
  if (skipping) yield { kind: "too-long" };
  else if (begun.length > 0) yield { kind: "lines", bytes: Buffer.concat(begun) };
}
