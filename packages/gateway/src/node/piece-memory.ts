/** What a transfer has of each of its two pieces, however many transfers there are. */
export const LEAST_BYTES: number = 64 * 1024;
/** Each piece costs a trip through the thread pool: pieces of this size halved the CPU time of a gigabyte. */
const MOST_BYTES = 2 * 1024 * 1024;
/** A small file takes few trips, and a client that then takes nothing holds little. */
const FIRST_BYTES = 512 * 1024;
/** What pieces above the least may hold together. */
export const SHARED_BYTES: number = 64 * 1024 * 1024;
/** A piece is about what the client takes in this time: whoever is slow gains nothing by a large one. */
const PIECE_SECONDS = 0.1;
/** Of each size, for the next piece: fresh memory costs as much as what is done with it. */
const SPARE_BYTES = 4 * 1024 * 1024;

/** How a transfer has come on. */
export interface Pace {
  /** Bytes that were handed to the client so far. */
  readonly sent: number;
  /** Bytes that are still to come. */
  readonly left: number;
  /** Bytes that the client took in a second, of the last piece. */
  readonly perSecond: number;
}

/** Memory for pieces of files on their way out. */
export interface PieceMemory {
  /** Bytes lent at the moment in pieces above the least. */
  readonly lent: number;
  take(pace: Pace): Buffer;
  /** Takes a piece back; of one that somebody may still look at, only the account. */
  give(piece: Buffer, options: { readonly reusable: boolean }): void;
}

/**
 * Memory that all transfers share. A client that takes nothing holds what it was given, so large pieces go to those that have proved
 * fast, and none gets more than an eighth of what is left: with many at once all pieces are small.
 */
export function pieceMemory(): PieceMemory {
  const spare = new Map<number, Buffer[]>();
  let lent = 0;

  function sizeFor({ sent, left, perSecond }: Pace): number {
    const earned = Math.max(FIRST_BYTES, sent / 4);
    const wanted = Math.min(earned, perSecond * PIECE_SECONDS, (SHARED_BYTES - lent) / 8, MOST_BYTES);
    const enough = powerAbove(Math.min(left, MOST_BYTES));
    return Math.max(LEAST_BYTES, Math.min(powerBelow(wanted), enough));
  }

  function account(size: number): number {
    return size > LEAST_BYTES ? size : 0;
  }

  return {
    get lent() {
      return lent;
    },
    take(pace) {
      const size = sizeFor(pace);
      lent += account(size);
      return spare.get(size)?.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    give(piece, { reusable }) {
      const size = piece.length;
      lent -= account(size);
      if (!reusable) return;
      const same = spare.get(size) ?? [];
      if (same.length === 0) spare.set(size, same);
      if ((same.length + 1) * size <= SPARE_BYTES) same.push(piece);
    },
  };
}

function powerBelow(bytes: number): number {
  return 2 ** (31 - Math.clz32(bytes));
}

function powerAbove(bytes: number): number {
  return 2 ** (32 - Math.clz32(bytes - 1));
}
