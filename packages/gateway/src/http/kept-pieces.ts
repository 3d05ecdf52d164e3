/** Collects the pieces of a body. */
export interface KeptPieces {
  /** Adds a piece. A small one is copied. */
  add(piece: Uint8Array): void;
  /** Returns all pieces in order, and forgets them. */
  take(): Uint8Array[];
}

const SMALL = 4096;
const MOST_ROOM = 64 * 1024;

/**
 * Joins small pieces: a piece of one byte is an object with its own memory, about a hundred times the byte. A limit of megabytes would allow
 * a client that sends byte by byte a gigabyte.
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
        // As much as there is already, so a small body takes little memory.
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
