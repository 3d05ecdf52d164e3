/**
 * Space for removals: on a full disk, the index must still record what was removed. A file without content is kept for that. It is
 * given up when a removal finds no space, and made again when there is plenty.
 */
import { randomBytes } from "node:crypto";
import { rmSync, statfsSync, statSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { isStorageError } from "../contract/storage.ts";
import type { IndexDatabase } from "./database/index-database.ts";
import { translated } from "./errors.ts";
import type { Layout } from "./layout.ts";

/** Enough for a few hundred removals, each some pages of SQLite's log. */
const RESERVED_BYTES = 512 * 1024;
/** Free bytes from which the reserve is made again. Clients get the space that was just freed. */
const PLENTY_BYTES = 8 * RESERVED_BYTES;
/** SQLite needs this much for the shared memory of an index, and does not report a full disk when it is missing. */
const LEAST_BYTES = 64 * 1024;

export interface ReservedSpace {
  isDiskFull(error: unknown): boolean;
  /** Runs a step that removes something. If the disk is full, gives up the reserve and runs the step again. */
  spending<T>(step: () => T): T;
  /** Makes the reserve if it is missing and there is plenty of space. Never throws. */
  keep(): Promise<void>;
}

/** Whether an error comes from a disk without space. */
export function isDiskFull(error: unknown, folder: string): boolean {
  const fault = translated(error, "open the index");
  if (isStorageError(fault) && fault.code === "DISK_FULL") return true;
  return fault !== error && freeBytes(folder) < LEAST_BYTES;
}

/** NaN if the file system does not answer, as when it is not mounted. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.NaN;
  }
}

function reservePath({ own }: Pick<Layout, "own">): string {
  return join(own, "reserve");
}

/** Gives the reserve up. Returns whether there was one. */
export function giveUpReserve(layout: Pick<Layout, "own">): boolean {
  const path = reservePath(layout);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  rmSync(path, { force: true });
  return size > 0;
}

export function reservedSpace(layout: Layout, database: Pick<IndexDatabase, "checkpoint">): ReservedSpace {
  const path = reservePath(layout);
  let isKept = statSync(path, { throwIfNoEntry: false })?.size === RESERVED_BYTES;
  let making: Promise<void> | undefined;
  // A quota may leave less than the disk reports. Then there is no reserve until the next start.
  let refused = false;

  /** The content is random, because a file system that compresses would reserve nothing. */
  async function make(): Promise<void> {
    try {
      const file = await open(path, "w", 0o600);
      try {
        await file.writeFile(randomBytes(RESERVED_BYTES));
        await file.sync();
        isKept = true;
      } finally {
        await file.close();
      }
    } catch {
      refused = true;
      await rm(path, { force: true }).catch(() => {});
    }
  }

  return {
    isDiskFull: (error) => isDiskFull(error, layout.root),
    spending(step) {
      try {
        return step();
      } catch (error) {
        if (!isDiskFull(error, layout.root)) throw error;
        giveUpReserve(layout);
        isKept = false;
        // Frees the space of what the log already holds.
        database.checkpoint();
        return step();
      }
    },
    async keep() {
      if (isKept || refused) return;
      if (making === undefined && freeBytes(layout.root) >= PLENTY_BYTES) {
        making = make().finally(() => {
          making = undefined;
        });
      }
      await making;
    },
  };
}
