/** The ends of the first and the last record in a chunk. 0 if none ends. */
export interface RecordBounds {
  readonly first: number;
  readonly last: number;
}

/** Scans the chunks of one stream. */
export interface RecordScanner {
  bounds(chunk: Uint8Array): RecordBounds;
  /** The line, from 1, in which an unclosed quote opened. */
  openedIn(): number | undefined;
}

/** The rules that split a stream into records. */
export interface RecordFormat {
  /** The size of a file chunk: large enough to be worth the wake-up of a thread, small enough to keep memory low. */
  readonly chunkBytes: number;
  scanner(): RecordScanner;
  /** The end of each record of a block, after its line feed. Excludes a last record without line feed. */
  ends(block: Buffer): Iterable<number>;
  /** Whether every line feed of this block ends a record. */
  isPlain(block: Buffer): boolean;
}

const LINE_FEED = 10;
const QUOTE = 34;
const COMMA = 44;

/** JSON Lines: a record is a line. */
export const LINES: RecordFormat = {
  chunkBytes: 256 * 1024,
  scanner: () => ({ bounds: lineBounds, openedIn: () => undefined }),
  *ends(block) {
    for (let end = block.indexOf(LINE_FEED); end >= 0; end = block.indexOf(LINE_FEED, end + 1)) yield end + 1;
  },
  isPlain: () => true,
};

/** The state of the CSV scanner. */
type State = typeof START | typeof PLAIN | typeof QUOTED | typeof CLOSED;
const START = 0;
const PLAIN = 1;
const QUOTED = 2;
/** After a quote in a quoted cell: a second quote is an escaped quote, anything else ends the cell. */
const CLOSED = 3;

function nextState(state: State, byte: number | undefined): State {
  if (state === QUOTED) return byte === QUOTE ? CLOSED : QUOTED;
  if (byte === LINE_FEED || byte === COMMA) return START;
  return byte === QUOTE && state !== PLAIN ? QUOTED : PLAIN;
}

/**
 * RFC 4180: a line feed in quotes belongs to the value. Only a quote at the beginning of a cell opens a quoted value, so `5" disk.jpg` does not
 * swallow the records after it.
 */
export const CSV_RECORDS: RecordFormat = {
  // A record may be one short cell, and its result twenty times as long.
  chunkBytes: 64 * 1024,
  scanner() {
    let state: State = START;
    let line = 1;
    let opened = 1;
    return {
      openedIn: () => (state === QUOTED ? opened : undefined),
      bounds(chunk) {
        if (state !== QUOTED && !chunk.includes(QUOTE)) {
          line += countLines(chunk);
          // The last byte decides whether a quote in the next chunk opens a value.
          const last = chunk.at(-1);
          if (last !== undefined) state = nextState(PLAIN, last);
          return lineBounds(chunk);
        }
        let first = 0;
        let last = 0;
        for (let i = 0; i < chunk.length; i++) {
          const byte = chunk[i];
          if (byte === LINE_FEED) {
            line += 1;
            if (state !== QUOTED) {
              last = i + 1;
              first ||= last;
            }
          }
          if (byte === QUOTE && state === START) opened = line;
          state = nextState(state, byte);
        }
        return { first, last };
      },
    };
  },
  *ends(block) {
    let state: State = START;
    for (let i = 0; i < block.length; i++) {
      const byte = block[i];
      if (byte === LINE_FEED && state !== QUOTED) yield i + 1;
      state = nextState(state, byte);
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
