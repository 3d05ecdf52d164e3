/** Writes in progress. A driver waits for them before it closes. */
export interface PendingWrites {
  /** Remembers a write until it ends, and returns it. */
  track<T>(write: Promise<T>): Promise<T>;
  /** Resolves when all have ended, successfully or not. */
  ended(): Promise<void>;
}

export function pendingWrites(): PendingWrites {
  const writes = new Set<Promise<unknown>>();
  return {
    track(write) {
      const ended = write.catch(() => {}).finally(() => writes.delete(ended));
      writes.add(ended);
      return write;
    },
    async ended() {
      await Promise.all(writes);
    },
  };
}
