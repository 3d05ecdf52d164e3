import type { ServerResponse } from "node:http";

/** Answers that were made in memory, such as lists, and that their clients have not taken yet. */
export interface HeldAnswers {
  /** Counts an answer that has been written until the kernel has all of it, or its connection is gone. */
  hold(response: ServerResponse, bytes: number): void;
}

// 64 of the longest lists. What a file or a storage gives waits there, and not here.
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Bounds what all of them hold together. A list is a few megabytes and costs its reader one request: who opens connections with a URL for
 * it, and never reads, would else fill the memory. Who has waited longest goes first, as whoever reads is long done.
 */
export function heldAnswers(most: number = MOST_BYTES): HeldAnswers {
  const held = new Map<ServerResponse, number>();
  let total = 0;

  function release(response: ServerResponse): void {
    total -= held.get(response) ?? 0;
    held.delete(response);
  }

  return {
    hold(response, bytes) {
      held.set(response, bytes);
      total += bytes;
      const done = (): void => release(response);
      response.once("finish", done).once("close", done);
      for (const oldest of held.keys()) {
        if (total <= most) break;
        release(oldest);
        oldest.destroy();
      }
    },
  };
}
