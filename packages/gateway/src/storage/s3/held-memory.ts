import { StorageError } from "../contract/storage.ts";

/** What one upload holds in memory. */
export interface HeldBytes {
  /** @throws {StorageError} `UNAVAILABLE` where all uploads together would hold too much */
  hold(bytes: number): void;
  /**
   * The same for a body of known length, which ends: waits in turn for others to end.
   *
   * @throws {StorageError} `UNAVAILABLE` where there was no room for a while, `INCOMPLETE_BODY` where the request was given up
   */
  holdInTurn(bytes: number, signal?: AbortSignal): Promise<void>;
  release(): void;
}

interface Waiting {
  readonly upload: HeldBytes;
  readonly bytes: number;
  admit(): void;
}

/** Clients, and the gateway itself, give a connection a minute without a byte. */
const WAIT_MS = 20_000;

/**
 * Bounds what all uploads together hold, whose length or checksum is not known before their end. Each may hold megabytes for as long as its
 * sender takes: whoever has a URL for one upload could else fill the memory with a thousand of them. Those whose length is known wait
 * for room, as every SDK sends the parts of a few files at once. So that they do not wait for each other, one of them may hold all it needs.
 */
export function heldMemory(
  most: number,
  { waitMs = WAIT_MS }: { readonly waitMs?: number | undefined } = {},
): () => HeldBytes {
  let total = 0;
  let favoured: HeldBytes | undefined;
  const queue = new Set<Waiting>();

  function admit(): void {
    for (const next of queue) {
      if (total + next.bytes > most) {
        if (favoured !== undefined) return;
        favoured = next.upload;
      }
      next.admit();
    }
  }

  return () => {
    let own = 0;
    const take = (bytes: number): void => {
      own += bytes;
      total += bytes;
    };
    const upload: HeldBytes = {
      hold(bytes) {
        if (total + bytes > most) throw noRoom();
        take(bytes);
      },
      async holdInTurn(bytes, signal) {
        if (upload === favoured || total + bytes <= most) {
          take(bytes);
          return;
        }
        await new Promise<void>((resolve, reject) => {
          const leave = (): void => {
            clearTimeout(timer);
            signal?.removeEventListener("abort", giveUp);
            queue.delete(waiting);
          };
          const waiting: Waiting = {
            upload,
            bytes,
            admit() {
              leave();
              take(bytes);
              resolve();
            },
          };
          const refuse = (error: StorageError): void => {
            leave();
            reject(error);
          };
          const giveUp = (): void => refuse(new StorageError("INCOMPLETE_BODY", "the request was aborted"));
          const timer = setTimeout(() => refuse(noRoom()), waitMs);
          queue.add(waiting);
          signal?.addEventListener("abort", giveUp);
          if (signal?.aborted === true) giveUp();
          admit();
        });
      },
      release() {
        total -= own;
        own = 0;
        if (upload === favoured) favoured = undefined;
        admit();
      },
    };
    return upload;
  };
}

function noRoom(): StorageError {
  return new StorageError(
    "UNAVAILABLE",
    "expected room for an upload whose length or checksum is not known before its end, found too many of them: announce both",
  );
}
