import { StorageError } from "../storage.ts";

/** What one upload holds in memory. */
export interface HeldBytes {
  /** @throws {StorageError} `UNAVAILABLE` where all uploads together would hold too much */
  hold(bytes: number): void;
  release(): void;
}

/**
 * Bounds what all uploads together hold, whose length or checksum is not known before their end. Each may hold megabytes for as long as its
 * sender takes: whoever has a URL for one upload could else fill the memory with a thousand of them.
 */
export function heldMemory(most: number): () => HeldBytes {
  let total = 0;
  return () => {
    let own = 0;
    return {
      hold(bytes) {
        if (total + bytes > most) {
          throw new StorageError(
            "UNAVAILABLE",
            "expected room for an upload whose length is not known before its end, found too many of them: announce the length",
          );
        }
        own += bytes;
        total += bytes;
      },
      release() {
        total -= own;
        own = 0;
      },
    };
  };
}
