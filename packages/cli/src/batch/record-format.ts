/** Where records end in a chunk of a stream: past the first and past the last one, 0 where none ends. */
export interface RecordBounds {
  readonly first: number;
  readonly last: number;
}

/** How a stream of bytes is cut into records. */
export interface RecordFormat {
  /**
   * How much of a file is read at a time: large enough that a thread is worth its wake-up, small enough that a few of
   * them and their answers are little memory.
   */
  readonly chunkBytes: number;
  /** Follows one stream, chunk after chunk. */
  scanner(): (chunk: Uint8Array) => RecordBounds;
  /** Past the line feed of each record of a block that begins with one. A last record without line feed is not given. */
  ends(block: Buffer): Iterable<number>;
  /** Whether every line feed of this block ends a record. */
  isPlain(block: Buffer): boolean;
}

const LINE_FEED = 10;
const QUOTE = 34;

/** A record is a line. */
export const LINES: RecordFormat = {
  chunkBytes: 256 * 1024,
  scanner: () => lineBounds,
  *ends(block) {
    for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, end + 1)) yield end + 1;
  },
  isPlain: () => true,
};

/**
 * RFC 4180: a line feed between quotes belongs to a value. A quote inside a value is doubled, so that counting quotes is
 * enough: behind an even number of them nothing is open.
 */
export const CSV_RECORDS: RecordFormat = {
  // A record may be one short cell, and its answer twenty times as long.
  chunkBytes: 64 * 1024,
  scanner() {
    let quoted = false;
    return (chunk) => {
      if (!chunk.includes(QUOTE)) return quoted ? { first: 0, last: 0 } : lineBounds(chunk);
      let first = 0;
      let last = 0;
      for (let i = 0; i < chunk.length; i++) {
        const byte = chunk[i];
        if (byte === QUOTE) quoted = !quoted;
        else if (byte === LINE_FEED && !quoted) {
          last = i + 1;
          first ||= last;
        }
      }
      return { first, last };
    };
  },
  *ends(block) {
    let quoted = false;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i];
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LINE_FEED && !quoted) yield i + 1;
    }
  },
  isPlain: (block) => !block.includes(QUOTE),
};

function lineBounds(chunk: Uint8Array): RecordBounds {
  return { first: chunk.indexOf(LINE_FEED) + 1, last: chunk.lastIndexOf(LINE_FEED) + 1 };
}
