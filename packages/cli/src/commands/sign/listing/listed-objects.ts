import type { RecordBlock } from "../../../batch/record-blocks.ts";

/** One object of a listing. */
export interface ListedObject {
  readonly bucket: string;
  readonly key: string;
}

// The size of a page of a listing, so that one page is signed while the next one loads.
const BLOCK_OBJECTS = 1000;

/** Converts a listing to blocks of JSON Lines. `name` is the field of the object's key. */
export async function* listedBlocks(
  objects: AsyncIterable<ListedObject>,
  name: string,
): AsyncGenerator<RecordBlock, void, undefined> {
  let lines: string[] = [];
  for await (const { bucket, key } of objects) {
    lines.push(`${JSON.stringify({ bucket, [name]: key })}\n`);
    if (lines.length === BLOCK_OBJECTS) {
      yield Buffer.from(lines.join(""));
      lines = [];
    }
  }
  if (lines.length > 0) yield Buffer.from(lines.join(""));
}

/** Compares texts by their UTF-8 bytes, the order of every listing. JavaScript compares by UTF-16. */
export function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
