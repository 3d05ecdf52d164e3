/** Reading and copying the bytes of an open file. */
import { constants, copyFile, fchmodSync, fstatSync, read, write } from "node:fs";
import { platform } from "node:process";
import type { StorageError } from "../../contract/storage.ts";
import { unavailable } from "../errors.ts";
import { isUnchanged, type OpenedFile } from "./open-file.ts";

/** As large as the pieces of an upload. */
const PIECE = 1024 * 1024;

/** Part of an open file. */
export interface FileRange {
  readonly fd: number;
  readonly start: number;
  readonly length: number;
}

/** Reads a range as the body of an upload. All pieces share one buffer: the upload copies each before it asks for the next. */
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

/** Fails at the end if another process has written into the file: its bytes are then of no single version. */
export async function* unchangedBody(
  file: OpenedFile,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* body;
  if (!isUnchanged(file)) throw unavailable("the source changed while it was copied");
}

/** Copies a range into another file. */
export async function copyRange(
  from: FileRange,
  to: { readonly fd: number; readonly position: number },
): Promise<void> {
  let position = to.position;
  for await (const piece of rangeBody(from)) {
    for (let written = 0; written < piece.length; ) {
      written += await writeAt(to.fd, piece.subarray(written), position + written);
    }
    position += piece.length;
  }
}

/**
 * Copies a whole file: shares its blocks if the file system can (btrfs, XFS), else reads and writes them. The kernel's own copy
 * is not used: libuv repeats it forever in one of its four threads if the source is truncated meanwhile.
 */
export async function copyWhole(from: number, to: number): Promise<void> {
  if (platform === "linux" && (await sharesBlocks(from, to))) return;
  const { size } = fstatSync(from);
  await copyRange({ fd: from, start: 0, length: size }, { fd: to, position: 0 });
}

/** On Linux an open file has its own path, so both files are the ones that were checked. */
async function sharesBlocks(from: number, to: number): Promise<boolean> {
  const { mode } = fstatSync(to);
  const shared = await new Promise<boolean>((resolve) => {
    // Any other failure shows when the bytes are read and written.
    copyFile(`/proc/self/fd/${from}`, `/proc/self/fd/${to}`, constants.COPYFILE_FICLONE_FORCE, (error) =>
      resolve(error === null),
    );
  });
  // The copy has the permissions of its source, which may be private.
  fchmodSync(to, mode);
  return shared;
}

function readAt(fd: number, buffer: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, buffer, 0, buffer.length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** `write(2)` may take fewer bytes than it is given. */
export function writeAt(fd: number, buffer: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, buffer, 0, buffer.length, position, (error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

function shrunk(): StorageError {
  return unavailable("another process is truncating the file");
}
