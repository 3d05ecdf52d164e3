import type { RecordBlock } from "../batch/record-blocks.ts";

/** One object of a listing. */
export interface ListedObject {
  readonly bucket: string;
  readonly key: string;
}

// As many as a page of a listing has: each page is signed while the next one is on its way.
const BLOCK_OBJECTS = 1000;

/** A listing as a manifest: a line of JSON for each object, whose name stands in the field `name`. */
export async function* keyBlocks(
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
