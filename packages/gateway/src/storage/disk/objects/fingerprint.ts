/** What identifies the bytes of a file without reading them. */
import { createHash } from "node:crypto";
import type { BigIntStats, Stats } from "node:fs";

/** `inode:size:mtime` with the time in nanoseconds. Text, so that it fits a database column and a message alike. */
export function fingerprintOf(stats: BigIntStats): string {
  return `${stats.ino}:${stats.size}:${stats.mtimeNs}`;
}

/** Whether two fingerprints are of a file and its copy: another inode, with size and time as they were. */
export function isSameButForInode(one: string, other: string): boolean {
  return one !== other && one.slice(one.indexOf(":")) === other.slice(other.indexOf(":"));
}

/** The ETag of a file that nobody uploaded here. It holds a `-`, so no client takes it for the MD5 of the bytes. */
export function foreignEtag(fingerprint: string): string {
  return `${createHash("sha256").update(fingerprint).digest("hex").slice(0, 32)}-f`;
}

/** The first and the last time that a date has a year of four digits for, as HTTP and XML have it: the beginning of 1 and the end of 9999. */
const FIRST_MS = -62_135_596_800_000;
const LAST_MS = 253_402_300_799_999;

/** When a file was changed. Some file systems keep times for which there is no date, with which no answer could be written. */
export function modifiedAt(nanoseconds: bigint): Date {
  return new Date(Math.min(Math.max(Number(nanoseconds / 1_000_000n), FIRST_MS), LAST_MS));
}

/** The numbers of a plain `lstat`: what a cached file is compared with on each request. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
}

export function identityOf(stats: BigIntStats): FileIdentity {
  return {
    dev: Number(stats.dev),
    ino: Number(stats.ino),
    size: Number(stats.size),
    mtimeMs: toMilliseconds(stats.mtimeNs),
    ctimeMs: toMilliseconds(stats.ctimeNs),
  };
}

export function isSameFile(identity: FileIdentity, stats: Stats): boolean {
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
