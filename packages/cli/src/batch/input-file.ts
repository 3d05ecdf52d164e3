import { type FileHandle, open } from "node:fs/promises";

/** A stream of bytes that goes through a batch. */
export interface BatchInput {
  /** Chunks whose memory is used again: each is valid until the next one is asked for. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The part that has been read, 0 to 1; `undefined` where the end is not known. */
  readonly done: () => number | undefined;
}

/** Opens a file to be read from its beginning to its end. */
export async function inputFile(path: string, chunkBytes: number): Promise<BatchInput> {
  const handle = await open(path);
  const stats = await handle.stat();
  if (stats.isDirectory()) {
    await handle.close();
    // A folder can be opened, and only its first read fails.
    throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
  }
  const { size } = stats;
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of fileChunks(handle, chunkBytes)) {
        read += chunk.length;
        yield chunk;
      }
    } finally {
      await handle.close();
    }
  }
  // A pipe or a device has no size.
  return { chunks: counted(), done: () => (size === 0 ? undefined : Math.min(1, read / size)) };
}

// Two pieces of memory take turns: one is read into while the other is worked on.
async function* fileChunks(handle: FileHandle, size: number): AsyncGenerator<Uint8Array> {
  let current = new Uint8Array(size);
  let other = new Uint8Array(size);
  let reading = handle.read(current, 0, size);
  for (;;) {
    const { bytesRead } = await reading;
    if (bytesRead === 0) return;
    const chunk = current.subarray(0, bytesRead);
    [current, other] = [other, current];
    reading = handle.read(current, 0, size);
    // Whoever stops early leaves this one behind.
    reading.catch(() => undefined);
    yield chunk;
  }
}
