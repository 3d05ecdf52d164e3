/** Where records end in a chunk of a stream: past the first and past the last one, 0 where none ends. */
export interface RecordBounds {
  readonly first: number;
  readonly last: number;
}

/** Follows one stream, chunk after chunk. */
export interface RecordScanner {
  bounds(chunk: Uint8Array): RecordBounds;
  /** The line of the stream, from 1, in which a quote has opened that nothing has closed yet. */
  openedIn(): number | undefined;
}

/** How a stream of bytes is cut into records. */
export interface RecordFormat {
  /**
   * How much of a file is read at a time: large enough that a thread is worth its wake-up, small enough that a few of
   * them and their answers are little memory.
   */
  readonly chunkBytes: number;
  scanner(): RecordScanner;
  /** Past the line feed of each record of a block that begins with one. A last record without line feed is not given. */
  ends(block: Buffer): Iterable<number>;
  /** Whether every line feed of this block ends a record. */
  isPlain(block: Buffer): boolean;
}

const LINE_FEED = 10;
const QUOTE = 34;
const COMMA = 44;

/** A record is a line. */
export const LINES: RecordFormat = {
  chunkBytes: 256 * 1024,
  scanner: () => ({ bounds: lineBounds, openedIn: () => undefined }),
  *ends(block) {
    for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, end + 1)) yield end + 1;
  },
  isPlain: () => true,
};

/** Where in a record of CSV a byte stands. */
type Place = typeof START | typeof PLAIN | typeof QUOTED | typeof CLOSED;
const START = 0;
const PLAIN = 1;
const QUOTED = 2;
/** Behind a quote in a quoted cell: another one would be a doubled one, and all else is behind its end. */
const CLOSED = 3;

function placeAfter(place: Place, byte: number | undefined): Place {
  if (place === QUOTED) return byte === QUOTE ? CLOSED : QUOTED;
  if (byte === LINE_FEED || byte === COMMA) return START;
  return byte === QUOTE && place !== PLAIN ? QUOTED : PLAIN;
}

/**
 * RFC 4180: a line feed between quotes belongs to a value. Only a quote at the beginning of a cell opens one: in
 * `5" disk.jpg` it is a character like any other, and must not swallow the records that follow.
 */
export const CSV_RECORDS: RecordFormat = {
  // A record may be one short cell, and its answer twenty times as long.
  chunkBytes: 64 * 1024,
  scanner() {
    let place: Place = START;
    let line = 1;
    let opened = 1;
    return {
      openedIn: () => (place === QUOTED ? opened : undefined),
      bounds(chunk) {
        if (place !== QUOTED && !chunk.includes(QUOTE)) {
          line += countLines(chunk);
          // What a last cell begins with decides what a quote in the next chunk means.
          const last = chunk.at(-1);
          if (last !== undefined) place = placeAfter(PLAIN, last);
          return lineBounds(chunk);
        }
        let first = 0;
        let last = 0;
        for (let i = 0; i < chunk.length; i++) {
          const byte = chunk[i];
          if (byte === LINE_FEED) {
            line += 1;
            if (place !== QUOTED) {
              last = i + 1;
              first ||= last;
            }
          }
          if (byte === QUOTE && place === START) opened = line;
          place = placeAfter(place, byte);
        }
        return { first, last };
      },
    };
  },
  *ends(block) {
    let place: Place = START;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i];
      if (byte === LINE_FEED && place !== QUOTED) yield i + 1;
      place = placeAfter(place, byte);
    }
  },
  isPlain: (block) => !block.includes(QUOTE),
};

function countLines(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}

function lineBounds(chunk: Uint8Array): RecordBounds {
  return { first: chunk.indexOf(LINE_FEED) + 1, last: chunk.lastIndexOf(LINE_FEED) + 1 };
}
