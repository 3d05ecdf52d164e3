/**
 * Opening a file that a client names, by the rules of `docs/decisions/0010-file-access.md`: a regular file, below the root,
 * reached through no symbolic link, and never a wait.
 */
import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  open,
  openSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from "node:fs";
import { platform } from "node:process";
import { errnoOf } from "../errors.ts";
import { fingerprintOf } from "./fingerprint.ts";

/** O_NOFOLLOW refuses a link at the end of the path; O_NONBLOCK keeps a FIFO without a writer from stopping the process. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Nothing there, a file where the path needs a folder, a link loop, a name too long, a name of characters that the file system does not know (APFS,
 * of those that are newer than it), a FIFO or socket without a peer.
 */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EILSEQ", "ENXIO"]);

/** Where a path really leads, once it is open: a name looked up again could have changed in between. */
const pathOf: (fd: number, path: string) => string =
  platform === "linux" ? (fd) => readlinkSync(`/proc/self/fd/${fd}`) : (_fd, path) => realpathSync.native(path);

export interface OpenedFile {
  readonly fd: number;
  readonly stats: BigIntStats;
}

/** An exception costs three times the answer `undefined`. */
const QUIETLY = { throwIfNoEntry: false } as const;

/** `lstat` that takes every form of absence for `undefined`. */
export function lstatOrAbsent(path: string): Stats | undefined {
  try {
    return lstatSync(path, QUIETLY);
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Opens a regular file at exactly this path; `undefined` when there is none. */
export function openRegular(path: string): OpenedFile | undefined {
  return unlessAbsent(() => examine(openSync(path, READ_FLAGS), path));
}

/** The same without holding up the loop while the disk seeks. */
export async function openRegularLater(path: string): Promise<OpenedFile | undefined> {
  const fd = await new Promise<number | undefined>((resolve, reject) => {
    open(path, READ_FLAGS, (error, opened) => {
      if (error === null) resolve(opened);
      else if (ABSENT.has(error.code ?? "")) resolve(undefined);
      else reject(error);
    });
  });
  return fd === undefined ? undefined : unlessAbsent(() => examine(fd, path));
}

/** Whether an open descriptor is the file at this path of the root, not one that a symlinked folder led to. */
export function liesAt(fd: number, path: string): boolean {
  const real = pathOf(fd, path);
  // A file that was replaced or deleted since it was opened. It lay at the path when it lost its name.
  return real === path || real === `${path} (deleted)`;
}

/**
 * Whether the bytes of an open file are still those that were there when it was opened. Whoever writes into it makes the time another; so does
 * whoever appends to it, as to a log, and leaves them as they were. What has grown is taken for that: nothing tells it from a file that was written
 * over by a longer one.
 */
export function isUnchanged({ fd, stats }: OpenedFile): boolean {
  const now = fstatSync(fd, { bigint: true });
  return now.size > stats.size || fingerprintOf(now) === fingerprintOf(stats);
}

function examine(fd: number, path: string): OpenedFile | undefined {
  let kept = false;
  try {
    const stats = fstatSync(fd, { bigint: true });
    kept = stats.isFile() && liesAt(fd, path);
    return kept ? { fd, stats } : undefined;
  } finally {
    if (!kept) closeSync(fd);
  }
}

/** Takes every form of absence for `undefined`. */
export function unlessAbsent<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
