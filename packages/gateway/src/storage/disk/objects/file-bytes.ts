/** The bytes of an open file for whoever writes them elsewhere. */
import { constants, copyFile, fchmodSync, fstatSync, read, write } from "node:fs";
import { platform } from "node:process";
import { StorageError } from "../../contract/storage.ts";
import { isUnchanged, type OpenedFile } from "./open-file.ts";

/** As large as what an upload writes at once. */
const PIECE = 1024 * 1024;

/** Part of an open file. */
export interface FileRange {
  readonly fd: number;
  readonly start: number;
  readonly length: number;
}

/** Reads a range as the body of an upload, which copies each piece before it asks for the next: they share one buffer. */
export async function* rangeBody({ fd, start, length }: FileRange): AsyncGenerator<Uint8Array, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, length));
  for (let done = 0; done < length; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, length - done));
    const got = await readAt(fd, wanted, start + done);
    if (got === 0) throw shrunk();
    yield wanted.subarray(0, got);
    done += got;
  }
}

/** Fails at its end where somebody has written into the file meanwhile: its bytes are of no version that ever was. */
export async function* unchangedBody(
  file: OpenedFile,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* body;
  if (!isUnchanged(file)) throw new StorageError("UNAVAILABLE", "the source changed while it was copied");
}

/** Copies a range into another file. */
export async function copyRange(
  from: FileRange,
  to: { readonly fd: number; readonly position: number },
): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE, from.length));
  for (let done = 0; done < from.length; ) {
    const wanted = buffer.subarray(0, Math.min(buffer.length, from.length - done));
    const got = await readAt(from.fd, wanted, from.start + done);
    if (got === 0) throw shrunk();
    for (let written = 0; written < got; ) {
      written += await writeAt(to.fd, wanted.subarray(written, got), to.position + done + written);
    }
    done += got;
  }
}

/**
 * Copies a whole file: shares its blocks where the file system can (btrfs, XFS), else reads and writes them. Not by the kernel's own copy:
 * libuv asks for it again and again, and for ever on one of its four threads, when somebody cuts the source short meanwhile.
 */
export async function copyWhole(from: number, to: number): Promise<void> {
  if (platform === "linux" && (await sharesBlocks(from, to))) return;
  await copyRange({ fd: from, start: 0, length: fstatSync(from).size }, { fd: to, position: 0 });
}

/** Linux names an open file by its number, so neither end is looked up by a path that could have changed. */
async function sharesBlocks(from: number, to: number): Promise<boolean> {
  const { mode } = fstatSync(to);
  const shared = await new Promise<boolean>((resolve) => {
    // What else may be wrong shows when the bytes are read and written.
    copyFile(`/proc/self/fd/${from}`, `/proc/self/fd/${to}`, constants.COPYFILE_FICLONE_FORCE, (error) =>
      resolve(error === null),
    );
  });
  // The copy has the rights of its source, which may be a file that nobody else may read.
  fchmodSync(to, mode);
  return shared;
}

function readAt(fd: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

function writeAt(fd: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, buffer, 0, buffer.length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

function shrunk(): StorageError {
  return new StorageError("UNAVAILABLE", "another process is truncating the file");
}
