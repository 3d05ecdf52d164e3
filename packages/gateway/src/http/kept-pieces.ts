/** Pieces of a body that are kept until all of it is there. */
export interface KeptPieces {
  /** Keeps a piece. A small one is copied. */
  add(piece: Uint8Array): void;
  /** All that is kept, in its order. It is kept no longer. */
  take(): Uint8Array[];
}

const SMALL = 4096;
const MOST_ROOM = 64 * 1024;

/**
 * Keeps pieces, small ones put together: a piece of one byte is an object and memory of its own, some hundred times the byte. Whoever
 * counts the bytes that he holds would hold a gigabyte of the megabytes that a client has sent one by one.
 */
export function keptPieces(): KeptPieces {
  let pieces: Uint8Array[] = [];
  let room = new Uint8Array(0);
  let filled = 0;
  let size = 0;

  function closeRoom(): void {
    if (filled > 0) pieces.push(room.subarray(0, filled));
    room = room.subarray(filled);
    filled = 0;
  }

  return {
    add(piece) {
      size += piece.length;
      if (piece.length >= SMALL) {
        closeRoom();
        pieces.push(piece);
        return;
      }
      if (filled + piece.length > room.length) {
        closeRoom();
        // As much as is kept already: what has few bytes takes little.
        room = new Uint8Array(Math.min(MOST_ROOM, Math.max(SMALL, size)));
      }
      room.set(piece, filled);
      filled += piece.length;
    },
    take() {
      closeRoom();
      const taken = pieces;
      pieces = [];
      room = new Uint8Array(0);
      size = 0;
      return taken;
    },
  };
}
