/**
 * Opening a file that a client names, by the rules of `docs/decisions/0010-file-access.md`: a regular file, below the root,
 * reached through no symbolic link, and without waiting. And what identifies its bytes.
 */
import { createHash } from "node:crypto";
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

/** O_NOFOLLOW refuses a link at the end of the path. O_NONBLOCK returns from a FIFO without a writer. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * No entry, a file in place of a folder, a link loop, a name too long, a name with characters newer than the file system (APFS),
 * or a FIFO or socket without a peer.
 */
const ABSENT = new Set(["ENOENT", "ENOTDIR", "ELOOP", "ENAMETOOLONG", "EILSEQ", "ENXIO"]);

/** The real path of an open file. A second lookup by name could find another file. */
const pathOf: (fd: number, path: string) => string =
  platform === "linux" ? (fd) => readlinkSync(`/proc/self/fd/${fd}`) : (_fd, path) => realpathSync.native(path);

export interface OpenedFile {
  readonly fd: number;
  readonly stats: BigIntStats;
}

/** An exception costs three times as much as `undefined`. */
const QUIETLY = { throwIfNoEntry: false } as const;

/** `lstat`, with `undefined` for every form of absence. */
export function lstatOrAbsent(path: string): Stats | undefined {
  return unlessAbsent(() => lstatSync(path, QUIETLY));
}

/** Runs a step, with `undefined` for every form of absence. */
export function unlessAbsent<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    if (ABSENT.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Opens a regular file at exactly this path; `undefined` if absent. */
export function openRegular(path: string): OpenedFile | undefined {
  return unlessAbsent(() => examine(openSync(path, READ_FLAGS), path));
}

/** The same in a thread, while the disk seeks. */
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

/** Whether an open descriptor is the file at this path. False if a folder on the way is a symbolic link. */
export function liesAt(fd: number, path: string): boolean {
  const real = pathOf(fd, path);
  // Linux adds the suffix to a file that was replaced or deleted after it was opened.
  return real === path || real === `${path} (deleted)`;
}

/**
 * Whether the bytes of an open file are still those at its opening. A write changes the time. A file that has grown counts as
 * appended to, like a log. Nothing distinguishes it from a file that was overwritten by a longer one.
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

/** `inode:size:mtime`, the time in nanoseconds. Identifies the bytes of a file without reading them. */
export function fingerprintOf(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** Whether two fingerprints are a file's and its copy's: another inode, with the same size and time. */
export function isSameButForInode(one: string, other: string): boolean {
  return one !== other && one.slice(one.indexOf(":")) === other.slice(other.indexOf(":"));
}

/** The ETag of a file that was not uploaded. It contains a `-`, so that no client reads it as an MD5. */
export function foreignEtag(fingerprint: string): string {
  return `${createHash("sha256").update(fingerprint).digest("hex").slice(0, 32)}-f`;
}

/** The first and the last time whose year has four digits, as HTTP and XML require. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

/** When a file was changed. Some file systems keep times outside of what an HTTP date can express. */
export function modifiedAt(nanoseconds: bigint): Date {
  return new Date(Math.min(Math.max(Number(nanoseconds / 1_000_000n), FIRST_MS), LAST_MS));
}

/** The numbers of a plain `lstat`, which each request compares with a cached file. */
export type FileIdentity = Pick<Stats, "dev" | "ino" | "size" | "mtimeMs" | "ctimeMs">;

export function identityOf(stats: BigIntStats): FileIdentity {
  return {
    dev: Number(stats.dev),
    ino: Number(stats.ino),
    size: Number(stats.size),
    mtimeMs: toMilliseconds(stats.mtimeNs),
    ctimeMs: toMilliseconds(stats.ctimeNs),
  };
}

export function isSameFile(identity: FileIdentity, stats: FileIdentity): boolean {
  return (
    identity.ino === stats.ino &&
    identity.mtimeMs === stats.mtimeMs &&
    identity.ctimeMs === stats.ctimeMs &&
    identity.size === stats.size &&
    identity.dev === stats.dev
  );
}

/** Node's own arithmetic for `mtimeMs`, so that both kinds of stat round to the same double. */
function toMilliseconds(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000_000n) * 1e3 + Number(nanoseconds % 1_000_000_000n) / 1e6;
}
