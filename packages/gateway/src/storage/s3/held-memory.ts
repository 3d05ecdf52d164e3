import { StorageError } from "../contract/storage.ts";

/** The memory of one upload. */
export interface HeldBytes {
  /** @throws {StorageError} `UNAVAILABLE` if all uploads together would hold too much */
  hold(bytes: number): void;
  /**
   * Like `hold` for a body of known length. Waits for other uploads to finish.
   *
   * @throws {StorageError} `UNAVAILABLE` if no memory was released in time; `INCOMPLETE_BODY` if the request was aborted
   */
  holdInTurn(bytes: number, signal?: AbortSignal): Promise<void>;
  release(): void;
}

interface Waiting {
  readonly upload: HeldBytes;
  readonly bytes: number;
  admit(): void;
}

/** Shorter than the minute after which clients, and the gateway itself, close an idle connection. */
const WAIT_MS = 20_000;

/**
 * Limits the memory of all uploads whose length or checksum is unknown before their end. Without the limit, a client with one upload URL
 * could fill the memory with a thousand slow uploads. Uploads of known length wait, because SDKs send the parts of several files at
 * once. One waiting upload at a time may exceed the limit, so that the waiting uploads cannot block each other.
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
  const message = "too many uploads announce no length or no checksum. Announce both, or try again";
  return new StorageError("UNAVAILABLE", message);
}
