import { constants, type FileHandle, open } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { ExistingResults } from "./existing-results.ts";

/** The input of a batch. */
export interface BatchInput {
  /** Chunks of bytes. The memory of a chunk is reused, so it is valid until the next chunk is requested. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The part that has been read, 0 to 1. `undefined` if the size is unknown. */
  readonly done: () => number | undefined;
}

/** Opens an input file. */
export async function inputFile(path: string, chunkBytes: number): Promise<BatchInput> {
  const handle = await open(path);
  const stats = await handle.stat();
  if (stats.isDirectory()) {
    await handle.close();
    // Opening a folder succeeds, only its first read fails.
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
  // Pipes and devices have no size.
  return { chunks: counted(), done: () => (size === 0 ? undefined : Math.min(1, read / size)) };
}

// Two buffers take turns: one is filled while the other one is processed.
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
    // If the consumer stops, this read is never awaited.
    reading.catch(() => undefined);
    yield chunk;
  }
}

// The file belongs to another user, or its file system has no modes.
const NO_MODE: readonly (string | undefined)[] = ["EPERM", "ENOTSUP"];

/** Options of {@link outputFile}. */
export interface OutputFileOptions {
  readonly existing: ExistingResults | undefined;
  /** Called if the mode of an existing file cannot be changed, so that other users may be able to read the results. */
  readonly onOpenMode: () => Promise<void>;
}

/** Opens the output file, empty or after the existing results. Sets the mode 0600, because a URL is a secret. */
export async function outputFile(path: string, { existing, onOpenMode }: OutputFileOptions): Promise<Writable> {
  // Do not truncate yet: a file that cannot be written must stay unchanged.
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    // Pipes and terminals have no mode and no positions.
    if (!(await handle.stat()).isFile()) return handle.createWriteStream();
    await handle.chmod(0o600).catch(async (error: NodeJS.ErrnoException) => {
      if (!NO_MODE.includes(error.code)) throw error;
      await onOpenMode();
    });
    const start = existing?.bytes ?? 0;
    await handle.truncate(start);
    return handle.createWriteStream({ start });
  } catch (error) {
    await handle.close();
    throw error;
  }
}
