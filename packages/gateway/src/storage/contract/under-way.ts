/** Writes that have begun: who closes a driver waits for them. */
export interface UnderWay {
  /** Remembers a write until it ends, and gives it back. */
  track<T>(write: Promise<T>): Promise<T>;
  /** Resolves when all have come to their end, whatever it is. */
  ended(): Promise<void>;
}

export function underWay(): UnderWay {
  const writes = new Set<Promise<void>>();
  return {
    track(write) {
      const ended = write.then(
        () => {},
        () => {},
      );
      writes.add(ended);
      void ended.then(() => writes.delete(ended));
      return write;
    },
    async ended() {
      await Promise.all(writes);
    },
  };
}
